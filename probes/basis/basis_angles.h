/* probes/basis/basis_angles.h - how much the directions of a set interfere.
 *
 * n unit directions in d dimensions. With n > d they cannot all be orthogonal: the mean of cos^2
 * over pairs, and so the largest cos^2, is at least (n - d) / (d (n - 1)) (Welch 1974), with
 * equality of both for a simplex (n = d + 1). With n <= d the bound is 0, and what says something
 * is chance: n independent directions, uniform on the sphere.
 *
 * Dimensions of a direction: D_i = |w_i|^2 / sum_j (w_i/|w_i| . w_j)^2 (Elhage et al. 2022,
 * arXiv:2209.10652), 1 for one that is alone; their sum is at most d.
 */
#ifndef OGPT_PROBES_BASIS_BASIS_ANGLES_H
#define OGPT_PROBES_BASIS_BASIS_ANGLES_H

#include "base/work.h"
#include "num/statistics/stats.h"

#define BASIS_DRAWS 100 /* random sets */

/* The bound on the mean of cos^2, 0 for n <= d; the bound on max |cos| is its root. */
double basis_welch(size_t n, size_t d);
/* dims (n) = D_i of rows w (n, d) of any length; 0 for a row of zeros. Returns their sum. */
double basis_dimensions(double *dims, const double *w, size_t n, size_t d);

/* Over all pairs of a set. */
typedef struct BasisCosines {
    double mean, largest, square; /* of |cos|, |cos| and cos^2 */
} BasisCosines;

/* Random sets of one shape: means and deviations over BASIS_DRAWS. */
typedef struct BasisChance {
    size_t n, d;
    BasisCosines mean, deviation;
} BasisChance;

typedef struct BasisAngles {
    size_t n, d;
    Interval mean; /* |cos| over pairs of two groups; interval over groups. NaN with one group */
    BasisCosines cosines;
    double bound;                       /* of the mean cos^2 */
    double rank;                        /* effective, of the unit directions */
    double dimensions, least;           /* mean of D_i, the least of them */
    double z_mean, z_largest, z_square; /* against chance */
} BasisAngles;

/* By (work->seed, RNG_BASIS). work: pool. Returns 0, OGPT_ENOMEM. */
int basis_chance(BasisChance *out, size_t n, size_t d, const Work *work);
/* unit (n, d), n at least 2; group (n) of each direction (a square), below n_groups; chance of the
 * same shape. Returns 0, OGPT_ENOMEM. */
int basis_angles(BasisAngles *out, const float *unit, const uint32_t *group, size_t n_groups,
                 const BasisChance *chance, const Work *work);

#endif
