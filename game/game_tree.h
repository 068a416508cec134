/* game/game_tree.h - is random game (seed, purpose, index) one of these games? Answered by its
 * draws, without a board.
 *
 * play_random draws the rank of each move among the legal ones. Two games whose ranks are equal so
 * far are at the same board, so they draw from the same number of legal moves. The tree keeps that
 * number for every beginning that two of the games share, and for the rest of each game a list. A
 * random game walks down by its draws alone, and leaves the tree where none of the games goes on
 * as it does: after some 8 of 60 moves in a tree of 10,000 games, at 10 million games a second and
 * core (play_random makes 0.4 million).
 */
#ifndef OGPT_GAME_GAME_TREE_H
#define OGPT_GAME_GAME_TREE_H

#include <stddef.h>

#include "base/rng.h"
#include "game/board.h"

typedef struct GameTree GameTree;

/* out    set to an owned tree (game_tree_free), or NULL on an error
 * moves  (n, n_moves) n <= 2^20 games, SQ_NONE after the last move; not kept. A game that stops
 *        early or is not legal is not a random game: the tree leaves it out.
 * Memory: 120 bytes a game on 8x8 and 4 bytes for each legal move of each shared beginning, about
 * 60 bytes a game of random ones. Returns 0, OGPT_ENOMEM, or OGPT_EUSAGE (n too large). */
int game_tree_new(GameTree **out, const GameVariant *variant, const uint8_t *moves, size_t n);
void game_tree_free(GameTree *tree);

/* Which of the n games play_random(seed, purpose, index) makes: the first place that holds it, or
 * -1. Thread-safe. */
ptrdiff_t game_tree_find(const GameTree *tree, uint64_t seed, RngPurpose purpose, uint64_t index);

#endif
