/* probes/board/sweep.c - see probes/board/sweep.h. */
#include "probes/board/sweep_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/activations/activations.h"

#define SPILL_PIECE ((size_t)8 << 20) /* bytes of rows captured at a time */

const char *sweep_options_check(const SweepOptions *options, const GptConfig *cfg)
{
    LabelConvention convention;
    if (!task_find(options->task)) {
        return "unknown task; expected one of " TASK_NAMES;
    }
    if (convention_parse(&convention, options->labels)) {
        return "labels must be mover or parity";
    }
    bool newton = strcmp(options->solver, "newton") == 0;
    bool adamw = strcmp(options->solver, "adamw") == 0;
    if (!newton && !adamw && strcmp(options->solver, "liblinear") != 0) {
        return "unknown solver; expected one of " SOLVER_NAMES;
    }
    if (options->n_hidden < 0 || options->n_hidden > PROBE_MAX_HIDDEN ||
        (options->n_hidden > 0 && !adamw)) {
        return "a hidden layer of up to 2048 units is fitted by solver adamw only";
    }
    if (options->epochs < 0 || (options->epochs > 0 && !adamw)) {
        return "epochs belong to solver adamw";
    }
    if (options->check && adamw) {
        return "the check compares the optima of newton and liblinear, and adamw seeks none";
    }
    if (options->n_games < 1 || options->n_test_games < 2) {
        return "at least 1 training game and 2 test games are required";
    }
    if (options->plies < 0 || options->plies > GAME_MAX_MOVES) {
        return "plies must lie in 0 (all) to 60";
    }
    if (options->l2 == FIT_L2_AUTO ? !newton : !(options->l2 > 0) || !isfinite(options->l2)) {
        return "l2 must be a positive number, or chosen on validation games by solver newton";
    }
    if (!hook_site_serves(options->site, HOOK_USE_VECTOR)) {
        return "the site has no vectors; expected one of " HOOK_NAMES_VECTOR;
    }
    if (cfg->n_layers > LAYERS_MAX - 1) {
        return "models of more than 64 layers cannot be probed";
    }
    for (int i = 0; i < options->n_layers; i++) {
        int layer = options->layers[i];
        if (layer < LAYER_EMBED || layer >= cfg->n_layers) {
            return "a layer lies outside the model";
        }
        if (layer == LAYER_EMBED && options->site != HOOK_RESID_POST) {
            return "the embedding layer belongs to site resid_post only";
        }
        if (i > 0 && layer <= options->layers[i - 1]) {
            return "layers must be ascending and different";
        }
    }
    return NULL;
}

/* ---- memory ---- */

static size_t layer_bytes(const Sweep *sweep)
{
    size_t positions = 0;
    for (int split = 0; split < N_SPLITS; split++) {
        positions += sweep->sets[split].set.n_positions;
    }
    return activations_bytes(positions, (size_t)sweep->probe->d_model);
}

/* Add up the arithmetic that is still to be done, which tells how long it takes. */
static void plan_flops(Sweep *sweep, const FitProblem *problem)
{
    const Probe *probe = sweep->probe;
    sweep->layer_flops = fit_flops(probe->solver, problem) +
                         (sweep->options->check ? fit_flops("liblinear", problem) : 0);
    int groups = (probe->n_layers + sweep->group_size - 1) / sweep->group_size;
    sweep->total_flops = groups * sweep->capture_flops;
    for (int i = 0; i < probe->n_layers; i++) {
        sweep->total_flops += probe->fitted[i] && !sweep->options->check ? 0 : sweep->layer_flops;
    }
    for (int control = 0; control < N_CONTROLS && sweep->options->controls; control++) {
        sweep->total_flops += sweep->control_flops[control];
    }
    sweep->out->flops = sweep->total_flops;
}

void sweep__advance(Sweep *sweep, double flops)
{
    sweep->done_flops += flops;
    double share = sweep->total_flops > 0 ? sweep->done_flops / sweep->total_flops : 1;
    work_tick(sweep->work, "parts", share < 1 ? 100 * share : 100, 100);
}

