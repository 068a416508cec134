/* cli/commands/edits/intervene_session.h - one run of ogpt intervene: its options and everything it
 * owns. intervene_load.c reads the input, intervene_run.c does the work. */
#ifndef OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H
#define OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H

#include "cli/study.h"
#include "probes/activations/subject.h"
#include "probes/edits/edit_network.h"
#include "report/results/edit_result.h"

#define INTERVENE_MAX_FILES 4
#define INTERVENE_ALL N_EDIT_METHODS /* of --method */

typedef struct InterveneOptions {
    const char *probe, *cases, *tune, *scale, *preset, *means_from, *rate;
    int method;                     /* EditMethod, INTERVENE_ALL, or -1: unset */
    int site;                       /* HookSite, or -1: unset */
    int direction, positions, rule; /* EditDirection, EditPositions, AnswerRule */
    LayerList layers;
    int64_t probe_layer, show, steps;
    bool ignore_bias, no_by_layer, no_play_on;
} InterveneOptions;

/* Cases to be reported, and those to choose layers and scale on. */
typedef struct CaseFile {
    char path[FILES_PATH_MAX], tune_path[FILES_PATH_MAX]; /* tune_path "": none */
    CaseSet cases, tuning;
} CaseFile;

typedef struct EditSession {
    Context *context;
    const InterveneOptions *given;
    Subject subject;
    char probe_path[FILES_PATH_MAX];
    Probe probe;
    BoardDirections directions[2]; /* of the probe; class means, if mean-difference is asked for */
    EditMeansReport means;         /* behind the class means */
    CaseFile files[INTERVENE_MAX_FILES];
    size_t n_files;
    EditPlan plans[N_EDIT_METHODS]; /* as asked for: one, or one a method */
    size_t n_plans;
    bool any_layers, any_scale; /* to be tuned */
    EditNetwork *networks[2];   /* edited along directions[0], [1] */
    EditResult results[INTERVENE_MAX_FILES * N_EDIT_METHODS];
    size_t n_results;
} EditSession;

/* --method all */
bool session_is_all(const EditSession *session);
/* Options -> plans, model, probe and case files, checked against each other. Returns 0 or
 * OGPT_E*. */
int session_load(EditSession *session);
/* Run every plan on every file; then session->results are there. Returns 0 or OGPT_E*. */
int session_run(EditSession *session);
/* --show N: the case, and what the network plays before and after the edit. 0 or OGPT_E*. */
int session_show_case(EditSession *session);
void session_release(EditSession *session);

#endif
