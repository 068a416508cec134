/* cli/cmd_probe.c - ogpt probe fit, ogpt probe eval: the board read out of the network by linear
 * probes, layer by layer, with controls beside it. */
#include "cli/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "cli/intervals.h"
#include "probes/sweep.h"

#define ALL_LAYERS "all"

typedef struct ProbeOptions {
    const char *corpus, *out, *task, *layers, *site, *solver, *labels;
    int64_t games, test_games, plies, memory;
    double l2;
    bool no_controls;
} ProbeOptions;

#define SAMPLE_OPTIONS                                                                             \
    {"corpus", OPT_TEXT, offsetof(ProbeOptions, corpus), .argument = "FILE",                       \
     .help = "games to read positions from; needed"},                                              \
        {"games",       OPT_INT,         offsetof(ProbeOptions, games), 1, 1e7,                    \
         .def = "1250", .argument = "N", .help = "training games"},                                \
        {"test-games",                                                                             \
         OPT_INT,                                                                                  \
         offsetof(ProbeOptions, test_games),                                                       \
         2,                                                                                        \
         1e7,                                                                                      \
         .def = "1000",                                                                            \
         .argument = "N",                                                                          \
         .help = "test games; half as many validation games choose the best layer"},               \
        {"plies",                                                                                  \
         OPT_INT,                                                                                  \
         offsetof(ProbeOptions, plies),                                                            \
         0,                                                                                        \
         60,                                                                                       \
         .def = "8",                                                                               \
         .argument = "N",                                                                          \
         .help = "positions drawn of each game; 0 takes all"},                                     \
        {"memory",                                                                                 \
         OPT_INT,                                                                                  \
         offsetof(ProbeOptions, memory),                                                           \
         1,                                                                                        \
         1e6,                                                                                      \
         .def = "1024",                                                                            \
         .argument = "MIB",                                                                        \
         .help = "for activations: layers are captured in groups that fit"},                       \
    {                                                                                              \
        "no-controls", OPT_FLAG, offsetof(ProbeOptions, no_controls),                              \
            .help = "leave out majority, move history, random weights and shuffled labels"         \
    }

static const OptionSpec fit_options[] = {
    SAMPLE_OPTIONS,
    {"out", OPT_TEXT, offsetof(ProbeOptions, out), .argument = "PROBE",
     .help = "directory for the probe; a sweep that was killed goes on there; needed"},
    {"task", OPT_CHOICE, offsetof(ProbeOptions, task), .def = "mine", .choices = TASK_NAMES,
     .argument = "TASK", .help = "what is read of every square"},
    {"layers", OPT_TEXT, offsetof(ProbeOptions, layers), .def = ALL_LAYERS, .argument = "LIST",
     .help = "all, or numbers and 'embed' with commas: embed,0,5"},
    {"site", OPT_TEXT, offsetof(ProbeOptions, site), .def = "resid_post", .argument = "SITE",
     .help = "where in each block: resid_pre, z, attn_out, resid_mid, post, mlp_out, resid_post"},
    {"solver", OPT_CHOICE, offsetof(ProbeOptions, solver), .def = "newton", .choices = SOLVER_NAMES,
     .argument = "NAME",
     .help = "newton: multinomial, all squares at once; liblinear: one-vs-rest, the slow referee"},
    {"labels", OPT_CHOICE, offsetof(ProbeOptions, labels), .def = "mover",
     .choices = "mover|parity", .argument = "RULE",
     .help = "whose view: the side really to move, or the published ply parity"},
    {"l2", OPT_NUM, offsetof(ProbeOptions, l2), 1e-9, 1e3, .def = "0.0001", .argument = "X",
     .help = "regularisation on standardised inputs, per position"},
};
static const OptionSpec eval_options[] = {SAMPLE_OPTIONS};

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "all" -> n = 0; else numbers and "embed", sorted. */
static int layers_parse(SweepOptions *out, const char *text)
{
    const char *rest = text;
    out->n_layers = 0;
    if (strcmp(text, ALL_LAYERS) == 0) {
        return 0;
    }
    for (;;) {
        size_t length = strcspn(rest, ",");
        char *end;
        long layer = LAYER_EMBED;
        if (length != 5 || strncmp(rest, "embed", 5) != 0) {
            layer = rest[0] >= '0' && rest[0] <= '9' ? strtol(rest, &end, 10) : -1;
            if (layer < 0 || layer > INT32_MAX || end != rest + length) {
                return err_set(OGPT_EUSAGE,
                               "--layers \"%s\": expected %s, or numbers and 'embed' "
                               "with commas, at character %d",
                               text, ALL_LAYERS, (int)(rest - text) + 1);
            }
        }
        if (out->n_layers == PROBE_MAX_LAYERS) {
            return err_set(OGPT_EUSAGE, "--layers: more than %d layers", PROBE_MAX_LAYERS);
        }
        out->layers[out->n_layers++] = (int)layer;
        if (rest[length] == '\0') {
            break;
        }
        rest += length + 1;
    }
    qsort(out->layers, (size_t)out->n_layers, sizeof(int), compare_ints);
    return 0;
}

