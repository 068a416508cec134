/* report/results/conversion_result.h - what a conversion made, as a table. */
#ifndef OGPT_REPORT_RESULTS_CONVERSION_RESULT_H
#define OGPT_REPORT_RESULTS_CONVERSION_RESULT_H

#include "probes/artefacts/convert.h"
#include "report/report.h"

/* A record: what rounding changed only where numbers were rounded. */
extern const TableSpec conversion_table;

void conversion_report(Report *report, const Conversion *c);

#endif
