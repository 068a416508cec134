/* tests/game/test_game_tree.c - a tree finds exactly the random games that it holds, as comparing
 * all moves does. */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "base/err.h"
#include "game/game_tree.h"
#include "game/play.h"

enum { HELD = 3000, ASKED = 20000, SEED = 7 };

static uint8_t held[HELD * GAME_MAX_MOVES];

/* HELD games: half of (SEED, RNG_FRESH) from index 100 on, half of another purpose. */
static GameTree *tree_of(const GameVariant *variant)
{
    GameTree *tree = NULL;
    for (uint64_t i = 0; i < HELD; i++) {
        play_random(held + i * (size_t)variant->n_moves, variant, SEED,
                    i % 2 == 0 ? RNG_FRESH : RNG_GENERATE, 100 + i / 2);
    }
    assert_int_equal(game_tree_new(&tree, variant, held, HELD), 0);
    return tree;
}

/* The plain way: make the game and compare it with all. */
static ptrdiff_t find_ref(const GameVariant *variant, size_t n, RngPurpose purpose, uint64_t index)
{
    uint8_t moves[GAME_MAX_MOVES];
    const size_t stride = (size_t)variant->n_moves;
    play_random(moves, variant, SEED, purpose, index);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(held + i * stride, moves, stride) == 0) {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

static void what_it_holds_is_found(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        GameTree *tree = tree_of(variant);
        size_t found = 0;
        for (uint64_t i = 0; i < ASKED; i++) {
            const RngPurpose purpose = i % 2 == 0 ? RNG_FRESH : RNG_HELDOUT;
            const ptrdiff_t place = game_tree_find(tree, SEED, purpose, i / 2);
            if (place >= 0 || i < 2 * HELD) {
                assert_int_equal(place, find_ref(variant, HELD, purpose, i / 2));
            }
            found += place >= 0;
        }
        /* All 1,500 planted; on 4x4, with its 60,060 games, others too. */
        assert_true(size == 4 ? found > 1600 : found >= 1500 && found < 1600);
        /* The twins: another seed, another index. */
        if (size == 8) {
            assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 100), 0);
            assert_int_equal(game_tree_find(tree, SEED + 1, RNG_FRESH, 100), -1);
            assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 99), -1);
        }
        game_tree_free(tree);
    }
}

/* The first of equal games is named; one that stops early, is not legal or differs in its last
 * move is not found. */
static void other_games_are_not_taken_for_random_ones(void **state)
{
    const GameVariant *variant = game_variant(6);
    const size_t stride = (size_t)variant->n_moves;
    GameTree *tree = NULL;
    for (uint64_t i = 0; i < 6; i++) {
        play_random(held + i * stride, variant, SEED, RNG_FRESH, i / 2);
    }
    const int n = game_length(held + 4 * stride, variant->n_moves);
    assert_int_equal(game_tree_new(&tree, variant, held, 6), 0);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 0), 0);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 1), 2);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 2), 4);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 3), -1);
    game_tree_free(tree);

    held[4 * stride + (size_t)n - 1] = SQ_NONE;    /* stops early; place 5 is still whole */
    held[0] = 0;                                   /* a1 is no first move; place 1 is still legal */
    held[2 * stride] = held[3 * stride] = SQ_NONE; /* no move at all */
    assert_int_equal(game_tree_new(&tree, variant, held, 6), 0);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 0), 1);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 1), -1);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 2), 5);
    game_tree_free(tree);

    assert_int_equal(game_tree_new(&tree, variant, held, 0), 0);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 0), -1);
    game_tree_free(tree);
    assert_int_equal(game_tree_new(&tree, variant, held, 1), 0);
    assert_int_equal(game_tree_find(tree, SEED, RNG_FRESH, 0), -1);
    game_tree_free(tree);
    assert_refused(game_tree_new(&tree, variant, held, ((size_t)1 << 20) + 1), OGPT_EUSAGE,
                   "at most 1048576 games");
    assert_null(tree);
}

static void failing_allocations_are_reported(void **state)
{
    int rc = OGPT_ENOMEM;
    uint64_t n = 0;
    for (uint64_t i = 0; i < 10; i++) {
        play_random(held + i * 60, game_variant(8), SEED, RNG_FRESH, i);
    }
    while (rc != 0 && n < 100) {
        GameTree *tree = NULL;
        n++;
        mem_fail_at(n, 0);
        rc = game_tree_new(&tree, game_variant(8), held, 10);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
            assert_null(tree);
        }
        game_tree_free(tree);
    }
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_holds_is_found),
        cmocka_unit_test(other_games_are_not_taken_for_random_ones),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
