/* probes/basis/basis_kurtosis.h - is the basis in which rows are written special?
 *
 * Excess kurtosis of coordinate c over the rows: E (x_c - mean)^4 / (E (x_c - mean)^2)^2 - 3. A
 * signal that lives on single coordinates and is rare has a large one; the same rows in a random
 * basis mix many coordinates and have a small one, whatever they hold (Elhage et al. 2023,
 * transformer-circuits.pub, "Privileged Bases in the Transformer Residual Stream"). So the mean
 * over coordinates is compared with the same rows after random rotations (Haar): only the basis
 * differs. The mean can hang on one coordinate; the median over coordinates cannot, and has the
 * same comparison.
 *
 * Intervals: bootstrap over games. `beyond` is the mean minus that of the rotated rows. Its
 * replicates draw the games of both, with BASIS_PAIRED of the rotations, and one basis at random:
 * a basis that nothing made special lies as far from the mean of the rotations as any of them, so
 * each replicate is moved by a normal draw with their deviation. Without it the interval would say
 * that every basis is special, given games enough.
 */
#ifndef OGPT_PROBES_BASIS_BASIS_KURTOSIS_H
#define OGPT_PROBES_BASIS_BASIS_KURTOSIS_H

#include "base/work.h"
#include "num/statistics/stats.h"

#define BASIS_ROTATIONS 100 /* at most */
#define BASIS_PAIRED 8      /* rotations that replicates of `beyond` go through, at most */

/* Rows of one place; games first[g] .. first[g+1]-1. Borrowed. */
typedef struct BasisRows {
    const float *x; /* (n, width) */
    size_t n, width;
    const uint32_t *first; /* (n_games + 1) */
    size_t n_games;
    uint32_t stream; /* its draws of a basis are independent of those of other streams */
} BasisRows;

typedef struct BasisKurtosis {
    size_t used; /* coordinates that vary; the others are left out */
    Interval mean, beyond;
    double median, largest; /* of the coordinates */
    size_t largest_at;
    double rotated, rotated_deviation;       /* of the mean, over rotations */
    double rotated_median, median_deviation; /* of the median */
    double z, p; /* of the mean: (mean - rotated) / deviation; share of rotations as large,
                  * (k + 1) / (rotations + 1) */
    double z_median;
    double *replicates; /* (BOOTSTRAP_REPLICATES) of beyond, games and basis drawn; owned */
} BasisKurtosis;

/* Measure n sets of rows of one width and the same games, with the same rotations by (work->seed,
 * RNG_BASIS). Any number of workers gives the same bits. rotations: 2 to BASIS_ROTATIONS. work:
 * pool, tick("rotations"). out (n) is filled; basis_kurtosis_release each, also after an error.
 * Returns 0, OGPT_EINTR, OGPT_ENOMEM, OGPT_ENUM (no coordinate varies). */
int basis_kurtosis_run(BasisKurtosis *out, const BasisRows *rows, size_t n, size_t rotations,
                       const Work *work);
void basis_kurtosis_release(BasisKurtosis *kurtosis);
/* Bytes that it takes besides the rows. */
size_t basis_kurtosis_bytes(const BasisRows *rows, size_t n, const Work *work);

/* The plain version: excess kurtosis of each coordinate, in two passes; NaN where it does not
 * vary. */
void basis_kurtosis_ref(double *out, const float *x, size_t n, size_t width);

#endif
