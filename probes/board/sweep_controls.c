/* probes/board/sweep_controls.c - the controls of a sweep, on the sweep's own positions. */
#include "probes/board/sweep_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/activations/activations.h"

/* The data of a control. NULL labels stand for the true ones. */
typedef struct ControlData {
    const float *x[N_SPLITS];
    size_t width;
    const uint8_t *labels[N_SPLITS];
    bool invented; /* the labels belong to no position */
} ControlData;

static const uint8_t *labels_of(const ControlData *data, const Sweep *sweep, int split)
{
    return data->labels[split] ? data->labels[split] : sweep->sets[split].labels;
}

/* How a control is fitted. */
typedef struct ControlFit {
    const char *solver;
    int hidden; /* units of a hidden layer; 0: linear */
    int epochs;
    double l2;
    const FitWeights *start;
} ControlFit;

/* Fitted like the sweep's own probe, so that the two differ only in the rows that are read. */
static ControlFit fit_alike(const Sweep *sweep)
{
    const Probe *probe = sweep->probe;
    return (ControlFit){.solver = probe->solver,
                        .hidden = probe->n_hidden,
                        .epochs = probe->epochs,
                        .l2 = probe->l2};
}

/* The history MLP has a recipe of its own, whatever the settings of the probe. */
static const ControlFit history_mlp_fit = {
    .solver = "adamw", .hidden = HISTORY_HIDDEN, .l2 = FIT_L2};
static const ControlFit history_line_fit = {.solver = "newton", .l2 = FIT_L2};

/* Fit a probe of one layer to the training rows of a control. Owned: probe_release, after an error
 * too. */
static int fit_control(Probe *out, FitReport *report, const Sweep *sweep, const ControlData *data,
                       const ControlFit *how)
{
    FitProblem problem = sweep__problem(sweep, data->x[TRAIN], data->x[VALIDATION], data->width,
                                        labels_of(data, sweep, TRAIN));
    *out = (Probe){.d_model = (int)data->width,
                   .n_hidden = how->hidden,
                   .n_squares = sweep->probe->n_squares,
                   .n_classes = sweep->probe->n_classes,
                   .n_layers = 1};
    problem.n_hidden = (size_t)how->hidden;
    problem.epochs = how->epochs;
    problem.l2 = how->l2;
    problem.start = how->start;
    problem.valid_labels = labels_of(data, sweep, VALIDATION);
    int rc = probe_allocate(out);
    FitWeights weights = {out->weight[0], out->bias[0], out->hidden_weight[0], out->hidden_bias[0]};
    return rc ? rc : fit_probe(&weights, report, how->solver, &problem, &sweep->quiet);
}

/* Fit a throw-away probe, and read the test positions with it. */
static int control_read(Sweep *sweep, Control control, const ControlData *data,
                        const ControlFit *how)
{
    Probe probe;
    int rc = fit_control(&probe, &sweep->out->control_fit[control], sweep, data, how);
    rc = rc ? rc
            : predict_probe(sweep->predicted, &probe, 0, data->x[TEST],
                            sweep->sets[TEST].set.n_positions, &sweep->quiet);
    probe_release(&probe);
    sweep->out->control_seconds[control] = clock_seconds() - sweep->control_start;
    return rc ? rc : sweep__keep(sweep, control);
}

/* Score what the control reads, now or before an interruption. */
static int control_fit(Sweep *sweep, Control control, const ControlData *data,
                       const ControlFit *how)
{
    LabelledSet truth = sweep->sets[TEST]; /* borrowed, with other labels */
    truth.labels = (uint8_t *)labels_of(data, sweep, TEST);
    int rc = sweep->recalled ? 0 : control_read(sweep, control, data, how);
    if (sweep->dealing) {
        return rc;
    }
    rc = rc ? rc
            : score_predictions(&sweep->out->control[control], &truth, sweep->predicted,
                                &sweep->quiet);
    if (rc == 0 && !data->invented) {
        rc = sweep__show_scored(sweep, control, &truth);
    }
    return rc;
}

/* Fit like the sweep's own probe. */
static int control_fit_alike(Sweep *sweep, Control control, const ControlData *data)
{
    ControlFit how = fit_alike(sweep);
    return control_fit(sweep, control, data, &how);
}

static int control_majority(Sweep *sweep)
{
    const LabelledSet *test = &sweep->sets[TEST];
    int rc = majority_predict(sweep->predicted, &sweep->sets[TRAIN], test,
                              (size_t)sweep->probe->n_classes);
    rc = rc ? rc
            : score_predictions(&sweep->out->control[CONTROL_MAJORITY], test, sweep->predicted,
                                &sweep->quiet);
    return rc ? rc : sweep__show_scored(sweep, CONTROL_MAJORITY, test);
}