/* A layer that the model lacks. */
static int layers_check(const SweepOptions *options, const ModelFile *model)
{
    int last = model->gpt->cfg.n_layers - 1;
    for (int i = 0; i < options->n_layers; i++) {
        if (options->layers[i] > last) {
            return err_set(OGPT_EUSAGE,
                           "--layers: layer %d asked for, %s has layers 0 to %d and 'embed'",
                           options->layers[i], model->path, last);
        }
    }
    return 0;
}

/* ---- progress ---- */

typedef struct Show {
    Context *context;
    Progress progress;
} Show;

static void show_start(void *context, const SweepResult *so_far)
{
    Show *show = context;
    context_say(show->context,
                "%zu training, %zu validation, %zu test positions; up to %.0f MiB "
                "of memory",
                so_far->n_train, so_far->n_validation, so_far->n_test,
                (double)so_far->bytes / 1048576);
    show->progress = progress_begin(show->context, "probing", "layers", so_far->n_layers);
}

static void show_layer(void *context, const LayerScore *layer, int done, int n_layers)
{
    Show *show = context;
    char detail[64];
    snprintf(detail, sizeof(detail), "layer %d: %.2f %% of cells", layer->layer,
             100 * layer->test.accuracy.value);
    progress_step(&show->progress, done, detail);
}

static void show_control(void *context, Control control)
{
    Show *show = context;
    char detail[64];
    snprintf(detail, sizeof(detail), "control: %s", control_name(control));
    progress_step(&show->progress, show->progress.total, detail);
}

/* ---- the result as JSON and as rows of the store ---- */

static void score_json(Js *object, const ProbeScore *score)
{
    js_set_interval(object, "accuracy", score->accuracy);
    js_set_interval(object, "board_exact", score->board);
    js_set_interval(object, "nonempty_accuracy", score->nonempty);
    js_set_interval(object, "flipped_accuracy", score->flipped);
}

/* Accuracies of the controls beside one layer; those fitted at the best layer only are null
 * elsewhere, and so is history_mlp everywhere: no nonlinear control is fitted. */
static Js *layer_controls(const SweepResult *result, int index)
{
    Js *controls = js_object();
    for (int control = 0; control < N_CONTROLS; control++) {
        bool everywhere = control == CONTROL_MAJORITY || control == CONTROL_HISTORY;
        bool there = result->has_control[control] && (everywhere || index == result->best);
        js_set(controls, control_name((Control)control),
               there ? js_num(result->control[control].accuracy.value) : js_null());
    }
    js_set(controls, "history_mlp", js_null());
    return controls;
}

/* A count of the fit, null where the probe's file does not tell it. */
static void set_count(Js *object, const char *key, const LayerScore *score, int64_t count)
{
    js_set(object, key, isnan(score->seconds) ? js_null() : js_int(count));
}

