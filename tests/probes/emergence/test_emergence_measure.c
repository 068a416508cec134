/* tests/probes/emergence/test_emergence_measure.c - label: counted - what is measured of a
 * checkpoint: legality as probes/legality counts it, cells of all positions, the same for any
 * number of workers.
 */
#include "tests/base/base_test.h"

#include <math.h>

#include "probes/emergence/emergence_measure.h"
#include "probes/emergence/emergence_parts.h"
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

/* A network that is all zeros but for one head, which gives exp(2 gain) times as much attention to
 * every second move as to the others: to those of the side to move. Position t is +1, -1 or -1, +1
 * in two coordinates, which a LayerNorm of 16 makes sqrt(8) as large. */
static void counting_head(Gpt *gpt, int head, double gain)
{
    const size_t width = (size_t)gpt->cfg.d_model, at = (size_t)head * (size_t)gpt->cfg.d_head;
    real *block = gpt->params + gpt->map.block_stride; /* of layer 1 */
    memset(gpt->params, 0, gpt->n_numbers * sizeof(*gpt->params));
    for (size_t t = 0; t < (size_t)gpt->cfg.n_ctx; t++) {
        gpt->params[gpt->map.W_pos + t * width] = t % 2 == 0 ? 1 : -1;
        gpt->params[gpt->map.W_pos + t * width + 1] = t % 2 == 0 ? -1 : 1;
    }
    for (size_t i = 0; i < width; i++) {
        gpt->params[gpt->map.ln1_w + i] = block[gpt->map.ln1_w + i] = 1;
    }
    block[gpt->map.W_Q + at] = (real)(gain / sqrt(8));
    block[gpt->map.W_K + at] = -1;
}

/* The share of that head on the moves of the side to move (theirs: of the other), minus the uniform
 * one, summed over the queries of a game at which both sides have moved. */
static double counted_excess(const HeadGames *games, size_t g, double gain, bool theirs)
{
    double sum = 0;
    for (size_t t = 1; t < games->n_queries[g]; t++) {
        const HeadKeys *keys = head_games_keys(games, g) + t;
        uint64_t side = keys->sets[theirs ? HEAD_THEIRS : HEAD_MINE];
        double on = 0, all = 0, n = 0;
        for (size_t s = 0; s <= t; s++) {
            double weight = exp((t - s) % 2 == 1 ? gain : -gain);
            on += side >> s & 1 ? weight : 0;
            n += (double)(side >> s & 1);
            all += weight;
        }
        sum += n > 0 && n <= (double)t ? on / all - n / (double)(t + 1) : 0;
    }
    return sum;
}

static HeadGames head_games(const Vocab *vocab, size_t n, RngPurpose purpose)
{
    HeadGames games;
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, vocab->variant, 5, purpose), 0);
    assert_int_equal(head_games_read(&games, vocab, source, n, WORK_ALONE), 0);
    source_free(source);
    return games;
}

/* Checkpoints whose head rises as a sigmoid of log2 of the step around 4.5, to the moves of the
 * other side if gain is turned: the step is found; the control, what it does beyond counting plies,
 * does not rise; nor does anything where there is no head. */
