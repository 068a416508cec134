/* tests/probes/world/test_bias.c - inductive bias: what tables of which it is known what they know
 * score, exactly where it can be exact; a network that learns, and one that may not.
 */
#include "tests/base/base_test.h"

#include <math.h>

#include "probes/world/bias_states.h"
#include "tests/probes/small_network.h"
#include "tests/probes/stopped_journal.h"

static const BiasOptions few = {.functions = 12,
                                .trained = 10,
                                .triples = 40,
                                .min_moves = 5,
                                .max_moves = 9,
                                .steps = 40,
                                .rate = .01};

static const GameVariant *variant;
static PairSet pairs;
static Gpt *gpt;

static int group_create(void **state)
{
    const PairMakeOptions wanted = {
        .n = 40, .kind = PAIR_TRANSPOSITION, .min_moves = 5, .max_moves = 9, .before_end = 10};
    (void)state;
    variant = game_variant(6);
    const GptConfig cfg = small_config(6, 1, 32);
    if (pairs_make(&pairs, variant, &wanted, &(Work){.seed = 3}) != 0 || gpt_new(&gpt, &cfg) != 0) {
        return -1;
    }
    gpt_init(gpt, 5, RNG_INIT);
    for (size_t i = 0; i < gpt->n_numbers; i++) { /* large enough to learn from at once */
        gpt->params[i] *= 5;
    }
    return 0;
}

static int group_remove(void **state)
{
    (void)state;
    pairs_release(&pairs);
    gpt_free(gpt);
    return 0;
}

static BiasScore scored(BiasLearner learner, const BiasOptions *options, Pool *pool)
{
    BiasScore score;
    const Work work = {.pool = pool, .seed = 7};
    assert_int_equal(world_bias(&score, learner, gpt, vocab_of(variant), &pairs, options, &work),
                     0);
    return score;
}

static void tables_score_what_they_know(void **state)
{
    (void)state;
    BiasScore by_state = scored(BIAS_STATE_TABLE, &few, NULL);
    BiasScore by_legal = scored(BIAS_LEGAL_TABLE, &few, NULL);
    BiasScore by_empty = scored(BIAS_EMPTY_TABLE, &few, NULL);
    BiasScore by_history = scored(BIAS_HISTORY_TABLE, &few, NULL);
    assert_true(by_state.triples == few.triples);
    /* The oracle: exactly 1, and 1 up to the draw of bits. */
    assert_true(by_state.same.value == 1 && by_state.same.low == 1);
    assert_true(by_state.learned.value == 1 && by_state.carried.value == 1);
    assert_true(fabs(by_state.apart.value - 1) < .15);
    assert_true(by_state.apart_equal.low < 1 && by_state.apart_equal.value > .8);
    assert_true(by_state.legal_gap.low < 0 && by_state.legal_gap.high > 0);
    /* Legal moves alone: the same where they are equal. */
    assert_true(by_legal.same.value == 1 && by_legal.apart_equal.value == 0);
    assert_true(by_legal.legal_gap.low > .8);
    assert_true(by_legal.learned.high < .9);
    /* Empty squares alone pass as boards: neither number knows of owners. */
    assert_true(by_empty.same.value == 1 && by_empty.same.low == 1);
    assert_true(fabs(by_empty.apart.value - 1) < .15 && by_empty.carried.high < .9);
    /* Histories: two of one state are strangers. */
    assert_true(by_history.same.low < 0.1 && by_history.same.value < .3);
    assert_true(by_history.apart_equal.value > .8 && by_history.carried.high < .9);
}

/* Different states of equal length and mover; b has the legal moves of a, c has not, at one
 * distance; none is a state that may be learned. */
static void triples_are_what_they_are_said_to_be(void **state)
{
    BiasStates states;
    (void)state;
    assert_int_equal(bias_states_make(&states, vocab_of(variant), &pairs, &few, 7), 0);
    assert_true(states.n_triples == 40 && states.n_histories == 2 * pairs.n + 3 * 40);
    for (size_t k = 0; k < states.n_triples; k++) {
        const Board *t = states.boards + 2 * states.n + 3 * k;
        const uint8_t *lengths = states.lengths + 2 * states.n + 3 * k;
        int distance[2];
        for (int m = 1; m < 3; m++) {
            assert_false(board_same(&t[0], &t[m]));
            assert_true(t[m].to_move == t[0].to_move && lengths[m] == lengths[0]);
            assert_int_equal(board_moves(variant, &t[0]) == board_moves(variant, &t[m]), m == 1);
            distance[m - 1] =
                __builtin_popcountll((t[0].mine ^ t[m].mine) | (t[0].theirs ^ t[m].theirs));
        }
        assert_true(distance[0] == distance[1] && distance[0] > 0);
        for (size_t p = 0; p < pairs.n; p++) {
            assert_false(board_same(&t[0], &pairs.pairs[p].clean_board));
        }
    }
    for (size_t p = 0; p < pairs.n; p++) { /* both histories of a pair lead to its state */
        PlayerLine line = player_line_of(variant, pairs.pairs[p].corrupt, pairs.pairs[p].n_moves);
        assert_true(board_same(&line.board, &states.boards[2 * p]));
    }
    bias_states_release(&states);
}

