/* report/circuits/share_note.h - whether a share of Delta means something. */
#ifndef OGPT_REPORT_CIRCUITS_SHARE_NOTE_H
#define OGPT_REPORT_CIRCUITS_SHARE_NOTE_H

#include "report/report.h"

/* Warn where the difference of Delta between two runs is not clearly above or below 0: shares of it
 * are noise. `which`: the runs, in words ("noising"), or NULL where there is one pair of runs. */
void share_report(Report *report, const char *which, Interval difference);

#endif
