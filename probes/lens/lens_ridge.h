/* probes/lens/lens_ridge.h - linear maps from rows to anything, in closed form.
 *
 *   min over W, b of  (1/n) sum_i |y_i - u_i W - b|^2 + l2 |W|^2,   u = (x - mean) / deviation
 * so  W = (G + l2 I)^-1 U^T Y / n  with G = U^T U / n, and b = mean of y (Hoerl & Kennard 1970).
 * The matrix of a place is inverted once and serves every y. Sums are those of fixed chunks of
 * rows, in their order, whatever the number of workers.
 */
#ifndef OGPT_PROBES_LENS_LENS_RIDGE_H
#define OGPT_PROBES_LENS_LENS_RIDGE_H

#include "base/work.h"

#define LENS_RIDGE 1e-4 /* l2, unless told */
#define LENS_CHUNKS 64  /* at most: rows are cut into so many */

typedef struct LensDesign {
    const float *x; /* (n, width), borrowed */
    size_t n, width;
    double l2;
    float *shift, *scale; /* (width): u = (x - shift) * scale; 0 for a constant column */
    double *gram;         /* (width, width) G */
    double *inverse;      /* (width, width) of G + l2 I */
} LensDesign;

/* Returns 0, OGPT_ENUM (rows that are not finite), OGPT_ENOMEM. Owned: lens_design_release. */
int lens_design_make(LensDesign *out, const float *x, size_t n, size_t width, double l2,
                     const Work *work);
void lens_design_release(LensDesign *design);
/* Rows of chunk k; *first is its first. Chunks are the same for equal n. */
size_t lens_chunk(size_t *first, size_t n, size_t k);
size_t lens_chunks(size_t n);
/* u (n_rows, width) of rows first .. first+n_rows-1. */
void lens_standardise(float *u, const LensDesign *design, size_t first, size_t n_rows);

/* w (width, D) and b (D), for standardised rows, of targets y (n, D). Returns 0 or OGPT_ENOMEM. */
int lens_ridge(double *w, double *b, const LensDesign *design, const float *y, size_t D,
               const Work *work);
/* The same map for raw rows: matrix (width, D), bias (D). */
void lens_fold(float *matrix, float *bias, const LensDesign *design, const double *w,
               const double *b, size_t D);
/* out (n, D) = x (n, width) matrix + bias, by jobs over the pool. */
int lens_map_rows(float *out, const float *x, size_t n, const float *matrix, const float *bias,
                  const size_t sizes[2], const Work *work);

#endif
