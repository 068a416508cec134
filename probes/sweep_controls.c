/* probes/sweep_controls.c - the controls of a sweep, by the sweep's own solver and positions. */
#include "probes/sweep_internal.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations.h"

/* Fit a throw-away probe on (x, labels) with the sweep's own solver and score it on test_x. */
static int control_fit(Sweep *sweep, Control control, const float *x, const float *test_x,
                       size_t width, const uint8_t *labels)
{
    Probe probe = *sweep->probe; /* shape and solver; its own weights */
    memset(probe.weight, 0, sizeof(probe.weight));
    memset(probe.bias, 0, sizeof(probe.bias));
    probe.n_layers = 1;
    probe.d_model = (int)width;
    FitProblem problem = sweep__problem(sweep, x, width, labels);
    FitReport report;
    int rc = probe_allocate(&probe);
    rc = rc ? rc
            : fit_probe(probe.weight[0], probe.bias[0], &report, probe.solver, &problem,
                        sweep->pool);
    rc = rc ? rc : sweep__score(&sweep->out->control[control], sweep, &probe, 0, TEST, test_x);
    probe_release(&probe);
    return rc;
}

static int control_majority(Sweep *sweep)
{
    const LabelledSet *test = &sweep->sets[TEST];
    int rc = majority_predict(sweep->predicted, &sweep->sets[TRAIN], test,
                              (size_t)sweep->probe->n_classes);
    return rc ? rc
              : score_predictions(&sweep->out->control[CONTROL_MAJORITY], test, sweep->predicted,
                                  sweep->options->seed, sweep->pool);
}

/* Rows of another source than the model: history or a random network, for TRAIN and TEST. */
static int alloc_pair(float *rows[N_SPLITS], const Sweep *sweep, size_t width)
{
    for (int split = TRAIN; split <= TEST; split += TEST - TRAIN) {
        rows[split] = mem_alloc(sweep->sets[split].set.n_positions * width, sizeof(float),
                                "rows of a control");
        if (!rows[split]) {
            return OGPT_ENOMEM;
        }
    }
    return 0;
}

static int control_history(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    size_t width = history_width(sweep->sets[TRAIN].set.vocab);
    int rc = alloc_pair(rows, sweep, width);
    for (int split = TRAIN; split <= TEST && rc == 0; split += TEST - TRAIN) {
        rc = history_rows(rows[split], &sweep->sets[split].set, sweep->convention, sweep->pool);
    }
    rc = rc ? rc
            : control_fit(sweep, CONTROL_HISTORY, rows[TRAIN], rows[TEST], width,
                          sweep->sets[TRAIN].labels);
    mem_free(rows[TRAIN]);
    mem_free(rows[TEST]);
    return rc;
}

static int control_random_model(Sweep *sweep)
{
    float *rows[N_SPLITS] = {NULL};
    Gpt *random = NULL;
    size_t width = (size_t)sweep->probe->d_model;
    const int *layer = &sweep->probe->layers[sweep->out->best];
    int rc = gpt_new(&random, &sweep->model->gpt->cfg);
    if (rc) {
        return rc;
    }
    gpt_init(random, sweep->options->seed, RNG_CONTROL);
    rc = alloc_pair(rows, sweep, width);
    for (int split = TRAIN; split <= TEST && rc == 0; split += TEST - TRAIN) {
        rc = activations_capture(&rows[split], &sweep->sets[split].set, random, sweep->probe->site,
                                 layer, 1, sweep->pool);
    }
    rc = rc ? rc
            : control_fit(sweep, CONTROL_RANDOM_MODEL, rows[TRAIN], rows[TEST], width,
                          sweep->sets[TRAIN].labels);
    mem_free(rows[TRAIN]);
    mem_free(rows[TEST]);
    gpt_free(random);
    return rc;
}

static int control_shuffled(Sweep *sweep)
{
    const LabelledSet *train = &sweep->sets[TRAIN];
    int best = sweep->out->best;
    uint8_t *labels = mem_alloc(train->set.n_positions, train->n_squares, "shuffled labels");
    if (!labels) {
        return OGPT_ENOMEM;
    }
    int rc = shuffled_labels(labels, &train->set, sweep->task, sweep->convention,
                             sweep->options->seed, sweep->pool);
    rc = rc ? rc : sweep__hold(sweep, best);
    rc = rc ? rc
            : control_fit(sweep, CONTROL_SHUFFLED, sweep__rows(sweep, TRAIN, best),
                          sweep__rows(sweep, TEST, best), (size_t)sweep->probe->d_model, labels);
    mem_free(labels);
    return rc;
}

int sweep__controls(Sweep *sweep)
{
    static int (*const controls[N_CONTROLS])(Sweep *) = {
        [CONTROL_MAJORITY] = control_majority,
        [CONTROL_HISTORY] = control_history,
        [CONTROL_RANDOM_MODEL] = control_random_model,
        [CONTROL_SHUFFLED] = control_shuffled,
    };
    for (int control = 0; control < N_CONTROLS; control++) {
        if (sweep->observer && sweep->observer->control) {
            sweep->observer->control(sweep->observer->context, (Control)control);
        }
        int rc = controls[control](sweep);
        if (rc) {
            return rc;
        }
        sweep->out->has_control[control] = true;
    }
    return 0;
}
