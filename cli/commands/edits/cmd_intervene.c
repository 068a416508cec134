/* cli/commands/edits/cmd_intervene.c - ogpt intervene: edit the board inside the network, and let
 * the rules of the game say whether it now plays on the edited board. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/edits/edit_journal.h"
#include "cli/commands/edits/intervene_session.h"
#include "datasets/corpus.h"

static const OptionSpec intervene_options[] = {
    {"probe", OPT_TEXT, offsetof(InterveneOptions, probe), .argument = "PROBE",
     .help = "probe of task mine or colour, fitted on this model; needed"},
    {"cases", OPT_TEXT, offsetof(InterveneOptions, cases), .argument = "FILE[,FILE]",
     .help = "cases to be reported (ogpt cases make); needed; several with --method all"},
    {"tune", OPT_TEXT, offsetof(InterveneOptions, tune), .argument = "FILE[,FILE]",
     .help = "other cases, on which auto layers and scale are chosen: one file for all, or one for "
             "each of --cases"},
    {"method", OPT_CHOICE, offsetof(InterveneOptions, method),
     .choices = &(EDIT_METHODS(EDIT_METHOD_BAR) "|" INTERVENE_ALL)[1], .argument = "METHOD",
     .help = "add a direction, negate (project) or set the coordinate along it, gradient through "
             "the probe, the difference of class means, or all of them as a table (default: add)"},
    {"preset", OPT_CHOICE, offsetof(InterveneOptions, preset), .choices = EDIT_PRESET_NAMES,
     .argument = "NAME",
     .help = "a published edit: method, site, layers, scale, direction and the rest"},
    {"direction", OPT_CHOICE, offsetof(InterveneOptions, direction), .def = "difference",
     .choices = EDIT_DIRECTION_NAMES, .argument = "DIRECTION",
     .help = "of add: from the old state to the new, or the new state's own column"},
    {"positions", OPT_CHOICE, offsetof(InterveneOptions, positions), .def = "last",
     .choices = EDIT_POSITION_NAMES, .argument = "WHERE",
     .help = "edit the last position, or add the same change at all"},
    {"site", OPT_TEXT, offsetof(InterveneOptions, site), .argument = "SITE",
     .help = "where in each block: " HOOK_NAMES_VECTOR " (default resid_post)"},
    {"layers", OPT_TEXT, offsetof(InterveneOptions, layers), .argument = "LAYERS",
     .help = "3, 2-5, 1,3,6 or auto (default: auto with --tune)"},
    {"scale", OPT_TEXT, offsetof(InterveneOptions, scale), .argument = "X",
     .help = "add, set: a length, or share of the residual's norm as in 0.5r; project: 1 negates; "
             "gradient, mean-difference: share of the change; or auto (default: auto with --tune, "
             "else 1 where the method needs no length)"},
    {"steps", OPT_INT, offsetof(InterveneOptions, steps), 1, EDIT_MAX_STEPS, .def = "100",
     .argument = "N", .help = "of gradient: steps of Adam"},
    {"rate", OPT_TEXT, offsetof(InterveneOptions, rate), .def = EDIT_RATE, .argument = "X",
     .help = "of gradient: Adam's rate, or with r a share of the row's root mean square"},
    {"means-from", OPT_TEXT, offsetof(InterveneOptions, means_from), .argument = "CORPUS",
     .help = "of mean-difference: training games whose activations are averaged"},
    {"rule", OPT_CHOICE, offsetof(InterveneOptions, rule), .def = "topn",
     .choices = "topn|threshold", .argument = "RULE",
     .help = "predicted set: the top N tokens, or those above 1/(2N)"},
    {"probe-layer", OPT_INT, offsetof(InterveneOptions, probe_layer), -1, 63, .def = "-1",
     .argument = "L", .help = "layer whose directions every edited layer uses; -1: each its own"},
    {"ignore-bias", OPT_FLAG, offsetof(InterveneOptions, ignore_bias),
     .help = "project about the origin, as published for probes without bias, not about the "
             "probe's boundary"},
    {"no-by-layer", OPT_FLAG, offsetof(InterveneOptions, no_by_layer),
     .help = "leave out the table of single layers"},
    {"no-play-on", OPT_FLAG, offsetof(InterveneOptions, no_play_on),
     .help = "leave out the ten plies that the network plays on after each edit"},
    {"show", OPT_INT, offsetof(InterveneOptions, show), -1, CASES_MAX, .def = "-1", .argument = "N",
     .help = "also print case N (from 0) with the predictions; -1: none"},
};

const BoardDirections *session_directions(const Session *session, const EditPlan *plan)
{
    return &session->directions[plan->method == METHOD_MEAN_DIFFERENCE ? 1 : 0];
}

EditNetwork *session_network(const Session *session, const EditPlan *plan)
{
    return session->networks[plan->method == METHOD_MEAN_DIFFERENCE ? 1 : 0];
}

/* ---- progress ---- */

