/* probes/neurons/neuron_fit.c - see probes/neurons/neuron_fit.h. */
#include "probes/neurons/neuron_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"

typedef struct FitWorker {
    NeuronTreeScratch *trees;
    NeuronLinearScratch linear;
    NeuronTree tree;
    float *said; /* (NEURON_TOGETHER, held-out rows) */
} FitWorker;

typedef struct Fitting {
    NeuronFit *fit;
    const NeuronFitInputs *in;
    const float *values;
    FitWorker *workers;
} Fitting;

size_t neuron_fit_bytes(size_t M, size_t test_games, size_t n, const Work *work)
{
    return M * (4 * test_games * sizeof(double) + sizeof(NeuronRule)) +
           work_workers(work) * (neuron_tree_scratch_bytes(n) + neuron_linear_bytes() +
                                 NEURON_TOGETHER * n * sizeof(float) + sizeof(FitWorker));
}

static int fit_allocate(NeuronFit *out, const NeuronFitInputs *in, size_t M)
{
    size_t G = in->games->n_games - in->games->n_fit_games;
    *out = (NeuronFit){.M = M, .G = G};
    out->count = mem_calloc(G, sizeof(double), "scores");
    out->sum = mem_calloc(G * M, sizeof(double), "scores");
    out->square = mem_calloc(G * M, sizeof(double), "scores");
    out->rules = mem_calloc(M, sizeof(*out->rules), "rules");
    bool there = out->count && out->sum && out->square && out->rules;
    if (in->keep_trees) {
        out->trees = mem_alloc(M, sizeof(*out->trees), "trees");
        there = there && out->trees;
    }
    for (int m = 0; m < N_NEURON_MODELS; m++) {
        out->wrong[m] = mem_calloc(G * M, sizeof(double), "scores");
        out->r2[m] = mem_calloc(M, sizeof(double), "scores");
        there = there && out->wrong[m] && out->r2[m];
    }
    return there ? 0 : OGPT_ENOMEM;
}

void neuron_fit_release(NeuronFit *fit)
{
    mem_free(fit->count);
    mem_free(fit->sum);
    mem_free(fit->square);
    mem_free(fit->rules);
    mem_free(fit->trees);
    for (int m = 0; m < N_NEURON_MODELS; m++) {
        mem_free(fit->wrong[m]);
        mem_free(fit->r2[m]);
    }
    *fit = (NeuronFit){0};
}

/* Add up neuron k by held-out game. said: by the linear twin, at the held-out rows. */
static void score_neuron(const Fitting *fitting, size_t k, const float *values,
                         const NeuronTree *tree, const float *said)
{
    const NeuronGames *games = fitting->in->games;
    const NeuronDesign *design = fitting->in->design;
    NeuronFit *fit = fitting->fit;
    double middle = tree->nodes[0].mean;
    for (size_t i = games->n_fit; i < games->n; i++) {
        size_t at = (games->game[i] - games->n_fit_games) * fit->M + k;
        double value = (double)values[i], off = value - middle;
        double by_tree = value - neuron_tree_value(tree, design->facts + i);
        double by_linear = value - (double)said[i - games->n_fit];
        fit->sum[at] += off;
        fit->square[at] += off * off;
        fit->wrong[NEURON_BY_TREE][at] += by_tree * by_tree;
        fit->wrong[NEURON_BY_LINEAR][at] += by_linear * by_linear;
    }
}

static int fit_job(void *context, size_t job, size_t worker)
{
    const Fitting *fitting = context;
    const NeuronFitInputs *in = fitting->in;
    FitWorker *mine = fitting->workers + worker;
    size_t first = job * NEURON_TOGETHER, left = fitting->fit->M - first;
    size_t count = left < NEURON_TOGETHER ? left : NEURON_TOGETHER;
    size_t n = in->games->n, n_test = n - in->games->n_fit;
    neuron_linear_fit(mine->said, in->linear, &mine->linear, fitting->values + first * n, count);
    for (size_t i = 0; i < count; i++) {
        const float *values = fitting->values + (first + i) * n;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted while rules were fitted");
        }
        neuron_tree_fit(&mine->tree, mine->trees, values, in->depth);
        neuron_rule_best(fitting->fit->rules + first + i, &mine->tree);
        if (fitting->fit->trees) {
            fitting->fit->trees[first + i] = mine->tree;
        }
        score_neuron(fitting, first + i, values, &mine->tree, mine->said + i * n_test);
    }
    return 0;
}

