/* probes/dictionaries/absorption.h - features that should tell a square and do not, because another
 * one speaks for them; and squares that several features share.
 *
 * Chanin et al. 2024 (arXiv:2409.14507), for pairs of coverage.h. The ground truth is the probe:
 * its unit direction of a pair, and where it says yes. On the choosing rows the main features of a
 * pair are found one by one: the one whose "f > 0" has the largest F1, then each time the one that
 * raises the F1 of "any of them is on" the most, as long as it raises it by more than
 * ABSORPTION_GAIN; a pair with several main features is split. On the test rows, where the pair is
 * there and the probe says so, it is absorbed if all main features are silent and one other feature
 * j, of those that are on, has the largest f_j (W_dec[j] . direction), a cosine with the direction
 * above ABSORPTION_COSINE, and more than half of the sum of these products.
 */
#ifndef OGPT_PROBES_DICTIONARIES_ABSORPTION_H
#define OGPT_PROBES_DICTIONARIES_ABSORPTION_H

#include "probes/dictionaries/codebook.h"
#include "probes/dictionaries/coverage.h"

#define ABSORPTION_GAIN 0.03
#define ABSORPTION_COSINE 0.025
enum { ABSORPTION_MAINS = 8 }; /* main features of a pair at most */

/* Levels (features, n) and the labels of the same rows; borrowed. */
typedef struct AbsorptionRows {
    const uint8_t *levels;
    CoverageRows board;
} AbsorptionRows;

/* What is asked; borrowed. */
typedef struct AbsorptionInput {
    const Codebook *codebook;
    const float *columns; /* (features, width) of its decoder */
    const Codebook
        *probe; /* linear, feature class * squares + square: TWIN_PROBE with all features */
    AbsorptionRows choose, test;
    const float *x, *inputs; /* (n, width) test rows, and what the codebook reads of them */
} AbsorptionInput;

typedef struct AbsorptionScore {
    double absorbed; /* share of what is there and seen by the probe, over all pairs */
    double split;    /* share of the pairs with a main feature that have several */
    double mains;    /* main features of such a pair */
} AbsorptionScore;

/* Any number of workers gives the same numbers. work: the pool. NaN where nothing is there. Returns
 * 0, OGPT_EINTR, OGPT_ENOMEM. */
int absorption_measure(AbsorptionScore *out, const AbsorptionInput *in, const Work *work);

#endif
