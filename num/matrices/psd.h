/* num/matrices/psd.h - eigenvectors of small symmetric matrices without negative eigenvalues. */
#ifndef OGPT_NUM_MATRICES_PSD_H
#define OGPT_NUM_MATRICES_PSD_H

#include <stddef.h>

/* values (n) = the eigenvalues of the symmetric, positive semidefinite matrix a (n,n), descending.
 * Row i of a becomes the eigenvector of values[i], of length 1; zeros where the value is 0.
 * One-sided Jacobi rotations (Hestenes 1958; Golub & Van Loan 2013, 8.6.3): rows of Q a with Q
 * orthogonal are values[i] times the eigenvectors once they are orthogonal. Pairs of rows count as
 * orthogonal below 1e-12 of the product of their lengths. Eigenvectors of values below 1e-12 of the
 * largest are rounding. */
void psd_eigenvectors(double *values, double *a, size_t n);

#endif
