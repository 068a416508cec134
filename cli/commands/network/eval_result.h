/* cli/commands/network/eval_result.h - the scores of a network as tables. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_EVAL_RESULT_H
#define OGPT_CLI_COMMANDS_NETWORK_EVAL_RESULT_H

#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "probes/legality/legality.h"
#include "probes/legality/seen_games.h"

extern const TableSpec eval_table, eval_ply_table;

/* Games among the training games: what the manifest tells, and how many were left out. */
typedef struct EvalSeen {
    TrainingGames of;
    uint64_t left_out;
} EvalSeen;

typedef struct EvalShown {
    const char *split; /* "test" or "all" */
    bool by_ply;       /* in text, too */
} EvalShown;

/* Fill both tables, and say what is known of seen games. Returns 0 or OGPT_ENOMEM. */
int eval_report(Context *context, const LegalityScore *score, const EvalSeen *seen,
                const StudyInputs *inputs, EvalShown shown);

#endif
