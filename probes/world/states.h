/* probes/world/states.h - compression and distinction: does a player give every state what follows
 * from it, and no more? (Vafa et al. 2024, arXiv:2406.03689)
 *
 * A state is a board and its side to move. A player accepts a token after a history if it gives it
 * more than eps; never the pad.
 *
 * Compression: two histories of one state. Suffixes are drawn from the tokens that the player
 * accepts after the first history, in proportion to their probability, to the end of the game or to
 * the first illegal token, which is judged and ends the suffix. Is each token accepted after the
 * other history?
 *
 * Distinction: two histories of different states, as long as each other, with one side to move. The
 * boundary is the suffixes of at most DISTINCTION_DEPTH tokens whose last token is allowed after
 * the first and not after the second, while those before it are allowed after both. The engine's
 * boundary is found by going through all of them. Suffixes are followed as long as they are legal
 * after both.
 *   recall     share of the engine's boundary that the player accepts after the first, and not
 *              after the second
 *   precision  share of the player's boundary that is legal after the first and not after the
 *              second
 * Pairs are `any` two states of random games, or `flip`: boards that differ in the owner of one
 * square alone, which nobody can tell apart who only sees which squares are empty.
 *
 * Unlike in the paper the state has its mover, the two histories of a state always differ, nothing
 * is left out that fails, and there is a share of tokens beside the verdict on all of them at once.
 */
#ifndef OGPT_PROBES_WORLD_STATES_H
#define OGPT_PROBES_WORLD_STATES_H

#include "probes/cases/pairs.h"
#include "probes/world/units.h"

#define WORLD_EPS                                                                                  \
    {                                                                                              \
        .001, .003, .01, .03, .1                                                                   \
    }
#define N_WORLD_EPS 5
#define WORLD_EPS_SCORE 2 /* .01, as published */
#define COMPRESSION_SUFFIXES_MAX (PLAYER_LINES / 2)
#define DISTINCTION_DEPTH 3

typedef struct CompressionScore {
    double eps;
    Interval strict; /* share of states, of those with a token, all of whose tokens are accepted */
    Interval tokens; /* share of tokens that are accepted */
    Interval length; /* mean tokens of a state's suffixes */
} CompressionScore;

/* out (N_WORLD_EPS). pairs: transpositions. 1 <= suffixes <= COMPRESSION_SUFFIXES_MAX. The engine
 * scores 1. work: pool, seed, journal. Returns as world_units_run. */
int world_compression(CompressionScore *out, const Player *player, const PairSet *pairs,
                      int suffixes, const Work *work);

typedef enum StatePairs { STATES_ANY, STATES_FLIP, N_STATE_PAIRS } StatePairs;
const char *world_state_pairs_name(StatePairs kind); /* static */

typedef struct DistinctionScore {
    StatePairs kind;
    double eps;
    Interval precision, recall;
    Interval recall_at[DISTINCTION_DEPTH]; /* of suffixes of 1, 2, 3 tokens */
    Interval
        strict; /* share of pairs, of those with a boundary, without a mistake of either kind */
    Interval boundary; /* the engine's suffixes a pair */
} DistinctionScore;

/* out (N_WORLD_EPS). flips: pairs whose boards differ in one owner; for STATES_ANY each of their
 * clean histories gets a random one beside it. The engine scores 1 and 1. Returns as above. */
int world_distinction(DistinctionScore *out, const Player *player, StatePairs kind,
                      const PairSet *flips, const Work *work);

#endif
