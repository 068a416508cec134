/* cli/commands/circuits/scrub_session.h - the inputs of ogpt scrub and its journal. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_SCRUB_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_SCRUB_SESSION_H

#include "base/files.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/circuits/scrub_result.h"

typedef struct ScrubGiven {
    const char *hypothesis, *corpus;
    int64_t n, lenders, min_moves, before_end, memory;
    bool by_node;
} ScrubGiven;

typedef struct ScrubSession {
    Context *context;
    const ScrubGiven *given;
    StudyInputs inputs; /* the corpus is NULL without --corpus */
    Graph graph;
    char path[FILES_PATH_MAX]; /* of the hypothesis */
    char source[FILES_PATH_MAX + 16];
    Hypothesis hypothesis;
    ScrubGames roots, pool;
    ScrubQuestion question;
    KeptWork blocks;
} ScrubSession;

/* Network, hypothesis and corpus, opened and checked; before study_begin. */
int scrub_session_load(ScrubSession *session, Context *context);
/* Draw or read the games, begin the journal; after study_begin. */
int scrub_session_begin(ScrubSession *session);
void scrub_session_release(ScrubSession *session);

#endif
