/* game/canonical.h - the canonical form of a game: the smallest of its mirror images.
 *
 * Four of the eight symmetries of the square keep the start position, colours included: the
 * identity, the mirror at each diagonal, the half turn. They turn a legal game into a legal one, in
 * which everything happens on other squares. The canonical form is the smallest of these four
 * images (as bytes of squares, in the order of the moves), so all four have the same one. The
 * images begin on four different squares, the four legal first moves: in a legal game the first
 * move decides.
 */
#ifndef OGPT_GAME_CANONICAL_H
#define OGPT_GAME_CANONICAL_H

#include "game/board.h"

/* Fill out[n_moves] with the canonical form of moves[n_moves], SQ_NONE after the last move, and
 * return the symmetry that leads to it. Each byte is a square of the board or SQ_NONE; the moves
 * need not be legal. An empty game is its own form. out and moves must not overlap. */
int game_canonical(uint8_t *out, const uint8_t *moves, const GameVariant *variant);
/* The specification: makes all images by symmetry_sq and compares them. The same result, some 40
 * times as slow. */
int game_canonical_ref(uint8_t *out, const uint8_t *moves, const GameVariant *variant);
/* The symmetries that keep the start position, in out[4], ascending; the first is the identity. */
void game_symmetries(int out[4], const GameVariant *variant);

#endif
