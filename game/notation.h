/* game/notation.h - games, squares and boards as text.
 *
 * Moves: "f5d6c3", "F5 D6", "f5, d6": letters in either case, separators are blanks, tabs,
 * newlines, commas and single hyphens. Letter = column, digit = row. A pass need not be written; a
 * written one must be forced (pass_is_forced). Boards: 64 (36, 16) characters, row 1
 * first: 'b','x','*' black, 'w','o' white, '.','-','_' empty; blanks and newlines skipped;
 * an optional last character after a blank gives the side to move.
 */
#ifndef OGPT_GAME_NOTATION_H
#define OGPT_GAME_NOTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "game/board.h"

/* "c4" -> sq, or -1 if it is not a square of this variant. Reads exactly two characters. */
int square_parse(const GameVariant *variant, const char *text);
/* sq -> "c4" in out (3 bytes). */
void square_print(char out[3], int sq);

/* Length of the pass at the start of n characters, 0 if there is none. Spellings, letters in either
 * case: "--", "pa", "pass", "ps", "@@", "0000". The only place that knows them. */
size_t pass_length(const char *text, size_t n);
/* The one rule for written passes. `board` has made forced passes already (board_play); *owed: its
 * last move was answered by one that has not been written down yet. A pass is right once where it
 * is owed (*owed is cleared), and anywhere after the end of the game. */
bool pass_is_forced(const GameVariant *variant, const Board *board, bool *owed);

/* Parse moves and check each by the rules. moves[GAME_MAX_MOVES] is filled, *n set.
 * OGPT_EFORMAT names the character position (from 1), the ply (from 1), the square, and why:
 * not a square, occupied, flips nothing, game already over, a pass that is not forced. */
int moves_parse(uint8_t *moves, int *n, const GameVariant *variant, const char *text);
/* "f5 d6 c3" into out; needs 3*n bytes at least (1 when n = 0). */
void moves_print(char *out, const uint8_t *moves, int n);

int board_parse(Board *out, const GameVariant *variant, const char *text);
/* size*size characters of 'b', 'w', '.', a blank, the side to move, NUL: 67 bytes for 8x8. */
void board_print(char *out, const GameVariant *variant, const Board *board);

#endif
