/* cli/commands/readers/steer_session.h - the options of ogpt steer, and what they name. */
#ifndef OGPT_CLI_COMMANDS_READERS_STEER_SESSION_H
#define OGPT_CLI_COMMANDS_READERS_STEER_SESSION_H

#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "probes/features/features_handles.h"
#include "probes/steering/steer_study.h"

typedef struct SteerCommand {
    const char *square, *probe, *alpha, *corpus, *out, *sae, *features;
    int target, origin, site, positions;
    LayerList layers;
    int64_t heads, fit_games, tuning_games, games, plies, memory, per_state, features_games;
} SteerCommand;

typedef struct SteerSession {
    Context *context;
    const SteerCommand *given;
    StudyInputs inputs;
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    char source[GAME_WORDS_MAX];
    int group; /* of --square; -1 */
    SteerGroups groups;
    Sae *sae; /* of --sae, or NULL */
    char sae_path[FILES_PATH_MAX];
    bool *chosen;            /* (features) of --features, or NULL */
    FeaturesHandles handles; /* its features */
    SteerBank features;      /* their vectors */
    SteerFit fit;
    SteerCases tuning, test;
    SteerInputs steer;
    SteerStudy study;
    KeptWork kept;
    char out_hash[HASH_HEX_SIZE]; /* of the network of --out */
} SteerSession;

/* Open and check everything that is named. */
int steering_load(SteerSession *session);
/* Positions to fit on, to choose on, and to report. */
int steering_draw(SteerSession *session);
/* The study; finished runs are kept until kept_blocks_end. */
int steering_compute(SteerSession *session);
void steering_release(SteerSession *session);

#endif