/* Rows for all splits that do not come from the model. Call rows_free even after an error. */
static int rows_alloc(float *rows[N_SPLITS], ControlData *data, const Sweep *sweep, size_t width)
{
    bool whole = true;
    *data = (ControlData){.width = width};
    for (int split = 0; split < N_SPLITS; split++) {
        rows[split] = mem_alloc(sweep->sets[split].set.n_positions, width * sizeof(float),
                                "rows of a control");
        data->x[split] = rows[split];
        whole = whole && rows[split];
    }
    return whole ? 0 : OGPT_ENOMEM;
}

static void rows_free(float *rows[N_SPLITS])
{
    for (int split = 0; split < N_SPLITS; split++) {
        mem_free(rows[split]);
    }
}

static int history_alloc(float *rows[N_SPLITS], ControlData *data, Sweep *sweep)
{
    *data = (ControlData){0};
    if (sweep->recalled) {
        return 0;
    }
    int rc = rows_alloc(rows, data, sweep, history_width(sweep->sets[TRAIN].set.vocab));
    for (int split = 0; split < N_SPLITS && rc == 0; split++) {
        rc = history_rows(rows[split], &sweep->sets[split].set, sweep->convention, &sweep->quiet);
    }
    return rc;
}

static int control_history(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    ControlData data;
    int rc = history_alloc(rows, &data, sweep);
    rc = rc ? rc : control_fit_alike(sweep, CONTROL_HISTORY, &data);
    rows_free(rows);
    return rc;
}

/* It begins as the linear fit of the same rows, which it would not reach with few games. */
static int control_history_mlp(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    ControlData data;
    ControlFit how = history_mlp_fit;
    FitReport report;
    Probe line = {0};
    int rc = history_alloc(rows, &data, sweep);
    rc = rc || sweep->recalled ? rc : fit_control(&line, &report, sweep, &data, &history_line_fit);
    FitWeights start = {.weight = line.weight[0], .bias = line.bias[0]};
    how.start = &start;
    rc = rc ? rc : control_fit(sweep, CONTROL_HISTORY_MLP, &data, &how);
    probe_release(&line);
    rows_free(rows);
    return rc;
}

static int control_random_model(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    ControlData data;
    Gpt *random = NULL;
    const int *layer = &sweep->probe->layers[sweep->out->best];
    const SiteLayers where = {sweep->probe->site, layer, 1};
    if (sweep->recalled) {
        return control_fit_alike(sweep, CONTROL_RANDOM_MODEL, &(ControlData){0});
    }
    int rc = gpt_new(&random, &sweep->subject->model.gpt->cfg);
    if (rc) {
        return rc;
    }
    gpt_init(random, sweep->work->seed, RNG_CONTROL);
    rc = rows_alloc(rows, &data, sweep, (size_t)sweep->probe->d_model);
    for (int split = 0; split < N_SPLITS && rc == 0; split++) {
        rc = activations_capture(&rows[split], &sweep->sets[split].set, random, &where,
                                 &sweep->quiet);
    }
    rc = rc ? rc : control_fit_alike(sweep, CONTROL_RANDOM_MODEL, &data);
    rows_free(rows);
    gpt_free(random);
    return rc;
}

/* Score the majority on the shuffled test labels. */
static int show_chance(Sweep *sweep, uint8_t *shuffled)
{
    LabelledSet truth = sweep->sets[TEST]; /* borrowed, with other labels */
    truth.labels = shuffled;
    int rc = majority_predict(sweep->predicted, &sweep->sets[TRAIN], &truth,
                              (size_t)sweep->probe->n_classes);
    return rc ? rc : sweep__show_scored(sweep, CONTROL_CHANCE, &truth);
}

/* Scored on shuffled labels too. Why not on the true ones? A fit that leans towards the truth by
 * luck would look like a leak, and the interval, which is of one fit, would not show it. */
static int control_shuffled(Sweep *sweep)
{
    uint8_t *labels[N_SPLITS] = {NULL};
    int best = sweep->out->best, rc = sweep__hold(sweep, best);
    ControlData data = {.width = (size_t)sweep->probe->d_model};
    for (int split = 0; split < N_SPLITS && rc == 0; split++) {
        const LabelledSet *set = &sweep->sets[split];
        labels[split] = mem_alloc(set->set.n_positions, set->n_squares, "shuffled labels");
        rc = labels[split] ? shuffled_labels(labels[split], &set->set, sweep->task,
                                             sweep->convention, &sweep->quiet)
                           : OGPT_ENOMEM;
        data.x[split] = rc == 0 ? sweep__rows(sweep, split, best) : NULL;
        data.labels[split] = labels[split];
    }
    rc = rc ? rc : control_fit_alike(sweep, CONTROL_SHUFFLED, &data);
    rc = rc || sweep->dealing ? rc : show_chance(sweep, labels[TEST]);
    for (int split = 0; split < N_SPLITS; split++) {
        mem_free(labels[split]);
    }
    return rc;
}