static void the_step_of_a_planted_head_is_found(void **state)
{
    enum { STEPS = 10 };
    const Vocab *vocab = vocab_of(game_variant(6));
    HeadGames fit = head_games(vocab, FIT, RNG_PROBE_GAMES);
    HeadGames test = head_games(vocab, GAMES, RNG_EVAL);
    static double values[STEPS][2][GAMES][2], steps[STEPS];
    static const bool falls[2] = {false, false};
    static EmergenceFound found;
    Gpt *gpt = network(vocab);
    (void)state;
    for (int turned = -1; turned <= 1; turned++) { /* 0: no head */
        size_t n = turned == 0 ? 2 : STEPS;
        for (size_t s = 0; s < n; s++) {
            steps[s] = pow(2, (double)s);
            double gain = turned * atanh(.9 / (1 + exp(-((double)s - 4.5) / .8)));
            counting_head(gpt, turned > 0, gain);
            assert_int_equal(emergence_heads(values[s][0][0], values[s][1][0], &fit, &test, gpt,
                                             &(Work){.seed = 5}),
                             0);
            for (size_t g = 0; g < GAMES; g++) {
                double known = counted_excess(&test, g, gain, turned < 0);
                assert_true(turned == 0 || fabs(values[s][0][g][0] - known) < 2e-3); /* eps */
            }
        }
        const EmergenceData data = {n, 2, GAMES, steps, &values[0][0][0][0], falls};
        assert_int_equal(emergence_find(&found, &data, 1), 0);
        const EmergenceCurve *head = &found.curves[0], *beyond = &found.curves[1];
        assert_true(fabs(beyond->gain.value) < 1e-5);
        if (turned == 0) {
            assert_true(fabs(head->gain.value) < 1e-5);
            continue;
        }
        assert_true(head->emerged && head->step == 32);
        assert_true(fabs(head->crossing.value - 4.5) < .05);
        assert_true(head->crossing.low <= 4.5 + .05 && head->crossing.high >= 4.5 - .05);
        assert_true(head->gain.value > .35 && head->gain.value < .45);
    }
    head_games_release(&fit);
    head_games_release(&test);
    gpt_free(gpt);
}

/* The head is chosen on the fit games, and scored on the others. */
static void the_head_is_that_of_other_games(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    HeadGames fit = head_games(vocab, FIT, RNG_PROBE_GAMES);
    HeadGames test = head_games(vocab, GAMES, RNG_EVAL);
    Gpt *gpt = noisy_network(6, 32, 2);
    HeadPatterns chosen, scored;
    double head[GAMES][2], beyond[GAMES][2], sums[3] = {0};
    const Work work = {.seed = 5};
    size_t best = 0;
    (void)state;
    assert_non_null(gpt);
    assert_int_equal(emergence_heads(head[0], beyond[0], &fit, &test, gpt, &work), 0);
    assert_int_equal(head_patterns_run(&chosen, gpt, &fit, NULL, &work), 0);
    assert_int_equal(head_patterns_run(&scored, gpt, &test, NULL, &work), 0);
    for (size_t h = 1; h < chosen.H; h++) {
        if (fabs(chosen.heads[h].scores[HEAD_MINE].excess.difference.value) >
            fabs(chosen.heads[best].scores[HEAD_MINE].excess.difference.value)) {
            best = h;
        }
    }
    bool mine = chosen.heads[best].scores[HEAD_MINE].excess.difference.value > 0;
    const HeadScore *score = &scored.heads[best].scores[mine ? HEAD_MINE : HEAD_THEIRS];
    for (int g = 0; g < GAMES; g++) {
        sums[0] += head[g][0];
        sums[1] += beyond[g][0];
        sums[2] += head[g][1];
        assert_true(head[g][1] == beyond[g][1]);
    }
    assert_true(fabs(sums[0] / sums[2] - score->excess.difference.value) < 1e-9);
    assert_true(fabs(sums[1] / sums[2] - score->beyond.difference.value) < 1e-9);
    assert_true(score->excess.difference.value > .001); /* and not another head's */
    assert_true(
        fabs(scored.heads[(best + 1) % scored.H].scores[HEAD_MINE].excess.difference.value) <
        score->excess.difference.value - 1e-4);
    head_patterns_release(&chosen);
    head_patterns_release(&scored);
    head_games_release(&fit);
    head_games_release(&test);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_what_they_are_said_to_be),
        cmocka_unit_test(answers_are_those_of_their_rooms),
        cmocka_unit_test(the_step_of_a_planted_head_is_found),
        cmocka_unit_test(the_head_is_that_of_other_games),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
