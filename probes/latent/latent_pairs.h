/* probes/latent/latent_pairs.h - contrast pairs for free: the board after move t and after move
 * t + 1 of one game.
 *
 * A square that move t + 1 neither fills nor turns over keeps its owner, but the side to move
 * changes: mine becomes theirs. So the two members of a pair disagree about the square as a
 * statement and its negation do, and nobody had to say which is which. Pairs between which a side
 * had to pass are left out: there the mover stays the same.
 */
#ifndef OGPT_PROBES_LATENT_LATENT_PAIRS_H
#define OGPT_PROBES_LATENT_LATENT_PAIRS_H

#include "probes/board/scores.h"

typedef struct LatentPairs {
    size_t n, n_squares, n_games;
    size_t n_passes;   /* neighbours that were left out, since the mover is the same */
    uint32_t *first;   /* (n) index of the first member's position; the second's is one more */
    uint32_t *game;    /* (n) ascending */
    uint8_t *ply;      /* (n) of the first member */
    uint64_t *kept;    /* (n) row-major: squares of the pair: same owner, other label */
    uint64_t *mine;    /* (n) row-major: those that are mine in the first member */
    size_t *of_square; /* (n_squares) pairs that keep it */
} LatentPairs;

/* All pairs of a set of task "mine", labels "mover". Owned: latent_pairs_release. Returns 0,
 * OGPT_EFORMAT (no pair), OGPT_ENOMEM, or as positions_visit. */
int latent_pairs_make(LatentPairs *out, const LabelledSet *set, const Work *work);
void latent_pairs_release(LatentPairs *pairs);

static inline bool latent_keeps(const LatentPairs *pairs, size_t pair, size_t square)
{
    return (pairs->kept[pair] >> square & 1) != 0;
}
static inline bool latent_mine(const LatentPairs *pairs, size_t pair, size_t square)
{
    return (pairs->mine[pair] >> square & 1) != 0;
}
/* Whether an even number of moves has been seen: what ply parity knows. */
static inline bool latent_even(const LatentPairs *pairs, size_t pair)
{
    return pairs->ply[pair] % 2 == 1;
}

#endif
