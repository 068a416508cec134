/* report/runs/run_tables.h - rows of the database under columns found in them. */
#ifndef OGPT_REPORT_RUNS_RUN_TABLES_H
#define OGPT_REPORT_RUNS_RUN_TABLES_H

#include "report/report.h"

/* The rows of a view of store/views.def, under its name; one table at a time. */
extern TableSpec run_tables_view;
void run_tables_show(Report *report, const char *name, const Js *rows);

/* One table a kind of row, for files alone: the document has the rows, and so has the text.
 * `results` as in store_show, borrowed until the report is rendered. */
#define RUN_KINDS_MAX 32
extern TableSpec run_tables_kinds[RUN_KINDS_MAX];
void run_tables_add(Report *report, const Js *results);

#endif
