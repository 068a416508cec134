/* probes/neurons/neuron_facts.h - what a rule may ask of a position: yes or no, square by square.
 *
 * A feature is a kind and a square: number kind * 64 + sq. Rules, trees and the linear twin all
 * see the same features. Legal moves are what the network has to compute, so they are offered only
 * if that is asked for.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_FACTS_H
#define OGPT_PROBES_NEURONS_NEURON_FACTS_H

#include <stddef.h>

#include "base/enums.h"
#include "game/board.h"

/* X(enumerator, words behind the square, words in front of it) */
#define NEURON_FACTS(X)                                                                            \
    X(FACT_EMPTY, " empty", "")                                                                    \
    X(FACT_THEIRS, " theirs", "")                                                                  \
    X(FACT_MINE, " mine", "")                                                                      \
    X(FACT_LAST, "", "last move ")                                                                 \
    X(FACT_TURNED, " just turned", "")                                                             \
    X(FACT_LEGAL, " legal", "")

typedef enum NeuronFact { NEURON_FACTS(ENUM_ID) N_NEURON_FACTS } NeuronFact;

#define NEURON_FEATURES (N_NEURON_FACTS * BOARD_SQUARES)

/* A position seen by the side to move: squares of which each fact holds. */
typedef struct NeuronFacts {
    uint64_t squares[N_NEURON_FACTS];
} NeuronFacts;

/* The position behind move `last`, which was played on `before` and led to `after`. */
NeuronFacts neuron_facts_of(const GameVariant *variant, const Board *before, const Board *after,
                            int last);

static inline int neuron_feature(NeuronFact fact, int sq)
{
    return (int)fact * BOARD_SQUARES + sq;
}

static inline bool neuron_facts_has(const NeuronFacts *facts, int feature)
{
    return (facts->squares[feature / BOARD_SQUARES] >> feature % BOARD_SQUARES & 1) != 0;
}

#define NEURON_FEATURE_NAME 24
/* "c4 mine", "last move c4"; with no: "c4 not mine", "not last move c4". */
void neuron_feature_name(char out[NEURON_FEATURE_NAME], int feature, bool no);

#endif
