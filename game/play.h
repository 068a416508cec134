/* game/play.h - uniformly random legal games: game i of a seed is a pure function. */
#ifndef OGPT_GAME_PLAY_H
#define OGPT_GAME_PLAY_H

#include <assert.h>
#include <stddef.h>
#ifdef __BMI2__
#include <immintrin.h>
#endif

#include "base/rng.h"
#include "game/board.h"

/* Play game `index` of (seed, purpose): each move uniform over the legal ones. Fills
 * moves[variant->n_moves] (rest SQ_NONE) and returns the number of moves. */
int play_random(uint8_t *moves, const GameVariant *variant, uint64_t seed, RngPurpose purpose,
                uint64_t index);

/* Games first .. first + n - 1 of (seed, purpose), each as play_random plays it: moves is
 * [n][variant->n_moves]. Sixteen games advance side by side in the lanes of two vectors, so a batch
 * of a hundred or more is three to five times as fast as one game after another. */
void play_random_games(uint8_t *moves, const GameVariant *variant, uint64_t seed,
                       RngPurpose purpose, uint64_t first, size_t n);

/* Number of the set bit of rank r (0 = lowest) in mask; r must be below the number of set bits.
 * mask_select uses the processor's bit deposit where it has one; mask_select_ref is the plain
 * loop, always compiled, and the tests hold the two equal. */
int mask_select_ref(uint64_t mask, int r);
static inline int mask_select(uint64_t mask, int r)
{
#ifdef __BMI2__
    assert(r >= 0 && r < __builtin_popcountll(mask));
    return __builtin_ctzll(_pdep_u64(1ULL << r, mask));
#else
    return mask_select_ref(mask, r);
#endif
}

#endif