/* Bytes for activations. */
static size_t allowed_bytes(const Sweep *sweep)
{
    return sweep->work->memory_bytes > 0 ? sweep->work->memory_bytes : SWEEP_MEMORY;
}

static size_t piece_bytes(const Sweep *sweep)
{
    return allowed_bytes(sweep) < SPILL_PIECE ? allowed_bytes(sweep) : SPILL_PIECE;
}

/* Whether the training rows of a layer are too many for memory, newton fits them, and nothing else
 * asks for them. */
static bool is_spilled(const Sweep *sweep)
{
    const SweepOptions *options = sweep->options;
    return !options->controls && !options->check && strcmp(sweep->probe->solver, "newton") == 0 &&
           activations_bytes(sweep->sets[TRAIN].set.n_positions, (size_t)sweep->probe->d_model) >
               allowed_bytes(sweep);
}

static int fetch_rows(const void *sweep, float *out, size_t first, size_t n)
{
    const Sweep *own = sweep;
    const size_t row_bytes = activations_bytes(1, (size_t)own->probe->d_model);
    return spill_read(own->spilled, out, n * row_bytes, first * row_bytes);
}

/* Decide how many layers are captured in one pass over the games, and add up the memory. */
static void plan_memory(Sweep *sweep)
{
    const Probe *probe = sweep->probe;
    const Work *work = sweep->work;
    size_t fits = allowed_bytes(sweep);
    const GptConfig *cfg = &sweep->subject->model.gpt->cfg;
    for (int split = 0; split < N_SPLITS; split++) { /* training: forward, and twice that back */
        sweep->capture_flops +=
            gpt_config_flops(cfg) / 3 * (double)sweep->sets[split].set.n_games * cfg->n_ctx;
    }
    FitProblem problem = sweep__problem(sweep, NULL, NULL, (size_t)probe->d_model, NULL);
    size_t fit = fit_bytes(probe->solver, &problem, work);
    size_t check = sweep->options->check ? fit_bytes("liblinear", &problem, work) : 0;
    size_t controls = sweep->options->controls ? sweep__controls_bytes(sweep) : 0;
    const bool spills = is_spilled(sweep);
    size_t layer = layer_bytes(sweep);
    if (spills) { /* the training rows, but for a piece, are on the disk */
        layer -= activations_bytes(problem.n, problem.width) - piece_bytes(sweep);
    }
    fits = spills ? 1 : fits / layer;
    sweep->group_size = fits < 1 ? 1 : fits < (size_t)probe->n_layers ? (int)fits : probe->n_layers;
    plan_flops(sweep, &problem);
    fit = fit > check ? fit : check;
    sweep->out->bytes = (size_t)sweep->group_size * layer + (fit > controls ? fit : controls) +
                        activations_scratch_bytes(&sweep->subject->model.gpt->cfg, work);
}

static void release_rows(Sweep *sweep)
{
    for (int split = 0; split < N_SPLITS; split++) {
        for (int i = 0; i < LAYERS_MAX; i++) {
            mem_free(sweep->rows[split][i]);
            sweep->rows[split][i] = NULL;
        }
    }
    spill_free(sweep->spilled);
    sweep->spilled = NULL;
    sweep->n = 0;
}

/* The training rows of one layer, by its index, on the rank that fits it: no other reads them. */
static int spill_rows(Sweep *sweep, const SiteLayers *where, int index)
{
    if (sweep->probe->fitted[index] || !ranks_first()) {
        return 0;
    }
    int rc = spill_new(&sweep->spilled, NULL, "activations");
    return rc ? rc
              : activations_spill(sweep->spilled, &sweep->sets[TRAIN].set,
                                  sweep->subject->model.gpt, where, piece_bytes(sweep),
                                  &sweep->quiet);
}

/* Capture the group of layers that begins at index `first`, for all splits, unless the group in
 * memory already holds that layer. */