/* R2 from sums over games, some of which may count more than once. */
static double r2_of(double wrong, double square, double sum, double count)
{
    double varied = square - sum * sum / count;
    return varied > 1e-12 * square && square > 0 ? 1 - wrong / varied : NAN;
}

static void fill_r2(NeuronFit *fit)
{
    for (size_t k = 0; k < fit->M; k++) {
        double count = 0, sum = 0, square = 0, wrong[N_NEURON_MODELS] = {0};
        for (size_t g = 0; g < fit->G; g++) {
            count += fit->count[g];
            sum += fit->sum[g * fit->M + k];
            square += fit->square[g * fit->M + k];
            for (int m = 0; m < N_NEURON_MODELS; m++) {
                wrong[m] += fit->wrong[m][g * fit->M + k];
            }
        }
        for (int m = 0; m < N_NEURON_MODELS; m++) {
            fit->r2[m][k] = r2_of(wrong[m], square, sum, count);
        }
    }
}

static int workers_make(FitWorker *workers, const NeuronFitInputs *in, size_t n_workers)
{
    size_t n_test = in->games->n - in->games->n_fit;
    int rc = 0;
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        rc = neuron_tree_scratch_new(&workers[w].trees, in->design);
        rc = rc ? rc : neuron_linear_scratch_new(&workers[w].linear, in->linear);
        workers[w].said = mem_alloc(NEURON_TOGETHER * n_test, sizeof(float), "linear twins");
        rc = rc || workers[w].said ? rc : OGPT_ENOMEM;
    }
    return rc;
}

int neuron_fit_run(NeuronFit *out, const NeuronFitInputs *in, const float *values, size_t M,
                   const Work *work)
{
    size_t n_workers = work_workers(work);
    Fitting fitting = {out, in, values, NULL};
    int rc = fit_allocate(out, in, M);
    fitting.workers = mem_calloc(n_workers, sizeof(*fitting.workers), "workers");
    rc = rc ? rc : fitting.workers ? workers_make(fitting.workers, in, n_workers) : OGPT_ENOMEM;
    for (size_t i = in->games->n_fit; i < in->games->n && rc == 0; i++) {
        out->count[in->games->game[i] - in->games->n_fit_games]++;
    }
    rc = rc ? rc
            : pool_run(work->pool, (M + NEURON_TOGETHER - 1) / NEURON_TOGETHER, fit_job, &fitting);
    for (size_t w = 0; w < n_workers && fitting.workers; w++) {
        neuron_tree_scratch_free(fitting.workers[w].trees);
        neuron_linear_scratch_free(&fitting.workers[w].linear);
        mem_free(fitting.workers[w].said);
    }
    mem_free(fitting.workers);
    if (rc == 0) {
        fill_r2(out);
    }
    return rc;
}

/* ---- shares ---- */

enum { DRAWS_A_JOB = 8, NEURONS_A_TIME = 64, N_SHARES = 3 };

typedef struct ShareDrawing {
    const NeuronFit *fit;
    double threshold;
    uint64_t seed;
    double *shares; /* (N_SHARES, BOOTSTRAP_REPLICATES) */
    double *counts; /* (workers, G) */
} ShareDrawing;

