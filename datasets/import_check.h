/* datasets/import_check.h - the one place where other people's games are checked by the rules.
 *
 * The strict engine replays each game move by move; written passes must be forced ones. A game that
 * is not legal as it is written is tried in the other ways of naming squares (READ_RENAMED,
 * READ_TURNED); the first way in which all of it is legal is taken. The result
 * that the file states is compared with the board; a difference is counted, and never a reason to
 * refuse the game.
 */
#ifndef OGPT_DATASETS_IMPORT_CHECK_H
#define OGPT_DATASETS_IMPORT_CHECK_H

#include "datasets/readers/game_reader.h"

typedef struct CheckOptions {
    const GameVariant *variant;
    bool transposed; /* arrays only: an index is 8*column + row, so the squares of the game are
                        mirrored at the diagonal a1-h8; names always keep their meaning */
    int first_move;  /* turn each game so that this is its first move; SQ_NONE: do not turn */
} CheckOptions;

typedef enum CheckVerdict {
    CHECK_LEGAL,
    CHECK_REJECTED, /* reason: fault, fault_place and fault_ply of the RawGame */
    CHECK_NO_MOVES  /* tags without moves: nothing to keep */
} CheckVerdict;

typedef struct CheckedGame {
    CheckVerdict verdict;
    uint8_t moves[GAME_MAX_MOVES]; /* n_moves of the variant, SQ_NONE after the last */
    uint64_t hash, canonical_hash; /* game_hash and game_hash_canonical of them */
    Board last;                    /* after the last legal move, before turning by first_move */
    int way;                       /* READ_*: how the squares were named */
    bool unfinished;               /* the side to move could still play */
    bool score_mismatch;           /* the stated result is neither of the two counts */
    bool unknown_result;           /* the format has a place for a result, and none is in it */
} CheckedGame;

/* Discs of both sides. With empties_to_winner the side with more discs also gets the empty squares,
 * as in tournaments; if both have as many, each gets half. */
void board_count(int *black, int *white, const GameVariant *variant, const Board *board,
                 bool empties_to_winner);

/* True if a game can begin with `sq`. */
bool first_move_is_legal(const GameVariant *variant, int sq);

/* Replay one game. On CHECK_REJECTED the reason is put into `raw`: that of the way of naming
 * squares in which most of the game is legal; names are as in the file, the board as we hold it. */
void game_check(CheckedGame *out, RawGame *raw, const CheckOptions *options);

#endif