int sweep__hold(Sweep *sweep, int first)
{
    const Probe *probe = sweep->probe;
    if (first >= sweep->first && first < sweep->first + sweep->n) {
        return 0;
    }
    release_rows(sweep);
    int left = probe->n_layers - first;
    int n = left < sweep->group_size ? left : sweep->group_size;
    for (int split = 0; split < N_SPLITS; split++) {
        const PositionSet *set = &sweep->sets[split].set;
        SiteLayers where = {probe->site, probe->layers + first, n};
        if (split == TRAIN && is_spilled(sweep)) {
            int rc = spill_rows(sweep, &where, first);
            if (rc) {
                return rc;
            }
            continue;
        }
        for (int i = 0; i < n; i++) {
            sweep->rows[split][i] =
                mem_alloc(set->n_positions * (size_t)probe->d_model, sizeof(float), "activations");
            if (!sweep->rows[split][i]) {
                return OGPT_ENOMEM;
            }
        }
        int rc = activations_capture(sweep->rows[split], set, sweep->subject->model.gpt, &where,
                                     &sweep->quiet);
        if (rc) {
            return rc;
        }
    }
    sweep->first = first;
    sweep->n = n;
    sweep__advance(sweep, sweep->capture_flops);
    return 0;
}

const float *sweep__rows(const Sweep *sweep, int split, int index)
{
    return sweep->rows[split][index - sweep->first];
}

/* ---- the sweep over layers ---- */

/* The positions of one split. */
static int draw_set(Sweep *sweep, Corpus *corpus, int split, size_t wanted)
{
    static const Split split_of[N_SPLITS] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
    const SweepOptions *options = sweep->options;
    LabelledSet *set = &sweep->sets[split];
    GameSource *source = NULL;
    if (split == TEST && options->ends) {
        int rc = positions_ends(&set->set, sweep->subject->variant, options->ends, options->n_ends);
        return rc ? rc : labelled_fill(set, sweep->task, sweep->convention, &sweep->quiet);
    }
    int rc = source_corpus(&source, corpus, 1U << split_of[split], true, sweep->work->seed);
    rc = rc ? rc
            : labelled_draw(set, source, sweep->task, sweep->convention, wanted, options->plies,
                            &sweep->quiet);
    source_free(source);
    return rc;
}

static int draw_sets(Sweep *sweep, Corpus *corpus)
{
    const SweepOptions *options = sweep->options;
    size_t wanted[N_SPLITS] = {options->n_games, (options->n_test_games + 1) / 2,
                               options->n_test_games};
    size_t most = 0;
    for (int split = 0; split < N_SPLITS; split++) {
        int rc = draw_set(sweep, corpus, split, wanted[split]);
        if (rc) {
            return rc;
        }
        size_t n = sweep->sets[split].set.n_positions;
        most = split != TRAIN && n > most ? n : most;
    }
    LabelledSet *train = &sweep->sets[TRAIN]; /* is not scored: without masks */
    mem_free(train->occupied);
    mem_free(train->flipped);
    train->occupied = train->flipped = NULL;
    sweep->out->n_train = sweep->sets[TRAIN].set.n_positions;
    sweep->out->n_validation = sweep->sets[VALIDATION].set.n_positions;
    sweep->out->n_test = sweep->sets[TEST].set.n_positions;
    sweep->out->n_train_games = sweep->sets[TRAIN].set.n_games;
    sweep->out->n_validation_games = sweep->sets[VALIDATION].set.n_games;
    sweep->out->n_test_games = sweep->sets[TEST].set.n_games;
    sweep->predicted = mem_alloc(most, sweep->sets[TRAIN].n_squares, "predicted labels");
    return sweep->predicted ? 0 : OGPT_ENOMEM;
}

FitProblem sweep__problem(const Sweep *sweep, const float *x, const float *valid_x, size_t width,
                          const uint8_t *labels)
{
    const Probe *probe = sweep->probe;
    const PositionSet *set = &sweep->sets[TRAIN].set;
    return (FitProblem){.x = x,
                        .fetch = x ? NULL : fetch_rows,
                        .rows = sweep,
                        .labels = labels,
                        .n = set->n_positions,
                        .width = width,
                        .n_squares = (size_t)probe->n_squares,
                        .n_classes = (size_t)probe->n_classes,
                        .l2 = probe->l2,
                        .first = set->first,
                        .n_games = set->n_games,
                        .n_hidden = (size_t)probe->n_hidden,
                        .epochs = probe->epochs,
                        .valid_x = valid_x,
                        .valid_labels = sweep->sets[VALIDATION].labels,
                        .n_valid = sweep->sets[VALIDATION].set.n_positions};
}

