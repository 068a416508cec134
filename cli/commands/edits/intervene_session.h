/* cli/commands/edits/intervene_session.h - one run of ogpt intervene: what it was asked for, what
 * it owns, and how its results are written out (intervene_report.c, intervene_table.c);
 * intervene_load.c reads its input. */
#ifndef OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H
#define OGPT_CLI_COMMANDS_EDITS_INTERVENE_SESSION_H

#include "cli/command.h"
#include "model/checkpoint.h"
#include "probes/edits/edit_experiment.h"
#include "probes/edits/edit_means.h"
#include "probes/edits/edit_network.h"

#define INTERVENE_MAX_FILES 4
#define INTERVENE_ALL "all" /* of --method */

typedef struct InterveneOptions {
    const char *probe, *cases, *tune, *method, *site, *layers, *scale, *rule;
    const char *direction, *positions, *preset, *means_from, *rate;
    int64_t probe_layer, show, steps;
    bool ignore_bias, no_by_layer, no_play_on;
} InterveneOptions;

/* Cases to be reported, and those to choose layers and scale on. */
typedef struct CaseFile {
    char path[FILES_PATH_MAX], tune_path[FILES_PATH_MAX]; /* tune_path "": none */
    CaseSet cases, tuning;
} CaseFile;

/* One method on one file. */
typedef struct MethodResult {
    const CaseFile *file;
    EditExperiment experiment;
} MethodResult;

/* Everything one run owns. */
typedef struct Session {
    Context *context;
    const InterveneOptions *given;
    ModelFile model;
    Probe probe;
    BoardDirections directions[2]; /* of the probe; class means, if mean-difference is asked for */
    EditMeansReport means;         /* behind the class means */
    CaseFile files[INTERVENE_MAX_FILES];
    size_t n_files;
    EditPlan plans[N_EDIT_METHODS]; /* as asked for: one, or one a method */
    size_t n_plans;
    bool any_layers, any_scale; /* to be tuned */
    EditNetwork *networks[2];   /* edited along directions[0], [1] */
    AnswerRule rule;
    Work work;
    Progress progress;
    char stage[32]; /* shown by `progress`; "": none */
    MethodResult results[INTERVENE_MAX_FILES * N_EDIT_METHODS];
    size_t n_results;
} Session;

/* Options -> plans, model, probe and case files, checked against each other. Returns 0 or
 * OGPT_E*. */
int session_load(Session *session);
/* --method all */
bool session_is_all(const Session *session);
/* The directions that a plan uses, and the network that it edits along them. */
const BoardDirections *session_directions(const Session *session, const EditPlan *plan);
EditNetwork *session_network(const Session *session, const EditPlan *plan);

/* Rows of the results database for one result: sweep, summary, cases, metrics. */
int add_result_rows(Session *session, const MethodResult *result);
/* The document of one result: plan, means, intervals and controls. */
Js *result_json(const Session *session, const MethodResult *result);
/* The page for people. */
void print_result(Text *text, const Session *session, const MethodResult *result);
/* --show N: the case, and what the network plays before and after the edit. 0 or OGPT_E*. */
int show_case(Session *session, Text *text, Js *document, const MethodResult *result);

/* All methods: the table of the README, as Markdown, and its document. */
void print_table(Text *text, const Session *session);
Js *table_json(const Session *session);

#endif
