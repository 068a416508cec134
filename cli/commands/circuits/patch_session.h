/* cli/commands/circuits/patch_session.h - the inputs of ogpt patch, and its journal. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_PATCH_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_PATCH_SESSION_H

#include "cli/commands/circuits/pair_session.h"
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
    PairSession in;
    const PatchGiven *given;
    PatchAsked asked;
    uint8_t *edges;
} PatchSession;

/* Model, pairs, control pairs and what is asked, opened and checked; before study_begin. */
int patch_session_load(PatchSession *session, Context *context);
/* Draw the control pairs if no file is named; the key of the blocks: everything that they depend
 * on. After study_begin. */
int patch_session_begin(PatchSession *session);
void patch_session_release(PatchSession *session);

#endif
