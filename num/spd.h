/* num/spd.h - symmetric positive definite matrices of solver size (hundreds of rows). */
#ifndef OGPT_NUM_SPD_H
#define OGPT_NUM_SPD_H

#include <stddef.h>

/* a (n,n), of which the lower triangle is read, becomes its inverse (both triangles), by
 * Cholesky's factor (Golub & Van Loan 4.2). Returns 0, or OGPT_ENUM with the index of the first
 * pivot that is not positive; a is then spoilt. */
int spd_invert(double *a, size_t n);

#endif
