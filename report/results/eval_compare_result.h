/* report/results/eval_compare_result.h - two networks on the same games: a table and a sentence. */
#ifndef OGPT_REPORT_RESULTS_EVAL_COMPARE_RESULT_H
#define OGPT_REPORT_RESULTS_EVAL_COMPARE_RESULT_H

#include "probes/legality/legality_compare.h"
#include "report/results/eval_result.h"

extern const TableSpec eval_tests_table;

/* What there is to report; all borrowed. */
typedef struct EvalCompareFindings {
    const LegalityDifference *differences; /* (LEGALITY_MEASURES) */
    const char *names[2], *model_hashes[2];
    const char *corpus_hash;
    const char *split; /* "test" or "all" */
    size_t n_games;
    double positions;
    const EvalSeen *seen; /* games that either was trained on */
} EvalCompareFindings;

/* Fill the table, and say in one sentence which network plays better, if either does. */
void eval_compare_report(Report *report, const EvalCompareFindings *found);

#endif
