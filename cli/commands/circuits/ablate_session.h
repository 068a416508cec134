/* cli/commands/circuits/ablate_session.h - what ogpt ablate is asked, and its journal. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_ABLATE_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_ABLATE_SESSION_H

#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "probes/ablation/ablation_study.h"

typedef struct AblateOptions {
    const char *cases, *corpus, *units, *kinds, *match;
    int64_t games, plies, mean_games, lending_games, draws, group_heads, group_neurons, pairs, top,
        memory;
    int at; /* 0 last, 1 all */
    bool no_curves;
} AblateOptions;

typedef struct AblateSession {
    Context *context;
    const AblateOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    PairSet pairs;
    AblationMatch match;
    const char *matched; /* --match if a kind asks for it, else NULL */
    AblationStudyOptions options;
    GameSource *training, *games;
    AblationPositions positions;
    AblationMeans means;
    AblationDonors donors;
    AblationInputs ablation;
    char source[GAME_WORDS_MAX], trained[GAME_WORDS_MAX]; /* in words */
    KeptWork blocks;
} AblateSession;

/* Network, options, corpus and pairs, opened and checked. Returns 0 or OGPT_E*. */
int ablate_load(AblateSession *session);
/* Refuse what is more than --memory allows: 0 or OGPT_EUSAGE. */
int ablate_check_memory(const AblateSession *session, size_t bytes);
/* After study_begin: positions; means and games that lend if a kind needs them; the journal, known
 * by the program's version, the options, the seed, and the contents of network, corpus and pairs.
 */
int ablate_prepare(AblateSession *session);
void ablate_free(AblateSession *session);

#endif