static Js *layers_json(const SweepResult *result, const Probe *probe)
{
    Js *layers = js_array();
    for (int i = 0; i < result->n_layers; i++) {
        const LayerScore *score = &result->layers[i];
        Js *layer = js_object();
        js_set_int(layer, "layer", score->layer);
        js_set_str(layer, "task", probe->task);
        js_set_str(layer, "site", hook_site_name(probe->site));
        js_set_str(layer, "solver", probe->solver);
        score_json(layer, &score->test);
        js_set_num(layer, "validation_accuracy", score->validation);
        js_set_num(layer, "objective", score->fit.objective);
        js_set_num(layer, "seconds", score->seconds);
        set_count(layer, "rounds", score, score->fit.rounds);
        set_count(layer, "unconverged_squares", score, (int64_t)score->fit.n_unconverged);
        set_count(layer, "absent_classes", score, (int64_t)score->fit.n_absent);
        js_set_str(layer, "model_hash", probe->model_hash);
        js_set_str(layer, "corpus_hash", probe->corpus_hash);
        js_set(layer, "controls", layer_controls(result, i));
        js_push(layers, layer);
    }
    return layers;
}

static Js *controls_json(const SweepResult *result, const Probe *probe)
{
    Js *controls = js_array();
    for (int control = 0; control < N_CONTROLS; control++) {
        bool at_best = control == CONTROL_RANDOM_MODEL || control == CONTROL_SHUFFLED;
        if (result->has_control[control]) {
            Js *row = js_object();
            js_set_str(row, "task", probe->task);
            js_set_str(row, "control", control_name((Control)control));
            js_set(row, "layer", at_best ? js_int(result->layers[result->best].layer) : js_null());
            score_json(row, &result->control[control]);
            js_push(controls, row);
        }
    }
    return controls;
}

static Js *result_document(const SweepResult *result, const Probe *probe, const char *path,
                           const char *corpus_hash)
{
    Js *document = js_object();
    js_set_str(document, "probe", path);
    js_set_str(document, "task", probe->task);
    js_set_str(document, "labels", probe->labels);
    js_set_str(document, "solver", probe->solver);
    js_set_str(document, "site", hook_site_name(probe->site));
    js_set_num(document, "l2", probe->l2);
    js_set_str(document, "model_hash", probe->model_hash);
    js_set_str(document, "corpus_hash", corpus_hash);
    js_set_int(document, "training_positions", (int64_t)result->n_train);
    js_set_int(document, "validation_positions", (int64_t)result->n_validation);
    js_set_int(document, "test_positions", (int64_t)result->n_test);
    js_set_int(document, "best_layer", result->layers[result->best].layer);
    js_set(document, "layers", layers_json(result, probe));
    js_set(document, "controls", controls_json(result, probe));
    return document;
}

/* ---- the result as a table ---- */

static void print_percent(Text *text, double share)
{
    if (isnan(share)) {
        text_add(text, "%10s", "-");
    } else {
        text_add(text, "%8.2f %%", 100 * share);
    }
}

static void print_score(Text *text, const ProbeScore *score)
{
    print_percent(text, score->accuracy.value);
    text_add(text, "  [%6.2f, %6.2f]", 100 * score->accuracy.low, 100 * score->accuracy.high);
    print_percent(text, score->board.value);
    print_percent(text, score->nonempty.value);
    print_percent(text, score->flipped.value);
}

static void layer_name(char out[16], int layer)
{
    if (layer == LAYER_EMBED) {
        snprintf(out, 16, "embed");
    } else {
        snprintf(out, 16, "layer %d", layer);
    }
}

