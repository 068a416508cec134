/* probes/solvers/internal.h - what the solvers share inside this room. */
#ifndef OGPT_PROBES_SOLVERS_INTERNAL_H
#define OGPT_PROBES_SOLVERS_INTERNAL_H

#include "probes/solvers/solver.h"

#define START_ROWS 10000
#define CURVATURE_MAX_ROWS 800

/* Means and deviations of the columns, and how often each class occurs on each square. */
typedef struct Design {
    const FitProblem *problem;
    double *mean, *deviation; /* (width); deviation 0 marks a constant column, which is left out */
    float *shift, *scale;     /* (width): u = (x - shift) * scale */
    uint32_t *count;          /* (n_squares, n_classes) examples */
    size_t block_rows;        /* rows are cut into n_blocks of this many */
    size_t n_blocks;
    double deadline; /* of clock_seconds: when the time of all squares is up */
} Design;

int design__init(Design *out, const FitProblem *problem, const Work *work);
void design__release(Design *design);
size_t design__block_rows(size_t n);
/* To be asked by every job of a solver. Returns OGPT_EINTR after a signal, OGPT_ENUM after the
 * deadline, else 0. */
int design__stop(const Design *design);
/* Seconds that a square may take, and rounds that a solver may make. */
double design__seconds(const FitProblem *problem);
int design__rounds(const FitProblem *problem);
/* Report that a square met a bound. */
void solve__unconverged(FitReport *report, size_t square);
/* Number of rows of block b; *first is its first row. */
size_t design__block(size_t *first, const Design *design, size_t b);
/* Raw rows first .. first+n-1: where they lie, or in `room` (n, width). NULL: they cannot be
 * fetched, *rc says why. */
const float *design__raw(int *rc, float *room, const Design *design, size_t first, size_t n);
/* out (n_rows, width + 1) = standardised rows, each with a 1 appended for the bias. Returns 0, or
 * the error of fetching them. */
int design__rows(float *out, const Design *design, size_t first, size_t n_rows);
/* out (n, width + 1) = the same of rows x (n, width) from elsewhere. */
void design__standardise(float *out, const Design *design, const float *x, size_t n);
/* Constant score of a class with `count` examples: ln((count + 1/2) / (n + K/2)). */
double design__prior(const Design *design, uint32_t count);
/* Classes of a square with at least one example. */
size_t design__present(const Design *design, size_t square);

/* A design of n_rows rows of `full`, standardised as they are there. The draw (RNG_FIT) is the same
 * in every fit. Owns copies of the rows. */
int design__subset(Design *out, FitProblem *problem, const Design *full, size_t n_rows);
void design__subset_release(Design *subset, FitProblem *problem);

/* The problems of a dense fit: one for each square, with all its classes (multinomial), or one for
 * each square and class, with one score (one-vs-rest). */
typedef struct Shape {
    size_t rows;    /* width + 1 */
    size_t classes; /* scores of a problem: n_classes, or 1 */
    size_t length;  /* rows * classes: numbers of a problem */
    size_t n;       /* problems */
} Shape;

Shape shape__of(const FitProblem *problem);
/* Whether score k of problem p is fitted: its class has examples, and for one-vs-rest the others
 * have too. */
bool shape__present(const Design *design, size_t p, size_t k);
/* Strength of the penalty on row r: l2, but 0 for the bias of the multinomial problem. */
double shape__penalty(const FitProblem *problem, size_t r);

/* The inverse Hessian of every problem at one point, on some of the rows. With it a few steps are
 * enough.
 *
 *   H = (1/n) sum_i (diag(p_i) - p_i p_i^T) (x) u_i u_i^T + l2 I       (one-vs-rest: p_i (1 - p_i))
 *
 * in an orthonormal basis of the class directions that add up to zero. Gradients of a softmax lie
 * in their span; other directions have no curvature. If the matrix would have more than
 * CURVATURE_MAX_ROWS rows, all classes share the mean of its blocks on the diagonal. */
typedef struct Curvature Curvature;
/* w (shape.n, rows, classes). Returns 0, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int curvature__new(Curvature **out, const Design *rows, const float *w, const Work *work);
void curvature__free(Curvature *curvature);
/* out (rows, classes) = scale * H^-1 v of problem p. */
void curvature__apply(float *out, const Curvature *curvature, size_t p, double scale,
                      const float *v);
size_t curvature__bytes(size_t width, size_t n_squares, size_t n_classes, size_t n_workers);

/* The solvers. w (shape.n, width + 1, classes) is in standardised coordinates; the last of the
 * width + 1 rows holds the biases. On entry w holds the start. */
int solve__newton(float *w, FitReport *report, const Design *design, const Work *work);
size_t solve__newton_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                           size_t n_workers);
int solve__liblinear(float *w, FitReport *report, const Design *design, const Work *work);
size_t solve__liblinear_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                              size_t n_workers);
/* Overwrites the standardisation of the design if the recipe wants raw rows. */
int solve__adamw(const FitWeights *out, FitReport *report, Design *design, const Work *work);
size_t solve__adamw_bytes(size_t width, size_t hidden, size_t n_squares, size_t n_classes,
                          size_t rows_of_game, size_t n_workers);

#endif
