/* probes/latent/latent_score.h - what a direction that was found without labels reads.
 *
 * A pair is read "mine" where sign (w . (first - second) + bias) > 0; the sign is the one that is
 * right more often on validation pairs, and everything reported is of test pairs. The same for the
 * parity of the ply, with a sign of its own: a direction that reads parity has fallen into the
 * trap. And for every other square: the square that the direction reads best on validation pairs
 * may be another one than it was asked for, because nothing in the loss names a square but the
 * choice of pairs. Another square is taken only if it is read better than the direction's own, and
 * squares that few pairs keep are not judged: one pair is read right by any direction.
 */
#ifndef OGPT_PROBES_LATENT_LATENT_SCORE_H
#define OGPT_PROBES_LATENT_LATENT_SCORE_H

#include "num/statistics/stats.h"
#include "probes/latent/latent_fit.h"

#define LATENT_FOUND 0.9      /* accuracy from which on a square counts as found */
#define LATENT_LEAST_PAIRS 30 /* validation and test pairs, each, of a square that is judged */

/* What is said of one square. */
typedef struct LatentSquare {
    bool judged;       /* LATENT_LEAST_PAIRS keep it */
    Interval accuracy; /* over games */
    double parity;     /* share of its pairs whose parity is read */
    double loss;
    size_t best; /* the judged square that the direction reads best on validation pairs; its own
                  * unless another one is read better */
    double best_accuracy; /* of that square, on test pairs */
} LatentSquare;

typedef struct LatentScore {
    Interval accuracy, parity, best; /* over all pairs of all squares; intervals over games */
    size_t judged;                   /* squares; the counts below are of these alone */
    size_t found, parity_found;      /* with an accuracy of LATENT_FOUND or more */
    size_t own;                      /* whose direction reads them best */
    double unconverged;              /* latent_unconverged of the fit */
    LatentSquare *squares;           /* (n_squares); owned */
} LatentScore;

/* Pairs and rows of two splits, standardised alike. */
typedef struct LatentSplit {
    const LatentPairs *pairs;
    const LatentRows *rows;
} LatentSplit;

/* work: pool, seed of the intervals. Returns 0 or OGPT_ENOMEM. latent_score_release. */
int latent_score(LatentScore *out, const LatentFit *fit, const LatentSplit *valid,
                 const LatentSplit *test, const Work *work);
void latent_score_release(LatentScore *score);
/* Bytes that it takes: pairs of both splits, games of the test split. */
size_t latent_score_bytes(size_t valid, size_t test, size_t games, size_t width, size_t n_squares,
                          const Work *work);

/* Control: the commonest label of square and ply over training pairs. */
int latent_majority(Interval *out, const LatentPairs *train, const LatentPairs *test,
                    const Work *work);

#endif
