/* probes/ablation/ablation_draws.h - the draws of a bootstrap, made once for many statistics over
 * the same units.
 *
 * The draws are those of bootstrap_ratio (num/statistics/stats.h) with the same seed, kept as how
 * often each replicate drew each unit, so an interval differs from bootstrap_ratio's only in the
 * order in which sums are added up. Thread-safe once made.
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_DRAWS_H
#define OGPT_PROBES_ABLATION_ABLATION_DRAWS_H

#include "num/statistics/stats.h"

typedef struct AblationDraws {
    size_t n;        /* units */
    uint8_t *counts; /* (BOOTSTRAP_REPLICATES, n); owned */
} AblationDraws;

/* Returns 0 or OGPT_ENOMEM. n up to 2^32-1; no unit is drawn more than 255 times: with more than
 * 255 units the chance of that is below 1e-500. */
int ablation_draws_init(AblationDraws *out, size_t n, uint64_t seed);
void ablation_draws_release(AblationDraws *draws);
/* bootstrap_ratio over the same draws. */
Interval ablation_draws_ratio(const AblationDraws *draws, const double *numerator,
                              const double *denominator);

#endif