static FitProblem layer_problem(const Sweep *sweep, int index)
{
    return sweep__problem(sweep, sweep__rows(sweep, TRAIN, index),
                          sweep__rows(sweep, VALIDATION, index), (size_t)sweep->probe->d_model,
                          sweep->sets[TRAIN].labels);
}

int sweep__fit_layer(Sweep *sweep, int index)
{
    Probe *probe = sweep->probe;
    FitProblem problem = layer_problem(sweep, index);
    FitWeights weights = {probe->weight[index], probe->bias[index], probe->hidden_weight[index],
                          probe->hidden_bias[index]};
    double start = clock_seconds();
    int rc = fit_probe(&weights, &probe->fit[index], probe->solver, &problem, &sweep->quiet);
    if (rc) {
        return rc == OGPT_ENUM ? err_set(rc, "layer %d: %s", probe->layers[index], err_message())
                               : rc;
    }
    probe->seconds[index] = clock_seconds() - start;
    return 0;
}

int sweep__score(ProbeScore *out, Sweep *sweep, const Probe *probe, int index, int split,
                 const float *x)
{
    const LabelledSet *truth = &sweep->sets[split];
    int rc =
        predict_probe(sweep->predicted, probe, index, x, truth->set.n_positions, &sweep->quiet);
    return rc ? rc : score_predictions(out, truth, sweep->predicted, &sweep->quiet);
}

static int show_scored(Sweep *sweep, int layer, int control, const LabelledSet *truth)
{
    const SweepObserver *observer = sweep->options->observer;
    return observer && observer->scored
               ? observer->scored(observer->context, layer, control, truth, sweep->predicted)
               : 0;
}

int sweep__show_scored(Sweep *sweep, int control, const LabelledSet *truth)
{
    return show_scored(sweep, sweep->out->layers[sweep->out->best].layer, control, truth);
}

static int sweep_layer(Sweep *sweep, int index)
{
    LayerScore *layer = &sweep->out->layers[index];
    ProbeScore validation;
    *layer = (LayerScore){.layer = sweep->probe->layers[index]};
    bool fitted = sweep->probe->fitted[index];
    int rc = sweep__hold(sweep, index);
    if (rc == 0 && !fitted) {
        rc = sweep__fit_round(sweep, index);
    }
    layer->fit = sweep->probe->fit[index];
    layer->seconds = sweep->probe->seconds[index];
    if (rc == 0 && sweep->options->check) {
        FitProblem problem = layer_problem(sweep, index);
        problem.l2 = layer->fit.l2;
        rc = fit_check(&layer->check, &problem, &sweep->quiet);
        layer->has_check = true;
    }
    rc = rc ? rc
            : sweep__score(&validation, sweep, sweep->probe, index, VALIDATION,
                           sweep__rows(sweep, VALIDATION, index));
    rc = rc ? rc
            : sweep__score(&layer->test, sweep, sweep->probe, index, TEST,
                           sweep__rows(sweep, TEST, index));
    rc = rc ? rc : show_scored(sweep, layer->layer, -1, &sweep->sets[TEST]);
    if (rc) {
        return rc;
    }
    layer->validation = validation.accuracy.value;
    if (layer->validation > sweep->out->layers[sweep->out->best].validation) {
        sweep->out->best = index;
    }
    const SweepObserver *observer = sweep->options->observer;
    if (observer && observer->layer) {
        observer->layer(observer->context, layer);
    }
    work_tick(sweep->work, "layers", index + 1, sweep->probe->n_layers);
    sweep__advance(sweep, fitted && !sweep->options->check ? 0 : sweep->layer_flops);
    return 0;
}

/* ---- entry points ---- */

static int run_sweep(Sweep *sweep)
{
    const SweepObserver *observer = sweep->options->observer;
    int rc = 0;
    sweep->out->n_layers = sweep->probe->n_layers;
    plan_memory(sweep);
    if (observer && observer->start) {
        observer->start(observer->context, sweep->out);
    }
    for (int i = 0; i < sweep->probe->n_layers && rc == 0; i++) {
        rc = sweep_layer(sweep, i);
    }
    if (rc == 0 && sweep->options->controls) {
        rc = sweep__controls(sweep);
    }
    return rc;
}

