/* cli/commands/circuits/attribute_session.h - what ogpt attribute is asked. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_ATTRIBUTE_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_ATTRIBUTE_SESSION_H

#include "cli/command.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/model_input.h"
#include "probes/attribution/attribution_run.h"

typedef struct AttributeOptions {
    const char *moves, *corpus, *cases, *move, *square, *probe, *contrast;
    bool fresh;
    int64_t games, plies, top, maps, memory;
    int to, metric, grain, ln;
    LayerList layers;
} AttributeOptions;

typedef struct AttributeSession {
    Context *context;
    const AttributeOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Probe probe;        /* board */
    char probe_path[FILES_PATH_MAX];
    bool board; /* the number is a probe's, else a logit's */
    AttributionTarget target;
    AttributionPositions positions;
    AttributionOptions options;
    const char *source; /* what the positions come from, in words */
    char words[GAME_WORDS_MAX];
} AttributeSession;

/* Network, probe, target, and histories of cases or of the typed game. Games of a corpus or fresh
 * ones are drawn by attribute_draw, after study_begin. Returns 0 or OGPT_E*. */
int attribute_load(AttributeSession *session);
int attribute_draw(AttributeSession *session);
void attribute_free(AttributeSession *session);

#endif
