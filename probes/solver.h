/* probes/solver.h - fitting one linear probe: labelled rows in, weights out.
 *
 * Both solvers see standardised inputs: u = (x - mean) / deviation per column, mean and
 * deviation of the rows given (a constant column is left out), and both fold the result back, so
 * that the weights apply to raw rows. L2 acts on the weights of u, which makes it the same
 * strength for every column, layer and network.
 *
 * newton      multinomial logistic regression of all squares at once (probes/solve_newton.c):
 *               min  (1/n) sum_i sum_s -ln p(y_is | u_i) + (l2/2) sum ||w_sk||^2
 *             biases not penalised. Limited-memory quasi-Newton (Liu & Nocedal 1989; Nocedal &
 *             Wright 2006, ch. 7) preconditioned by Boehning's bound on the Hessian (Boehning
 *             1992), until for every square the Euclidean norm of the gradient is at most
 *             `tolerance`. By strong convexity a square is then within tolerance^2 / (2 l2) nats
 *             of its minimum.
 * liblinear   one-vs-rest logistic regression by LIBLINEAR's trust-region Newton method (Lin,
 *             Weng, Keerthi 2008; Fan et al. 2008), one binary problem a square and class:
 *               min  (1/n) sum_i ln(1 + exp(-y_i (w.u_i + b))) + (l2/2) (||w||^2 + b^2)
 *             with its own relative stopping rule; the bias is penalised, as the library does.
 *
 * A class without an example for a square has zero weights and the constant
 * ln(0.5 / (n + K/2)) as its score, and is counted in FitReport.n_absent.
 * The same rows give the same bytes at any number of workers.
 */
#ifndef OGPT_PROBES_SOLVER_H
#define OGPT_PROBES_SOLVER_H

#include "base/pool.h"
#include "probes/probe.h"

typedef struct FitProblem {
    const float *x;        /* (n, width) raw rows */
    const uint8_t *labels; /* (n, n_squares), below n_classes */
    size_t n, width, n_squares, n_classes;
    double l2;        /* > 0 */
    double tolerance; /* newton: of the gradient; 0: FIT_TOLERANCE */
} FitProblem;

#define FIT_TOLERANCE 1e-4
#define FIT_L2 1e-4 /* as the usual C = 1 of liblinear with 10,000 positions */

#define SOLVER_NAMES "newton|liblinear"

/* Fit weight (width, n_squares, n_classes) and bias (n_squares, n_classes) with the solver of
 * this name. Returns 0, OGPT_EUSAGE (no such solver, l2 not positive), OGPT_ENUM (objective not
 * finite), OGPT_EINTR, OGPT_ENOMEM. */
int fit_probe(float *weight, float *bias, FitReport *report, const char *solver,
              const FitProblem *problem, Pool *pool);
/* Version of the LIBLINEAR in use: 230 for 2.30. */
int fit_liblinear_version(void);
/* Bytes that the fit needs beside its inputs and outputs. */
size_t fit_bytes(const char *solver, size_t n, size_t width, size_t n_squares, size_t n_classes,
                 size_t n_workers);

#endif
