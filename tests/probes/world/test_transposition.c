/* tests/probes/world/test_transposition.c - two histories of one board: 0 for whoever knows the
 * board alone, not 0 for a network of random weights and for mistakes by history; detours; the same
 * numbers for any number of workers and behind a journal. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes/world/detour.h"
#include "probes/world/transposition.h"
#include "tests/probes/world/world_fixture.h"
#include "tests/probes/stopped_journal.h"

enum { SIZE = 6, PAIRS = 45 };

static void draw_pairs(PairSet *out, const WorldFixture *f)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    options.n = PAIRS;
    options.kind = PAIR_TRANSPOSITION;
    assert_int_equal(pairs_make(out, f->variant, &options, &f->alone), 0);
}

static void one_board_one_answer(void **state)
{
    WorldFixture f;
    PairSet pairs = {0};
    TranspositionScore score;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    draw_pairs(&pairs, &f);
    for (int kind = PLAYER_ENGINE; kind <= PLAYER_EITHER_SIDE; kind++) {
        assert_int_equal(world_transposition(&score, &f.set.players[kind], &pairs, &f.alone), 0);
        assert_true(score.effect.high == 0 && score.kl.value == 0 && score.jaccard.value == 1);
        assert_true(score.same_set.value == 1 && score.same_top.value == 1);
        assert_true(score.null_kl.low > 1 && score.null_distance.low > 0.1);
        assert_true(score.null_jaccard.high < 1 && score.null_same_set.value < 1);
        assert_true((score.both_legal.value == 1) == (kind == PLAYER_ENGINE));
    }
    /* Whoever reads the history does not. */
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        if (kind < PLAYER_ENGINE || kind == PLAYER_RANDOM_MISTAKES) {
            assert_int_equal(world_transposition(&score, &f.set.players[kind], &pairs, &f.alone),
                             0);
            assert_true(score.effect.low > 0 && score.distance.low > 0);
        }
    }
    pairs_release(&pairs);
    world_fixture_close(&f);
}

/* An answer that is wrong at one board, and wrong after both histories, is one answer; wrong after
 * one of them alone it is two: the second history leads to another board here. */
static void a_mistake_by_board_is_no_effect(void **state)
{
    WorldFixture f;
    PairSet pairs = {0};
    TranspositionScore score;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    draw_pairs(&pairs, &f);
    PlayerPlant plant = {pairs.pairs[3].clean_board, 9};
    Player player = f.set.players[PLAYER_ENGINE];
    player.plant = &plant;
    assert_int_equal(world_transposition(&score, &player, &pairs, &f.alone), 0);
    assert_true(score.effect.high == 0 && score.both_legal.value < 1);
    assert_true(fabs(score.both_legal.value - (PAIRS - 1.0) / PAIRS) < 1e-12);
    GamePair *pair = &pairs.pairs[3];
    Rng rng = rng_at(2, RNG_TEST, 0);
    PlayerLine clean = player_line_of(f.variant, pair->clean, pair->n_moves);
    PlayerLine other = world_other_line(&rng, f.variant, &clean);
    memcpy(pair->corrupt, other.moves, sizeof(pair->corrupt));
    assert_int_equal(world_transposition(&score, &player, &pairs, &f.alone), 0);
    assert_true(score.kl.value > 0 && score.effect.value > 0 && score.same_top.value < 1);
    pairs_release(&pairs);
    world_fixture_close(&f);
}

static void detours_end_whom_they_should(void **state)
{
    enum { ROWS = N_DETOUR_KINDS * N_DETOUR_SHARES };
    const DetourOptions options = {40, 3};
    DetourScore scores[ROWS], again[ROWS];
    WorldFixture f;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    assert_int_equal(world_detours(scores, &f.set.players[PLAYER_ENGINE], &options, &f.alone), 0);
    for (int i = 0; i < ROWS; i++) {
        double own = (1 - scores[i].share) * (f.variant->n_moves - options.opening);
        assert_true(scores[i].finished.value == 1 && scores[i].error.value == 0);
        assert_true(isnan(scores[i].first_illegal.value));
        /* Games of 6x6 end a little before the board is full. */
        assert_true(scores[i].moves.value < own + 1.5 && scores[i].moves.value > 0.8 * own - 1.5);
    }
    assert_int_equal(world_detours(scores, &f.set.players[PLAYER_EITHER_SIDE], &options, &f.alone),
                     0);
    assert_int_equal(
        world_detours(again, &f.set.players[PLAYER_EITHER_SIDE], &options, &f.together), 0);
    for (int i = 0; i < ROWS; i++) { /* from `finished` on: four intervals */
        assert_memory_equal(&scores[i].finished, &again[i].finished, 4 * sizeof(Interval));
    }
    assert_true(scores[0].finished.value < 0.5 && scores[0].first_illegal.value >= 4);
    assert_memory_equal(&scores[0].finished, &scores[N_DETOUR_SHARES].finished, sizeof(Interval));
    /* The more of its moves are made for it, the later it fails. */
    assert_true(scores[5].first_illegal.value > scores[0].first_illegal.value);
    world_fixture_close(&f);
}

/* ---- workers and journal ---- */

static void workers_and_journals_change_nothing(void **state)
{
    WorldFixture f;
    PairSet pairs = {0};
    TranspositionScore alone, together, kept, other;
    StoppedJournal journal;
    journal_begin(&journal, SIZE_MAX);
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    draw_pairs(&pairs, &f);
    const Player *player = &f.set.players[PLAYER_NETWORK];
    assert_int_equal(world_transposition(&alone, player, &pairs, &f.alone), 0);
    assert_int_equal(world_transposition(&together, player, &pairs, &f.together), 0);
    assert_memory_equal(&alone, &together, sizeof(alone));
    f.together.journal = &journal.callbacks;
    for (size_t round = 0; round < 2; round++) {
        assert_int_equal(world_transposition(&kept, player, &pairs, &f.together), 0);
        assert_memory_equal(&alone, &kept, sizeof(alone));
        assert_int_equal(journal.n_recalled, round * journal.n_kept);
        assert_true(journal.n_kept > 0);
    }
    journal_values(&journal, NULL, 0)[0] += 1; /* what is recalled is used */
    assert_int_equal(world_transposition(&kept, player, &pairs, &f.together), 0);
    assert_true(kept.kl.value > alone.kl.value);
    f.alone.seed++;
    assert_int_equal(world_transposition(&other, player, &pairs, &f.alone), 0);
    assert_true(other.null_kl.value != alone.null_kl.value);
    journal_end(&journal);
    pairs_release(&pairs);
    world_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_board_one_answer),
        cmocka_unit_test(a_mistake_by_board_is_no_effect),
        cmocka_unit_test(detours_end_whom_they_should),
        cmocka_unit_test(workers_and_journals_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
