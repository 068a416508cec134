/* probes/world/bias.h - inductive bias: what does a network that learns something new take it to be
 * about? (Vafa et al. 2025, arXiv:2507.06952)
 *
 * A function gives every state (board and side to move) a random bit. A copy of the network learns
 * it from one history each of some states, by a few steps of AdamW through all of its weights, with
 * an output that begins at zero; then it says the bit after histories of the other states, of which
 * it knows nothing. Whoever learns about boards says the same after two histories of one state, and
 * something else about another state, equally often as not:
 *   same   R-IB = 1 - 2 (share of pairs of histories of one state with different bits)
 *   apart  D-IB = 2 (share of pairs of states with different bits); pairs of equal length and mover
 * `apart` is split by whether the two states have the same legal moves. Tables, of which it is
 * known what they know, are put to the same question: bits by state (the oracle: 1 and 1), by set
 * of legal moves (1 and 1, but 0 where the sets are equal), by history (0 and 1); and by set of
 * empty squares, without owners: 1, and nearly 1, for few states share it. So neither number alone
 * says that owners are known.
 */
#ifndef OGPT_PROBES_WORLD_BIAS_H
#define OGPT_PROBES_WORLD_BIAS_H

#include "base/enums.h"
#include "probes/cases/pairs.h"
#include "probes/world/units.h"

#define BIAS_LEARNERS(X)                                                                           \
    X(BIAS_NETWORK, "network")                                                                     \
    X(BIAS_RANDOM_MODEL, "random_model")                                                           \
    X(BIAS_STATE_TABLE, "state_table")                                                             \
    X(BIAS_LEGAL_TABLE, "legal_table")                                                             \
    X(BIAS_EMPTY_TABLE, "empty_table")                                                             \
    X(BIAS_HISTORY_TABLE, "history_table")
typedef enum BiasLearner { BIAS_LEARNERS(ENUM_ID) N_BIAS_LEARNERS } BiasLearner;
const char *world_bias_learner_name(BiasLearner learner); /* static */

typedef struct BiasOptions {
    size_t functions, trained; /* random functions; states of each that are learned from */
    size_t triples;            /* at most */
    int min_moves, max_moves;  /* of their histories */
    int steps;
    double rate; /* of AdamW, without decay */
} BiasOptions;

/* Intervals resample functions: the states are the same for all. */
typedef struct BiasScore {
    Interval same, apart;
    Interval apart_equal, apart_unequal; /* a and b, a and c of triples; NaN without triples */
    Interval legal_gap;                  /* apart_unequal - apart_equal, paired */
    Interval learned;                    /* share of trained bits that are said right afterwards */
    Interval carried;                    /* the same after the other history of these states */
    size_t triples;                      /* that were found */
} BiasScore;

/* pairs: transpositions, at least one more than options->trained. gpt: borrowed, never changed; of
 * tables NULL. Functions are jobs of their own: the same numbers for any number of workers. work:
 * pool, seed, journal; tick("functions"). Returns 0, OGPT_EUSAGE (too few states), OGPT_ENUM (the
 * copy diverged), OGPT_EINTR, OGPT_ENOMEM. */
int world_bias(BiasScore *out, BiasLearner learner, const Gpt *gpt, const Vocab *vocab,
               const PairSet *pairs, const BiasOptions *options, const Work *work);

#endif