/* On 4x4 many boards share their empty squares: the table of empty squares says the same of them,
 * and tells others apart half of the time. Bits of (functions, triples) are independent: 4 standard
 * deviations. */
static void empty_squares_are_told_apart_and_owners_not(void **state)
{
    const GameVariant *small = game_variant(4);
    const PairMakeOptions wanted = {
        .n = 200, .kind = PAIR_TRANSPOSITION, .min_moves = 5, .max_moves = 9, .before_end = 1};
    const BiasOptions options = {
        .functions = 40, .trained = 5, .triples = 40, .min_moves = 5, .max_moves = 9};
    PairSet crowded = {0};
    BiasStates states;
    BiasScore score;
    double shared[2] = {0};
    size_t groups = 0;
    (void)state;
    assert_int_equal(pairs_make(&crowded, small, &wanted, &(Work){.seed = 3}), 0);
    assert_int_equal(world_bias(&score, BIAS_EMPTY_TABLE, NULL, vocab_of(small), &crowded, &options,
                                &(Work){.seed = 7}),
                     0);
    assert_int_equal(bias_states_make(&states, vocab_of(small), &crowded, &options, 7), 0);
    for (size_t k = 0; k < states.n_triples; k++) {
        const Board *t = states.boards + 2 * states.n + 3 * k;
        for (int m = 1; m < 3; m++) {
            shared[m - 1] += (t[0].mine | t[0].theirs) == (t[m].mine | t[m].theirs);
        }
    }
    for (size_t p = 0; p < states.n; p++) {
        const Board *a = &states.boards[2 * p], *b = &states.boards[2 * states.empty_set[p]];
        assert_true((a->mine | a->theirs) == (b->mine | b->theirs) && states.empty_set[p] <= p);
        groups += states.empty_set[p] == p;
    }
    double n = (double)states.n_triples, sd = 2 * sqrt(.25 / (40 * n));
    assert_true(groups > 1 && groups < states.n_states);
    assert_true(shared[0] / n > 4 * sd);
    assert_true(fabs(score.apart_equal.value - (1 - shared[0] / n)) < 4 * sd);
    assert_true(fabs(score.apart_unequal.value - (1 - shared[1] / n)) < 4 * sd);
    bias_states_release(&states);
    pairs_release(&crowded);
}

static void a_network_learns_if_it_may(void **state)
{
    BiasOptions none = few;
    (void)state;
    BiasScore score = scored(BIAS_NETWORK, &few, NULL);
    assert_true(score.learned.value > .9);
    assert_true(score.carried.value < score.learned.value);
    none.steps = 0; /* nothing is said about anything */
    BiasScore mute = scored(BIAS_NETWORK, &none, NULL);
    assert_true(mute.same.value == 1 && mute.apart.value == 0 && mute.apart_unequal.value == 0);
    assert_true(mute.learned.value < .7);
}

static void any_number_of_workers_gives_the_same_numbers(void **state)
{
    Pool *pool = NULL;
    (void)state;
    assert_int_equal(pool_new(&pool, 3), 0);
    BiasScore alone = scored(BIAS_NETWORK, &few, NULL), many = scored(BIAS_NETWORK, &few, pool);
    assert_memory_equal(&alone, &many, sizeof(alone));
    BiasScore other = scored(BIAS_RANDOM_MODEL, &few, pool);
    assert_memory_not_equal(&alone, &other, sizeof(alone));
    pool_free(pool);
}

/* The journal has kept everything: nothing is computed again. */
static void finished_functions_are_kept(void **state)
{
    StoppedJournal journal;
    const Work work = {.seed = 7, .journal = &journal.callbacks};
    BiasScore first, again;
    (void)state;
    journal_begin(&journal, SIZE_MAX);
    assert_int_equal(world_bias(&first, BIAS_NETWORK, gpt, vocab_of(variant), &pairs, &few, &work),
                     0);
    assert_true(journal.n_kept == 3 && journal.n_recalled == 0);
    assert_int_equal(world_bias(&again, BIAS_NETWORK, gpt, vocab_of(variant), &pairs, &few, &work),
                     0);
    assert_true(journal.n_kept == 3 && journal.n_recalled == 3);
    assert_memory_equal(&first, &again, sizeof(first));
    journal_end(&journal);
}

static void what_cannot_be_is_refused(void **state)
{
    BiasScore score;
    BiasOptions wrong = few;
    (void)state;
    wrong.trained = 40;
    assert_refused(
        world_bias(&score, BIAS_STATE_TABLE, NULL, vocab_of(variant), &pairs, &wrong, WORK_ALONE),
        OGPT_EUSAGE, "fewer of them learned");
    wrong = few;
    wrong.rate = 1e30;
    assert_refused(
        world_bias(&score, BIAS_NETWORK, gpt, vocab_of(variant), &pairs, &wrong, WORK_ALONE),
        OGPT_ENUM, "smaller --rate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_score_what_they_know),
        cmocka_unit_test(triples_are_what_they_are_said_to_be),
        cmocka_unit_test(empty_squares_are_told_apart_and_owners_not),
        cmocka_unit_test(a_network_learns_if_it_may),
        cmocka_unit_test(any_number_of_workers_gives_the_same_numbers),
        cmocka_unit_test(finished_functions_are_kept),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, group_create, group_remove);
}
