/* game/board_lanes.h - the fast rules on eight boards at once, one in each lane of a vector.
 *
 * board.c puts the eight directions of one board into the lanes; here each lane is a board, and the
 * directions follow one another. That needs eight boards at a time, and then about a third of the
 * instructions. tests/game/test_board_lanes.c holds both equal on every board of random games.
 *
 * Here a step is a shift, not a rotation: up and down, discs fall off the board by themselves; to
 * the sides, discs on the edge columns are masked away first (nothing beyond them can be reached).
 */
#ifndef OGPT_GAME_BOARD_LANES_H
#define OGPT_GAME_BOARD_LANES_H

#include "game/board.h"

#define BOARD_LANES 8

typedef uint64_t BoardLanes __attribute__((vector_size(8 * BOARD_LANES)));

#define LANES_INNER_COLUMNS 0x7e7e7e7e7e7e7e7eULL /* b..g */

/* One direction, to the left by `by` or (right) to the right: run = the unbroken run of `through`
 * that starts next to a square of `from`, at most six discs; behind = the same one step on. */
#define LANES_RUN(run, behind, from, through, shift, by)                                           \
    do {                                                                                           \
        const BoardLanes two = (through) & ((through)shift(by));                                   \
        (run) = ((from)shift(by)) & (through);                                                     \
        (run) |= ((run)shift(by)) & (through);                                                     \
        (run) |= ((run)shift(2 * (by))) & two;                                                     \
        (run) |= ((run)shift(2 * (by))) & two;                                                     \
        (behind) = (run)shift(by);                                                                 \
    } while (0)

/* LANES_EACH(DO): DO(through, shift, back, by), back undoing shift, for each of the eight
 * directions. */
#define LANES_EACH(DO)                                                                             \
    DO(all, <<, >>, 8)                                                                             \
    DO(all, >>, <<, 8)                                                                             \
    DO(inner, <<, >>, 1)                                                                           \
    DO(inner, >>, <<, 1)                                                                           \
    DO(inner, <<, >>, 7)                                                                           \
    DO(inner, >>, <<, 7)                                                                           \
    DO(inner, <<, >>, 9)                                                                           \
    DO(inner, >>, <<, 9)

/* board_moves of every lane. Vectors go by pointer: how they pass by value depends on the
 * processor (-Wpsabi). */
static inline void lanes_moves(BoardLanes *legal, uint64_t squares, const BoardLanes *mine,
                               const BoardLanes *theirs)
{
    const BoardLanes all = *theirs;
    const BoardLanes inner = all & LANES_INNER_COLUMNS;
    BoardLanes found = {0};
    BoardLanes run, behind;
#define LANES_ADD_BEHIND(through, shift, back, by)                                                 \
    LANES_RUN(run, behind, *mine, through, shift, by);                                             \
    found |= behind;
    LANES_EACH(LANES_ADD_BEHIND)
#undef LANES_ADD_BEHIND
    *legal = found & squares & ~(*mine | all);
}

/* board_flips of every lane: `move` has the one bit of the move in each (none: nothing turns).
 * ends_only: by RULES_NO_MID_FLIP; a constant, so that each caller has its own loop. */
static inline __attribute__((always_inline)) void
lanes_flips(BoardLanes *flips, const BoardLanes *move, const BoardLanes *mine,
            const BoardLanes *theirs, bool ends_only)
{
    const BoardLanes all = *theirs;
    const BoardLanes inner = all & LANES_INNER_COLUMNS;
    BoardLanes turned = {0};
    BoardLanes run, behind;
#define LANES_ADD_CLOSED(through, shift, back, by)                                                 \
    LANES_RUN(run, behind, *move, through, shift, by);                                             \
    behind &= *mine; /* the disc that closes the run */                                            \
    if (ends_only) {                                                                               \
        run &= ((*move)shift(by)) | (behind back(by));                                             \
    }                                                                                              \
    turned |= run & (BoardLanes)(behind != 0);
    LANES_EACH(LANES_ADD_CLOSED)
#undef LANES_ADD_CLOSED
    *flips = turned;
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
