/* probes/solvers/solver.h - fitting the probe of one layer: labelled rows in, weights out.
 *
 * newton and liblinear work on standardised inputs u = (x - mean) / deviation, with the mean and
 * the deviation of each column of the given rows; constant columns are left out. The result is
 * folded back, so that the weights apply to raw rows. L2 acts on the weights of u, so that it has
 * the same strength for every column, layer and network.
 *
 * newton      multinomial logistic regression of all squares at once (solve_newton.c):
 *               min  (1/n) sum_i sum_s -ln p(y_is | u_i) + (l2/2) sum ||w_sk||^2
 *             Biases are not penalised. Limited-memory quasi-Newton (Liu & Nocedal 1989; Nocedal &
 *             Wright 2006, ch. 7), preconditioned by the exact Hessian of every square on a
 *             subset of the rows. It ends when the gradient of every square has a Euclidean norm of
 *             at most `tolerance`. By strong convexity each square is then within
 *             tolerance^2 / (2 l2) nats of its minimum.
 * liblinear   one-vs-rest logistic regression by LIBLINEAR's trust-region Newton method (Lin,
 *             Weng, Keerthi 2008; Fan et al. 2008), one binary problem for each square and class:
 *               min  (1/n) sum_i ln(1 + exp(-y_i (w.u_i + b))) + (l2/2) (||w||^2 + b^2)
 *             with the library's relative stopping rule; the library penalises the bias.
 *             newton can solve these problems too (one_vs_rest), which fit_check does.
 * adamw       the published linear recipe (Nanda et al. 2023), and the probe with a hidden layer
 *             (Li et al. 2023); solve_adamw.c states both. It takes a fixed number of steps and
 *             seeks no optimum. l2 is not used; the weight decay is 1e-2 times the learning rate.
 *
 * Every solver ends. newton and liblinear take at most `rounds` rounds; a square that is not at its
 * optimum then keeps what it has and is reported in FitReport.unconverged. adamw takes its steps
 * and no more. A fit that takes more than `seconds` for each square is refused, because a result
 * must not depend on the clock. Rows whose columns vary by less than FIT_SMALLEST or more than
 * FIT_LARGEST are refused before any solver runs: their weights are no single-precision numbers. A
 * column below FIT_SMALLEST next to larger ones is left out, as a constant one is.
 *
 * A class without an example on a square is counted in FitReport.n_absent. newton and liblinear
 * give it zero weights and the constant score ln(0.5 / (n + K/2)).
 * The same rows give the same bytes at any number of workers.
 */
#ifndef OGPT_PROBES_SOLVERS_SOLVER_H
#define OGPT_PROBES_SOLVERS_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/work.h"

/* What a solver reports about one fitted layer. */
typedef struct FitReport {
    double objective;     /* at the optimum, summed over squares (liblinear: and classes) */
    double gradient;      /* newton: largest gradient norm of a square; liblinear: NaN */
    int rounds;           /* newton: passes over all rows; adamw: epochs */
    int kept;             /* adamw with a hidden layer: the epoch that was kept; 0: the start */
    size_t n_absent;      /* square and class pairs without an example */
    size_t n_unconverged; /* newton, liblinear: squares that met a bound before the tolerance */
    uint64_t unconverged; /* bit s: square s is one of them */
    double l2;            /* as used; NaN for adamw */
} FitReport;

/* The weights of one layer. A fit writes them here; the caller owns them. */
typedef struct FitWeights {
    float *weight;        /* (width or n_hidden, n_squares, n_classes) */
    float *bias;          /* (n_squares, n_classes) */
    float *hidden_weight; /* (width, n_hidden); NULL when n_hidden is 0 */
    float *hidden_bias;   /* (n_hidden) */
} FitWeights;

