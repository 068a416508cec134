/* cli/commands/results/demo_report.h - what the demo found, read from its results database, and the
 * verdict. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H
#define OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H

#include "cli/command.h"

typedef struct DemoReport {
    Text text;    /* the tables and the claim, line by line */
    Js *document; /* "holds", and the rows that the tables show */
} DemoReport;

/* Lines of the claim in addition to those for every network: the board is read better than by the
 * majority and from random weights, the edit lowers the error, a random direction does not. */
typedef struct DemoClaims {
    bool history;  /* the best layer reads the board better than both probes of the move history */
    double closed; /* the edit closes at least this share of null - self; 0: no such line */
} DemoClaims;

/* Read the newest finished runs of eval, probe fit and intervene, and judge by them: 0 when the
 * claim holds, OGPT_ENEGATIVE when a line of it fails (the report is complete then as well), else
 * OGPT_E* of reading. Release it in every case. */
int demo_verdict(DemoReport *out, const char *store_path, const DemoClaims *claims);
void demo_report_release(DemoReport *report);

#endif
