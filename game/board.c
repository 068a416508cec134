/* game/board.c - the fast rules.
 *
 * All eight directions are worked on at once, one 64-bit lane each. A step in a direction is a
 * rotation of the lane, and nothing can wrap around an edge: a disc on the edge that a direction
 * runs into can never be outflanked in that direction, so such discs are masked away (INNER)
 * before anything is moved, and every step either lands on a remaining disc or leaves one.
 * Smaller boards sit in the corner of the same 8 columns; squares outside them hold no disc, and
 * the mask of the board's squares keeps moves off them.
 *
 * Vector types are a GNU extension: with them the compiler makes one instruction of each step on
 * AVX-512, two on AVX2, and correct plain code elsewhere, from a single source.
 */
#include "game/board.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

typedef uint64_t Lanes __attribute__((vector_size(64)));

/* East, west, up, down, and the four diagonals, as rotations to the left. */
static const Lanes STEP = {1, 63, 8, 56, 9, 55, 7, 57};
static const Lanes STEP_BACK = {63, 1, 56, 8, 55, 9, 57, 7};
static const Lanes TWO_STEPS = {2, 62, 16, 48, 18, 46, 14, 50};

#define INNER_COLUMNS 0x7e7e7e7e7e7e7e7eULL /* b..g */
#define INNER_ROWS 0x00ffffffffffff00ULL    /* 2..7 */
#define INNER_BOTH (INNER_COLUMNS & INNER_ROWS)
static const Lanes INNER = {INNER_COLUMNS, INNER_COLUMNS, INNER_ROWS, INNER_ROWS,
                            INNER_BOTH,    INNER_BOTH,    INNER_BOTH, INNER_BOTH};

#define NUMBER_STEP 100 /* between the numbers of one size under two rules */

/* One board size under one of the rules. */
#define VARIANT_4(rule)                                                                            \
    {                                                                                              \
        .size = 4, .rules = (rule), .number = 4 + NUMBER_STEP * (rule), .n_moves = 12,             \
        .squares = 0x000000000f0f0f0fULL, .centre = 0x0000000000060600ULL, .start = {              \
            .mine = 0x0000000000020400ULL,                                                         \
            .theirs = 0x0000000000040200ULL,                                                       \
            .to_move = BLACK                                                                       \
        }                                                                                          \
    }
#define VARIANT_6(rule)                                                                            \
    {                                                                                              \
        .size = 6, .rules = (rule), .number = 6 + NUMBER_STEP * (rule), .n_moves = 32,             \
        .squares = 0x00003f3f3f3f3f3fULL, .centre = 0x000000000c0c0000ULL, .start = {              \
            .mine = 0x0000000004080000ULL,                                                         \
            .theirs = 0x0000000008040000ULL,                                                       \
            .to_move = BLACK                                                                       \
        }                                                                                          \
    }
#define VARIANT_8(rule)                                                                            \
    {                                                                                              \
        .size = 8, .rules = (rule), .number = 8 + NUMBER_STEP * (rule), .n_moves = 60,             \
        .squares = 0xffffffffffffffffULL, .centre = 0x0000001818000000ULL, .start = {              \
            .mine = 0x0000000810000000ULL,                                                         \
            .theirs = 0x0000001008000000ULL,                                                       \
            .to_move = BLACK                                                                       \
        }                                                                                          \
    }
#define VARIANTS_OF(rule)                                                                          \
    {                                                                                              \
        VARIANT_4(rule), VARIANT_6(rule), VARIANT_8(rule)                                          \
    }

static const GameVariant VARIANTS[N_GAME_RULES][3] = {
    VARIANTS_OF(RULES_CLASSIC), VARIANTS_OF(RULES_NO_MID_FLIP), VARIANTS_OF(RULES_IAGO)};
static const char *const NAMES[N_GAME_RULES] = {"classic", "no-mid-flip", "iago"};

const GameVariant *game_variant_with(int size, GameRules rules)
{
    return size == 4 || size == 6 || size == 8 ? &VARIANTS[rules][(size - 4) / 2] : NULL;
}

const GameVariant *game_variant(int size)
{
    return game_variant_with(size, RULES_CLASSIC);
}

const GameVariant *game_variant_numbered(int number)
{
    const int rules = number / NUMBER_STEP;
    return number >= 0 && rules < N_GAME_RULES
               ? game_variant_with(number % NUMBER_STEP, (GameRules)rules)
               : NULL;
}

const GameVariant *game_variant_played(const GameVariant *variant)
{
    return variant->rules == RULES_IAGO ? game_variant(variant->size) : variant;
}

const char *game_rules_name(GameRules rules)
{
    return NAMES[rules];
}

bool game_rules_parse(GameRules *out, const char *name)
{
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        if (strcmp(name, NAMES[rules]) == 0) {
            *out = (GameRules)rules;
            return true;
        }
    }
    return false;
}

/* How a vector passes by value depends on the processor (-Wpsabi), so they go by pointer; the
 * functions are inlined and no pointer remains. */
static inline void lanes_fill(Lanes *out, uint64_t mask)
{
    *out = (Lanes){mask, mask, mask, mask, mask, mask, mask, mask};
}

static inline void lanes_turn(Lanes *out, const Lanes *lanes, const Lanes *by)
{
    *out = (*lanes << *by) | (*lanes >> (64 - *by));
}