/* How many of neurons first .. first+n-1 pass, with these counts of games. */
static void count_passing(double passing[N_SHARES], const ShareDrawing *drawing,
                          const double *counts, size_t first, size_t n)
{
    const NeuronFit *fit = drawing->fit;
    double sum[NEURONS_A_TIME] = {0}, square[NEURONS_A_TIME] = {0};
    double tree[NEURONS_A_TIME] = {0}, linear[NEURONS_A_TIME] = {0}, positions = 0;
    for (size_t g = 0; g < fit->G; g++) {
        size_t at = g * fit->M + first;
        double times = counts[g];
        positions += times * fit->count[g];
        if (times == 0) {
            continue;
        }
#pragma omp simd
        for (size_t k = 0; k < n; k++) {
            sum[k] += times * fit->sum[at + k];
            square[k] += times * fit->square[at + k];
            tree[k] += times * fit->wrong[NEURON_BY_TREE][at + k];
            linear[k] += times * fit->wrong[NEURON_BY_LINEAR][at + k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        bool rule = r2_of(tree[k], square[k], sum[k], positions) > drawing->threshold;
        bool twin = r2_of(linear[k], square[k], sum[k], positions) > drawing->threshold;
        passing[0] += rule;
        passing[1] += twin;
        passing[2] += rule && !twin;
    }
}

static void replicate(const ShareDrawing *drawing, size_t r, double *counts)
{
    const NeuronFit *fit = drawing->fit;
    double passing[N_SHARES] = {0};
    for (size_t first = 0; first < fit->M; first += NEURONS_A_TIME) {
        size_t left = fit->M - first;
        count_passing(passing, drawing, counts, first,
                      left < NEURONS_A_TIME ? left : NEURONS_A_TIME);
    }
    for (int s = 0; s < N_SHARES; s++) {
        drawing->shares[(size_t)s * BOOTSTRAP_REPLICATES + r] = passing[s] / (double)fit->M;
    }
}

static int draw_job(void *context, size_t job, size_t worker)
{
    const ShareDrawing *drawing = context;
    size_t G = drawing->fit->G, end = (job + 1) * DRAWS_A_JOB;
    double *counts = drawing->counts + worker * G;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while games were drawn anew");
    }
    for (size_t r = job * DRAWS_A_JOB; r < end && r < BOOTSTRAP_REPLICATES; r++) {
        Rng rng = rng_at(drawing->seed, RNG_BOOTSTRAP, r);
        memset(counts, 0, G * sizeof(*counts));
        for (size_t i = 0; i < G; i++) {
            counts[rng_below(&rng, (uint32_t)G)]++;
        }
        replicate(drawing, r, counts);
    }
    return 0;
}

static double share_above(const NeuronFit *fit, double threshold, int which)
{
    size_t n = 0;
    for (size_t k = 0; k < fit->M; k++) {
        bool rule = fit->r2[NEURON_BY_TREE][k] > threshold;
        bool twin = fit->r2[NEURON_BY_LINEAR][k] > threshold;
        n += which == 0 ? rule : which == 1 ? twin : rule && !twin;
    }
    return (double)n / (double)fit->M;
}

int neuron_fit_shares(NeuronShares *out, const NeuronFit *fit, double threshold, double *rules,
                      const Work *work)
{
    ShareDrawing drawing = {fit, threshold, work->seed, NULL, NULL};
    drawing.shares =
        mem_alloc((size_t)N_SHARES * BOOTSTRAP_REPLICATES, sizeof(double), "replicates");
    drawing.counts = mem_alloc(work_workers(work) * fit->G, sizeof(double), "replicates");
    int rc = drawing.shares && drawing.counts ? 0 : OGPT_ENOMEM;
    rc = rc ? rc
            : pool_run(work->pool, (BOOTSTRAP_REPLICATES + DRAWS_A_JOB - 1) / DRAWS_A_JOB, draw_job,
                       &drawing);
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES && rc == 0 && rules; r++) {
        rules[r] += drawing.shares[r]; /* before they are sorted */
    }
    Interval *shares[N_SHARES] = {&out->rules, &out->linear, &out->only};
    for (int s = 0; s < N_SHARES && rc == 0; s++) {
        shares[s]->value = share_above(fit, threshold, s);
        bootstrap_quantiles(shares[s], drawing.shares + (size_t)s * BOOTSTRAP_REPLICATES,
                            BOOTSTRAP_REPLICATES);
    }
    mem_free(drawing.shares);
    mem_free(drawing.counts);
    return rc;
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int neuron_fit_median(double *out, const double *values, size_t n)
{
    double *sorted = mem_alloc(n, sizeof(*sorted), "a median");
    size_t there = 0;
    if (!sorted) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            sorted[there++] = values[i];
        }
    }
    qsort(sorted, there, sizeof(*sorted), compare_numbers);
    *out = there == 0 ? NAN : (sorted[(there - 1) / 2] + sorted[there / 2]) / 2;
    mem_free(sorted);
    return 0;
}
