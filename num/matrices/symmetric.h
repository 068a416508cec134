/* num/matrices/symmetric.h - eigenvalues of small symmetric matrices, and the effective rank of a
 * set of directions.
 *
 * Why not LAPACK: Debian's OpenBLAS ships it without a C header. The matrices here have at most a
 * few hundred rows; for them Jacobi's method is fast enough, and no method is more accurate.
 */
#ifndef OGPT_NUM_MATRICES_SYMMETRIC_H
#define OGPT_NUM_MATRICES_SYMMETRIC_H

#include <stddef.h>

/* values (n) = the eigenvalues of the symmetric matrix a (n,n), descending; a is destroyed. Cyclic
 * Jacobi rotations (Golub & Van Loan 2013, 8.5) until the off-diagonal part is below 1e-12 of the
 * matrix in the Frobenius norm, which bounds the error of every eigenvalue (Weyl). */
void symmetric_eigenvalues(double *values, double *a, size_t n);

/* Effective rank of a matrix from its singular values: exp(H(p)), p_k = s_k / sum s, H in nats
 * (Roy & Vetterli, EUSIPCO 2007). Between 1 (one direction) and n (all equal); NaN if all are zero.
 * eigenvalues (n): those of the Gram matrix, s_k = sqrt(max(0, eigenvalue)). */
double effective_rank(const double *eigenvalues, size_t n);

/* Mean |cosine| of two independent directions, uniform on the sphere in `dimension` dimensions:
 * Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)), about sqrt(2 / (pi d)); and the standard deviation of
 * the cosine, 1/sqrt(d). */
double random_cosine_mean(size_t dimension);
double random_cosine_deviation(size_t dimension);

#endif
