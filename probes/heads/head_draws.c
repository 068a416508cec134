/* probes/heads/head_draws.c - one bootstrap for all heads. Contract in
 * probes/heads/head_compare.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/heads/head_compare.h"

enum { REPLICATES_A_JOB = 512 };

typedef struct GameDrawing {
    HeadDraws *draws;
    uint64_t seed;
} GameDrawing;

static int draw_job(void *context, size_t job, size_t worker)
{
    const GameDrawing *drawing = context;
    size_t n = drawing->draws->n, first = job * REPLICATES_A_JOB;
    size_t end = first + REPLICATES_A_JOB;
    end = end < PAIRED_REPLICATES ? end : PAIRED_REPLICATES;
    for (size_t r = first; r < end; r++) {
        uint8_t *counts = drawing->draws->counts + r * n;
        Rng rng = rng_at(drawing->seed, RNG_BOOTSTRAP, r);
        for (size_t draw = 0; draw < n; draw++) {
            counts[rng_below(&rng, (uint32_t)n)]++;
        }
    }
    return 0;
}

int head_draws_make(HeadDraws *out, size_t n, const Work *work)
{
    GameDrawing drawing = {out, work->seed};
    size_t jobs = (PAIRED_REPLICATES + REPLICATES_A_JOB - 1) / REPLICATES_A_JOB;
    *out = (HeadDraws){.n = n};
    out->counts = mem_calloc(PAIRED_REPLICATES, n, "draws of games");
    return out->counts ? pool_run(work->pool, jobs, draw_job, &drawing) : OGPT_ENOMEM;
}

void head_draws_release(HeadDraws *draws)
{
    mem_free(draws->counts);
    *draws = (HeadDraws){0};
}

enum { TOGETHER = 4 }; /* replicates a time, whose sums stay in registers */

/* sums (TOGETHER, HEAD_COLUMNS) of the values, with the counts of replicates first .. */
static void weigh(double sums[TOGETHER][HEAD_COLUMNS], const HeadDraws *draws, size_t first,
                  const double *values)
{
    double sum[TOGETHER][HEAD_COLUMNS] = {{0}};
    size_t n = draws->n;
    const uint8_t *counts[TOGETHER];
    for (size_t k = 0; k < TOGETHER; k++) {
        size_t r = first + k < PAIRED_REPLICATES ? first + k : PAIRED_REPLICATES - 1;
        counts[k] = draws->counts + r * n;
    }
    for (size_t i = 0; i < n; i++) {
        const double *row = values + i * HEAD_COLUMNS;
        for (size_t k = 0; k < TOGETHER; k++) {
            double times = counts[k][i];
#pragma omp simd
            for (size_t j = 0; j < HEAD_COLUMNS; j++) {
                sum[k][j] += times * row[j];
            }
        }
    }
    memcpy(sums, sum, sizeof(sum));
}

int head_draws_below(double **out, const HeadDraws *draws, const double *values)
{
    double sums[TOGETHER][HEAD_COLUMNS];
    *out = mem_alloc(PAIRED_REPLICATES * HEAD_COLUMNS, sizeof(**out), "denominators");
    for (size_t r = 0; r < PAIRED_REPLICATES && *out; r += TOGETHER) {
        weigh(sums, draws, r, values);
        for (size_t k = 0; k < TOGETHER && r + k < PAIRED_REPLICATES; k++) {
            memcpy(*out + (r + k) * HEAD_COLUMNS, sums[k], sizeof(sums[k]));
        }
    }
    return *out ? 0 : OGPT_ENOMEM;
}

/* Sum of a column. */
static double whole(const double *values, size_t n, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i * HEAD_COLUMNS + column];
    }
    return sum;
}

void head_draws_test(PairedTest *out, const HeadDraws *draws, const HeadRatios *ratios,
                     double *scratch)
{
    double sums[TOGETHER][HEAD_COLUMNS];
    for (size_t r = 0; r < PAIRED_REPLICATES; r += TOGETHER) {
        weigh(sums, draws, r, ratios->values);
        for (size_t k = 0; k < TOGETHER && r + k < PAIRED_REPLICATES; k++) {
            const double *shared = ratios->below_sums + (r + k) * HEAD_COLUMNS;
            for (size_t i = 0; i < ratios->n; i++) {
                int at = ratios->below[i];
                double below = at >= 0 ? shared[at] : sums[k][-1 - at];
                scratch[i * PAIRED_REPLICATES + r + k] = below > 0 ? sums[k][i] / below : 0;
            }
        }
    }
    for (size_t i = 0; i < ratios->n; i++) {
        double *replicates = scratch + i * PAIRED_REPLICATES;
        size_t n_below = 0, n_above = 0;
        int at = ratios->below[i];
        double below = at >= 0 ? whole(ratios->below_values, draws->n, (size_t)at)
                               : whole(ratios->values, draws->n, (size_t)(-1 - at));
        out[i] = (PairedTest){{NAN, NAN, NAN}, NAN, NAN};
        if (!(below > 0)) {
            continue;
        }
        for (size_t r = 0; r < PAIRED_REPLICATES; r++) {
            n_below += replicates[r] <= 0;
            n_above += replicates[r] >= 0;
        }
        size_t least = n_below < n_above ? n_below : n_above;
        out[i].p = fmin(1, 2 * (double)(least + 1) / (PAIRED_REPLICATES + 1));
        out[i].difference.value = whole(ratios->values, draws->n, i) / below;
        bootstrap_quantiles(&out[i].difference, replicates, PAIRED_REPLICATES);
    }
}
