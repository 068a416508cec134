/* report/results/demo_result.h - what the demo found about one network: its tables, and its claim
 * line by line.
 */
#ifndef OGPT_REPORT_RESULTS_DEMO_RESULT_H
#define OGPT_REPORT_RESULTS_DEMO_RESULT_H

#include "report/report.h"

#define DEMO_CLOSED                                                                                \
    0.6 /* the least share of null - self that an edit of a shipped network closes */

/* Rows of the results database. */
typedef struct DemoFindings {
    Js *eval, *layers, *controls, *edit, *cases; /* owned arrays of rows */
    const Js *best;                              /* row of the best layer */
} DemoFindings;

/* Add the tables and the claim as text; to `lines` (an array) one object a line of the claim:
 * "claim", "holds" (null: not compared) and "asked". Every line is printed for every network; those
 * about the move history and the share closed are asked, and decide *holds, only if it was trained
 * for long. Returns 0 or OGPT_ENOMEM. */
int demo_findings_print(Text *text, Js *lines, bool *holds, const DemoFindings *found,
                        bool trained_long);

/* How the board is read by layer and by each control, over the parts of the demo; rows of one part,
 * from its document. */
extern const TableSpec demo_board_table;
void demo_board_add(Table *table, const char *part, const Js *document);

/* A number of a row, NaN if it has none; whether a text of a row is `expected`. */
double demo_number(const Js *row, const char *key);
bool demo_text_is(const Js *row, const char *key, const char *expected);

/* The lines of the claim of one part of the demo's document, and what became of each; a table that
 * is in no database. */
void demo_claims_fill(Table *out, const Js *document);

#endif
