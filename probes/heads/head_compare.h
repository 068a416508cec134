/* probes/heads/head_compare.h - from sums of attention to scores with intervals. Private to the
 * room. */
#ifndef OGPT_PROBES_HEADS_HEAD_COMPARE_H
#define OGPT_PROBES_HEADS_HEAD_COMPARE_H

#include "probes/heads/head_patterns.h"
#include "probes/heads/head_tally.h"

/* Fill `out` from a tally that has all games. Returns 0 or OGPT_ENOMEM. */
int head_compare(HeadPatterns *out, const HeadTally *tally, const Work *work);

/* How often each replicate of bootstrap_paired (num/statistics/stats.h) draws each game: made once
 * for all heads. */
typedef struct HeadDraws {
    size_t n;
    uint8_t *counts; /* (PAIRED_REPLICATES, n) */
} HeadDraws;
int head_draws_make(HeadDraws *out, size_t n, const Work *work);
void head_draws_release(HeadDraws *draws);

#define HEAD_COLUMNS 24
/* Ratios of sums over games. values (draws.n, HEAD_COLUMNS): column i < n is the numerator of ratio
 * i. below[i] >= 0: its denominator is that column of below_values (draws.n, HEAD_COLUMNS), whose
 * sums in each replicate are below_sums (head_draws_below), made once for all heads; below[i] < 0:
 * column -1 - below[i] of `values`. */
typedef struct HeadRatios {
    const double *values, *below_values, *below_sums;
    const int *below;
    size_t n;
} HeadRatios;
/* Owned: mem_free. Returns 0 or OGPT_ENOMEM. */
int head_draws_below(double **out, const HeadDraws *draws, const double *values);
/* bootstrap_paired of each ratio, the same up to the order of additions. scratch (n,
 * PAIRED_REPLICATES). */
void head_draws_test(PairedTest *out, const HeadDraws *draws, const HeadRatios *ratios,
                     double *scratch);

#endif
