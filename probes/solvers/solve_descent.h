/* probes/solvers/solve_descent.h - the least value of a smooth function of many numbers, by
 * limited-memory quasi-Newton steps.
 *
 * Liu & Nocedal 1989; Nocedal & Wright 2006, algorithm 7.4, with a preconditioner of the caller as
 * the matrix it begins from, rescaled by the newest pair. A step ends where the weak conditions of
 * Wolfe hold (Lewis & Overton 2013), so no accepted point is worse than the one before: the result
 * is never above the start.
 */
#ifndef OGPT_PROBES_SOLVERS_SOLVE_DESCENT_H
#define OGPT_PROBES_SOLVERS_SOLVE_DESCENT_H

#include <stddef.h>

typedef struct Descent {
    void *context;
    size_t n; /* numbers of a point */
    /* *f and gradient (n) at w (n). Returns 0 or OGPT_E*, which ends the search. */
    int (*evaluate)(void *context, double *f, double *gradient, const double *w);
    /* out (n) = P v with a positive definite P, near the inverse Hessian; NULL: out = v. */
    void (*precondition)(void *context, double *out, const double *v);
    double tolerance; /* ends when half of gradient . direction is at most this: about how far the
                       * function is above its least value, in its own unit */
    int rounds;       /* at most so many evaluations */
} Descent;

typedef struct DescentReport {
    double f, gap; /* at the result; gap: what `tolerance` is compared with */
    int rounds;    /* evaluations */
    int arrived;   /* 1: by the tolerance; 0: rounds were up, or no step went down */
} DescentReport;

/* w (n) holds the start, and then the result. Returns 0, OGPT_ENUM (a start that is not finite),
 * OGPT_ENOMEM, or the error of `evaluate`. */
int solve_descent(double *w, DescentReport *report, const Descent *descent);

#endif
