/* num/statistics/stats.h - confidence intervals, paired tests, and correction for many comparisons.
 *
 * The unit of resampling is the game (or the case): positions of one game are not independent.
 * Bootstrap: percentile method, draws by (seed, RNG_BOOTSTRAP, replicate), so an interval is a
 * pure function of data and seed. Ref: Efron & Tibshirani 1993, ch. 13.
 */
#ifndef OGPT_NUM_STATISTICS_STATS_H
#define OGPT_NUM_STATISTICS_STATS_H

#include <stddef.h>
#include <stdint.h>

#define BOOTSTRAP_REPLICATES 1000

typedef struct Interval {
    double value, low, high; /* the estimate and its 95 % interval */
} Interval;

/* Ratio of sums: value = sum numerator[i] / sum denominator[i] over units i = 0..n-1 (games);
 * denominator NULL means 1 for each unit (a mean). All three numbers are NaN if n = 0. */
Interval bootstrap_ratio(const double *numerator, const double *denominator, size_t n,
                         uint64_t seed);
/* Difference of two such ratios over the same units (paired). */
Interval bootstrap_difference(const double *numerator_a, const double *denominator_a,
                              const double *numerator_b, const double *denominator_b, size_t n,
                              uint64_t seed);
/* (sum null - sum edit) / (sum null - sum self) over the same units: the share of the gap that the
 * edit closes. */
Interval bootstrap_closed(const double *null, const double *self, const double *edit, size_t n,
                          uint64_t seed);

/* low and high of an interval whose replicates (n, none NaN) were computed elsewhere: quantiles 2.5
 * and 97.5 %, linear between neighbours; NaN if n = 0. Sorts the replicates. */
void bootstrap_quantiles(Interval *out, double *replicates, size_t n);

#define PAIRED_REPLICATES 9999 /* the smallest p is 2/10000: enough for 250 comparisons */

typedef struct PairedTest {
    Interval difference; /* value and 95 % interval */
    double p;            /* two-sided, of "no difference" */
    double p_holm;       /* p corrected for the number of comparisons; set by holm_adjust */
} PairedTest;

/* Test of sum difference[i] / sum denominator[i] = 0 over paired units i (games), where
 * difference[i] = a[i] - b[i] and both have the same denominator. The interval is the percentile
 * interval. p = min(1, 2 min(share of replicates <= 0, share >= 0)), where a share is
 * (k + 1) / (R + 1), so that it is never 0 (Davison & Hinkley 1997, 4.4; Efron & Tibshirani 1993,
 * ch. 15 and 16). p is 1 if no unit differs. The result is NaN if n = 0 or all denominators are 0.
 */
PairedTest bootstrap_paired(const double *difference, const double *denominator, size_t n,
                            uint64_t seed);
/* Holm's step-down correction of m p-values: p_holm of the k-th smallest is the largest of
 * min(1, (m - j + 1) p_(j)) over j <= k. The chance of even one false claim "p_holm < alpha" is
 * at most alpha, however the tests depend on each other (Holm 1979). NaN stays NaN and is not
 * counted in m. */
void holm_adjust(PairedTest *tests, size_t m);

#endif
