/* cli/commands/circuits/patch_session.h - the inputs of ogpt patch, and its journal. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_PATCH_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_PATCH_SESSION_H

#include "cli/commands/circuits/circuit_session.h"
#include "probes/patching/patch_study.h"

typedef struct PatchGiven {
    const char *pairs, *control, *sites, *edges;
    LayerList layers;
    bool noise;
    int direction, scope, norm;
    int64_t back, top, memory;
} PatchGiven;
enum { BOTH_DIRECTIONS = 2 };

typedef struct PatchSession {
    Context *context;
    const PatchGiven *given;
    Subject subject;
    PairSet pairs, control;
    Graph graph;
    PatchAsked asked;
    uint8_t *edges;
    StoreJournal journal;
    WorkJournal callbacks;
} PatchSession;

/* Model, pairs, control pairs and what is asked, opened and checked; before study_begin. */
int patch_session_load(PatchSession *session);
/* Draw the control pairs if no file is named; the key of the blocks: everything that they depend
 * on. After study_begin. */
int patch_session_begin(PatchSession *session);

#endif
