/* probes/solvers/solver.h - fitting the probe of one layer: labelled rows in, weights out.
 *
 * newton and liblinear see standardised inputs: u = (x - mean) / deviation per column, mean and
 * deviation of the rows given (a constant column is left out), and fold the result back, so that
 * the weights apply to raw rows. L2 acts on the weights of u, which makes it the same strength
 * for every column, layer and network.
 *
 * newton      multinomial logistic regression of all squares at once
 * (probes/solvers/solve_newton.c): min  (1/n) sum_i sum_s -ln p(y_is | u_i) + (l2/2) sum ||w_sk||^2
 *             biases not penalised. Limited-memory quasi-Newton (Liu & Nocedal 1989; Nocedal &
 *             Wright 2006, ch. 7), preconditioned by the exact Hessian of every square on a
 *             subset of the rows, until for every square the Euclidean norm of the gradient is at
 *             most `tolerance`. By strong convexity a square is then within tolerance^2 / (2 l2)
 *             nats of its minimum.
 * liblinear   one-vs-rest logistic regression by LIBLINEAR's trust-region Newton method (Lin,
 *             Weng, Keerthi 2008; Fan et al. 2008), one binary problem a square and class:
 *               min  (1/n) sum_i ln(1 + exp(-y_i (w.u_i + b))) + (l2/2) (||w||^2 + b^2)
 *             with its own relative stopping rule; the bias is penalised, as the library does.
 *             newton solves these problems too (one_vs_rest): that is fit_check.
 * adamw       the published linear recipe, and the probe with a hidden layer: no optimum but what
 *             a fixed number of steps reaches (probes/solvers/solve_adamw.c states both recipes;
 * Nanda et al. 2023, Li et al. 2023). l2 is not used; weights decay by 1e-2 a unit of learning
 *             rate.
 *
 * newton and liblinear: a class without an example for a square has zero weights and the constant
 * ln(0.5 / (n + K/2)) as its score; it is counted in FitReport.n_absent by all solvers.
 * The same rows give the same bytes at any number of workers.
 */
#ifndef OGPT_PROBES_SOLVERS_SOLVER_H
#define OGPT_PROBES_SOLVERS_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/work.h"

/* What a solver says of one fitted layer. */
typedef struct FitReport {
    double objective;     /* at the optimum, summed over squares (liblinear: and classes) */
    double gradient;      /* newton: largest gradient norm of a square; liblinear: NaN */
    int rounds;           /* newton: passes over all rows; adamw: epochs */
    int kept;             /* adamw with a hidden layer: the epoch that was kept; 0: the start */
    size_t n_absent;      /* square and class pairs without an example */
    size_t n_unconverged; /* newton: squares that stopped above the tolerance */
    double l2;            /* used; chosen on validation games when asked for; adamw: NaN */
} FitReport;

/* The weights of one layer: where a fit writes. */
typedef struct FitWeights {
    float *weight;        /* (width or n_hidden, n_squares, n_classes) */
    float *bias;          /* (n_squares, n_classes) */
    float *hidden_weight; /* (width, n_hidden); NULL when n_hidden is 0 */
    float *hidden_bias;   /* (n_hidden) */
} FitWeights;

typedef struct FitProblem {
    const float *x;        /* (n, width) raw rows */
    const uint8_t *labels; /* (n, n_squares), below n_classes */
    size_t n, width, n_squares, n_classes;
    double l2;        /* > 0, or FIT_L2_AUTO with validation rows; not used by adamw */
    double tolerance; /* newton: of the gradient; 0: FIT_TOLERANCE; liblinear: its own; 0: 0.01 */
    bool one_vs_rest; /* newton: liblinear's binary problems instead, bias penalised */
    /* adamw: rows first[g] .. first[g+1]-1 belong to game g; n_games 0: each row is a game. */
    const uint32_t *first;
    size_t n_games;
    size_t n_hidden; /* units of the hidden layer; 0: linear */
    int epochs;      /* 0: the recipe's own */
    /* adamw with a hidden layer of at least `width` units: linear weights of the same rows, which
     * the network equals before its first step; NULL: it begins at random. */
    const FitWeights *start;
    /* Rows of validation games; needed by FIT_L2_AUTO, used by adamw with a hidden layer. */
    const float *valid_x;
    const uint8_t *valid_labels;
    size_t n_valid;
} FitProblem;

#define FIT_MAX_CLASSES 8
#define FIT_TOLERANCE 1e-4
#define FIT_L2 1e-4     /* as the usual C = 1 of liblinear with 10,000 positions */
#define FIT_L2_AUTO 0.0 /* FIT_L2_GRID from strong to weak, until the validation loss grows */
#define FIT_L2_GRID                                                                                \
    {                                                                                              \
        1e-2, 1e-3, 1e-4, 1e-5, 1e-6                                                               \
    }
#define HIDDEN_EPOCHS 16 /* at most, of adamw with a hidden layer */

#define SOLVER_NAMES "newton|liblinear|adamw"

/* Fit with the solver of this name. work: the pool, the seed of adamw, tick("epochs") by adamw; the
 * others report nothing. Returns 0, OGPT_EUSAGE (no such solver, l2 not positive, a
 * hidden layer with another solver than adamw, FIT_L2_AUTO with another than newton or without
 * validation rows), OGPT_ENUM (objective not finite), OGPT_EINTR, OGPT_ENOMEM. */
int fit_probe(const FitWeights *out, FitReport *report, const char *solver,
              const FitProblem *problem, const Work *work);

/* liblinear's binary problems solved by newton and by liblinear (its stopping rule tightened to
 * 1e-4, so that what is compared is two optima and not two stopping rules). */
typedef struct FitCheck {
    double newton, liblinear; /* objectives, evaluated by one function in double, summed */
    double difference;        /* |newton - liblinear| / liblinear */
    double worst;             /* the same of the square that differs most */
    double agreement;         /* share of cells (row x square) with the same argmax */
    double seconds[2];        /* newton, liblinear */
} FitCheck;
int fit_check(FitCheck *out, const FitProblem *problem, const Work *work);

/* Version of the LIBLINEAR in use: 230 for 2.30. */
int fit_liblinear_version(void);
/* Bytes that the fit needs beside its inputs and outputs, with at most 60 rows a game. */
size_t fit_bytes(const char *solver, const FitProblem *problem, const Work *work);

#endif
