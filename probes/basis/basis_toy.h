/* probes/basis/basis_toy.h - toy models of superposition: more features than dimensions.
 *
 * Elhage et al. 2022 (arXiv:2209.10652): x_hat = ReLU(W^T W x + b), W (dims, features). Features
 * are independent, each uniform in [0,1] with probability p, else 0. Feature i has importance I_i:
 *
 *   loss = E sum_i I_i (x_i - x_hat_i)^2
 *
 * The expectation is a sum over a fixed grid (Gauss-Legendre nodes of each feature, and 0), not
 * over samples: the loss is a function of W and b alone, its gradient is exact.
 *
 * Two features in one dimension, importances 1 and r, have three solutions in closed form:
 *   keep the first, guess the other's mean      r (p/3 - p^2/4)
 *   keep the second                               p/3 - p^2/4
 *   both, at opposite ends: W = (1, -1), b = 0    p^2 (1 + r) / 6
 * The third is the best one of them below p = 4r / (2 + 5r) for r <= 1, 4 / (5 + 2r) for r >= 1.
 */
#ifndef OGPT_PROBES_BASIS_BASIS_TOY_H
#define OGPT_PROBES_BASIS_BASIS_TOY_H

#include <stdbool.h>

#include "base/work.h"

#define TOY_FEATURES 5 /* at most */
/* A cell is away from a boundary where the next closed form is worse by so much. With biases both
 * features at opposite ends lose up to 9 % less than the closed form without them, so the search
 * may cross the boundary a little. */
#define TOY_MARGIN 0.2

typedef struct ToyShape {
    size_t features, dims; /* 1 to TOY_FEATURES, 1 to features */
    double p;              /* 0 < p <= 1 */
    double importance[TOY_FEATURES];
} ToyShape;

/* W, then b. */
static inline size_t toy_numbers(const ToyShape *shape)
{
    return shape->dims * shape->features + shape->features;
}

/* The grid that a loss is summed over. */
typedef struct ToyGrid {
    size_t n, features;
    double *x, *weight; /* (n, features), (n); owned */
} ToyGrid;
/* nodes: of a feature beside 0, 1 to 64. Returns 0 or OGPT_ENOMEM; toy_grid_release. */
int toy_grid_make(ToyGrid *out, size_t features, double p, size_t nodes);
void toy_grid_release(ToyGrid *grid);

/* The loss at w (toy_numbers); gradient (the same) or NULL. */
double toy_loss(double *gradient, const ToyShape *shape, const ToyGrid *grid, const double *w);

/* Solutions of two features in one dimension. */
typedef enum ToyPhase { TOY_FIRST, TOY_SECOND, TOY_BOTH, TOY_OTHER, N_TOY_PHASES } ToyPhase;
const char *toy_phase_name(ToyPhase phase); /* "first", "second", "both", "other" */
/* loss (3) in closed form. */
void toy_closed(double loss[3], double p, double r);
/* Which of them W (2) is: both, where the smaller one is more than half of the larger and the signs
 * differ; other, where they are alike; else the one that is larger. */
ToyPhase toy_phase_of(const double *w);

typedef struct ToyFit {
    double loss; /* on a finer grid than that of the fit */
    double w[TOY_FEATURES * TOY_FEATURES + TOY_FEATURES];
    double dimensions[TOY_FEATURES]; /* D_i of the features (basis_angles.h) */
    double largest;                  /* |cos| of two features of length above half of the longest */
    size_t kept;                     /* features of that length */
    bool is_kept[TOY_FEATURES];
    int rounds;
} ToyFit;
/* The least loss of `starts` searches, each from weights by (work->seed, RNG_BASIS). Runs on the
 * calling thread. Returns 0, OGPT_ENOMEM, OGPT_ENUM. */
int toy_fit(ToyFit *out, const ToyShape *shape, size_t starts, const Work *work);

/* Features of equal importance at several probabilities, 1 first. */
#define TOY_SERIES 6
typedef struct ToyRow {
    ToyShape shape;
    ToyFit fit;
} ToyRow;
int toy_series(ToyRow rows[TOY_SERIES], size_t features, size_t dims, size_t starts,
               const Work *work);

/* A cell of the phase diagram. */
typedef struct ToyCell {
    double p, r, closed[3];
    ToyFit fit;
    ToyPhase best, found; /* of the closed forms; of the fit */
    double margin; /* the next of the closed forms over the least, minus 1: 0 on a boundary */
} ToyCell;
/* n by n cells: p on a logarithmic scale from 0.01 to 1 (cell i * n + j has p of i), r from 0.1 to
 * 10. Owned: mem_free. Any number of workers gives the same bits. work: pool, seed,
 * tick("cells"). Returns 0, OGPT_EINTR, OGPT_ENOMEM, OGPT_ENUM. */
int toy_diagram(ToyCell **out, size_t n, size_t starts, const Work *work);

#endif
