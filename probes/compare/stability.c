/* probes/compare/stability.c - see probes/compare/stability.h. */
#include "probes/compare/stability.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/scores.h"
#include "probes/solvers/solver.h"

/* The penalty of the layer's own fit, chosen or given. A probe by adamw has none: FIT_L2. */
static double layer_l2(const Probe *probe, int index)
{
    double l2 = probe->fit[index].l2;
    if (isfinite(l2) && l2 > 0) {
        return l2;
    }
    return probe->l2 > 0 ? probe->l2 : FIT_L2;
}

typedef struct HalvesJob {
    BetweenCosines *out;
    const Probe *probe;
    LabelledSet set;
    Work quiet;
} HalvesJob;

/* Fit the rows first .. end-1 alone. weight (d + 1, cells) is scratch; its last row holds the
 * biases. */
static int fit_half(DirectionSet *out, float *weight, const HalvesJob *job, int index,
                    const float *rows, size_t first, size_t end)
{
    const Probe *probe = job->probe;
    bool known = strcmp(probe->solver, "liblinear") == 0;
    size_t d = (size_t)probe->d_model, S = (size_t)probe->n_squares, K = (size_t)probe->n_classes;
    FitReport report;
    FitProblem problem = {.x = rows + first * d,
                          .labels = job->set.labels + first * S,
                          .n = end - first,
                          .width = d,
                          .n_squares = S,
                          .n_classes = K,
                          .l2 = layer_l2(probe, index)};
    FitWeights weights = {.weight = weight, .bias = weight + d * S * K};
    int rc = fit_probe(&weights, &report, known ? probe->solver : "newton", &problem, &job->quiet);
    return rc ? rc : directions_of_weights(out, weight, probe->size, d, K);
}

/* Two fits of a layer, each on half of the games. */
static int fit_halves(DirectionSet half[2], const HalvesJob *job, int index, const float *rows)
{
    const Probe *probe = job->probe;
    const PositionSet *set = &job->set.set;
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    size_t n = set->n_positions, middle = set->first[set->n_games / 2];
    float *weight =
        mem_alloc(((size_t)probe->d_model + 1) * cells, sizeof(float), "weights of half a fit");
    half[0] = half[1] = (DirectionSet){0};
    if (!weight) {
        return OGPT_ENOMEM;
    }
    int rc = fit_half(&half[0], weight, job, index, rows, 0, middle);
    rc = rc ? rc : fit_half(&half[1], weight, job, index, rows, middle, n);
    if (rc) {
        direction_set_release(&half[0]);
        direction_set_release(&half[1]);
    }
    mem_free(weight);
    return rc;
}

static int halve_layer(void *context, int index, const float *rows)
{
    HalvesJob *job = context;
    DirectionSet half[2];
    int rc = fit_halves(half, job, index, rows);
    if (rc) {
        return rc;
    }
    job->out[index] = directions_between(&half[0], &half[1]);
    direction_set_release(&half[0]);
    direction_set_release(&half[1]);
    return 0;
}

int stability_measure(BetweenCosines *out, const Probe *probe, const char *path, const Gpt *gpt,
                      Corpus *corpus, const ExplainedOptions *options, const Work *work)
{
    HalvesJob job = {.out = out, .probe = probe, .quiet = work_quiet(work)};
    const SiteLayers where = {probe->site, probe->layers, probe->n_layers};
    LabelConvention convention;
    GameSource *source = NULL;
    const Task *task = task_find(probe->task);
    int rc = probe_check_linear(probe, path);
    if (rc == 0 && !task) {
        rc = err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", path, probe->task,
                     TASK_NAMES);
    }
    rc = rc ? rc : convention_parse(&convention, probe->labels);
    rc = rc ? rc : source_corpus(&source, corpus, 1U << SPLIT_TRAIN, true, work->seed);
    rc = rc ? rc
            : labelled_draw(&job.set, source, task, convention, options->n_games, options->plies,
                            work);
    source_free(source);
    if (rc == 0 && job.set.set.n_games < 2) {
        rc = err_set(OGPT_EUSAGE, "%s: one training game cannot be halved", path);
    }
    rc = rc ? rc : activations_visit(&job.set.set, gpt, &where, halve_layer, &job, work);
    labelled_release(&job.set);
    return rc;
}
