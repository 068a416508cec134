/* probes/lens/lens_fit.h - the translator of a tuned lens, fitted.
 *
 * At a place with rows x, over the training positions i,
 *   F(W, b) = (1/n) sum_i KL( p_i || softmax(W_U LN_f(x_i + u_i W + b) + b_U) ) + (l2/2) |W|^2
 * p is the network's own answer, u the standardised row (lens_ridge.h). The least F is sought from
 * the better of two starts: the logit lens (W = 0, b = 0), and the map that ridge regression of the
 * last rows on these gives in closed form. Steps are quasi-Newton (probes/solvers/solve_descent.h),
 * preconditioned by the inverse of  G (x) R,  R the mean Gauss-Newton matrix of KL by the
 * translated row (Martens & Grosse 2015 for the form).
 *
 * No accepted step goes up, so on the training rows KL(fitted) <= F(fitted) <= F(logit lens) =
 * KL(logit lens): at every place, whatever the rounds. A bank can be fitted to another network's
 * answers by giving its target.
 */
#ifndef OGPT_PROBES_LENS_LENS_FIT_H
#define OGPT_PROBES_LENS_LENS_FIT_H

#include "probes/lens/lens.h"
#include "probes/lens/lens_ridge.h"

#define LENS_L2 1e-6
#define LENS_ROUNDS 60
#define LENS_TOLERANCE 2e-5 /* nats above the least F, about */

/* Answers of a network at n positions. */
typedef struct LensTarget {
    const Gpt *gpt;   /* whose head the lens uses; borrowed */
    const float *x;   /* (n, d_model) rows at the last place; borrowed */
    float *logits;    /* (n, d_vocab) its answers; owned */
    float *p;         /* (n, d_vocab) softmax of them; owned */
    double *negative; /* (n) sum of p ln p; owned */
    size_t n;
} LensTarget;

int lens_target_make(LensTarget *out, const Gpt *gpt, const float *x, size_t n, const Work *work);
void lens_target_release(LensTarget *target);

typedef struct LensFit {
    double kl_logit, kl_ridge,
        kl;                /* mean KL of the training rows, nats: A = 0; ridge; the result */
    double objective, gap; /* F at the result; about how far above the least */
    int rounds, arrived;   /* as DescentReport */
    bool from_ridge;       /* which start was better */
} LensFit;

typedef struct LensFitOptions {
    double l2;        /* 0: LENS_L2 */
    int rounds;       /* evaluations, at most; 0: LENS_ROUNDS; 1: the better start */
    double tolerance; /* 0: LENS_TOLERANCE */
} LensFitOptions;

/* Where the translators of one place go: (C, C) and (C) each; owned by the caller. */
typedef struct LensFitted {
    float *matrix, *bias;             /* refined on KL */
    float *ridge_matrix, *ridge_bias; /* in closed form */
} LensFitted;

/* Fit the translators of one place. design: of the rows there. Returns 0, OGPT_ENUM, OGPT_EINTR,
 * OGPT_ENOMEM. */
int lens_fit(const LensFitted *out, LensFit *report, const LensTarget *target,
             const LensDesign *design, const LensFitOptions *options, const Work *work);

/* F without its penalty and its gradient at w (C + 1, C), rows of W, then b: the fast one that
 * lens_fit uses; for the test against lens_ref.h. */
int lens_fit_evaluate(double *kl, double *gradient, const LensTarget *target,
                      const LensDesign *design, const double *w, const Work *work);

#endif