static void end_stage(Session *session)
{
    if (session->stage[0]) {
        progress_end(&session->progress);
    }
    session->stage[0] = '\0';
}

/* Each scoring of cases begins with a tick of 0. */
static void show_progress(void *context, const char *stage, double done, double total)
{
    Session *session = context;
    if (done == 0) {
        end_stage(session);
        snprintf(session->stage, sizeof(session->stage), "%s", stage);
        session->progress = progress_begin(session->context, stage, "chunks", total);
    }
    session->progress.total = total;
    progress_step(&session->progress, done, NULL);
}

/* ---- the run ---- */

static int make_means(Session *session, const EditPlan *plan)
{
    EditMeansOptions options = EDIT_MEANS_OPTIONS_DEFAULT;
    const Work work = {.pool = session->context->pool, .seed = session->context->seed};
    Corpus *corpus = NULL;
    int rc = corpus_open(&corpus, session->given->means_from, false);
    options.site = plan->site;
    options.labels = session->probe.labels;
    if (rc == 0) {
        context_say(session->context, "averaging activations of %s: up to %zu MiB of memory",
                    session->given->means_from,
                    (edit_means_bytes(&session->model.gpt->cfg, &options, &work) >> 20) + 1);
        rc = edit_means_fit(&session->directions[1], &session->means, session->model.gpt, corpus,
                            &options, &work);
    }
    corpus_close(corpus);
    return rc;
}

static int make_networks(Session *session)
{
    size_t n_workers = pool_size(session->context->pool);
    uint64_t seed = session->context->seed;
    const Gpt *gpt = session->model.gpt;
    int rc = direction_board_of_probe(&session->directions[0], &session->probe);
    rc =
        rc ? rc
           : edit_network_new(&session->networks[0], gpt, &session->directions[0], n_workers, seed);
    for (size_t i = 0; i < session->n_plans && rc == 0; i++) {
        if (session->plans[i].method == METHOD_MEAN_DIFFERENCE) {
            rc = make_means(session, &session->plans[i]);
            rc = rc ? rc
                    : edit_network_new(&session->networks[1], gpt, &session->directions[1],
                                       n_workers, seed);
            if (rc == 0) {
                edit_network_read_with(session->networks[1], &session->probe);
            }
        }
    }
    return rc;
}

static int run_method(Session *session, const CaseFile *file, const EditPlan *plan)
{
    MethodResult *result = &session->results[session->n_results];
    EditPredictor predictor = edit_network_predictor(session_network(session, plan));
    char name[64];
    ExperimentOptions options = {.base = *plan,
                                 .any_layers = session->any_layers,
                                 .any_scale = session->any_scale,
                                 .by_layer =
                                     !session->given->no_by_layer && !session_is_all(session),
                                 .directions = session_directions(session, plan),
                                 .cfg = &session->model.gpt->cfg,
                                 .measure = {.scoring = {.rule = session->rule, .name = name},
                                             .reader = &session->probe,
                                             .play_on = !session->given->no_play_on,
                                             .n_ctx = session->model.gpt->cfg.n_ctx}};
    int rc;
    snprintf(name, sizeof(name), "%s of file %zu", edit_method_name(plan->method),
             (size_t)(file - session->files));
    if (session->n_plans > 1) {
        context_say(session->context, "%s on %s", edit_method_name(plan->method), file->path);
    }
    result->file = file;
    rc = experiment_run(&result->experiment, &predictor, &file->cases,
                        file->tuning.n > 0 ? &file->tuning : NULL, &options, &session->work);
    end_stage(session);
    session->n_results += rc == 0;
    return rc;
}

