/* cli/commands/circuits/pair_session.h - what ogpt patch and ogpt circuit have in common: a
 * network, pairs, control pairs, and the journal of their runs. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_PAIR_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_PAIR_SESSION_H

#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "probes/cases/pairs.h"
#include "probes/graph/graph.h"

typedef struct PairSession {
    Context *context;
    Subject subject;
    Graph graph;
    PairSet pairs, control;
    KeptWork blocks;
} PairSession;

/* Open and check the network and two files, of pairs and of transpositions (control NULL: none);
 * before study_begin. Returns 0 or OGPT_E*. */
int pair_session_load(PairSession *session, Context *context, const char *pairs,
                      const char *control);
/* Draw control pairs if no file was named, and begin a key with the contents of both sets; after
 * study_begin. *hash belongs to kept_blocks_begin. Returns 0 or OGPT_E*. */
int pair_session_begin(Sha256 **hash, PairSession *session);
void pair_session_release(PairSession *session);

#endif
