/* num/matrices/jacobi.h - room-private: one-sided Jacobi rotations (Hestenes 1958). */
#ifndef OGPT_NUM_MATRICES_JACOBI_H
#define OGPT_NUM_MATRICES_JACOBI_H

#include <stddef.h>

/* Rotate the rows of a (n,n) until they are orthogonal: a becomes Q a, with Q orthogonal. The same
 * rotations are made on the rows of `too` (n,n) unless it is NULL: identity there becomes Q. */
void jacobi__rows(double *a, double *too, size_t n);

#endif