static int finish(Session *session)
{
    const MethodResult *only = &session->results[0];
    Js *document = session_is_all(session) ? table_json(session) : result_json(session, only);
    Text text = {0};
    int rc = 0;
    for (size_t i = 0; i < session->n_results && rc == 0; i++) {
        rc = add_result_rows(session, &session->results[i]);
    }
    if (rc == 0 && session->given->show >= 0) {
        rc = show_case(session, &text, document, only);
    }
    if (rc == 0 && session_is_all(session)) {
        print_table(&text, session);
    } else if (rc == 0) {
        print_result(&text, session, only);
    }
    rc = rc ? rc : context_result(session->context, js_keep(document), text.data);
    if (rc == 0 && session->given->show < 0 && !session_is_all(session)) {
        context_next(session->context, "%s --show 0", session->context->command_line);
    }
    js_free(document);
    text_release(&text);
    return rc;
}

static int session_run(Session *session)
{
    Context *context = session->context;
    SessionJournal journal;
    int rc = session_load(session);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, session->model.path, false);
    rc = rc ? rc : make_networks(session);
    rc = rc ? rc : session_journal_begin(&journal, session);
    session->rule = strcmp(session->given->rule, "topn") == 0 ? RULE_TOPN : RULE_THRESHOLD;
    session->work = (Work){.pool = context->pool,
                           .seed = context->seed,
                           .journal = &journal.callbacks,
                           .tick = show_progress,
                           .context = session};
    for (size_t f = 0; f < session->n_files && rc == 0; f++) {
        for (size_t p = 0; p < session->n_plans && rc == 0; p++) {
            rc = run_method(session, &session->files[f], &session->plans[p]);
        }
    }
    rc = rc ? rc : finish(session);
    return rc ? rc : session_journal_end(&journal);
}

static int intervene_run(Context *context)
{
    Session *session = mem_calloc(1, sizeof(*session), "intervention");
    int rc;
    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->given = context->options;
    rc = session_run(session);
    for (size_t i = 0; i < session->n_results; i++) {
        experiment_release(&session->results[i].experiment);
    }
    for (size_t i = 0; i < session->n_files; i++) {
        cases_release(&session->files[i].tuning);
        cases_release(&session->files[i].cases);
    }
    edit_network_free(session->networks[0]);
    edit_network_free(session->networks[1]);
    direction_board_release(&session->directions[0]);
    direction_board_release(&session->directions[1]);
    probe_release(&session->probe);
    model_release(&session->model);
    mem_free(session);
    return rc;
}

const Command cmd_intervene = {
    .name = "intervene",
    .arguments = "MODEL --probe PROBE --cases FILE [--tune FILE]",
    .summary = "edit the board inside the network and judge its moves by the rules",
    .examples = "  ogpt intervene runs/tiny --probe probe --cases cases.csv --tune tune.csv\n"
                "  ogpt intervene runs/tiny --probe probe --cases cases.csv --layers 3-6 "
                "--scale 0.1r\n"
                "  ogpt intervene runs/tiny --probe probe --cases cases.csv --method project "
                "--layers 4 --show 0\n"
                "  ogpt intervene runs/tiny --probe probe --method all --means-from games.ogpc "
                "--cases natural.csv,unnatural.csv --tune tune.csv\n",
    .options = intervene_options,
    .n_options = sizeof(intervene_options) / sizeof(intervene_options[0]),
    .options_bytes = sizeof(InterveneOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    .run = intervene_run,
};