static void sweep_release(Sweep *sweep)
{
    release_rows(sweep);
    for (int split = 0; split < N_SPLITS; split++) {
        labelled_release(&sweep->sets[split]);
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        mem_free(sweep->dealt[control]);
    }
    mem_free(sweep->predicted);
}

/* Draw the games first, because all sizes depend on them. */
static int sweep_begin(Sweep *sweep, Corpus *corpus)
{
    const GptConfig *cfg = &sweep->subject->model.gpt->cfg;
    const char *reason = sweep_options_check(sweep->options, cfg);
    if (reason) {
        return err_set(OGPT_EUSAGE, "probe: %s", reason);
    }
    sweep->task = task_find(sweep->options->task);
    int rc = subject_check_corpus(sweep->subject, "the corpus", corpus);
    rc = rc ? rc : convention_parse(&sweep->convention, sweep->options->labels);
    return rc ? rc : draw_sets(sweep, corpus);
}

/* The lock lies next to the probe, because publishing replaces the directory itself. */
static int lock_goal(FileLock *out, const char *path)
{
    char name[FILES_PATH_MAX];
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--; /* "probes/mine/" is the same goal as "probes/mine" */
    }
    int n = snprintf(name, sizeof(name), "%.*s", (int)end, path);
    char *slash = n < (int)sizeof(name) ? strrchr(name, '/') : NULL;
    int rc = 0;
    if (slash && slash > name) {
        *slash = '\0';
        rc = dir_create(name);
    }
    if (snprintf(name, sizeof(name), "%.*s.lock", (int)end, path) >= (int)sizeof(name)) {
        rc = err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 6);
    }
    return rc ? rc : file_lock(out, name);
}

int sweep_fit(SweepResult *out, Probe *probe, const char *path, const Subject *subject,
              Corpus *corpus, const SweepOptions *options, const Work *work)
{
    *out = (SweepResult){0};
    *probe = (Probe){0};
    Sweep sweep = {.out = out,
                   .probe = probe,
                   .path = path,
                   .subject = subject,
                   .options = options,
                   .work = work,
                   .quiet = work_quiet(work)};
    FileLock lock = {.fd = -1};
    int rc = ranks_first() ? probe_check_goal(path) : 0;
    rc = rc ? rc : sweep_begin(&sweep, corpus);
    rc = rc || !ranks_first() ? rc : lock_goal(&lock, path);
    rc = rc ? rc : sweep__take_probe(&sweep, corpus);
    rc = rc ? rc : sweep__share_probe(probe);
    rc = rc || !options->replace ? rc : sweep__forget(&sweep);
    rc = rc ? rc : run_sweep(&sweep);
    rc = rc ? rc : sweep__forget(&sweep);
    sweep_release(&sweep);
    file_unlock(&lock);
    return rc;
}

int sweep_score(SweepResult *out, const Probe *probe, const char *path, const Subject *subject,
                Corpus *corpus, const SweepOptions *options, const Work *work)
{
    *out = (SweepResult){0};
    Probe own = *probe; /* borrows the weights: every layer is fitted, so none is changed */
    SweepOptions settings = *options;
    settings.task = own.task;
    settings.labels = own.labels;
    settings.solver = own.solver;
    settings.site = own.site;
    settings.l2 = own.l2;
    settings.n_hidden = own.n_hidden;
    settings.epochs = own.epochs;
    settings.n_layers = own.n_layers;
    memcpy(settings.layers, own.layers, sizeof(settings.layers));
    Sweep sweep = {.out = out,
                   .probe = &own,
                   .subject = subject,
                   .options = &settings,
                   .work = work,
                   .quiet = work_quiet(work)};
    int rc = subject_check_probe(subject, path, probe);
    rc = rc ? rc : probe_check_finished(probe, path);
    corpus_divide(corpus, probe->split_rules);
    rc = rc ? rc : sweep_begin(&sweep, corpus);
    rc = rc ? rc : run_sweep(&sweep);
    sweep_release(&sweep);
    return rc;
}
