/* report/runs/run_curves.h - the curves of two training runs, side by side. */
#ifndef OGPT_REPORT_RUNS_RUN_CURVES_H
#define OGPT_REPORT_RUNS_RUN_CURVES_H

#include "report/report.h"

#define RUN_CURVES_SHOWN 12 /* steps in text; JSON, CSV and HTML have all */

/* One row a step that either run reported. Members of the first run begin with a_, of the second
 * with b_; a run has none of them where it reported no such value. */
extern const TableSpec run_curves_table;

/* Fill the table, and print some of its steps, the first and the last among them. a, b: runs as
 * store_show returns them. Nothing if either has no curve. */
void run_curves_report(Report *report, const Js *run_a, const Js *run_b, TextStyle style);

#endif
