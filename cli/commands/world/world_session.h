/* cli/commands/world/world_session.h - what the commands `ogpt world ...` share: the network,
 * its controls, and one round of a test for each of them. */
#ifndef OGPT_CLI_COMMANDS_WORLD_WORLD_SESSION_H
#define OGPT_CLI_COMMANDS_WORLD_WORLD_SESSION_H

#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/world/world_result.h"

typedef struct WorldCommonOptions {
    int64_t strict_games, mistake_games, history_steps;
} WorldCommonOptions;

typedef struct WorldSession {
    Context *context;
    Subject subject;
    PlayerSet set;
    KeptWork kept;
    WorldFindings findings;
    const WorldCommonOptions *given;
} WorldSession;

/* What every test has, at the field `common` of its options: the games of the strict error beside
 * each score, and how much the controls random_mistakes and history_mlp see (player_set_make). */
#define OPTIONS_WORLD                                                                              \
    OPTION_INT("strict-games", AT(common.strict_games), "N", 1, 1e6,                               \
               "random games for the strict error that is shown with every player", .def = "256"), \
        OPTION_INT("mistake-games", AT(common.mistake_games), "N", 1, 1e5,                         \
                   "random games whose answers random_mistakes deals out", .def = "1024"),         \
        OPTION_INT("history-steps", AT(common.history_steps), "N", 1, 1e6,                         \
                   "steps of 64 games that history_mlp learns for", .def = "400")
/* --opening, 0: world_opening_moves. */
#define OPTION_OPENING(at_)                                                                        \
    OPTION_INT("opening", at_, "N", 0, 50,                                                         \
               "random moves at the beginning of a game; 0: a tenth of the longest game",          \
               .def = "0")

/* Open the network; given is borrowed. Returns 0 or OGPT_E*; world_session_release in any case. */
int world_session_open(WorldSession *session, Context *context, const WorldCommonOptions *given);
/* The moves of an opening, checked against the board: OGPT_EUSAGE. */
int world_session_opening(int *out, const WorldSession *session, int64_t given);
/* study_begin, the journal, and the players: to be called when all is checked. The journal belongs
 * to this network, these options, this probe and these pairs (NULL or empty: none were read). */
int world_session_begin(WorldSession *session, const Probe *probe, const PairSet *pairs);
/* n pairs of a kind from random games, of lengths that every board has. Released by the caller. */
int world_session_pairs(PairSet *out, const WorldSession *session, PairKind kind, size_t n);
/* `test` for every player, with its work; and its strict error. test(context, kind, player, work)
 * returns 0 or OGPT_E*. */
int world_session_each(WorldSession *session,
                       int (*test)(void *context, int kind, const Player *player, const Work *work),
                       void *context);
/* The report is filled: forget the finished blocks. */
int world_session_done(const WorldSession *session);
void world_session_release(WorldSession *session);

#endif
