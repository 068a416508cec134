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
        Interval *out = &draws->out[first + j];
        out->value = sums[j] / below;
        bootstrap_quantiles(out, replicate[j], BOOTSTRAP_REPLICATES);
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
