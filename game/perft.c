/* game/perft.c - leaf counts by the fast rules: every position down to the last ply but one is
 * made, and its moves are counted; no position is looked up and no symmetry used. */
#include "game/perft.h"

#include <assert.h>

#include "base/err.h"
#include "game/flock.h"
#include "game/rules_ref.h"

/* The first plies are expanded into a list whose entries are counted in parallel. */
#define SPLIT_PLIES 4
#define SPLIT_BOARDS 256 /* the widest board has 244 positions after 4 plies */

/* At most one ply below a board. */
static uint64_t leaves_next(const GameVariant *variant, const Board *board, int depth)
{
    const int n_moves = depth == 0 ? 0 : __builtin_popcountll(board_moves(variant, board));
    return n_moves > 0 ? (uint64_t)n_moves : 1; /* a pass, or the end of the game: one leaf */
}

/* The leaves two plies below the boards of a flock. ends_only: see lanes_flips. */
static inline __attribute__((always_inline)) uint64_t
flock_leaves_2(const Flock *flock, const FlockMoves *moves, uint64_t squares, bool ends_only)
{
    BoardLanes mine, theirs, legal, count = {0};
    for (int i = 0; i < moves->n; i += BOARD_LANES) {
        const int left = moves->n - i;
        flock_children(&mine, &theirs, flock, moves, i, ends_only);
        lanes_moves(&legal, squares, &mine, &theirs);
        flock_count(&count, &legal, left < BOARD_LANES ? left : BOARD_LANES);
    }
    uint64_t leaves = 0;
    for (int i = 0; i < BOARD_LANES; i++) {
        leaves += count[i];
    }
    return leaves;
}

/* The children by the moves from `first` on, as many as a flock holds. */
static void flock_of_children(Flock *out, const GameVariant *variant, const Flock *flock,
                              const FlockMoves *moves, int first)
{
    const int left = moves->n - first;
    out->n = left < FLOCK_BOARDS ? left : FLOCK_BOARDS;
    for (int i = 0; i < out->n; i += BOARD_LANES) {
        BoardLanes mine, theirs, legal;
        if (variant->rules == RULES_NO_MID_FLIP) {
            flock_children(&mine, &theirs, flock, moves, first + i, true);
        } else {
            flock_children(&mine, &theirs, flock, moves, first + i, false);
        }
        lanes_moves(&legal, variant->squares, &mine, &theirs);
        memcpy(out->mine + i, &mine, sizeof(mine));
        memcpy(out->theirs + i, &theirs, sizeof(theirs));
        memcpy(out->legal + i, &legal, sizeof(legal));
    }
}

/* The leaves `depth` >= 2 plies below the boards that have a move. */
static uint64_t flock_leaves(const GameVariant *variant, const Flock *flock, int depth)
{
    FlockMoves moves;
    flock_list(&moves, flock);
    if (depth == 2) {
        return variant->rules == RULES_NO_MID_FLIP
                   ? flock_leaves_2(flock, &moves, variant->squares, true)
                   : flock_leaves_2(flock, &moves, variant->squares, false);
    }
    uint64_t leaves = 0;
    for (int first = 0; first < moves.n; first += FLOCK_BOARDS) {
        Flock children;
        flock_of_children(&children, variant, flock, &moves, first);
        for (int i = 0; i < children.n; i++) {
            if (children.legal[i] == 0) { /* few */
                const Board stuck = {.mine = children.mine[i], .theirs = children.theirs[i]};
                leaves += perft_board(variant, &stuck, depth - 1);
            }
        }
        leaves += flock_leaves(variant, &children, depth - 1);
    }
    return leaves;
}

uint64_t perft_board(const GameVariant *variant, const Board *board, int depth)
{
    if (depth < 2) {
        return leaves_next(variant, board, depth);
    }
    Flock flock = {.mine = {board->mine},
                   .theirs = {board->theirs},
                   .legal = {board_moves(variant, board)},
                   .n = 1};
    if (flock.legal[0] == 0) { /* a pass is a ply */
        const Board other = board_swapped(board);
        return board_moves(variant, &other) == 0 ? 1 : perft_board(variant, &other, depth - 1);
    }
    return flock_leaves(variant, &flock, depth);
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
