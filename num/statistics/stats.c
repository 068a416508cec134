/* num/statistics/stats.c - the percentile bootstrap: draw n units with replacement, compute the
 * statistic of their sums, repeat, and read the interval from the sorted replicates.
 *
 * A statistic here is a function of a few column sums, so one replicate is one pass of n draws
 * that adds up to four columns at once: paired columns see the same draw.
 */
#include "num/statistics/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

enum { MAX_COLUMNS = 4 };

/* Statistic of the column sums s[0..n_columns-1]; `n` units were added up. */
typedef double (*Statistic)(const double *s, double n);

static double ratio_of_sums(const double *s, double n)
{
    return s[0] / s[1];
}

static double mean_of_sum(const double *s, double n)
{
    return s[0] / n;
}

static double difference_of_ratios(const double *s, double n)
{
    return s[0] / s[1] - s[2] / s[3];
}

static double closed_share(const double *s, double n)
{
    return (s[0] - s[2]) / (s[0] - s[1]);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Quantile q of n sorted values, linear between neighbours. Infinite neighbours are not
 * interpolated, because inf - inf is NaN. */
static double sorted_quantile(const double *sorted, size_t n, double q)
{
    double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < n ? below + 1 : below;
    if (!isfinite(sorted[below]) || !isfinite(sorted[above])) {
        return sorted[below];
    }
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

void bootstrap_quantiles(Interval *out, double *replicates, size_t n)
{
    out->low = out->high = NAN;
    if (n > 0) {
        qsort(replicates, n, sizeof(*replicates), compare_doubles);
        out->low = sorted_quantile(replicates, n, 0.025);
        out->high = sorted_quantile(replicates, n, 0.975);
    }
}

/* Value and interval of `statistic` over columns[0..n_columns-1][0..n-1]; a NULL column counts
 * 1 for each unit. Replicates with a statistic of 0/0 are left out; the interval is NaN if none is
 * left. */
static Interval bootstrap(Statistic statistic, const double *const *columns, size_t n_columns,
                          size_t n, uint64_t seed)
{
    Interval out = {NAN, NAN, NAN};
    double replicates[BOOTSTRAP_REPLICATES];
    double sums[MAX_COLUMNS] = {0};
    size_t n_kept = 0;
    if (n == 0 || n > UINT32_MAX) {
        return out;
    }
    for (size_t c = 0; c < n_columns; c++) {
        for (size_t i = 0; i < n; i++) {
            sums[c] += columns[c] ? columns[c][i] : 1.0;
        }
    }
    out.value = statistic(sums, (double)n);

    for (uint64_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        for (size_t c = 0; c < n_columns; c++) {
            sums[c] = 0.0;
        }
        for (size_t draw = 0; draw < n; draw++) {
            uint32_t i = rng_below(&rng, (uint32_t)n);
            for (size_t c = 0; c < n_columns; c++) {
                sums[c] += columns[c] ? columns[c][i] : 1.0;
            }
        }
        replicates[n_kept] = statistic(sums, (double)n);
        n_kept += isnan(replicates[n_kept]) ? 0 : 1;
    }
    bootstrap_quantiles(&out, replicates, n_kept);
    return out;
}

Interval bootstrap_ratio(const double *numerator, const double *denominator, size_t n,
                         uint64_t seed)
{
    const double *columns[] = {numerator, denominator};
    return denominator ? bootstrap(ratio_of_sums, columns, 2, n, seed)
                       : bootstrap(mean_of_sum, columns, 1, n, seed);
}

Interval bootstrap_difference(const double *numerator_a, const double *denominator_a,
                              const double *numerator_b, const double *denominator_b, size_t n,
                              uint64_t seed)
{
    const double *columns[] = {numerator_a, denominator_a, numerator_b, denominator_b};
    return bootstrap(difference_of_ratios, columns, 4, n, seed);
}

Interval bootstrap_closed(const double *null, const double *self, const double *edit, size_t n,
                          uint64_t seed)
{
    const double *columns[] = {null, self, edit};
    return bootstrap(closed_share, columns, 3, n, seed);
}

/* ---- paired tests ---- */

PairedTest bootstrap_paired(const double *difference, const double *denominator, size_t n,
                            uint64_t seed)
{
    PairedTest out = {{NAN, NAN, NAN}, NAN, NAN};
    double replicates[PAIRED_REPLICATES];
    double above = 0, below = 0;
    size_t n_below = 0, n_above = 0;
    for (size_t i = 0; i < n; i++) {
        above += difference[i];
        below += denominator[i];
    }
    if (n == 0 || n > UINT32_MAX || !(below > 0)) {
        return out;
    }
    out.difference.value = above / below;
    for (uint64_t r = 0; r < PAIRED_REPLICATES; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        above = below = 0;
        for (size_t draw = 0; draw < n; draw++) {
            uint32_t i = rng_below(&rng, (uint32_t)n);
            above += difference[i];
            below += denominator[i];
        }
        replicates[r] = below > 0 ? above / below : 0; /* no cell drawn: no difference seen */
        n_below += replicates[r] <= 0;
        n_above += replicates[r] >= 0;
    }
    size_t least = n_below < n_above ? n_below : n_above;
    out.p = fmin(1, 2 * (double)(least + 1) / (PAIRED_REPLICATES + 1));
    bootstrap_quantiles(&out.difference, replicates, PAIRED_REPLICATES);
    return out;
}

void holm_adjust(PairedTest *tests, size_t m)
{
    size_t counted = 0;
    for (size_t i = 0; i < m; i++) {
        tests[i].p_holm = NAN;
        counted += !isnan(tests[i].p);
    }
    double largest = 0;
    for (size_t k = 0; k < counted; k++) {
        size_t next = m; /* the smallest p not yet corrected, ties to the first */
        for (size_t i = 0; i < m; i++) {
            if (isnan(tests[i].p_holm) && !isnan(tests[i].p) &&
                (next == m || tests[i].p < tests[next].p)) {
                next = i;
            }
        }
        largest = fmax(largest, fmin(1, (double)(counted - k) * tests[next].p));
        tests[next].p_holm = largest;
    }
}
