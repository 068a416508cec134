/* probes/latent/latent_fit.h - directions found without labels, one for every square.
 *
 * CCS (Burns et al. 2023, arXiv:2212.03827, 2.2), over the pairs that keep the square:
 *   p = sigmoid(w . first + b), q = sigmoid(w . second + b)
 *   loss = mean (p - (1 - q))^2 + min(p, q)^2
 * consistent (p and 1 - q agree) and confident (not both 1/2). The best of several starts, by the
 * loss, which needs no label.
 *
 * CRC-TPC (the same paper, appendix): the first principal component of first - second, about the
 * mean of these differences, and read about it.
 *
 * Either is a direction w; a pair is read by the sign of w . (first - second), which for CCS is p >
 * q. Whether positive means mine or theirs nobody has said: latent_score.h.
 */
#ifndef OGPT_PROBES_LATENT_LATENT_FIT_H
#define OGPT_PROBES_LATENT_LATENT_FIT_H

#include "probes/latent/latent_rows.h"

typedef struct LatentOptions {
    size_t starts, steps; /* of CCS: 1 to 64 starts a square, steps of Adam over all pairs */
    int rounds;           /* of the fit with labels, at most; 0: the solver's own limit */
} LatentOptions;

/* One direction a square. */
typedef struct LatentFit {
    size_t width, n_squares;
    float *w;     /* (n_squares, width); owned */
    double *bias; /* (n_squares) added to w . (first - second): 0 of CCS, -w . mean of TPC; owned,
                   * as loss and stopped */
    double *loss; /* (n_squares) of CCS; share of the variance that TPC has; NaN without any */
    double *stopped; /* (n_squares) 1: a limit came before the tolerance, else 0. NaN of CCS, which
                      * takes its steps and has no tolerance */
} LatentFit;

int latent_fit_allocate(LatentFit *out, size_t width, size_t n_squares);
void latent_fit_release(LatentFit *fit);

/* Any number of workers gives the same bits. work: pool, seed, tick("steps"). Returns 0,
 * OGPT_EINTR, OGPT_ENOMEM, OGPT_ENUM (not finite). Directions of squares that no pair keeps are
 * zero, and those of TPC where nothing varies. Owned: latent_fit_release. */
int latent_ccs(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs,
               const LatentOptions *options, const Work *work);
int latent_crc(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs, const Work *work);
/* The ceiling: logistic regression with labels (theirs, mine, no pair) on first - second. */
int latent_supervised(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs,
                      const LatentOptions *options, const Work *work);
/* Squares whose fit stopped before its tolerance; NaN of CCS. */
double latent_unconverged(const LatentFit *fit);
/* The most bytes that one of these fits takes: n pairs of that width. */
size_t latent_fit_bytes(size_t n, size_t width, size_t n_squares, const LatentOptions *options,
                        const Work *work);
/* The part of it that is CCS. Sums of gradients are kept for at most 64 chunks of pairs. */
size_t latent_ccs_bytes(size_t n, size_t width, size_t n_squares, size_t starts, const Work *work);

/* Loss and gradient of many directions at once: w (width + 1, n_squares * starts), the bias last;
 * column s * starts + k is start k of square s. gradient as w, loss (n_squares * starts). */
int latent_ccs_gradient(float *gradient, double *loss, const float *w, size_t starts,
                        const LatentRows *rows, const LatentPairs *pairs, const Work *work);
/* The plain version, of one direction w (width + 1) of a square. Returns the loss. */
double latent_ccs_ref(double *gradient, const double *w, size_t square, const LatentRows *rows,
                      const LatentPairs *pairs);

#endif
