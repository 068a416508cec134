/* tests/probes/compare/test_geometry.c - directions with known angles, and random ones as their
 * negative twin; variance explained by the true board and by that of another game; fits on halves.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "num/matrices/symmetric.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/tick_log.h"
#include "probes/solvers/solver.h"
#include "probes/compare/stability.h"

enum { S = 36, D = 48, K = 3 };

static const Work seed_1 = {.seed = 1};
static ProbeFixture fixture;
static float weight[D * S * K];

static void set_weight(size_t c, size_t s, size_t k, float value)
{
    weight[(c * S + s) * K + k] = value;
}

static void fill_random(uint64_t index)
{
    Rng rng = rng_at(9, RNG_TEST, index);
    for (size_t i = 0; i < D * S * K; i++) {
        weight[i] = (float)rng_normal(&rng);
    }
}

/* Square s points along axis s, but squares 34 and 35 share axis 0 with square 0, and square 33
 * never sees the last class. */
static void known_angles_are_found(void **state)
{
    DirectionSet set;
    double rank;
    memset(weight, 0, sizeof(weight));
    for (size_t s = 0; s < S; s++) {
        set_weight(s >= 34 ? 0 : s, s, 2, s == 35 ? -3.0F : 2.0F);
        set_weight(s >= 34 ? 0 : s, s, 1, 1.0F);
    }
    for (size_t c = 0; c < D; c++) {
        set_weight(c, 33, 2, 0);
    }
    assert_int_equal(directions_of_weights(&set, weight, 6, D, K), 0);
    assert_int_equal(set.n_present, 35);
    assert_false(set.length[33] > 0);
    WithinCosines within = directions_within(&set);
    assert_int_equal(within.n_neighbours + within.n_others, 35 * 34 / 2);
    assert_int_equal(within.n_neighbours,
                     110 - 5); /* king moves on 6x6, minus those of square 33 */
    assert_true(fabs(within.neighbours - 1.0 / 105) < 1e-6); /* only 34 with 35, opposite signs */
    assert_true(fabs(within.others - 2.0 / (595 - 105)) < 1e-6); /* 0 with 34, 0 with 35 */
    assert_int_equal(directions_rank(&rank, &set), 0);
    /* 32 axes with one square each and one axis with three: singular values 1 (32 times) and
     * sqrt(3). */
    double sum = 32 + sqrt(3), p = 1 / sum, q = sqrt(3) / sum;
    assert_true(fabs(rank - exp(-32 * p * log(p) - q * log(q))) < 1e-6);
    BetweenCosines self = directions_between(&set, &set);
    assert_int_equal(self.n, 35);
    assert_true(fabs(self.same - 1) < 1e-6 && fabs(self.same_least - 1) < 1e-6);
    direction_set_release(&set);
}

/* Random directions: |cosine| about sqrt(2 / (pi d)), the effective rank near the number of
 * squares, nothing shared between two draws. */
static void random_directions_share_nothing(void **state)
{
    DirectionSet a, b;
    double rank;
    fill_random(0);
    assert_int_equal(directions_of_weights(&a, weight, 6, D, K), 0);
    fill_random(1);
    assert_int_equal(directions_of_weights(&b, weight, 6, D, K), 0);
    WithinCosines within = directions_within(&a);
    BetweenCosines between = directions_between(&a, &b);
    double mean = random_cosine_mean(D), deviation = random_cosine_deviation(D);
    /* 110 neighbours, 520 others; |cosine| has a deviation of about 0.6 of the cosine's. */
    assert_true(fabs(within.neighbours - mean) < 4 * 0.6 * deviation / sqrt(110));
    assert_true(fabs(within.others - mean) < 4 * 0.6 * deviation / sqrt(520));
    assert_true(fabs(between.same) < 4 * deviation / sqrt(S));
    assert_true(fabs(between.others - mean) < 4 * 0.6 * deviation / sqrt(35 * 36));
    assert_int_equal(directions_rank(&rank, &a), 0);
    assert_true(rank > 28 && rank < S); /* 36 draws in 48 dimensions are nearly orthogonal */
    direction_set_release(&a);
    direction_set_release(&b);
    /* The twin: a common part of all squares is visible at once. */
    for (size_t s = 0; s < S; s++) {
        set_weight(0, s, 2, 20);
    }
    assert_int_equal(directions_of_weights(&a, weight, 6, D, K), 0);
    assert_true(directions_within(&a).others > 0.5);
    assert_int_equal(directions_rank(&rank, &a), 0);
    assert_true(rank < 28);
    direction_set_release(&a);
}

