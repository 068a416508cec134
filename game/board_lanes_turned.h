/* game/board_lanes_turned.h - rows and columns of eight boards by additions.
 *
 * A row is a byte. Where the discs of the other side are ones, adding a one at the first of a run
 * carries through the run to the square behind it: one addition does all steps of a direction, in
 * all rows. Directions to the left and up and down need the board mirrored and turned first, which
 * a processor does in one instruction a board that multiplies 8x8 matrices of bits (GFNI).
 *
 * Where there is none, the names stand for the plain twins in board_lanes.h, which includes this.
 */
#ifndef OGPT_GAME_BOARD_LANES_TURNED_H
#define OGPT_GAME_BOARD_LANES_TURNED_H

#if defined(__GFNI__) && defined(__AVX512BW__)

/* Discs of eight boards in four positions: in each, one of the four straight directions runs to the
 * right, from bit 0 of a byte to bit 7. */
typedef struct TurnedLanes {
    BoardLanes as_is, mirrored, turned, turned_mirrored;
} TurnedLanes;

typedef uint8_t LanesRows __attribute__((vector_size(8 * BOARD_LANES)));

/* Byte i of `rows` times the matrix of each lane of `matrix`: bit j of the product is the parity of
 * the byte and byte 7 - j of the matrix. */
static inline void lanes_multiply(BoardLanes *out, const BoardLanes *rows, const BoardLanes *matrix)
{
    *out = (BoardLanes)_mm512_gf2p8affine_epi64_epi8((__m512i)*rows, (__m512i)*matrix, 0);
}

#define LANES_DOWNWARDS 0x8040201008040201ULL /* row r has the one bit r */
#define LANES_UPWARDS 0x0102040810204080ULL   /* row r has the one bit 7 - r */

/* Each row from right to left. */
static inline void lanes_mirror(BoardLanes *out, const BoardLanes *in)
{
    const BoardLanes matrix = (BoardLanes){0} + LANES_DOWNWARDS;
    lanes_multiply(out, in, &matrix);
}

/* A quarter turn: row r, column c of the result is row 7 - c, column r. */
static inline void lanes_turn_quarter(BoardLanes *out, const BoardLanes *in)
{
    const BoardLanes rows = (BoardLanes){0} + LANES_DOWNWARDS;
    lanes_multiply(out, &rows, in);
}

static inline void lanes_turned(TurnedLanes *out, const BoardLanes *in)
{
    out->as_is = *in;
    lanes_mirror(&out->mirrored, in);
    lanes_turn_quarter(&out->turned, in);
    lanes_mirror(&out->turned_mirrored, &out->turned);
}

/* What was found in the four positions, as the boards stand. */
static inline void lanes_turned_back(BoardLanes *out, const TurnedLanes *in)
{
    const BoardLanes rows = (BoardLanes){0} + LANES_UPWARDS;
    BoardLanes back;
    lanes_mirror(&back, &in->turned_mirrored);
    back |= in->turned;
    lanes_multiply(&back, &rows, &back); /* the quarter turn undone, and mirrored */
    back |= in->mirrored;
    lanes_mirror(&back, &back);
    *out = back | in->as_is;
}

/* starts = the discs of `theirs` right of a square of `from`; ran = theirs after the additions:
 * each run that starts there is gone, and the square behind it set. */
static inline void lanes_row_runs(BoardLanes *starts, BoardLanes *ran, const BoardLanes *from,
                                  const BoardLanes *theirs)
{
    *starts = (BoardLanes)((LanesRows)*from + (LanesRows)*from) & *theirs;
    *ran = (BoardLanes)((LanesRows)*theirs + (LanesRows)*starts);
}

static inline void lanes_row_moves(BoardLanes *found, const BoardLanes *mine,
                                   const BoardLanes *theirs)
{
    BoardLanes starts, ran;
    lanes_row_runs(&starts, &ran, mine, theirs);
    *found = ran & ~*theirs;
}

static inline __attribute__((always_inline)) void
lanes_row_flips(BoardLanes *flips, const BoardLanes *move, const BoardLanes *mine,
                const BoardLanes *theirs, bool ends_only)
{
    BoardLanes starts, ran;
    lanes_row_runs(&starts, &ran, move, theirs);
    const BoardLanes run = ends_only ? starts | (ran & *mine) >> 1 : *theirs & ~ran;
    *flips = (BoardLanes){0};
    lanes_add_where(flips, &run, &ran, mine);
}

/* Squares behind runs of `theirs` along rows and columns that start at `mine`. */
static inline void lanes_straight_moves(BoardLanes *found, const BoardLanes *mine,
                                        const BoardLanes *theirs)
{
    TurnedLanes own, other, behind;
    lanes_turned(&own, mine);
    lanes_turned(&other, theirs);
    lanes_row_moves(&behind.as_is, &own.as_is, &other.as_is);
    lanes_row_moves(&behind.mirrored, &own.mirrored, &other.mirrored);
    lanes_row_moves(&behind.turned, &own.turned, &other.turned);
    lanes_row_moves(&behind.turned_mirrored, &own.turned_mirrored, &other.turned_mirrored);
    lanes_turned_back(found, &behind);
}

/* Discs that a move turns over along rows and columns. */
static inline __attribute__((always_inline)) void
lanes_straight_flips(BoardLanes *flips, const BoardLanes *move, const BoardLanes *mine,
                     const BoardLanes *theirs, bool ends_only)
{
    TurnedLanes from, own, other, runs;
    lanes_turned(&from, move);
    lanes_turned(&own, mine);
    lanes_turned(&other, theirs);
    lanes_row_flips(&runs.as_is, &from.as_is, &own.as_is, &other.as_is, ends_only);
    lanes_row_flips(&runs.mirrored, &from.mirrored, &own.mirrored, &other.mirrored, ends_only);
    lanes_row_flips(&runs.turned, &from.turned, &own.turned, &other.turned, ends_only);
    lanes_row_flips(&runs.turned_mirrored, &from.turned_mirrored, &own.turned_mirrored,
                    &other.turned_mirrored, ends_only);
    lanes_turned_back(flips, &runs);
}

#else
#define lanes_straight_moves lanes_straight_moves_ref
#define lanes_straight_flips lanes_straight_flips_ref
#endif

#endif
