/* game/perft.h - leaf counts of the game tree, the classic proof of a move generator.
 *
 * A forced pass is one ply and a game that ended earlier counts as one leaf (the convention of
 * Aart Bik's table for Othello). Exact: 4, 12, 56, 244, 1396, 8200, 55092, 390216, ...
 */
#ifndef OGPT_GAME_PERFT_H
#define OGPT_GAME_PERFT_H

#include "base/pool.h"
#include "game/board.h"

/* Leaves at `depth` >= 0 plies below the start position, fast rules, parallel over the first
 * plies. `pool` may be NULL. Returns 0 or OGPT_E*. */
int perft_start(uint64_t *leaves, const GameVariant *variant, int depth, Pool *pool);
/* Leaves below a position whose mover may have to pass (`board` needs no legal move). */
uint64_t perft_board(const GameVariant *variant, const Board *board, int depth);
/* Whether the fast rules count as published (depth 7 on 8x8) and as the reference rules do (depth
 * 5). Returns 0, or OGPT_ENEGATIVE with both numbers. */
int perft_self_check(Pool *pool);

#endif
