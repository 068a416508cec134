/* num/stats.h - intervals and tests: the numbers beside the numbers.
 *
 * The unit of resampling is the game (or the case): positions of one game are not independent.
 * Bootstrap: percentile method, draws by (seed, RNG_BOOTSTRAP, replicate), so an interval is a
 * pure function of data and seed. Ref: Efron & Tibshirani 1993, ch. 13.
 */
#ifndef OGPT_NUM_STATS_H
#define OGPT_NUM_STATS_H

#include <stddef.h>
#include <stdint.h>

#define BOOTSTRAP_REPLICATES 1000

typedef struct Interval {
    double value, low, high; /* the estimate and its 95 % interval */
} Interval;

/* Ratio of sums: value = sum numerator[i] / sum denominator[i] over units i = 0..n-1 (games);
 * denominator NULL means 1 for each unit (a mean). n = 0 gives NaN throughout. */
Interval bootstrap_ratio(const double *numerator, const double *denominator, size_t n,
                         uint64_t seed);
/* Difference of two such ratios over the same units (paired). */
Interval bootstrap_difference(const double *numerator_a, const double *denominator_a,
                              const double *numerator_b, const double *denominator_b, size_t n,
                              uint64_t seed);
/* (sum null - sum edit) / (sum null - sum self) over the same units: the closed share. */
Interval bootstrap_closed(const double *null, const double *self, const double *edit, size_t n,
                          uint64_t seed);

#endif