static size_t planted_width(const Sweep *sweep)
{
    return (size_t)sweep->probe->n_squares * (size_t)sweep->probe->n_classes;
}

static int control_planted(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    uint8_t *labels[N_SPLITS] = {NULL};
    ControlData data;
    size_t S = (size_t)sweep->probe->n_squares, K = (size_t)sweep->probe->n_classes;
    int rc = rows_alloc(rows, &data, sweep, planted_width(sweep));
    data.invented = true;
    for (int split = 0; split < N_SPLITS && rc == 0; split++) {
        size_t n = sweep->sets[split].set.n_positions;
        labels[split] = mem_alloc(n, S, "planted labels");
        data.labels[split] = labels[split];
        rc = labels[split]
                 ? planted_rows(rows[split], labels[split], n, S, K, (uint64_t)split, &sweep->quiet)
                 : OGPT_ENOMEM;
    }
    rc = rc ? rc : control_fit_alike(sweep, CONTROL_PLANTED, &data);
    rows_free(rows);
    for (int split = 0; split < N_SPLITS; split++) {
        mem_free(labels[split]);
    }
    return rc;
}

size_t sweep__controls_bytes(Sweep *sweep)
{
    const LabelledSet *sets = sweep->sets;
    size_t n = 0, most = 0;
    for (int split = 0; split < N_SPLITS; split++) {
        n += sets[split].set.n_positions;
    }
    size_t history = history_width(sets[TRAIN].set.vocab), d_model = (size_t)sweep->probe->d_model;
    const struct {
        Control control;
        ControlFit how;
        size_t width, beside; /* bytes besides rows, labels and fit */
        double passes;        /* of the games through a network */
    } fits[] = {
        {CONTROL_HISTORY, fit_alike(sweep), history, 0, 0},
        {CONTROL_HISTORY_MLP, history_line_fit, history, 0, 0},
        {CONTROL_HISTORY_MLP, history_mlp_fit, history, 0, 0},
        {CONTROL_PLANTED, fit_alike(sweep), planted_width(sweep), 0, 0},
        {CONTROL_SHUFFLED, fit_alike(sweep), d_model, 0, 0},
        {CONTROL_RANDOM_MODEL, fit_alike(sweep), d_model,
         sweep->subject->model.gpt->n_numbers * sizeof(real), 1},
    };
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        FitProblem problem = sweep__problem(sweep, NULL, NULL, fits[i].width, NULL);
        problem.n_hidden = (size_t)fits[i].how.hidden;
        problem.l2 = fits[i].how.l2;
        problem.epochs = fits[i].how.epochs;
        sweep->control_flops[fits[i].control] +=
            fit_flops(fits[i].how.solver, &problem) + fits[i].passes * sweep->capture_flops;
        size_t bytes = activations_bytes(n, fits[i].width) + n * sets[TRAIN].n_squares +
                       fit_bytes(fits[i].how.solver, &problem, sweep->work) + fits[i].beside;
        most = bytes > most ? bytes : most;
    }
    return most;
}

int sweep__controls(Sweep *sweep)
{
    static const SweepControl controls[N_CONTROLS] = {
        [CONTROL_MAJORITY] = control_majority,       [CONTROL_HISTORY] = control_history,
        [CONTROL_HISTORY_MLP] = control_history_mlp, [CONTROL_RANDOM_MODEL] = control_random_model,
        [CONTROL_SHUFFLED] = control_shuffled,       [CONTROL_PLANTED] = control_planted,
    };
    int rc = sweep__deal_controls(sweep, controls);
    for (int control = 0; control < N_CONTROLS && rc == 0; control++) {
        char stage[32];
        snprintf(stage, sizeof(stage), "control %s", control_name((Control)control));
        work_tick(sweep->work, stage, control, N_CONTROLS);
        sweep->control_start = clock_seconds();
        rc = sweep__recall(&sweep->recalled, sweep, (Control)control);
        rc = rc ? rc : controls[control](sweep);
        if (rc) {
            return rc;
        }
        if (control == CONTROL_MAJORITY) { /* it is not fitted */
            sweep->out->control_seconds[control] = clock_seconds() - sweep->control_start;
        }
        sweep->out->has_control[control] = true;
        work_tick(sweep->work, stage, control + 1, N_CONTROLS);
        sweep__advance(sweep, sweep->control_flops[control]);
    }
    return rc;
}
