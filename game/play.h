/* game/play.h - uniformly random legal games: game i of a seed is a pure function. */
#ifndef OGPT_GAME_PLAY_H
#define OGPT_GAME_PLAY_H

#include "base/rng.h"
#include "game/board.h"

/* Play game `index` of (seed, purpose): each move uniform over the legal ones. Fills
 * moves[variant->n_moves] (rest SQ_NONE) and returns the number of moves. */
int play_random(uint8_t *moves, const GameVariant *variant, uint64_t seed, RngPurpose purpose,
                uint64_t index);

/* Number of the set bit of rank r (0 = lowest) in mask; r must be below the number of set bits.
 * mask_select uses the processor's bit deposit where it has one; mask_select_ref is the plain
 * loop, always compiled, and the tests hold the two equal. */
int mask_select(uint64_t mask, int r);
int mask_select_ref(uint64_t mask, int r);

#endif
