/* game/board_lanes.h - the fast rules on eight boards at once, one in each lane of a vector.
 *
 * board.c puts the eight directions of one board into the lanes; here each lane is a board, and the
 * directions follow one another. That needs eight boards at a time, and then about a third of the
 * instructions. tests/game/test_board_lanes.c holds both equal on every board of random games.
 *
 * Here a step is a shift, not a rotation: up and down, discs fall off the board by themselves; to
 * the sides, discs on the edge columns are masked away first (nothing beyond them can be reached).
 * Along a row one addition does what several steps do: board_lanes_turned.h.
 */
#ifndef OGPT_GAME_BOARD_LANES_H
#define OGPT_GAME_BOARD_LANES_H

#include "game/board.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define BOARD_LANES 8

typedef uint64_t BoardLanes __attribute__((vector_size(8 * BOARD_LANES)));

#define LANES_INNER_COLUMNS 0x7e7e7e7e7e7e7e7eULL /* b..g */

/* One direction, to the left by `by` or (right) to the right: run = the unbroken run of `through`
 * that starts next to a square of `from`, at most six discs; behind = the same one step on. `two`
 * has the squares of `through` whose neighbour against the direction is one too. */
#define LANES_RUN(run, behind, from, through, two, shift, by)                                      \
    do {                                                                                           \
        (run) = ((from)shift(by)) & (through);                                                     \
        (run) |= ((run)shift(by)) & (through);                                                     \
        (run) |= ((run)shift(2 * (by))) & (two);                                                   \
        (run) |= ((run)shift(2 * (by))) & (two);                                                   \
        (behind) = (run)shift(by);                                                                 \
    } while (0)

/* Both directions of a line: DO(through, two, shift, back, by), back undoing shift. */
#define LANES_LINE(DO, through, by)                                                                \
    do {                                                                                           \
        const BoardLanes pairs = (through) & ((through) << (by));                                  \
        DO(through, pairs, <<, >>, by)                                                             \
        DO(through, (pairs >> (by)), >>, <<, by)                                                   \
    } while (0)

/* The lines of a board: of all discs of the other side, and of those on the inner columns. */
#define LANES_STRAIGHT(DO, all, inner)                                                             \
    LANES_LINE(DO, all, 8);                                                                        \
    LANES_LINE(DO, inner, 1)
#define LANES_DIAGONAL(DO, inner)                                                                  \
    LANES_LINE(DO, inner, 7);                                                                      \
    LANES_LINE(DO, inner, 9)

/* The squares behind the runs that start at `mine`, added to `found`. */
#define LANES_ADD_BEHIND(through, two, shift, back, by)                                            \
    LANES_RUN(run, behind, *mine, through, two, shift, by);                                        \
    *found |= behind;

/* The runs that start at the move and are closed, added to `turned`. */
#define LANES_ADD_CLOSED(through, two, shift, back, by)                                            \
    LANES_RUN(run, behind, *move, through, two, shift, by);                                        \
    if (ends_only) { /* the first disc, and the last, before the disc that closes the run */       \
        run &= ((*move)shift(by)) | ((behind & *mine) back(by));                                   \
    }                                                                                              \
    lanes_add_where(turned, &run, &behind, mine);

/* sum |= run in the lanes where one and other have a bit in common. Vectors go by pointer: how they
 * pass by value depends on the processor (-Wpsabi). */
static inline void lanes_add_where(BoardLanes *sum, const BoardLanes *run, const BoardLanes *one,
                                   const BoardLanes *other)
{
#if defined(__AVX512F__) && !defined(LANES_PLAIN)
    const __mmask8 where = _mm512_test_epi64_mask((__m512i)*one, (__m512i)*other);
    *sum = (BoardLanes)_mm512_mask_or_epi64((__m512i)*sum, where, (__m512i)*sum, (__m512i)*run);
#else
    *sum |= *run & (BoardLanes)((*one & *other) != 0);
#endif
}

/* Whether a lane is zero. */
static inline bool lanes_any_zero(const BoardLanes *lanes)
{
#if defined(__AVX512F__) && !defined(LANES_PLAIN)
    return _mm512_testn_epi64_mask((__m512i)*lanes, (__m512i)*lanes) != 0;
#else
    const BoardLanes zero = (BoardLanes)(*lanes == 0);
    uint64_t any = 0;
    for (int i = 0; i < BOARD_LANES; i++) {
        any |= zero[i];
    }
    return any != 0;
#endif
}

/* Rows and columns by shifts: the plain twins of the functions in board_lanes_turned.h. */
static inline void lanes_straight_moves_ref(BoardLanes *found, const BoardLanes *mine,
                                            const BoardLanes *theirs)
{
    const BoardLanes all = *theirs;
    const BoardLanes inner = all & LANES_INNER_COLUMNS;
    BoardLanes run, behind;
    *found = (BoardLanes){0};
    LANES_STRAIGHT(LANES_ADD_BEHIND, all, inner);
}

static inline __attribute__((always_inline)) void
lanes_straight_flips_ref(BoardLanes *turned, const BoardLanes *move, const BoardLanes *mine,
                         const BoardLanes *theirs, bool ends_only)
{
    const BoardLanes all = *theirs;
    const BoardLanes inner = all & LANES_INNER_COLUMNS;
    BoardLanes run, behind;
    *turned = (BoardLanes){0};
    LANES_STRAIGHT(LANES_ADD_CLOSED, all, inner);
}

#ifdef LANES_PLAIN
#define lanes_straight_moves lanes_straight_moves_ref
#define lanes_straight_flips lanes_straight_flips_ref
#else
#include "game/board_lanes_turned.h"
#endif

/* board_moves of every lane. */
static inline void lanes_moves(BoardLanes *legal, uint64_t squares, const BoardLanes *mine,
                               const BoardLanes *theirs)
{
    const BoardLanes inner = *theirs & LANES_INNER_COLUMNS;
    BoardLanes reached, run, behind;
    BoardLanes *found = &reached;
    lanes_straight_moves(found, mine, theirs);
    LANES_DIAGONAL(LANES_ADD_BEHIND, inner);
    *legal = reached & squares & ~(*mine | *theirs);
}

/* board_flips of every lane: `move` has the one bit of the move in each (none: nothing turns).
 * ends_only: by RULES_NO_MID_FLIP; a constant, so that each caller has its own loop. */
static inline __attribute__((always_inline)) void
lanes_flips(BoardLanes *flips, const BoardLanes *move, const BoardLanes *mine,
            const BoardLanes *theirs, bool ends_only)
{
    const BoardLanes inner = *theirs & LANES_INNER_COLUMNS;
    BoardLanes discs, run, behind;
    BoardLanes *turned = &discs;
    lanes_straight_flips(turned, move, mine, theirs, ends_only);
    LANES_DIAGONAL(LANES_ADD_CLOSED, inner);
    *flips = discs;
}

/* board_child of every lane. */
static inline __attribute__((always_inline)) void lanes_play(BoardLanes *mine, BoardLanes *theirs,
                                                             const BoardLanes *move, bool ends_only)
{
    BoardLanes flips;
    lanes_flips(&flips, move, mine, theirs, ends_only);
    const BoardLanes moved = *mine | flips | *move;
    *mine = *theirs & ~flips;
    *theirs = moved;
}

#endif
