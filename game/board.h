/* game/board.h - Othello on 4x4, 6x6 and 8x8, and variants of its rules: the fast rules, on
 * bitboards.
 *
 * A square is a bit: sq = 8*row + column, a1 = 0, b1 = 1, h8 = 63, for every board size
 * (a 6x6 board uses columns a..f of rows 1..6). A board is seen from the player to move.
 * game/rules_ref.h states the same rules plainly; the tests hold the two equal on every ply.
 * Functions with `out` fill caller memory; nothing here allocates or fails.
 */
#ifndef OGPT_GAME_BOARD_H
#define OGPT_GAME_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define BOARD_SQUARES 64
#define GAME_MAX_MOVES 60
#define SQ_NONE 255 /* "no move" in a move list */
/* Room for the legal moves of any board: at most 33 are known on 8x8. */
#define BOARD_MAX_MOVES 40

typedef enum Colour { BLACK = 0, WHITE = 1 } Colour;

/* The state after any number of moves. `to_move` is the side really to move (forced passes
 * are already made), so `mine` are its discs. When the game is over to_move keeps the side
 * that would have been next. Invariant: mine & theirs == 0. */
typedef struct Board {
    uint64_t mine, theirs;
    Colour to_move;
} Board;

/* How a move is played and written. Which moves are legal is the same for all: an empty square from
 * which at least one run of the other side's discs is closed by a disc of one's own. */
typedef enum GameRules {
    RULES_CLASSIC,     /* all discs of the closed runs turn */
    RULES_NO_MID_FLIP, /* of each closed run only the first and the last disc turn */
    RULES_IAGO,        /* classic play; the tokens of the moves are permuted (datasets/vocab.h) */
    N_GAME_RULES
} GameRules;
#define GAME_RULES_WORDS "classic|no-mid-flip|iago"
/* "classic", "no-mid-flip", "iago" (static). */
const char *game_rules_name(GameRules rules);
/* false: no such rules. */
bool game_rules_parse(GameRules *out, const char *name);

/* A board size with its rules. */
typedef struct GameVariant {
    int size; /* squares a side: 4, 6 or 8 */
    GameRules rules;
    int number;       /* names the variant in files: size + 100 * rules */
    int n_moves;      /* playable squares = most moves of a game: 12, 32, 60 */
    uint64_t squares; /* mask of the board */
    uint64_t centre;  /* mask of the four start squares */
    Board start;      /* black to move; on 8x8 white d4 e5, black e4 d5 */
} GameVariant;

/* Borrowed, static; NULL unless size is 4, 6 or 8. game_variant: with the classic rules. */
const GameVariant *game_variant(int size);
const GameVariant *game_variant_with(int size, GameRules rules);
/* By GameVariant.number; NULL if there is none. */
const GameVariant *game_variant_numbered(int number);
/* The variant whose games have the same moves: classic for iago, itself for the others. */
const GameVariant *game_variant_played(const GameVariant *variant);

/* Mask of the legal moves of the player to move (`mine`). */
uint64_t board_moves(const GameVariant *variant, const Board *board);
/* Discs of `theirs` that a move of `mine` on the empty square sq turns over, by the rules of the
 * variant (0: illegal). */
uint64_t board_flips(const GameVariant *variant, const Board *board, int sq);
/* The board after playing sq (must be legal), seen by the other player, who may have to pass. */
Board board_child(const GameVariant *variant, const Board *board, int sq);
/* Play sq (must be legal), then make any forced pass. Returns how the game goes on. */
typedef enum PlayResult { PLAY_ALTERNATES, PLAY_OPPONENT_PASSES, PLAY_GAME_OVER } PlayResult;
PlayResult board_play(const GameVariant *variant, Board *board, int sq);
/* The same position seen by the other player (mine and theirs swapped, to_move turned). */
Board board_swapped(const Board *board);
/* The same discs and the same side to move. */
static inline bool board_same(const Board *a, const Board *b)
{
    return a->mine == b->mine && a->theirs == b->theirs && a->to_move == b->to_move;
}
bool board_is_over(const GameVariant *variant, const Board *board);
/* Discs by colour. */
uint64_t board_discs(const Board *board, Colour colour);
/* Board from discs by colour and side to move. */
Board board_from_discs(uint64_t black, uint64_t white, Colour to_move);

/* The 8 symmetries of the square, s in 0..7: bit 2 transposes first, bit 0 mirrors columns,
 * bit 1 mirrors rows. symmetry_inverse(s) undoes s. */
#define SYMMETRY_TRANSPOSE 4 /* exchanges rows and columns */
int symmetry_sq(const GameVariant *variant, int s, int sq);
uint64_t symmetry_mask(const GameVariant *variant, int s, uint64_t mask);
int symmetry_inverse(int s);

/* Replay a whole game. after[t] (n_moves entries at least n) = the board after move t.
 * Returns n when every move is legal, else the index of the first illegal move (that entry and
 * later ones are unset). A game that stops early is fine. */
int game_replay(const GameVariant *variant, const uint8_t *moves, int n, Board *after);
/* Number of moves before SQ_NONE, at most `stride`. */
int game_length(const uint8_t *moves, int stride);

#endif
