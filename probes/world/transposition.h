/* probes/world/transposition.h - two histories of one board: does the answer depend on the board
 * alone?
 *
 * Pairs of histories of one (board, mover) (probes/cases/pairs.h), and for each a null: a random
 * history of the same length and mover that leads to another board. N is the number of legal moves;
 * a set is that of the N largest probabilities with all that tie with the last of them, so equal
 * targets agree in any order. The agreement of top tokens, which published studies report, is shown
 * beside it: it fails for a uniform answer that is right.
 */
#ifndef OGPT_PROBES_WORLD_TRANSPOSITION_H
#define OGPT_PROBES_WORLD_TRANSPOSITION_H

#include "probes/cases/pairs.h"
#include "probes/world/units.h"

#define TRANSPOSITION_FLOOR 1e-9 /* of a probability in a divergence, which is then finite */

typedef struct TranspositionScore {
    Interval effect;                  /* sum kl / sum null_kl: 0 for a state of the board alone */
    Interval kl, null_kl;             /* nats, from the first history's answer to the other's */
    Interval distance, null_distance; /* total variation */
    Interval jaccard, null_jaccard;   /* of the two sets */
    Interval same_set, null_same_set; /* share of pairs with one set */
    Interval same_top, null_same_top; /* share of pairs with one top token */
    Interval both_legal;              /* share of pairs where both sets are the legal moves */
} TranspositionScore;

/* pairs: transpositions alone. work: pool, seed, journal. Returns as world_units_run. */
int world_transposition(TranspositionScore *out, const Player *player, const PairSet *pairs,
                        const Work *work);

/* The two numbers of the effect, for each pair: values (pairs->n, 2) kl, null_kl. As above. */
int world_transposition_pairs(double *values, const Player *player, const PairSet *pairs,
                              const Work *work);

#endif
