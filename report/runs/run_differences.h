/* report/runs/run_differences.h - what differs between two runs of the results database. */
#ifndef OGPT_REPORT_RUNS_RUN_DIFFERENCES_H
#define OGPT_REPORT_RUNS_RUN_DIFFERENCES_H

#include "report/report.h"

extern const TableSpec run_differences_table;

/* Two runs as store_show returns them: options, versions, and the last row of each kind that either
 * has, where they differ. */
void run_differences_report(Report *report, const Js *a, const Js *b);

#endif
