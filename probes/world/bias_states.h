/* probes/world/bias_states.h - room-private: the histories that inductive bias is asked about.
 *
 * History 2p and 2p + 1 are those of pair p (transpositions); behind them come those of triples a,
 * b, c (probes/world/bias.h), three each.
 */
#ifndef OGPT_PROBES_WORLD_BIAS_STATES_H
#define OGPT_PROBES_WORLD_BIAS_STATES_H

#include "probes/world/bias.h"

typedef struct BiasStates {
    size_t n, n_triples, n_histories; /* pairs; triples; 2 n + 3 n_triples */
    size_t n_states;                  /* different ones, of pairs */
    size_t T;                         /* tokens of the longest history */
    uint8_t *tokens;                  /* (n_histories, T), behind the last move the pad */
    uint8_t *lengths;                 /* (n_histories) */
    size_t *state;                    /* (n) the first pair with this state */
    size_t *legal_set;                /* (n) the first pair with these legal moves */
    size_t *empty_set;                /* (n) the first pair with these empty squares */
    Board *boards;                    /* (n_histories) */
} BiasStates;

/* Triples are found among random histories of (seed, WORLD_TRIPLES). Returns 0 or OGPT_ENOMEM;
 * bias_states_release in any case. */
int bias_states_make(BiasStates *out, const Vocab *vocab, const PairSet *pairs,
                     const BiasOptions *options, uint64_t seed);
void bias_states_release(BiasStates *states);
static inline bool bias_same_empty(const Board *a, const Board *b)
{
    return (a->mine | a->theirs) == (b->mine | b->theirs);
}

#endif
