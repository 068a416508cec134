/* game/flock.h - up to sixteen boards side by side, and their children in lanes: for perft.c.
 *
 * The moves of all boards become one list; from it the children are made eight at a time, so that
 * a vector is full whatever number of moves each board has. Each function has a plain form, and one
 * for processors with AVX-512 (with VBMI2 and VPOPCNTDQ: Ice Lake, Zen 4 and later).
 */
#ifndef OGPT_GAME_FLOCK_H
#define OGPT_GAME_FLOCK_H

#include <string.h>

#include "game/board_lanes.h"

#if defined(__AVX512F__) && !defined(LANES_PLAIN)
#define FLOCK_PERMUTES
#ifdef __AVX512VBMI2__
#define FLOCK_COMPRESSES
#endif
#ifdef __AVX512VPOPCNTDQ__
#define FLOCK_COUNTS
#endif
#endif

enum {
    FLOCK_BOARDS = 2 * BOARD_LANES,
    /* A list is written 64 squares at a time, and read eight at a time. */
    FLOCK_MOVES = FLOCK_BOARDS * BOARD_MAX_MOVES + BOARD_SQUARES
};

typedef struct Flock {
    uint64_t mine[FLOCK_BOARDS], theirs[FLOCK_BOARDS], legal[FLOCK_BOARDS];
    int n;
} Flock;

/* Moves of a flock: on which of its boards, and the square. Read eight at a time: the entries n to
 * n + 7 are zero. */
typedef struct FlockMoves {
    uint8_t board[FLOCK_MOVES], sq[FLOCK_MOVES];
    int n;
} FlockMoves;

static inline void flock_list(FlockMoves *out, const Flock *flock)
{
    int n = 0;
#ifdef FLOCK_COMPRESSES
    uint8_t squares[BOARD_SQUARES];
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        squares[sq] = (uint8_t)sq;
    }
    const __m512i all = _mm512_loadu_si512(squares);
    for (int i = 0; i < flock->n; i++) {
        _mm512_storeu_si512(out->sq + n, _mm512_maskz_compress_epi8(flock->legal[i], all));
        _mm512_storeu_si512(out->board + n, _mm512_set1_epi8((char)i));
        n += __builtin_popcountll(flock->legal[i]);
    }
#else
    for (int i = 0; i < flock->n; i++) {
        for (uint64_t rest = flock->legal[i]; rest != 0; rest &= rest - 1) {
            out->board[n] = (uint8_t)i;
            out->sq[n++] = (uint8_t)__builtin_ctzll(rest);
        }
    }
#endif
    memset(out->sq + n, 0, BOARD_LANES);
    memset(out->board + n, 0, BOARD_LANES);
    out->n = n;
}

/* The boards after the moves first .. first + 7 of the list, seen by the other player. */
static inline __attribute__((always_inline)) void
flock_children(BoardLanes *mine, BoardLanes *theirs, const Flock *flock, const FlockMoves *moves,
               int first, bool ends_only)
{
    BoardLanes move;
#ifdef FLOCK_PERMUTES
    const __m512i from =
        _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(moves->board + first)));
    const __m512i sq = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(moves->sq + first)));
    move = (BoardLanes)_mm512_sllv_epi64(_mm512_set1_epi64(1), sq);
    *mine = (BoardLanes)_mm512_permutex2var_epi64(_mm512_loadu_si512(flock->mine), from,
                                                  _mm512_loadu_si512(flock->mine + BOARD_LANES));
    *theirs = (BoardLanes)_mm512_permutex2var_epi64(
        _mm512_loadu_si512(flock->theirs), from, _mm512_loadu_si512(flock->theirs + BOARD_LANES));
#else
    uint64_t own[BOARD_LANES], other[BOARD_LANES], bit[BOARD_LANES];
    for (int i = 0; i < BOARD_LANES; i++) {
        const int from = moves->board[first + i];
        own[i] = flock->mine[from];
        other[i] = flock->theirs[from];
        bit[i] = 1ULL << moves->sq[first + i];
    }
    memcpy(mine, own, sizeof(own));
    memcpy(theirs, other, sizeof(other));
    memcpy(&move, bit, sizeof(bit));
#endif
    lanes_play(mine, theirs, &move, ends_only);
}

/* count += what one more ply makes of each of the first n boards with these moves: as many leaves
 * as moves; a pass, or the end of the game, is one leaf. */
static inline void flock_count(BoardLanes *count, const BoardLanes *legal, int n)
{
    BoardLanes leaves = {0};
#ifdef FLOCK_COUNTS
    leaves =
        (BoardLanes)_mm512_max_epu64(_mm512_popcnt_epi64((__m512i)*legal), _mm512_set1_epi64(1));
#else
    for (int i = 0; i < BOARD_LANES; i++) {
        const uint64_t n_moves = (uint64_t)__builtin_popcountll((*legal)[i]);
        leaves[i] = n_moves > 0 ? n_moves : 1;
    }
#endif
    const BoardLanes lane = {0, 1, 2, 3, 4, 5, 6, 7};
    *count += leaves & (BoardLanes)(lane < (uint64_t)n);
}

#endif