static void print_controls(Text *text, const SweepResult *result)
{
    static const char *const names[N_CONTROLS] = {
        [CONTROL_MAJORITY] = "majority",
        [CONTROL_HISTORY] = "move history",
        [CONTROL_RANDOM_MODEL] = "random net *",
        [CONTROL_SHUFFLED] = "shuffled *",
    };
    text_add(text, "controls\n");
    for (int control = 0; control < N_CONTROLS; control++) {
        if (result->has_control[control]) {
            text_add(text, "%-14s", names[control]);
            print_score(text, &result->control[control]);
            text_add(text, "\n");
        }
    }
}

static void print_table(Text *text, const SweepResult *result, const Probe *probe)
{
    char name[16];
    text_add(text, "task %s (%s", probe->task, probe->classes[0]);
    for (int k = 1; k < probe->n_classes; k++) {
        text_add(text, ", %s", probe->classes[k]);
    }
    text_add(text, "), solver %s, %lld positions of %lld games; tested on %zu of %zu\n\n",
             probe->solver, (long long)probe->n_positions, (long long)probe->n_games,
             result->n_test, result->n_test_games);
    text_add(text, "%-14s%10s  %-16s%10s%10s%10s%12s\n", "", "cells", "95 % interval", "boards",
             "non-empty", "flipped", "objective");
    for (int i = 0; i < result->n_layers; i++) {
        const LayerScore *layer = &result->layers[i];
        layer_name(name, layer->layer);
        text_add(text, "%-12s%s", name, i == result->best ? "* " : "  ");
        print_score(text, &layer->test);
        text_add(text, "%12.4f\n", layer->fit.objective);
        if (layer->fit.n_unconverged > 0) {
            text_add(text, "  %zu squares stopped above the gradient tolerance\n",
                     layer->fit.n_unconverged);
        }
    }
    if (result->has_control[CONTROL_MAJORITY]) {
        print_controls(text, result);
    }
    text_add(text, "* best layer on validation games; all scores are of test games\n");
}

/* ---- the commands ---- */

static SweepOptions sweep_options(const Context *context)
{
    const ProbeOptions *given = context->options;
    SweepOptions out = SWEEP_OPTIONS_DEFAULT;
    out.n_games = (size_t)given->games;
    out.n_test_games = (size_t)given->test_games;
    out.plies = (int)given->plies;
    out.seed = context->seed;
    out.controls = !given->no_controls;
    out.memory_bytes = (size_t)given->memory << 20;
    return out;
}

/* Fit (or, for a probe that was read, score), store the rows, print the result. */
static int probe_report(Context *context, Probe *probe, const char *path, const ModelFile *model,
                        Corpus *corpus, const SweepOptions *options, bool fit)
{
    SweepResult result;
    Show show = {.context = context};
    SweepObserver observer = {&show, show_start, show_layer, show_control};
    Text text = {0};
    int rc =
        fit ? sweep_fit(&result, probe, path, context->force, model, corpus, options, context->pool,
                        &observer)
            : sweep_score(&result, probe, path, model, corpus, options, context->pool, &observer);
    progress_end(&show.progress);
    if (rc) {
        return rc;
    }
    if (result.n_train_games < options->n_games || result.n_test_games < options->n_test_games) {
        context_warn(context,
                     "the corpus has %zu training and %zu test games, %zu and %zu were "
                     "asked for: all are used",
                     result.n_train_games, result.n_test_games, options->n_games,
                     options->n_test_games);
    }
    rc = context_add_all(context, "probe_layers", layers_json(&result, probe));
    rc = rc ? rc : context_add_all(context, "probe_controls", controls_json(&result, probe));
    if (rc == 0) {
        print_table(&text, &result, probe);
        rc = context_result(
            context, result_document(&result, probe, path, corpus_info(corpus)->content_hash),
            text.data);
    }
    text_release(&text);
    return rc;
}

