/* probes/circuits/faithfulness.c - contract in probes/circuits/faithfulness.h. */
#include "probes/circuits/faithfulness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/circuits/grades.h"
#include "probes/legality/answers.h"

/* What is measured of a pair in one circuit. */
enum { M_DELTA, M_WRONG_BASE, M_WRONG_OTHER, M_STRICT_BASE, M_STRICT_OTHER, N_MEASURED };

typedef struct FaithRun {
    EdgeRuns *runs;
    const EdgeQuestion *question;
    const Work *work;
    uint8_t *patched;  /* (n_edges) */
    double *delta;     /* (n_pairs) */
    real *logits;      /* (n_pairs, V) */
    double *measured;  /* (FAITH_POINTS, n_pairs, N_MEASURED) */
    double *up, *down; /* (n_pairs) numerators and denominators */
} FaithRun;

static int run_new(FaithRun *run, EdgeRuns *runs, const EdgeQuestion *question, const Work *work)
{
    size_t n = question->n_pairs;
    *run = (FaithRun){.runs = runs, .question = question, .work = work};
    run->patched = mem_calloc(question->graph->n_edges, 1, "edges of a circuit");
    run->delta = mem_calloc(n, sizeof(double), "effects of pairs");
    run->up = mem_calloc(n, sizeof(double), "effects of pairs");
    run->down = mem_calloc(n, sizeof(double), "effects of pairs");
    run->measured = mem_calloc(FAITH_POINTS * n * N_MEASURED, sizeof(double), "effects of pairs");
    run->logits = mem_calloc(n * (size_t)question->vocab->d_vocab, sizeof(real), "logits of pairs");
    return run->patched && run->delta && run->up && run->down && run->measured && run->logits
               ? 0
               : OGPT_ENOMEM;
}

static void run_release(FaithRun *run)
{
    mem_free(run->patched);
    mem_free(run->delta);
    mem_free(run->up);
    mem_free(run->down);
    mem_free(run->measured);
    mem_free(run->logits);
}

/* ---- one circuit ---- */

static void judge(double *wrong, double *strict, const FaithRun *run, size_t pair, uint64_t squares)
{
    const Vocab *vocab = run->question->vocab;
    const real *logits = run->logits + pair * (size_t)vocab->d_vocab;
    uint64_t legal = answer_tokens(vocab, squares);
    *wrong = *strict = NAN;
    if (legal != 0) {
        *wrong = answer_score(logits, vocab->d_vocab, legal, RULE_TOPN).error;
        *strict = (legal >> answer_top(logits, vocab->d_vocab) & 1) == 0;
    }
}

/* measured (n_pairs, N_MEASURED) of the circuit whose other edges are in run->patched. */
static int measure(double *measured, FaithRun *run)
{
    const EdgeQuestion *question = run->question;
    const Work quiet = work_quiet(run->work);
    int rc = edges_patched(run->delta, run->logits, run->runs, run->patched, &quiet);
    for (size_t p = 0; p < question->n_pairs && rc == 0; p++) {
        const GamePair *pair = &question->pairs[p];
        bool noising = question->direction == PATCH_NOISING;
        double *m = measured + p * N_MEASURED;
        m[M_DELTA] = run->delta[p];
        judge(&m[M_WRONG_BASE], &m[M_STRICT_BASE], run, p,
              noising ? pair->legal_clean : pair->legal_corrupt);
        judge(&m[M_WRONG_OTHER], &m[M_STRICT_OTHER], run, p,
              noising ? pair->legal_corrupt : pair->legal_clean);
    }
    return rc;
}

static double mean_of(const double *measured, size_t n, int which)
{
    double sum = 0;
    size_t counted = 0;
    for (size_t p = 0; p < n; p++) {
        double value = measured[p * N_MEASURED + (size_t)which];
        sum += isnan(value) ? 0 : value;
        counted += !isnan(value);
    }
    return counted > 0 ? sum / (double)counted : NAN;
}

static void fill_point(FaithPoint *out, FaithRun *run, const double *measured)
{
    size_t n = run->question->n_pairs;
    const double *full = edges_delta(run->runs, false), *empty = edges_delta(run->runs, true);
    for (size_t p = 0; p < n; p++) {
        run->up[p] = measured[p * N_MEASURED + M_DELTA] - empty[p];
        run->down[p] = full[p] - empty[p];
    }
    out->f = bootstrap_ratio(run->up, run->down, n, run->work->seed);
    out->wrong_base = mean_of(measured, n, M_WRONG_BASE);
    out->wrong_other = mean_of(measured, n, M_WRONG_OTHER);
    out->strict_base = mean_of(measured, n, M_STRICT_BASE);
    out->strict_other = mean_of(measured, n, M_STRICT_OTHER);
}

int faith_circuit(FaithPoint *out, EdgeRuns *runs, const EdgeQuestion *question,
                  const uint8_t *kept, const Work *work)
{
    FaithRun run;
    size_t n = question->graph->n_edges;
    *out = (FaithPoint){0};
    int rc = run_new(&run, runs, question, work);
    for (size_t e = 0; e < n && rc == 0; e++) {
        run.patched[e] = !kept[e];
        out->n_edges += kept[e] != 0;
    }
    rc = rc ? rc : measure(run.measured, &run);
    if (rc == 0) {
        out->share = (double)out->n_edges / (double)n;
        fill_point(out, &run, run.measured);
    }
    run_release(&run);
    return rc;
}

/* ---- a curve ---- */

static const double faith_shares[FAITH_POINTS] = FAITH_SHARES;

