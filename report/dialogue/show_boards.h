/* report/dialogue/show_boards.h - the boards of a typed game as rows, a square each: the table of
 * their figure. */
#ifndef OGPT_REPORT_DIALOGUE_SHOW_BOARDS_H
#define OGPT_REPORT_DIALOGUE_SHOW_BOARDS_H

#include "report/results/show_result.h"

extern const TableSpec show_boards_table;

/* The true board and what is read of it, then the same of the edited one. */
void show_boards_report(Report *report, const ShowFindings *found);

#endif
