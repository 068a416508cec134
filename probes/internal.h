/* probes/internal.h - what the solvers share inside this room. */
#ifndef OGPT_PROBES_INTERNAL_H
#define OGPT_PROBES_INTERNAL_H

#include "probes/solver.h"

/* Means and deviations of the columns, and which classes each square has. */
typedef struct Design {
    const FitProblem *problem;
    double *mean, *deviation; /* (width); deviation 0: a constant column, left out */
    float *shift, *scale;     /* (width): u = (x - shift) * scale */
    uint32_t *count;          /* (n_squares, n_classes) examples */
    size_t block_rows;        /* rows are cut into n_blocks of this many */
    size_t n_blocks;
} Design;

int design__init(Design *out, const FitProblem *problem, Pool *pool);
void design__release(Design *design);
size_t design__block_rows(size_t n);
/* Rows of block b. */
size_t design__block(size_t *first, const Design *design, size_t b);
/* out (n_rows, width + 1) = standardised rows, each with a 1 appended for the bias. */
void design__rows(float *out, const Design *design, size_t first, size_t n_rows);
/* Constant score of a class with `count` examples: ln((count + 1/2) / (n + K/2)). */
double design__prior(const Design *design, uint32_t count);
/* Classes of a square with at least one example. */
size_t design__present(const Design *design, size_t square);

/* Solvers: w (n_squares, width + 1, n_classes) in standardised coordinates, the last of the
 * width + 1 rows being the biases. On entry it holds the start. */
int solve__newton(float *w, FitReport *report, const Design *design, Pool *pool);
size_t solve__newton_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                           size_t n_workers);
int solve__liblinear(float *w, FitReport *report, const Design *design, Pool *pool);
size_t solve__liblinear_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                              size_t n_workers);

#endif
