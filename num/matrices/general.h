/* num/matrices/general.h - eigenvalues of small general matrices, and random rotations.
 *
 * Why not LAPACK: Debian's OpenBLAS ships it without a C header. The matrices of the eigenvalues
 * have as many rows as a head is wide: the eigenvalues of a product A B of low rank are those of B
 * A, and zeros.
 */
#ifndef OGPT_NUM_MATRICES_GENERAL_H
#define OGPT_NUM_MATRICES_GENERAL_H

#include <stddef.h>

#include "base/rng.h"

/* real, imaginary (n) = the eigenvalues of a (n,n) row-major, in no order; a is destroyed.
 * Reduction to Hessenberg form by stabilised elimination, then the shifted QR algorithm with double
 * steps (Golub & Van Loan 2013, 7.4 and 7.5; Martin, Peters & Wilkinson 1970, the routines elmhes
 * and hqr). Returns 0, or OGPT_ENUM where an eigenvalue does not converge in 60 steps or the matrix
 * is not finite. */
int general_eigenvalues(double *real_part, double *imaginary_part, double *a, size_t n);

/* rows (n,n) = a rotation or reflection that is uniform over all of them (Haar): Gram-Schmidt,
 * twice for accuracy, on normal draws (Golub & Van Loan 2013, 5.2.7; Stewart 1980). */
void rotation_random(float *rows, double *scratch, size_t n, Rng *rng);

#endif
