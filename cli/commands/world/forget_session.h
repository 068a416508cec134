/* cli/commands/world/forget_session.h - the games and the trainings of `ogpt world forget`. */
#ifndef OGPT_CLI_COMMANDS_WORLD_FORGET_SESSION_H
#define OGPT_CLI_COMMANDS_WORLD_FORGET_SESSION_H

#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "probes/forgetting/forget_find.h"
#include "probes/forgetting/forget_train.h"

typedef struct ForgetCommand {
    const char *to, *out;
    int rules; /* GameRules; -1: not given */
    int64_t games, test_games, fit_games, plies, batch;
    double lr, within;
} ForgetCommand;

typedef struct ForgetSession {
    Context *context;
    Subject before;
    const GameVariant *other;             /* of the new games */
    Corpus *corpus;                       /* of --to, or NULL */
    GameSource *learn[N_FORGET_NETWORKS]; /* what each network learned; NULL: before */
    ForgetSources sources[N_FORGET_KINDS];
    TrainOptions train;
    ForgetRuns runs;
} ForgetSession;

/* Open the network and the games, and check all options. forget_session_release in any case. */
int forget_session_open(ForgetSession *session, Context *context);
/* forget_train, below --out. */
int forget_session_train(ForgetSession *session);
void forget_session_release(ForgetSession *session);

#endif
