/* cli/commands/results/demo_report.h - what the demo found, read from its results database, and the
 * verdict. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H
#define OGPT_CLI_COMMANDS_RESULTS_DEMO_REPORT_H

#include "cli/study.h"

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
/* How the board is read by layer and by each control, over the parts of the demo. */
extern const TableSpec demo_board_table;
/* Rows of one part, from its document. */
void demo_board_add(Table *table, const char *part, const Js *document);

/* What the tables need, read from the database (cli/commands/results/demo_findings.c). */
typedef struct DemoFindings {
    Js *eval, *layers, *controls, *edit, *cases; /* owned arrays of rows */
    const Js *best;                              /* row of the best layer */
} DemoFindings;
/* Rows of the newest finished runs. Returns 0 or OGPT_E*; to be released in any case, from {0}. */
int demo_findings_read(DemoFindings *out, const char *store_path);
void demo_findings_release(DemoFindings *findings);
/* A number of a row, NaN if it has none; whether a text of a row is `expected`. */
double demo_number(const Js *row, const char *key);
bool demo_text_is(const Js *row, const char *key, const char *expected);

#endif
