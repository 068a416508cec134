/* cli/commands/edits/show_session.h - one run of ogpt show: its options, and what it opened and
 * read (show_load.c) before a line is printed. */
#ifndef OGPT_CLI_COMMANDS_EDITS_SHOW_SESSION_H
#define OGPT_CLI_COMMANDS_EDITS_SHOW_SESSION_H

#include "cli/command.h"
#include "probes/activations/subject.h"
#include "report/results/show_result.h"

typedef struct ShowOptions {
    const char *probe, *moves, *flip, *erase, *place;
    LayerList layers;
    int64_t top;
    bool probabilities;
    double scale;
} ShowOptions;

typedef struct ShowSession {
    Context *context;
    const ShowOptions *given;
    Subject subject;
    char probe_path[FILES_PATH_MAX];
    Probe probe;
    TypedGame game;
    ShowFindings found;
} ShowSession;

/* Options -> everything that is shown. Returns 0 or OGPT_E*; release in both cases. */
int show_load(ShowSession *session);
void show_release(ShowSession *session);

#endif
