/* game/perft.c - leaf counts by the fast rules. */
#include "game/perft.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "game/board_lanes.h"
#include "game/rules_ref.h"

/* The first plies are expanded into a list whose entries are counted in parallel. */
#define SPLIT_PLIES 4
#define SPLIT_BOARDS 256 /* the widest board has 244 positions after 4 plies */

/* Board by board. */
static uint64_t leaves_below(const GameVariant *variant, const Board *board, int depth)
{
    if (depth == 0) {
        return 1;
    }
    uint64_t legal = board_moves(variant, board);
    if (legal == 0) {
        const Board other = board_swapped(board);
        return board_moves(variant, &other) == 0 ? 1 : leaves_below(variant, &other, depth - 1);
    }
    if (depth == 1) {
        return (uint64_t)__builtin_popcountll(legal);
    }
    uint64_t leaves = 0;
    for (; legal != 0; legal &= legal - 1) {
        const Board next = board_child(variant, board, __builtin_ctzll(legal));
        leaves += leaves_below(variant, &next, depth - 1);
    }
    return leaves;
}

/* Moves whose leaves are one ply below them: they wait until a vector of them is full. */
typedef struct Leaves {
    const GameVariant *variant;
    uint64_t count;
    int n;
    uint64_t mine[BOARD_LANES], theirs[BOARD_LANES], move[BOARD_LANES];
} Leaves;

/* Play the moves that wait and count what may follow each. */
static void leaves_flush(Leaves *leaves)
{
    BoardLanes mine, theirs, move, legal;
    memcpy(&mine, leaves->mine, sizeof(mine));
    memcpy(&theirs, leaves->theirs, sizeof(theirs));
    memcpy(&move, leaves->move, sizeof(move));
    if (leaves->variant->rules == RULES_NO_MID_FLIP) {
        lanes_play(&mine, &theirs, &move, true);
    } else {
        lanes_play(&mine, &theirs, &move, false);
    }
    lanes_moves(&legal, leaves->variant->squares, &mine, &theirs);
    for (int i = 0; i < leaves->n; i++) {
        const int n = __builtin_popcountll(legal[i]);
        leaves->count += n > 0 ? (uint64_t)n : 1; /* a pass, or the end of the game: one leaf */
    }
    leaves->n = 0;
}

/* Add the leaves `depth` plies below the board, depth >= 2; some may wait. */
static void leaves_add(Leaves *leaves, const Board *board, int depth)
{
    uint64_t legal = board_moves(leaves->variant, board);
    if (legal == 0) {
        /* A pass is a ply; with one ply left, or none to play, little is left to count. */
        const Board other = board_swapped(board);
        if (depth == 2 || board_moves(leaves->variant, &other) == 0) {
            leaves->count += leaves_below(leaves->variant, board, depth);
        } else {
            leaves_add(leaves, &other, depth - 1);
        }
        return;
    }
    for (; legal != 0; legal &= legal - 1) {
        if (depth > 2) {
            const Board next = board_child(leaves->variant, board, __builtin_ctzll(legal));
            leaves_add(leaves, &next, depth - 1);
            continue;
        }
        leaves->mine[leaves->n] = board->mine;
        leaves->theirs[leaves->n] = board->theirs;
        leaves->move[leaves->n++] = legal & -legal;
        if (leaves->n == BOARD_LANES) {
            leaves_flush(leaves);
        }
    }
}

uint64_t perft_board(const GameVariant *variant, const Board *board, int depth)
{
    if (depth < 2) {
        return leaves_below(variant, board, depth);
    }
    Leaves leaves = {.variant = variant};
    leaves_add(&leaves, board, depth);
    leaves_flush(&leaves);
    return leaves.count;
}

typedef struct PerftWork {
    const GameVariant *variant;
    int depth; /* plies left below each board */
    Board boards[SPLIT_BOARDS];
    uint64_t leaves[SPLIT_BOARDS];
    size_t n;
} PerftWork;

/* List the positions `plies` below `board`; an ended game is listed where it ended and counts as
 * one leaf, at any remaining depth. */
static void list_positions(PerftWork *work, const Board *board, int plies)
{
    uint64_t legal = board_moves(work->variant, board);
    if (plies == 0 || board_is_over(work->variant, board)) {
        assert(work->n < SPLIT_BOARDS);
        work->boards[work->n++] = *board;
        return;
    }
    if (legal == 0) {
        const Board other = board_swapped(board);
        list_positions(work, &other, plies - 1);
        return;
    }
    for (; legal != 0; legal &= legal - 1) {
        const Board next = board_child(work->variant, board, __builtin_ctzll(legal));
        list_positions(work, &next, plies - 1);
    }
}

static int count_leaves(void *context, size_t job, size_t worker)
{
    (void)worker;
    PerftWork *work = context;
    work->leaves[job] = perft_board(work->variant, &work->boards[job], work->depth);
    return 0;
}

int perft_start(uint64_t *leaves, const GameVariant *variant, int depth, Pool *pool)
{
    assert(depth >= 0);
    const int split = depth < SPLIT_PLIES ? depth : SPLIT_PLIES;
    PerftWork work = {.variant = variant, .depth = depth - split};
    list_positions(&work, &variant->start, split);
    const int rc = pool_run(pool, work.n, count_leaves, &work);
    if (rc != 0) {
        return rc;
    }
    *leaves = 0;
    for (size_t i = 0; i < work.n; i++) {
        *leaves += work.leaves[i];
    }
    return 0;
}

#define PUBLISHED_7 55092 /* leaves on 8x8 */

int perft_self_check(Pool *pool)
{
    uint64_t leaves = 0;
    uint64_t fast_5 = 0;
    RefBoard board;
    int rc = perft_start(&leaves, game_variant(8), 7, pool);
    rc = rc ? rc : perft_start(&fast_5, game_variant(8), 5, pool);
    if (rc != 0) {
        return rc;
    }
    if (leaves != PUBLISHED_7) {
        return err_set(OGPT_ENEGATIVE, "perft 7: %d expected, found %llu", PUBLISHED_7,
                       (unsigned long long)leaves);
    }
    ref_start(&board, 8);
    uint64_t ref_5 = ref_perft(&board, 5);
    if (ref_5 != fast_5) {
        return err_set(OGPT_ENEGATIVE, "perft 5: reference rules %llu, fast rules %llu",
                       (unsigned long long)ref_5, (unsigned long long)fast_5);
    }
    return 0;
}
