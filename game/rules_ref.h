/* game/rules_ref.h - the rules of Othello written from the rule book: a mailbox board, one
 * square after another, one direction after another. Slow and obvious; the judge of board.h.
 * World Othello Federation, rules of the game: a move must outflank at least one disc; all
 * outflanked discs turn over; a player without a move passes; the game ends when neither side
 * can move. By RULES_NO_MID_FLIP only the first and the last disc of each outflanked run turn over.
 * Shares no code with game/board.c.
 */
#ifndef OGPT_GAME_RULES_REF_H
#define OGPT_GAME_RULES_REF_H

#include <stdbool.h>

#include "game/board.h"

typedef struct RefBoard {
    int size;
    GameRules rules; /* iago plays as classic */
    char cell[8][8]; /* [row][column]: '.', 'b' or 'w' */
    char to_move;    /* 'b' or 'w': the side really to move */
} RefBoard;

/* With the classic rules; ref_from_board takes those of its variant. */
void ref_start(RefBoard *out, int size);
bool ref_is_legal(const RefBoard *board, char player, int row, int column);
/* Number of legal moves of `player`. */
int ref_count_moves(const RefBoard *board, char player);
/* Play for board->to_move (must be legal), then pass if forced. Returns false when over. */
bool ref_play(RefBoard *board, int row, int column);
uint64_t ref_moves_mask(const RefBoard *board, char player);
/* Conversions used by the tests to compare the two implementations. */
void ref_from_board(RefBoard *out, const GameVariant *variant, const Board *board);
Board ref_to_board(const RefBoard *board);
/* Perft as in game/perft.h, by these rules. */
uint64_t ref_perft(const RefBoard *board, int depth);

#endif
