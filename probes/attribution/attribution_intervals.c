/* probes/attribution/attribution_intervals.c - one bootstrap for thousands of components: how often
 * each replicate draws each game is drawn once. Contract in probes/attribution/attribution_run.h.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/pool.h"
#include "base/rng.h"
#include "probes/attribution/attribution_run.h"

enum { COLUMNS = 16 }; /* of a job: a cache line or two of each game */

typedef struct Draws {
    uint16_t *count; /* (REPLICATES, n) */
    double *below;   /* (REPLICATES) sum of the denominators */
    Interval *out;
    const double *values, *denominator;
    size_t n, J;
} Draws;

/* Bring the k-th smallest of n numbers to place k, smaller ones before it, larger ones behind it
 * (Hoare 1961): thousands of columns need four of their thousand replicates, and no sorting. */
static void select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = x[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot) {
                i++;
            }
            while (x[j] > pivot) {
                j--;
            }
            if (i <= j) {
                double swap = x[i];
                x[i++] = x[j];
                x[j] = swap;
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (k <= j) {
            high = j;
        } else if (k >= i) {
            low = i;
        } else {
            return;
        }
    }
}

/* Linear between neighbours, as in num/stats.c. */
static double quantile(double *x, double q)
{
    double position = q * (BOOTSTRAP_REPLICATES - 1);
    size_t at = (size_t)position;
    size_t above = at + 1 < BOOTSTRAP_REPLICATES ? at + 1 : at;
    select_kth(x, BOOTSTRAP_REPLICATES, at);
    double below = x[at];
    select_kth(x + at, BOOTSTRAP_REPLICATES - at, above - at);
    return below + (position - (double)at) * (x[above] - below);
}

static void draw_counts(Draws *draws, uint64_t seed)
{
    for (uint64_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        uint16_t *count = draws->count + r * draws->n;
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        memset(count, 0, draws->n * sizeof(*count));
        for (size_t draw = 0; draw < draws->n; draw++) {
            count[rng_below(&rng, (uint32_t)draws->n)]++;
        }
        draws->below[r] = 0;
        for (size_t i = 0; i < draws->n; i++) {
            draws->below[r] += count[i] * draws->denominator[i];
        }
    }
}

/* sums (COLUMNS) of columns first .. with these counts; NULL: 1 each. */
static void weigh(double sums[COLUMNS], const Draws *draws, const uint16_t *count, size_t first,
                  size_t n_columns)
{
    memset(sums, 0, COLUMNS * sizeof(*sums));
    for (size_t i = 0; i < draws->n; i++) {
        double times = count ? count[i] : 1;
        const double *row = draws->values + i * draws->J + first;
        for (size_t j = 0; j < n_columns; j++) {
            sums[j] += times * row[j];
        }
    }
}

static int columns_job(void *context, size_t job, size_t worker)
{
    const Draws *draws = context;
    size_t first = job * COLUMNS;
    size_t n_columns = draws->J - first < COLUMNS ? draws->J - first : COLUMNS;
    double replicate[COLUMNS][BOOTSTRAP_REPLICATES], sums[COLUMNS], below = 0;
    for (size_t i = 0; i < draws->n; i++) {
        below += draws->denominator[i];
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        weigh(sums, draws, draws->count + r * draws->n, first, n_columns);
        for (size_t j = 0; j < n_columns; j++) {
            replicate[j][r] = sums[j] / draws->below[r];
        }
    }
    weigh(sums, draws, NULL, first, n_columns);
    for (size_t j = 0; j < n_columns; j++) {
        draws->out[first + j] = (Interval){sums[j] / below, quantile(replicate[j], 0.025),
                                           quantile(replicate[j], 0.975)};
    }
    return 0;
}

int attribution_intervals(Interval *out, const double *values, const double *denominator, size_t n,
                          size_t J, const Work *work)
{
    Draws draws = {.out = out, .values = values, .denominator = denominator, .n = n, .J = J};
    draws.count = mem_alloc(BOOTSTRAP_REPLICATES * n, sizeof(*draws.count), "draws of games");
    draws.below = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(*draws.below), "draws of games");
    int rc = draws.count && draws.below ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        draw_counts(&draws, work->seed);
        size_t jobs = (J + COLUMNS - 1) / COLUMNS;
        rc = pool_run(work->pool, jobs, columns_job, &draws);
    }
    mem_free(draws.count);
    mem_free(draws.below);
    return rc;
}