/* Areas of f and of |1 - f| by trapezoids, from the sums over pairs of a resample. */
static void areas(double *cpr, double *cmd, const double *sums, double whole)
{
    *cpr = *cmd = 0;
    for (int i = 1; i < FAITH_POINTS; i++) {
        double width = faith_shares[i] - faith_shares[i - 1];
        double f[2] = {sums[i - 1] / whole, sums[i] / whole};
        *cpr += width * (f[0] + f[1]) / 2;
        *cmd += width * (fabs(1 - f[0]) + fabs(1 - f[1])) / 2;
    }
}

static void fill_areas(FaithCurve *out, const FaithRun *run)
{
    size_t n = run->question->n_pairs;
    const double *full = edges_delta(run->runs, false), *empty = edges_delta(run->runs, true);
    double cpr[BOOTSTRAP_REPLICATES], cmd[BOOTSTRAP_REPLICATES];
    for (size_t r = 0; r <= BOOTSTRAP_REPLICATES; r++) { /* the last one: every pair once */
        Rng rng = rng_at(run->work->seed, RNG_BOOTSTRAP, r);
        bool all = r == BOOTSTRAP_REPLICATES;
        double sums[FAITH_POINTS] = {0}, whole = 0;
        for (size_t draw = 0; draw < n; draw++) {
            size_t p = all ? draw : rng_below(&rng, (uint32_t)n);
            whole += full[p] - empty[p];
            for (size_t i = 0; i < FAITH_POINTS; i++) {
                sums[i] += run->measured[(i * n + p) * N_MEASURED + M_DELTA] - empty[p];
            }
        }
        areas(all ? &out->cpr.value : &cpr[r], all ? &out->cmd.value : &cmd[r], sums, whole);
    }
    grade_percentiles(&out->cpr, cpr, BOOTSTRAP_REPLICATES);
    grade_percentiles(&out->cmd, cmd, BOOTSTRAP_REPLICATES);
}

static int run_curve(FaithCurve *out, FaithRun *run, const uint32_t *order, const char *name)
{
    size_t n_edges = run->question->graph->n_edges, width = run->question->n_pairs * N_MEASURED;
    char stage[64];
    int rc = 0;
    snprintf(stage, sizeof(stage), "faith %.50s", name);
    memset(run->patched, 1, n_edges);
    for (size_t i = 0, kept = 0; i < FAITH_POINTS && rc == 0; i++) {
        FaithPoint *point = &out->points[i];
        double *measured = run->measured + i * width;
        *point = (FaithPoint){.share = faith_shares[i],
                              .n_edges = (size_t)lround(faith_shares[i] * (double)n_edges)};
        for (; kept < point->n_edges; kept++) {
            run->patched[order[kept]] = 0;
        }
        int recalled = work_recall(measured, run->work, width, stage, i);
        rc = recalled < 0 ? recalled : recalled > 0 ? 0 : measure(measured, run);
        if (rc == 0 && recalled == 0) {
            rc = work_keep(run->work, measured, width, stage, i);
        }
        if (rc == 0) {
            fill_point(point, run, measured);
            work_tick(run->work, "circuits", (double)i + 1, FAITH_POINTS);
        }
    }
    if (rc == 0) {
        fill_areas(out, run);
    }
    return rc;
}

int faith_curve(FaithCurve *out, EdgeRuns *runs, const EdgeQuestion *question,
                const uint32_t *order, const char *name, const Work *work)
{
    FaithRun run;
    int rc = run_new(&run, runs, question, work);
    rc = rc ? rc : run_curve(out, &run, order, name);
    run_release(&run);
    return rc;
}

/* ---- random orders ---- */

/* Curve number k of so many: sums, and the smallest and largest value. */
static void join_interval(Interval *sum, Interval one, size_t k, size_t n)
{
    sum->value = (k == 0 ? 0 : sum->value) + one.value / (double)n;
    sum->low = k == 0 ? one.value : fmin(sum->low, one.value);
    sum->high = k == 0 ? one.value : fmax(sum->high, one.value);
}

static void join_curve(FaithCurve *sum, const FaithCurve *one, size_t k, size_t n)
{
    for (int i = 0; i < FAITH_POINTS; i++) {
        FaithPoint *to = &sum->points[i];
        const FaithPoint *from = &one->points[i];
        to->share = from->share;
        to->n_edges = from->n_edges;
        join_interval(&to->f, from->f, k, n);
        to->wrong_base = (k == 0 ? 0 : to->wrong_base) + from->wrong_base / (double)n;
        to->wrong_other = (k == 0 ? 0 : to->wrong_other) + from->wrong_other / (double)n;
        to->strict_base = (k == 0 ? 0 : to->strict_base) + from->strict_base / (double)n;
        to->strict_other = (k == 0 ? 0 : to->strict_other) + from->strict_other / (double)n;
    }
    join_interval(&sum->cpr, one->cpr, k, n);
    join_interval(&sum->cmd, one->cmd, k, n);
}

int faith_random(FaithCurve *out, EdgeRuns *runs, const EdgeQuestion *question, size_t n_orders,
                 const Work *work)
{
    FaithRun run;
    size_t n = question->graph->n_edges;
    uint32_t *order = mem_alloc(n, sizeof(*order), "order of edges");
    int rc = run_new(&run, runs, question, work);
    rc = rc || order ? rc : OGPT_ENOMEM;
    for (size_t k = 0; k < n_orders && rc == 0; k++) {
        char name[32];
        FaithCurve one;
        snprintf(name, sizeof(name), "random %zu", k);
        for (size_t i = 0; i < n; i++) {
            order[i] = (uint32_t)rng_permute(work->seed, RNG_CONTROL, k, i, n);
        }
        rc = run_curve(&one, &run, order, name);
        if (rc == 0) {
            join_curve(out, &one, k, n_orders);
        }
    }
    run_release(&run);
    mem_free(order);
    return rc;
}