typedef struct FitProblem {
    const float *x;        /* (n, width) raw rows; NULL: `fetch` has them */
    const uint8_t *labels; /* (n, n_squares), below n_classes */
    size_t n, width, n_squares, n_classes;
    double l2; /* > 0, or FIT_L2_AUTO with validation rows; not used by adamw */
    double
        tolerance; /* newton: norm of the gradient, 0: FIT_TOLERANCE; liblinear: its own, 0: 0.01 */
    bool one_vs_rest; /* newton: solve liblinear's binary problems, with a penalised bias */
    /* adamw: rows first[g] .. first[g+1]-1 belong to game g; n_games 0: each row is a game. */
    const uint32_t *first;
    size_t n_games;
    size_t n_hidden; /* units of the hidden layer; 0: linear */
    int epochs;      /* 0: the recipe's own */
    int rounds;      /* newton, liblinear: at most; 0: FIT_ROUNDS */
    double seconds;  /* for each square, at most; 0: FIT_SECONDS */
    /* adamw with a hidden layer of at least `width` units: linear weights for the same rows. The
     * network equals them before its first step. NULL: it begins at random. */
    const FitWeights *start;
    /* Rows of validation games. FIT_L2_AUTO requires them; adamw with a hidden layer uses them. */
    const float *valid_x;
    const uint8_t *valid_labels;
    size_t n_valid;
    /* Rows that do not fit in memory, for newton alone: copy rows first .. first+n-1 to out
     * (n, width). Called by several workers at once. Returns 0 or OGPT_E*. */
    int (*fetch)(const void *rows, float *out, size_t first, size_t n);
    const void *rows;
} FitProblem;

#define FIT_MAX_CLASSES 8
#define FIT_TOLERANCE 1e-4
#define FIT_L2 1e-4     /* the usual C = 1 of liblinear at 10,000 positions */
#define FIT_L2_AUTO 0.0 /* try FIT_L2_GRID, strongest first, until the validation loss grows */
#define FIT_L2_GRID                                                                                \
    {                                                                                              \
        1e-2, 1e-3, 1e-4, 1e-5, 1e-6                                                               \
    }
#define HIDDEN_EPOCHS 16 /* most epochs of adamw with a hidden layer */

#define FIT_ROUNDS 1000    /* the limit of liblinear itself */
#define FIT_SECONDS 600.0  /* for each square: many times what the largest known fit took */
#define FIT_SMALLEST 1e-30 /* deviation of a column: 1/x and x^2 summed stay in range */
#define FIT_LARGEST 1e30

#define SOLVER_NAMES "newton|liblinear|adamw"

/* Fit with the solver of this name. work: the pool, the seed of adamw, tick("epochs") by adamw; the
 * others report nothing. Returns 0, OGPT_EUSAGE (no such solver; l2 not positive; a hidden layer
 * and a solver other than adamw; FIT_L2_AUTO and a solver other than newton, or no validation
 * rows), OGPT_ENUM (rows outside the range above, objective not finite, time is up), OGPT_EINTR,
 * OGPT_ENOMEM. */
int fit_probe(const FitWeights *out, FitReport *report, const char *solver,
              const FitProblem *problem, const Work *work);

/* Solve liblinear's binary problems by newton and by liblinear. liblinear's stopping rule is
 * tightened to 1e-4, so that two optima are compared and not two stopping rules. */
typedef struct FitCheck {
    double newton, liblinear; /* objectives, evaluated by one function in double, summed */
    double difference;        /* |newton - liblinear| / liblinear */
    double worst;             /* the same for the square that differs most */
    double agreement;         /* share of cells (row x square) with the same argmax */
    double seconds[2];        /* newton, liblinear */
} FitCheck;
int fit_check(FitCheck *out, const FitProblem *problem, const Work *work);

/* Floating-point operations of a fit, roughly: rounds as they were on networks of 6x6 and 8x8, at
 * the speed of matrix products (liblinear's are counted LIBLINEAR_SLOWNESS times). */
#define FIT_SHARE_OF_SPEED 0.5 /* of the speed of square products that a fit reaches */
double fit_flops(const char *solver, const FitProblem *problem);

/* Version of the LIBLINEAR in use: 230 for 2.30. */
int fit_liblinear_version(void);
/* Bytes that a fit needs besides its inputs and outputs, with at most 60 rows a game. */
size_t fit_bytes(const char *solver, const FitProblem *problem, const Work *work);

#endif
