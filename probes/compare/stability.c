/* probes/compare/stability.c - fits on disjoint halves. See probes/compare/stability.h. */
#include "probes/compare/stability.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/scores.h"
#include "probes/solvers/solver.h"

/* The penalty of the layer's own fit, chosen or given; adamw has none. */
static double layer_l2(const Probe *probe, int index)
{
    double l2 = probe->fit[index].l2;
    if (isfinite(l2) && l2 > 0) {
        return l2;
    }
    return probe->l2 > 0 ? probe->l2 : FIT_L2;
}

static int fit_half(Directions *out, float *weight, float *bias, const Probe *probe, double l2,
                    const float *rows, const uint8_t *labels, size_t n, Pool *pool)
{
    bool known = strcmp(probe->solver, "liblinear") == 0;
    FitReport report;
    FitProblem problem = {.x = rows,
                          .labels = labels,
                          .n = n,
                          .width = (size_t)probe->d_model,
                          .n_squares = (size_t)probe->n_squares,
                          .n_classes = (size_t)probe->n_classes,
                          .l2 = l2};
    FitWeights weights = {.weight = weight, .bias = bias};
    int rc = fit_probe(&weights, &report, known ? probe->solver : "newton", &problem, pool);
    return rc ? rc
              : directions_of_weights(out, weight, probe->size, problem.width, problem.n_classes);
}

/* Two fits of a layer; the first half of the rows ends before row `middle`. */
static int fit_halves(Directions half[2], const Probe *probe, int index, const float *rows,
                      const uint8_t *labels, size_t n, size_t middle, Pool *pool)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    size_t d = (size_t)probe->d_model;
    float *weight = mem_alloc((d + 1) * cells, sizeof(float), "weights of half a fit");
    half[0] = half[1] = (Directions){0};
    if (!weight) {
        return OGPT_ENOMEM;
    }
    int rc = 0;
    for (int h = 0; h < 2 && rc == 0; h++) {
        size_t first = h == 0 ? 0 : middle, end = h == 0 ? middle : n;
        rc = fit_half(&half[h], weight, weight + d * cells, probe, layer_l2(probe, index),
                      rows + first * d, labels + first * (size_t)probe->n_squares, end - first,
                      pool);
    }
    if (rc) {
        directions_release(&half[0]);
        directions_release(&half[1]);
    }
    mem_free(weight);
    return rc;
}

typedef struct HalvesJob {
    BetweenCosines *out;
    const Probe *probe;
    LabelledSet set;
    Pool *pool;
    const StabilityObserver *observer;
} HalvesJob;

static int halve_layer(void *context, int index, const float *rows)
{
    HalvesJob *job = context;
    const PositionSet *set = &job->set.set;
    Directions half[2];
    int rc = fit_halves(half, job->probe, index, rows, job->set.labels, set->n_positions,
                        set->first[set->n_games / 2], job->pool);
    if (rc) {
        return rc;
    }
    job->out[index] = directions_between(&half[0], &half[1]);
    directions_release(&half[0]);
    directions_release(&half[1]);
    if (job->observer) {
        job->observer->layer(job->observer->context, index + 1, job->probe->n_layers);
    }
    return 0;
}

int stability_measure(BetweenCosines *out, const Probe *probe, const char *path, const Gpt *gpt,
                      Corpus *corpus, const ExplainedOptions *options, Pool *pool,
                      const StabilityObserver *observer)
{
    HalvesJob job = {.out = out, .probe = probe, .pool = pool, .observer = observer};
    LabelConvention convention;
    GameSource *source = NULL;
    const Task *task = task_find(probe->task);
    int rc = probe_check_linear(probe, path);
    if (rc == 0 && !task) {
        rc = err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", path, probe->task,
                     TASK_NAMES);
    }
    rc = rc ? rc : convention_parse(&convention, probe->labels);
    rc = rc ? rc : source_corpus(&source, corpus, 1U << SPLIT_TRAIN, true, options->seed);
    rc = rc ? rc
            : labelled_draw(&job.set, source, task, convention, options->n_games, options->plies,
                            options->seed, pool);
    source_free(source);
    if (rc == 0 && job.set.set.n_games < 2) {
        rc = err_set(OGPT_EUSAGE, "%s: one training game cannot be halved", path);
    }
    rc = rc ? rc
            : activations_visit(&job.set.set, gpt, probe->site, probe->layers, probe->n_layers,
                                options->memory_bytes, halve_layer, &job, pool);
    labelled_release(&job.set);
    return rc;
}
