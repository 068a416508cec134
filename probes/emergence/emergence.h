/* probes/emergence/emergence.h - when does a curve rise, and which of two rises first?
 *
 * A curve has a value at each step: a ratio of sums over games. Its gain is how much better it is
 * at the last step than at the first. It emerges at the first step at which it is more than half of
 * that better; `crossing` is the place of half the gain on the straight line, over log2 of the
 * step, between that step and the one before. Games are drawn anew (BOOTSTRAP_REPLICATES times, the
 * same draws for all curves) for the intervals. A curve whose interval of the gain holds 0 or lies
 * below it has not emerged: it has no step.
 *
 * The kink: the curve over log2 of the step, as one straight line (2 numbers) and as two that meet
 * at one of the steps (4 numbers); bic_gain = BIC of one - BIC of two, BIC = n ln(RSS / n) +
 * k ln n. Above 0, two pieces are worth their numbers.
 */
#ifndef OGPT_PROBES_EMERGENCE_EMERGENCE_H
#define OGPT_PROBES_EMERGENCE_EMERGENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "num/statistics/stats.h"

enum { EMERGENCE_CURVES_MAX = 14, EMERGENCE_STEPS_MAX = 128, EMERGENCE_PIECES_LEAST = 6 };

/* All borrowed. */
typedef struct EmergenceData {
    size_t n_steps, n_curves, n_games;
    const double *steps;  /* (n_steps) ascending, above 0 */
    const double *values; /* (n_steps, n_curves, n_games, 2) numerator and denominator */
    const bool *falls;    /* (n_curves) less is better */
} EmergenceData;

typedef struct EmergenceCurve {
    Interval points[EMERGENCE_STEPS_MAX];
    Interval gain; /* better at the last step than at the first, above 0 */
    bool emerged;
    double step;       /* the first above half of the gain; NaN: not emerged */
    Interval crossing; /* log2 of a step; NaN: not emerged */
    double kink; /* step at which two lines meet; NaN below EMERGENCE_PIECES_LEAST steps, or of
                  * a constant curve */
    double bic_gain;
} EmergenceCurve;

/* How much earlier curve a emerges than b, both of which have emerged. */
typedef struct EmergenceOrder {
    size_t a, b;
    Interval lead; /* crossing of b - crossing of a, in doublings of the step; paired */
} EmergenceOrder;

typedef struct EmergenceFound {
    size_t n_curves, n_orders;
    EmergenceCurve curves[EMERGENCE_CURVES_MAX];
    EmergenceOrder orders[EMERGENCE_CURVES_MAX * EMERGENCE_CURVES_MAX / 2];
} EmergenceFound;

/* Returns 0, OGPT_EUSAGE (fewer than two steps, or more of something than there is room for), or
 * OGPT_ENOMEM. */
int emergence_find(EmergenceFound *out, const EmergenceData *data, uint64_t seed);
/* Residual sum of squares of y (n) by one line over x, and of two that meet at x[knot], 0 < knot <
 * n - 1; SIZE_MAX: one line. x is ascending. */
double emergence_rss(const double *x, const double *y, size_t n, size_t knot);

#endif
