/* cli/commands/edits/intervene_session.h - one run of ogpt intervene: its options and everything it
 * owns. intervene_load.c reads the input, intervene_run.c does the work. */
#ifndef OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H
#define OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H

#include "cli/study.h"
#include "probes/activations/subject.h"
#include "probes/edits/edit_network.h"
#include "probes/features/features_handles.h"
#include "report/results/edit_result.h"

#define INTERVENE_MAX_FILES 4
#define INTERVENE_ALL N_EDIT_METHODS /* of --method */

/* Who has the directions of a method. */
typedef enum EditOwner { OWNER_PROBE, OWNER_MEANS, OWNER_FEATURES, N_EDIT_OWNERS } EditOwner;

typedef struct InterveneOptions {
    const char *probe, *cases, *tune, *scale, *preset, *means_from, *rate, *sae;
    int method;                     /* EditMethod, INTERVENE_ALL, or -1: unset */
    int site;                       /* HookSite, or -1: unset */
    int direction, positions, rule; /* EditDirection, EditPositions, AnswerRule */
    LayerList layers;
    int64_t probe_layer, show, steps, per_state, features_games;
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
    /* The probe's; class means and features, if their methods are asked for. */
    BoardDirections directions[N_EDIT_OWNERS];
    EditMeansReport means; /* behind the class means */
    Sae *sae;              /* NULL: not asked for */
    char sae_path[FILES_PATH_MAX];
    FeaturesHandles handles; /* its features */
    BoardMover mover;        /* clamps them */
    CaseFile files[INTERVENE_MAX_FILES];
    size_t n_files;
    EditPlan plans[N_EDIT_METHODS]; /* as asked for: one, or one a method */
    size_t n_plans;
    bool any_layers, any_scale;           /* to be tuned */
    EditNetwork *networks[N_EDIT_OWNERS]; /* edited by directions of the same index */
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
