/* tests/probes/emergence/test_emergence_measure.c - what is measured of a checkpoint: legality as
 * probes/legality counts it, cells of all positions, the same for any number of workers.
 */
#include "tests/base/base_test.h"

#include <math.h>

#include "probes/emergence/emergence_measure.h"
#include "probes/legality/legality.h"
#include "probes/world/transposition.h"
#include "tests/probes/small_network.h"

enum { GAMES = 24, FIT = 60, PLIES = 4, SUMS_KEPT = N_EMERGENCE_MEASURES * GAMES * 2 };

static Gpt *network(const Vocab *vocab)
{
    const GptConfig cfg = small_config(vocab->variant->size, 2, 32);
    Gpt *gpt = NULL;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    gpt_init(gpt, 3, RNG_INIT);
    return gpt;
}

static double sum_of(const double *values, EmergenceMeasure measure, int which)
{
    double sum = 0;
    for (int g = 0; g < GAMES; g++) {
        sum += values[((size_t)measure * GAMES + (size_t)g) * 2 + (size_t)which];
    }
    return sum;
}

static void measures_are_what_they_are_said_to_be(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    Gpt *gpt = network(vocab);
    EmergenceGames *games = NULL;
    LegalityScore score;
    GameSource *source = NULL;
    static double values[SUMS_KEPT], many[SUMS_KEPT], other[SUMS_KEPT];
    Pool *pool = NULL;
    (void)state;
    const Work work = {.seed = 5};
    assert_int_equal(emergence_games_new(&games, vocab, FIT, GAMES, PLIES, &work), 0);
    assert_int_equal(emergence_measure(values, games, gpt, &work), 0);
    assert_int_equal(source_fresh(&source, vocab->variant, 5, RNG_EVAL), 0);
    assert_int_equal(legality_score(&score, gpt, source, 0, GAMES, &work), 0);
    assert_true(fabs(sum_of(values, EMERGENCE_EXCESS, 0) - (score.total.loss - score.total.floor)) <
                1e-9);
    assert_true(sum_of(values, EMERGENCE_STRICT, 0) == score.total.strict_errors);
    assert_true(sum_of(values, EMERGENCE_STRICT, 1) == score.total.positions);
    assert_true(score.total.strict_errors > 0);
    /* Cells: all squares of all positions; where there are two classes, what is said or true. */
    assert_true(sum_of(values, EMERGENCE_MINE, 1) == GAMES * PLIES * 36);
    double right = sum_of(values, EMERGENCE_MINE, 0) / sum_of(values, EMERGENCE_MINE, 1);
    double lent = sum_of(values, EMERGENCE_SHUFFLED, 0) / sum_of(values, EMERGENCE_SHUFFLED, 1);
    assert_true(right > lent + .02 &&
                right < 1); /* something can be read, and not of other games */
    assert_true(sum_of(values, EMERGENCE_LEGAL, 1) < GAMES * PLIES * 36);
    assert_true(sum_of(values, EMERGENCE_LEGAL, 1) > GAMES * PLIES);
    assert_true(sum_of(values, EMERGENCE_LEGAL_CELLS, 1) == GAMES * PLIES * 36);
    /* Wrong cells are the same by both scores: said or true, and not both. */
    assert_true(sum_of(values, EMERGENCE_LEGAL, 1) - sum_of(values, EMERGENCE_LEGAL, 0) ==
                sum_of(values, EMERGENCE_LEGAL_CELLS, 1) -
                    sum_of(values, EMERGENCE_LEGAL_CELLS, 0));
    assert_true(sum_of(values, EMERGENCE_EMPTY, 0) > sum_of(values, EMERGENCE_FLIPPED, 0));
    assert_true(emergence_falls[EMERGENCE_EXCESS] && !emergence_falls[EMERGENCE_MINE]);
    assert_string_equal(emergence_name(EMERGENCE_STRICT), "strict_error");

    assert_int_equal(pool_new(&pool, 3), 0);
    const Work wide = {.pool = pool, .seed = 5};
    assert_int_equal(emergence_measure(many, games, gpt, &wide), 0);
    assert_memory_equal(values, many, sizeof(values));
    gpt->params[gpt->map.W_E + 40] += 1;
    assert_int_equal(emergence_measure(other, games, gpt, &wide), 0);
    assert_memory_not_equal(values, other, sizeof(values));
    pool_free(pool);
    legality_release(&score);
    source_free(source);
    emergence_games_free(games);
    gpt_free(gpt);
}

/* With two blocks, the lens behind the middle one is the answer of the network; two histories are
 * compared as `world transposition` does; an edit is counted in wrong moves of the cases. */
static void answers_are_those_of_their_rooms(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    Gpt *gpt = network(vocab);
    EmergenceGames *games = NULL;
    GameSource *source = NULL;
    LegalityScore score;
    TranspositionScore pairs_score;
    PairSet pairs;
    static double values[SUMS_KEPT];
    const Work work = {.seed = 5};
    const PairMakeOptions wanted = {.n = GAMES,
                                    .kind = PAIR_TRANSPOSITION,
                                    .min_moves = case_min_moves(vocab->variant),
                                    .before_end = case_before_end(vocab->variant)};
    const Player player = {.kind = PLAYER_NETWORK, .vocab = vocab, .gpt = gpt};
    (void)state;
    assert_int_equal(emergence_games_new(&games, vocab, FIT, GAMES, 0, &work), 0);
    assert_int_equal(emergence_measure(values, games, gpt, &work), 0);
    assert_int_equal(source_fresh(&source, vocab->variant, 5, RNG_EVAL), 0);
    assert_int_equal(legality_score(&score, gpt, source, 0, GAMES, &work), 0);
    assert_true(sum_of(values, EMERGENCE_LENS, 1) == score.total.positions);
    /* Double against float: one token of one position may change places. */
    assert_true(fabs(sum_of(values, EMERGENCE_LENS, 0) - score.total.set_f1) < 0.5);
    assert_true(score.total.set_f1 > 1);
    assert_int_equal(pairs_make(&pairs, vocab->variant, &wanted, &work), 0);
    assert_int_equal(world_transposition(&pairs_score, &player, &pairs, &work), 0);
    assert_true(fabs(sum_of(values, EMERGENCE_WORLD, 0) / sum_of(values, EMERGENCE_WORLD, 1) -
                     pairs_score.effect.value) < 1e-12);
    assert_true(pairs_score.effect.value > 0 && emergence_falls[EMERGENCE_WORLD]);
    double null = sum_of(values, EMERGENCE_EDIT, 1), taken = sum_of(values, EMERGENCE_EDIT, 0);
    assert_true(null > GAMES && taken != 0 && fabs(taken) < null);
    pairs_release(&pairs);
    legality_release(&score);
    source_free(source);
    emergence_games_free(games);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_what_they_are_said_to_be),
        cmocka_unit_test(answers_are_those_of_their_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