static int open_inputs(Context *context, ModelFile *model, Corpus **corpus)
{
    const ProbeOptions *given = context->options;
    char *warning = NULL;
    if (!given->corpus) {
        return err_set(OGPT_EUSAGE, "%s: --corpus FILE is needed; see 'ogpt %s --help'",
                       context->command->name, context->command->name);
    }
    int rc = model_load(model, context->args[0], &warning);
    if (warning) {
        context_warn(context, "%s", warning);
        mem_free(warning);
    }
    rc = rc ? rc : corpus_open(corpus, given->corpus, false);
    rc = rc ? rc : positions_check_corpus(given->corpus, *corpus, model);
    return rc ? rc : context_pool(context);
}

/* What a fitted probe is for: a look at a game, and cases for edits. */
static void suggest_next(const Context *context, const Probe *probe, const char *path)
{
    const char *moves = probe->size == 8 ? "f5 d6 c3" : probe->size == 6 ? "e4 c5" : "d3";
    context_next(context,
                 "ogpt show %s --probe %s --moves \"%s\", ogpt cases make cases.csv --size %d",
                 context->args[0], path, moves, probe->size);
}

static int fit_run(Context *context)
{
    const ProbeOptions *given = context->options;
    SweepOptions options = sweep_options(context);
    ModelFile model = {0};
    Corpus *corpus = NULL;
    Probe probe = {0};
    size_t n_stale;
    if (!given->out) {
        return err_set(OGPT_EUSAGE,
                       "probe fit: --out PROBE is needed; see 'ogpt probe fit --help'");
    }
    int site = hook_site_parse(given->site);
    if (site < 0 || site == HOOK_PATTERN) {
        return err_set(OGPT_EUSAGE,
                       "--site \"%s\": expected resid_pre, z, attn_out, resid_mid, "
                       "post, mlp_out or resid_post",
                       given->site);
    }
    options.task = given->task;
    options.labels = given->labels;
    options.solver = given->solver;
    options.site = (HookSite)site;
    options.l2 = given->l2;
    int rc = layers_parse(&options, given->layers);
    rc = rc ? rc : open_inputs(context, &model, &corpus);
    rc = rc ? rc : layers_check(&options, &model);
    rc = rc ? rc : path_clean_stale(&n_stale, given->out);
    rc = rc ? rc : context_run_begin(context, given->out, false);
    rc = rc ? rc : probe_report(context, &probe, given->out, &model, corpus, &options, true);
    if (rc == 0) {
        suggest_next(context, &probe, given->out);
    }
    probe_release(&probe);
    corpus_close(corpus);
    model_release(&model);
    return rc;
}

static int eval_run(Context *context)
{
    SweepOptions options = sweep_options(context);
    const char *path = context->args[1];
    ModelFile model = {0};
    Corpus *corpus = NULL;
    Probe probe = {0};
    int rc = open_inputs(context, &model, &corpus);
    rc = rc ? rc : probe_load(&probe, path);
    rc = rc ? rc : context_run_begin(context, path, false);
    rc = rc ? rc : probe_report(context, &probe, path, &model, corpus, &options, false);
    if (rc == 0) {
        suggest_next(context, &probe, path);
    }
    probe_release(&probe);
    corpus_close(corpus);
    model_release(&model);
    return rc;
}

const Command cmd_probe_fit = {
    .name = "probe fit",
    .arguments = "MODEL --corpus CORPUS --out PROBE",
    .summary = "fit linear probes at every layer, with controls",
    .examples = "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/mine\n"
                "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/colour --task colour\n"
                "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/5 --layers 5 "
                "--solver liblinear",
    .options = fit_options,
    .n_options = sizeof fit_options / sizeof fit_options[0],
    .options_bytes = sizeof(ProbeOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = fit_run,
};

const Command cmd_probe_eval = {
    .name = "probe eval",
    .arguments = "MODEL PROBE --corpus CORPUS",
    .summary = "score a probe on file, with controls",
    .examples = "ogpt probe eval runs/tiny probes/mine --corpus other.ogpc --test-games 5000",
    .options = eval_options,
    .n_options = sizeof eval_options / sizeof eval_options[0],
    .options_bytes = sizeof(ProbeOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    .run = eval_run,
};
