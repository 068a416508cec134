/* game/game_tree.c - contract in game/game_tree.h.
 *
 * Each game is a row of choices (legal moves, rank of the one played). The rows are sorted, so the
 * games with one beginning stand together, and a node of the tree is such a range. A node holds
 * its number of legal moves and one slot a rank: the node below, the only game that goes on that
 * way, or nothing.
 */
#include "game/game_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

#define MOST_GAMES                                                                                 \
    ((size_t)1 << 20) /* 2^20 games have at most 2^31 slots: 60 nodes a game, 34 ranks */
#define NOBODY 0

/* One move of a game; legal == 0 after the last. */
typedef struct Choice {
    uint8_t rank, legal; /* rank below legal */
} Choice;

typedef struct GameRow {
    uint32_t place; /* of the game among those given */
    Choice choices[GAME_MAX_MOVES];
} GameRow;

struct GameTree {
    size_t n_rows;
    GameRow *rows;  /* [n_rows] different games, sorted by choices */
    int32_t *slots; /* [n_slots] of all nodes. A node: its legal moves, then a slot for each rank:
                       > 0 the place of the node below, < 0 ~row, NOBODY */
    size_t n_slots;
};

/* How play_random would have drawn these moves. false: it would not have. */
static bool choices_of(Choice *choices, const GameVariant *variant, const uint8_t *moves)
{
    Board board = variant->start;
    const int n = game_length(moves, variant->n_moves);
    memset(choices, 0, GAME_MAX_MOVES * sizeof(*choices));
    for (int t = 0; t <= n; t++) {
        uint64_t legal = board_moves(variant, &board);
        if (legal == 0) {
            board = board_swapped(&board);
            legal = board_moves(variant, &board);
        }
        if (t == n || legal == 0) {
            return t == n && legal == 0;
        }
        if (moves[t] >= BOARD_SQUARES || !(legal >> moves[t] & 1)) {
            return false;
        }
        choices[t].legal = (uint8_t)__builtin_popcountll(legal);
        choices[t].rank = (uint8_t)__builtin_popcountll(legal & (((uint64_t)1 << moves[t]) - 1));
        board = board_child(variant, &board, moves[t]);
    }
    return false;
}

static int compare_rows(const void *a, const void *b)
{
    const GameRow *left = a, *right = b;
    const int order = memcmp(left->choices, right->choices, sizeof(left->choices));
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static bool is_same_game(const GameRow *left, const GameRow *right)
{
    return memcmp(left->choices, right->choices, sizeof(left->choices)) == 0;
}

/* Enter the node of rows first..end-1, at least one, which agree on their choices before `t`.
 * Without slots only their number is counted. Returns the place of the node. */
static size_t add_node(GameTree *tree, size_t first, size_t end, int t)
{
    const size_t at = tree->n_slots;
    const uint8_t legal = tree->rows[first].choices[t].legal;
    tree->n_slots += 1 + (size_t)legal;
    if (tree->slots) {
        tree->slots[at] = legal;
    }
    for (size_t next; first < end; first = next) {
        const uint8_t rank = tree->rows[first].choices[t].rank;
        for (next = first + 1; next < end && tree->rows[next].choices[t].rank == rank;) {
            next++;
        }
        const int32_t below =
            next - first == 1 ? ~(int32_t)first : (int32_t)add_node(tree, first, next, t + 1);
        if (tree->slots) {
            tree->slots[at + 1 + rank] = below;
        }
    }
    return at;
}

/* Place 0 is the root, which no slot leads to: 0 is free for NOBODY. */
static int add_nodes(GameTree *tree)
{
    if (tree->n_rows == 0) {
        return 0;
    }
    add_node(tree, 0, tree->n_rows, 0);
    tree->slots = mem_calloc(tree->n_slots, sizeof(*tree->slots), "a tree of games");
    if (!tree->slots) {
        return OGPT_ENOMEM;
    }
    tree->n_slots = 0;
    add_node(tree, 0, tree->n_rows, 0);
    return 0;
}

int game_tree_new(GameTree **out, const GameVariant *variant, const uint8_t *moves, size_t n)
{
    *out = NULL;
    if (n > MOST_GAMES) {
        return err_set(OGPT_EUSAGE, "a tree holds at most %zu games, not %zu", MOST_GAMES, n);
    }
    GameTree *tree = mem_calloc(1, sizeof(*tree), "a tree of games");
    int rc = OGPT_ENOMEM;
    if (!tree) {
        return rc;
    }
    tree->rows = mem_alloc(n, sizeof(*tree->rows), "the games of a tree");
    if (tree->rows) {
        for (size_t i = 0; i < n; i++) {
            GameRow *row = &tree->rows[tree->n_rows];
            row->place = (uint32_t)i;
            tree->n_rows += choices_of(row->choices, variant, moves + i * (size_t)variant->n_moves);
        }
        qsort(tree->rows, tree->n_rows, sizeof(*tree->rows), compare_rows);
        size_t kept = 0;
        for (size_t i = 0; i < tree->n_rows; i++) {
            if (i == 0 || !is_same_game(&tree->rows[kept - 1], &tree->rows[i])) {
                tree->rows[kept++] = tree->rows[i];
            }
        }
        tree->n_rows = kept;
        rc = add_nodes(tree);
    }
    if (rc != 0) {
        game_tree_free(tree);
        return rc;
    }
    *out = tree;
    return 0;
}

void game_tree_free(GameTree *tree)
{
    if (!tree) {
        return;
    }
    mem_free(tree->rows);
    mem_free(tree->slots);
    mem_free(tree);
}

ptrdiff_t game_tree_find(const GameTree *tree, uint64_t seed, RngPurpose purpose, uint64_t index)
{
    Rng rng = rng_at(seed, purpose, index);
    int32_t at = 0;
    int t = 0;
    if (tree->n_rows == 0) {
        return -1;
    }
    do {
        const int32_t *node = tree->slots + at;
        at = node[1 + rng_below(&rng, (uint32_t)node[0])];
        t++;
    } while (at > 0);
    if (at == NOBODY) {
        return -1;
    }
    const GameRow *row = &tree->rows[~at];
    for (; t < GAME_MAX_MOVES && row->choices[t].legal > 0; t++) {
        if (rng_below(&rng, row->choices[t].legal) != row->choices[t].rank) {
            return -1;
        }
    }
    return row->place;
}
