/* report/results/eval_result.h - the scores of a network as tables. Columns: the arrays at the head
 * of eval_result.c. */
#ifndef OGPT_REPORT_RESULTS_EVAL_RESULT_H
#define OGPT_REPORT_RESULTS_EVAL_RESULT_H

#include "probes/legality/legality.h"
#include "probes/legality/seen_games.h"
#include "report/report.h"

extern const TableSpec eval_table, eval_ply_table;

/* Games among the training games: what the manifest says, and how many were left out. */
typedef struct EvalSeen {
    TrainingGames of;
    uint64_t left_out;
    bool recalled; /* the database knew them from an earlier look */
} EvalSeen;

/* What there is to report; all borrowed. */
typedef struct EvalFindings {
    const LegalityScore *score;
    const EvalSeen *seen;
    const char *model_hash, *corpus_hash;
    const char *split;  /* "test" or "all" */
    const char *reason; /* why these */
    bool generated;     /* every legal move was equally likely: floor and excess mean something */
    bool by_ply;        /* show the plies in text, too */
    uint64_t seed;      /* of the intervals */
} EvalFindings;

/* Fill both tables, and say what is known of seen games. Returns 0 or OGPT_ENOMEM. */
int eval_report(Report *report, const EvalFindings *found);

#endif
