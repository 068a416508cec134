/* num/symmetric.h - eigenvalues of small symmetric matrices, and what they say about a set of
 * directions.
 *
 * Own code, because Debian's OpenBLAS ships LAPACK without a C header; the matrices here have at
 * most a few hundred rows, where Jacobi's method is fast enough and the most accurate one.
 */
#ifndef OGPT_NUM_SYMMETRIC_H
#define OGPT_NUM_SYMMETRIC_H

#include <stddef.h>

/* values (n), descending = the eigenvalues of the symmetric a (n,n), which is spoilt. Cyclic
 * Jacobi rotations (Golub & Van Loan 2013, 8.5) until the part off the diagonal is below 1e-12 of
 * the matrix in the Frobenius norm: no eigenvalue is then further off than that (Weyl). */
void symmetric_eigenvalues(double *values, double *a, size_t n);

/* Effective rank of a matrix by its singular values: exp(H(p)), p_k = s_k / sum s, H in nats
 * (Roy & Vetterli, EUSIPCO 2007). Between 1 (one direction) and n (all equal); NaN when all are
 * zero. eigenvalues (n): those of the Gram matrix, s_k = sqrt(max(0, eigenvalue)). */
double effective_rank(const double *eigenvalues, size_t n);

/* Mean |cosine| of two independent directions, uniform on the sphere in `dimension` dimensions:
 * Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)), about sqrt(2 / (pi d)); and the standard deviation of
 * the cosine, 1/sqrt(d). */
double random_cosine_mean(size_t dimension);
double random_cosine_deviation(size_t dimension);

#endif
