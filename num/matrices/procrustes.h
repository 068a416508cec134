/* num/matrices/procrustes.h - the rotation that lays one set of rows upon another. */
#ifndef OGPT_NUM_MATRICES_PROCRUSTES_H
#define OGPT_NUM_MATRICES_PROCRUSTES_H

#include <stddef.h>

/* rotation (n,n) row-major = the orthogonal R that makes |X R - Y| least over all rotations and
 * reflections, from m (n,n) = X^T Y, which is destroyed: with m = U S V^T it is U V^T (Schoenemann
 * 1966). Directions that neither X nor Y has (singular values below 1e-12 of the largest) are
 * mapped among themselves, as near to the identity as the rest leaves room. scratch (n,n). Returns
 * how many directions m decides: its rank. */
size_t rotation_nearest(double *rotation, double *m, double *scratch, size_t n);

#endif
