/* cli/commands/network/scored_games.h - which games ogpt eval scores: a split or all, and none that
 * the network was trained on. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_SCORED_GAMES_H
#define OGPT_CLI_COMMANDS_NETWORK_SCORED_GAMES_H

#include "cli/commands/common/model_input.h"
#include "cli/commands/common/shared_options.h"
#include "report/results/eval_result.h"

/* What the options ask for. */
typedef struct ScoredAsked {
    const char *corpus; /* its path */
    int64_t games;
    bool all, test_split, seen, no_seen;
} ScoredAsked;

/* Their rows of an option table; `at_` is the place of the ScoredAsked, `corpus_` explains
 * --corpus. */
#define SCORED_OPTIONS(at_, corpus_)                                                               \
    OPTION_CORPUS((at_) + offsetof(ScoredAsked, corpus), corpus_),                                 \
        OPTION_INT("games", (at_) + offsetof(ScoredAsked, games), "N", 1, 1e9,                     \
                   "number of games, from the first one on", .def = "10000"),                      \
        OPTION_FLAG("all", (at_) + offsetof(ScoredAsked, all),                                     \
                    "score all games, also those that a network may have been trained on"),        \
        OPTION_FLAG("test-split", (at_) + offsetof(ScoredAsked, test_split),                       \
                    "score the test split only, also of an imported corpus"),                      \
        OPTION_FLAG("seen", (at_) + offsetof(ScoredAsked, seen),                                   \
                    "look for training games among those of an imported corpus, too"),             \
        OPTION_FLAG("no-seen", (at_) + offsetof(ScoredAsked, no_seen),                             \
                    "do not make the training games again to look for scored games among them")

typedef struct EvalGames {
    GameSource *source; /* owned */
    uint64_t n;         /* how many of it */
    bool generated;     /* random games: training games may be among them */
    bool all;           /* all splits, else the test split */
    const char *reason; /* static text */
    EvalSeen seen;
} EvalGames;

/* Open the games: all that were asked for, or all that there are, which it says. Games of a
 * generated corpus come from its test split. An imported corpus is scored whole, unless a network
 * was trained on a corpus: nobody knows which games two collections share. inputs: one network, or
 * n <= SCORED_BY_MAX of one board with the same corpus. */
#define SCORED_BY_MAX 2
int scored_open(EvalGames *out, const Context *context, const StudyInputs *inputs, size_t n,
                const ScoredAsked *asked);
/* Leave out games that training of any of the networks had: of a generated corpus, or of any with
 * `seen`; after study_begin. The
 * results database keeps which they are, so that the next call need not look again: under a hash of
 * the games themselves and of the fresh games that the manifest names. Returns OGPT_EFORMAT if no
 * game is left. */
int scored_look(EvalGames *out, Context *context, const StudyInputs *inputs, size_t n,
                const ScoredAsked *asked);

#endif