static ExplainedOptions sample(void)
{
    return (ExplainedOptions){.n_games = 400, .n_test_games = 60, .plies = 6};
}

/* The board explains part of what a network holds; the board of another game at the same ply
 * explains nothing, in or out of the interval. */
static void boards_explain_and_others_do_not(void **state)
{
    Explained out[4], small[4];
    const int layers[4] = {LAYER_EMBED, 0, 1, 2};
    const SiteLayers where = {HOOK_RESID_POST, layers, 4};
    Work work = {.seed = 1, .memory_bytes = (size_t)1 << 24};
    ExplainedOptions options = sample();
    const Gpt *gpt = fixture.model.gpt;
    assert_int_equal(explained_variance(out, gpt, &where, fixture.corpus, &options, &work), 0);
    for (int i = 0; i < 4; i++) {
        assert_true(out[i].ply.value > 0 && out[i].ply.value < 1);
        assert_true(out[i].board.low > 0.02);
        /* 72 useless features on 2,400 rows cost about 3 % and gain nothing. */
        assert_true(out[i].shuffled.high < 0.01 && out[i].shuffled.value > -0.10);
        assert_true(out[i].board.low <= out[i].board.value);
    }
    /* One layer at a time, in little memory: the same numbers. */
    TickLog log;
    work.memory_bytes = 1;
    work = tick_log_work(&log, work);
    assert_int_equal(explained_variance(small, gpt, &where, fixture.corpus, &options, &work), 0);
    assert_memory_equal(small, out, sizeof(out));
    assert_true(tick_log_ended(&log, "layers", 8)); /* learnt and measured */
}

static void halves_agree_more_than_strangers(void **state)
{
    BetweenCosines halves[1];
    ExplainedOptions options = sample();
    Probe probe = {.site = HOOK_RESID_POST, .size = 6, .n_squares = S, .d_model = 24};
    snprintf(probe.task, sizeof(probe.task), "empty");
    snprintf(probe.labels, sizeof(probe.labels), "mover");
    snprintf(probe.solver, sizeof(probe.solver), "newton");
    probe.n_classes = 2;
    probe.n_layers = 1;
    probe.layers[0] = 1;
    probe.l2 = 1e-2;
    TickLog log;
    const Work heard = tick_log_work(&log, seed_1);
    assert_int_equal(stability_measure(halves, &probe, "halves", fixture.model.gpt, fixture.corpus,
                                       &options, &heard),
                     0);
    assert_true(tick_log_ended(&log, "layers", 1));
    /* An untrained network shows "empty" in few columns: its squares are similar (0.74), yet the
     * two halves of a square are more similar (0.92). */
    assert_int_equal(halves[0].n, 32); /* the four centre squares are never empty */
    assert_true(halves[0].same > 0.5 && halves[0].same > halves[0].others + 0.1);
    assert_true(halves[0].same < 0.9999); /* two samples, not one twice */
    /* A penalty that was chosen for the layer is used, whatever the probe asked for. */
    BetweenCosines chosen[1];
    probe.l2 = FIT_L2_AUTO;
    probe.fit[0].l2 = 1e-2;
    assert_int_equal(stability_measure(chosen, &probe, "halves", fixture.model.gpt, fixture.corpus,
                                       &options, &seed_1),
                     0);
    assert_true(chosen[0].same == halves[0].same);
    probe.fit[0].l2 = 1;
    assert_int_equal(stability_measure(chosen, &probe, "halves", fixture.model.gpt, fixture.corpus,
                                       &options, &seed_1),
                     0);
    assert_true(chosen[0].same != halves[0].same);
    options.n_games = 1;
    assert_int_equal(stability_measure(halves, &probe, "halves", fixture.model.gpt, fixture.corpus,
                                       &options, &seed_1),
                     OGPT_EUSAGE);
    snprintf(probe.task, sizeof(probe.task), "tea");
    assert_int_equal(stability_measure(halves, &probe, "halves", fixture.model.gpt, fixture.corpus,
                                       &options, &seed_1),
                     OGPT_EFORMAT);
}

static int setup(void **state)
{
    return fixture_open(&fixture, 800);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_angles_are_found),
        cmocka_unit_test(random_directions_share_nothing),
        cmocka_unit_test(boards_explain_and_others_do_not),
        cmocka_unit_test(halves_agree_more_than_strangers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
