/* tests/probes/world/test_states.c - the engine compresses and tells apart without a mistake; who
 * sees empty squares alone compresses and tells nothing apart; boundaries are those of the plain
 * rules; a plant is one mistake; any number of workers counts the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes/world/states.h"
#include "tests/probes/world/world_fixture.h"

static void draw(PairSet *out, const WorldFixture *f, PairKind kind, size_t n)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    options.n = n;
    options.kind = kind;
    assert_int_equal(pairs_make(out, f->variant, &options, &f->alone), 0);
}

static void histories_of_one_state_go_on_alike(void **state)
{
    WorldFixture f;
    PairSet pairs = {0};
    CompressionScore scores[N_WORLD_EPS], again[N_WORLD_EPS];
    assert_int_equal(world_fixture_open(&f, 6), 0);
    draw(&pairs, &f, PAIR_TRANSPOSITION, 12);
    for (int kind = PLAYER_ENGINE; kind <= PLAYER_EITHER_SIDE; kind++) {
        assert_int_equal(world_compression(scores, &f.set.players[kind], &pairs, 4, &f.alone), 0);
        for (int e = 0; e < N_WORLD_EPS - 1; e++) { /* .1 leaves out moves of many */
            assert_true(scores[e].strict.value == 1 && scores[e].tokens.value == 1);
            /* The engine plays its games to the end; who does not know the rules stops early. */
            assert_true((scores[e].length.value > 4 * 8) == (kind == PLAYER_ENGINE));
            assert_true(scores[e].length.value >= 4);
        }
    }
    /* Who accepts nothing has compressed nothing. */
    PlayerPlant plant = {pairs.pairs[0].clean_board, TOK_PAD};
    Player refuses = f.set.players[PLAYER_ENGINE];
    PairSet one = pairs;
    one.n = 1;
    refuses.plant = &plant;
    assert_int_equal(world_compression(scores, &refuses, &one, 4, &f.alone), 0);
    assert_true(isnan(scores[0].strict.value) && isnan(scores[0].tokens.value));
    const Player *player = &f.set.players[PLAYER_RANDOM_MISTAKES];
    assert_int_equal(world_compression(scores, player, &pairs, 4, &f.alone), 0);
    assert_int_equal(world_compression(again, player, &pairs, 4, &f.together), 0);
    assert_memory_equal(scores, again, sizeof(scores));
    assert_true(scores[WORLD_EPS_SCORE + 1].tokens.value < 1);
    assert_true(scores[WORLD_EPS_SCORE + 1].strict.value <
                scores[WORLD_EPS_SCORE + 1].tokens.value);
    pairs_release(&pairs);
    world_fixture_close(&f);
}

static void boundaries_are_told_by_who_knows_owners(void **state)
{
    WorldFixture f;
    PairSet flips = {0};
    DistinctionScore scores[N_WORLD_EPS], again[N_WORLD_EPS];
    assert_int_equal(world_fixture_open(&f, 6), 0);
    draw(&flips, &f, PAIR_FLIP, 12);
    for (int kind = 0; kind < N_STATE_PAIRS; kind++) {
        assert_int_equal(world_distinction(scores, &f.set.players[PLAYER_ENGINE], (StatePairs)kind,
                                           &flips, &f.alone),
                         0);
        for (int e = 0; e < N_WORLD_EPS - 1; e++) {
            assert_true(scores[e].precision.low == 1 && scores[e].recall.low == 1);
            assert_true(scores[e].strict.value == 1 && scores[e].boundary.value > 1);
        }
        assert_true(scores[0].recall_at[0].value == 1 && scores[0].recall_at[2].value == 1);
    }
    double boundary = scores[0].boundary.value;
    const Player *empties = &f.set.players[PLAYER_EMPTIES];
    assert_int_equal(world_distinction(scores, empties, STATES_FLIP, &flips, &f.alone), 0);
    assert_true(scores[0].recall.high == 0 && scores[0].boundary.value == boundary);
    assert_true(isnan(scores[0].precision.value)); /* it has no boundary of its own */
    assert_int_equal(world_distinction(scores, empties, STATES_ANY, &flips, &f.alone), 0);
    assert_true(scores[0].recall.value > 0 && scores[0].precision.value < 1);
    const Player *player = &f.set.players[PLAYER_NETWORK];
    assert_int_equal(world_distinction(scores, player, STATES_FLIP, &flips, &f.alone), 0);
    assert_int_equal(world_distinction(again, player, STATES_FLIP, &flips, &f.together), 0);
    for (int e = 0; e < N_WORLD_EPS; e++) {
        assert_memory_equal(&scores[e].eps, &again[e].eps,
                            sizeof(scores[e]) - offsetof(DistinctionScore, eps));
    }
    pairs_release(&flips);
    world_fixture_close(&f);
}

/* One step of the definition, by hand: suffixes of one and two moves that end a pair's boundary. */
static void the_boundary_is_that_of_the_rules(void **state)
{
    WorldFixture f;
    PairSet flips = {0};
    DistinctionScore scores[N_WORLD_EPS];
    double expected = 0;
    assert_int_equal(world_fixture_open(&f, 6), 0);
    draw(&flips, &f, PAIR_FLIP, 1);
    const GamePair *pair = &flips.pairs[0];
    Board a[3] = {pair->clean_board}, b[3] = {pair->corrupt_board};
    uint64_t on[3];
    for (int x = -1; x < 64; x++) {
        for (int y = -1; y < 64; y++) {
            if (x < 0 && y >= 0) {
                continue;
            }
            a[2] = a[0];
            b[2] = b[0];
            bool legal = true;
            for (int step = 0; step < 2; step++) {
                int sq = step == 0 ? x : y;
                on[step] = board_moves(f.variant, &a[2]) & board_moves(f.variant, &b[2]);
                if (sq >= 0 && legal) {
                    legal = on[step] >> sq & 1;
                    if (legal) {
                        board_play(f.variant, &a[2], sq);
                        board_play(f.variant, &b[2], sq);
                    }
                }
            }
            if (legal && !board_is_over(f.variant, &a[2]) && !board_is_over(f.variant, &b[2])) {
                expected += __builtin_popcountll(board_moves(f.variant, &a[2]) &
                                                 ~board_moves(f.variant, &b[2]));
            }
        }
    }
    assert_int_equal(
        world_distinction(scores, &f.set.players[PLAYER_ENGINE], STATES_FLIP, &flips, &f.alone), 0);
    assert_true(expected > 0 && scores[0].boundary.value == expected);
    /* A plant that refuses one board's moves loses what ends there, and nothing else. */
    PlayerPlant plant = {pair->clean_board, 0};
    Player player = f.set.players[PLAYER_ENGINE];
    player.plant = &plant;
    assert_int_equal(world_distinction(scores, &player, STATES_FLIP, &flips, &f.alone), 0);
    assert_true(scores[0].recall_at[0].value == 0 && scores[0].recall.value == 0);
    pairs_release(&flips);
    world_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_of_one_state_go_on_alike),
        cmocka_unit_test(boundaries_are_told_by_who_knows_owners),
        cmocka_unit_test(the_boundary_is_that_of_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
