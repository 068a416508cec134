/* num/matrices/spd.h - symmetric positive definite matrices of solver size (hundreds of rows). */
#ifndef OGPT_NUM_MATRICES_SPD_H
#define OGPT_NUM_MATRICES_SPD_H

#include <stddef.h>

/* Replace a (n,n) by its inverse, with Cholesky's factor (Golub & Van Loan 4.2). Only the lower
 * triangle is read; both are written. Returns 0, or OGPT_ENUM with the index of the first pivot
 * that is not positive; a is then destroyed. */
int spd_invert(double *a, size_t n);

#endif
