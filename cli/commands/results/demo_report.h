/* cli/commands/results/demo_report.h - what the demo found, read from its results database, and the
 * verdict. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H
#define OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H

#include "cli/study.h"
#include "report/results/demo_result.h"

typedef struct DemoReport {
    Text text;    /* the tables and the claim, line by line */
    Js *document; /* "holds", "claims", and the rows that the tables show */
} DemoReport;

/* Read the newest finished runs of eval, probe fit and intervene, and judge by them: 0 when the
 * claim holds, OGPT_ENEGATIVE when a line of it fails (the report is complete then as well), else
 * OGPT_E* of reading. Release it in every case. */
int demo_verdict(DemoReport *out, const char *store_path, bool trained_long);
void demo_report_release(DemoReport *report);
/* Rows of the newest finished runs (cli/commands/results/demo_findings.c). Returns 0 or OGPT_E*; to
 * be released in any case, from {0}. */
int demo_findings_read(DemoFindings *out, const char *store_path);
void demo_findings_release(DemoFindings *findings);

#endif