static inline uint64_t lanes_union(const Lanes *lanes)
{
    Lanes all = *lanes;
    all |= __builtin_shufflevector(all, all, 4, 5, 6, 7, 0, 1, 2, 3);
    all |= __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5);
    return all[0] | all[1];
}

/* In each direction: run = the unbroken run of `theirs` that starts next to a square of `from`,
 * behind = the same one step on, whose last square closes the run when it is the mover's.
 * A run has at most six discs on eight columns: one, two, then two more twice. */
static inline void lanes_runs(Lanes *run, Lanes *behind, uint64_t from, uint64_t theirs)
{
    Lanes start, through, next;
    lanes_fill(&start, from);
    lanes_fill(&through, theirs);
    through &= INNER;
    lanes_turn(&next, &through, &STEP);
    const Lanes through_two = through & next;
    lanes_turn(&next, &start, &STEP);
    *run = next & through;
    lanes_turn(&next, run, &STEP);
    *run |= next & through;
    lanes_turn(&next, run, &TWO_STEPS);
    *run |= next & through_two;
    lanes_turn(&next, run, &TWO_STEPS);
    *run |= next & through_two;
    lanes_turn(behind, run, &STEP);
}

uint64_t board_moves(const GameVariant *variant, const Board *board)
{
    Lanes run, behind;
    lanes_runs(&run, &behind, board->mine, board->theirs);
    return lanes_union(&behind) & variant->squares & ~(board->mine | board->theirs);
}

uint64_t board_flips(const GameVariant *variant, const Board *board, int sq)
{
    assert(sq >= 0 && sq < BOARD_SQUARES && (variant->squares >> sq & 1));
    Lanes run, behind;
    lanes_runs(&run, &behind, 1ULL << sq, board->theirs);
    /* Comparing gives all ones in the lanes whose run is closed, zero in the others. */
    const Lanes own = behind & board->mine; /* the disc that closes a run */
    const Lanes closed = (Lanes)(own != 0);
    Lanes flips = run & closed;
    if (variant->rules == RULES_NO_MID_FLIP) {
        Lanes start, first, last;
        lanes_fill(&start, 1ULL << sq);
        lanes_turn(&first, &start, &STEP);
        lanes_turn(&last, &own, &STEP_BACK);
        flips &= first | last;
    }
    return lanes_union(&flips);
}

Board board_swapped(const Board *board)
{
    return (Board){.mine = board->theirs,
                   .theirs = board->mine,
                   .to_move = board->to_move == BLACK ? WHITE : BLACK};
}

Board board_child(const GameVariant *variant, const Board *board, int sq)
{
    const uint64_t flips = board_flips(variant, board, sq);
    assert(flips != 0 && !((board->mine | board->theirs) >> sq & 1));
    return (Board){.mine = board->theirs & ~flips,
                   .theirs = board->mine | flips | 1ULL << sq,
                   .to_move = board->to_move == BLACK ? WHITE : BLACK};
}

PlayResult board_play(const GameVariant *variant, Board *board, int sq)
{
    *board = board_child(variant, board, sq);
    if (board_moves(variant, board) != 0) {
        return PLAY_ALTERNATES;
    }
    const Board passed = board_swapped(board);
    if (board_moves(variant, &passed) == 0) {
        return PLAY_GAME_OVER;
    }
    *board = passed;
    return PLAY_OPPONENT_PASSES;
}

bool board_is_over(const GameVariant *variant, const Board *board)
{
    const Board other = board_swapped(board);
    return board_moves(variant, board) == 0 && board_moves(variant, &other) == 0;
}

uint64_t board_discs(const Board *board, Colour colour)
{
    return board->to_move == colour ? board->mine : board->theirs;
}

Board board_from_discs(uint64_t black, uint64_t white, Colour to_move)
{
    return (Board){.mine = to_move == BLACK ? black : white,
                   .theirs = to_move == BLACK ? white : black,
                   .to_move = to_move};
}

int symmetry_sq(const GameVariant *variant, int s, int sq)
{
    int row = sq / 8;
    int column = sq % 8;
    if (s & 4) {
        const int old_row = row;
        row = column;
        column = old_row;
    }
    if (s & 1) {
        column = variant->size - 1 - column;
    }
    if (s & 2) {
        row = variant->size - 1 - row;
    }
    return 8 * row + column;
}

uint64_t symmetry_mask(const GameVariant *variant, int s, uint64_t mask)
{
    uint64_t out = 0;
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        out |= 1ULL << symmetry_sq(variant, s, __builtin_ctzll(rest));
    }
    return out;
}

int symmetry_inverse(int s)
{
    /* Mirrors undo themselves. After a transposition, undoing first mirrors and then transposes,
     * which is transposing first with rows and columns exchanged. */
    if (!(s & 4)) {
        return s;
    }
    return 4 | (s & 1) << 1 | (s & 2) >> 1;
}

int game_replay(const GameVariant *variant, const uint8_t *moves, int n, Board *after)
{
    Board board = variant->start;
    for (int t = 0; t < n; t++) {
        const int sq = moves[t];
        if (sq >= BOARD_SQUARES || !(board_moves(variant, &board) >> sq & 1)) {
            return t;
        }
        board_play(variant, &board, sq);
        after[t] = board;
    }
    return n;
}

int game_length(const uint8_t *moves, int stride)
{
    int n = 0;
    while (n < stride && moves[n] != SQ_NONE) {
        n++;
    }
    return n;
}
