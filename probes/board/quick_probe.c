/* probes/board/quick_probe.c - contract in probes/board/quick_probe.h. */
#include "probes/board/quick_probe.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/scores.h"
#include "probes/solvers/solver.h"

/* Ten times FIT_TOLERANCE: the accuracy changes by less than the noise of the few scored games. */
#define QUICK_TOLERANCE 1e-3

struct QuickProbe {
    const GameVariant *variant;
    const Task *task;
    LabelledSet fit, test;
};

int quick_probe_new(QuickProbe **out, GameSource *fit, GameSource *test, const Work *work)
{
    *out = NULL;
    QuickProbe *probe = mem_calloc(1, sizeof(*probe), "a quick probe");
    if (!probe) {
        return OGPT_ENOMEM;
    }
    probe->variant = source_variant(fit);
    probe->task = task_find("mine");
    int rc =
        labelled_draw(&probe->fit, fit, probe->task, LABELS_MOVER, QUICK_GAMES, QUICK_PLIES, work);
    rc = rc ? rc
            : labelled_draw(&probe->test, test, probe->task, LABELS_MOVER, QUICK_GAMES / 2,
                            QUICK_PLIES, work);
    if (rc != 0) {
        quick_probe_free(probe);
        return rc;
    }
    *out = probe;
    return 0;
}

void quick_probe_free(QuickProbe *probe)
{
    if (probe) {
        labelled_release(&probe->fit);
        labelled_release(&probe->test);
        mem_free(probe);
    }
}

static int fit_and_score(QuickScore *out, const QuickProbe *q, Probe *probe, float *const rows[2],
                         const Work *work)
{
    FitReport report;
    ProbeScore score;
    FitProblem problem = {.x = rows[0],
                          .labels = q->fit.labels,
                          .n = q->fit.set.n_positions,
                          .width = (size_t)probe->d_model,
                          .n_squares = (size_t)probe->n_squares,
                          .n_classes = (size_t)probe->n_classes,
                          .l2 = FIT_L2,
                          .tolerance = QUICK_TOLERANCE};
    uint8_t *predicted =
        mem_alloc(q->test.set.n_positions * q->test.n_squares, 1, "predicted squares");
    if (!predicted) {
        return OGPT_ENOMEM;
    }
    FitWeights weights = {.weight = probe->weight[0], .bias = probe->bias[0]};
    int rc = fit_probe(&weights, &report, "newton", &problem, work);
    probe->fitted[0] = true;
    rc = rc ? rc : predict_probe(predicted, probe, 0, rows[1], q->test.set.n_positions, work);
    rc = rc ? rc : score_predictions(&score, &q->test, predicted, work);
    if (rc == 0) {
        out->accuracy = score.accuracy.value;
        out->board = score.board.value;
    }
    mem_free(predicted);
    return rc;
}

int quick_probe_score(QuickScore *out, const QuickProbe *q, const Gpt *gpt, const Work *work)
{
    int layer = gpt->cfg.n_layers * 3 / 4;
    layer = layer < gpt->cfg.n_layers ? layer : gpt->cfg.n_layers - 1;
    Probe probe = {.site = HOOK_RESID_POST,
                   .size = q->variant->size,
                   .n_squares = q->variant->size * q->variant->size,
                   .d_model = gpt->cfg.d_model,
                   .n_classes = 3,
                   .n_layers = 1,
                   .layers = {layer}};
    float *rows[2] = {NULL, NULL};
    size_t width = (size_t)gpt->cfg.d_model;
    *out = (QuickScore){.layer = layer};
    int rc = probe_allocate(&probe);
    if (rc != 0) {
        return rc;
    }
    rows[0] = mem_alloc(q->fit.set.n_positions * width, sizeof(float), "activations");
    rows[1] = mem_alloc(q->test.set.n_positions * width, sizeof(float), "activations");
    rc = !rows[0] || !rows[1] ? OGPT_ENOMEM : 0;
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    const Work quiet = work_quiet(work);
    rc = rc ? rc : activations_capture(&rows[0], &q->fit.set, gpt, &where, &quiet);
    rc = rc ? rc : activations_capture(&rows[1], &q->test.set, gpt, &where, &quiet);
    rc = rc ? rc : fit_and_score(out, q, &probe, rows, &quiet);
    mem_free(rows[0]);
    mem_free(rows[1]);
    probe_release(&probe);
    return rc;
}
