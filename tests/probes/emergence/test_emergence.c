/* tests/probes/emergence/test_emergence.c - steps of curves whose steps are known; curves that have
 * none.
 */
#include "tests/base/base_test.h"

#include <math.h>

#include "base/rng.h"
#include "probes/emergence/emergence.h"

enum { STEPS = 15, GAMES = 60, CURVES = 5 };
enum { EARLY, LATE, FALLING, CONSTANT, SHUFFLED };

static double steps[STEPS], values[STEPS][CURVES][GAMES][2];
static const bool falls[CURVES] = {[FALLING] = true};

static double noise(uint64_t i)
{
    Rng rng = rng_at(11, RNG_TEST, i);
    double sum = 0;
    for (int k = 0; k < 12; k++) { /* nearly normal */
        sum += rng_below(&rng, 1000000) / 1e6;
    }
    return sum - 6;
}

/* Sigmoids of log2 of the step, around `at`; in every game with noise of its own. */
static void curves_make(const double at[3], double size)
{
    for (int s = 0; s < STEPS; s++) {
        steps[s] = pow(2, s);
        for (int g = 0; g < GAMES; g++) {
            for (int c = 0; c < CURVES; c++) {
                double value = .3;
                if (c < CONSTANT) {
                    double y = 1 / (1 + exp(-(s - at[c]) / .8));
                    value = falls[c] ? 2 - 1.5 * y : .5 + .4 * y;
                }
                if (c != CONSTANT) {
                    value += size * noise((uint64_t)((s * CURVES + c) * GAMES + g));
                }
                values[s][c][g][1] = 8 + g % 5; /* positions of the game */
                values[s][c][g][0] = value * values[s][c][g][1];
            }
        }
    }
}

static EmergenceFound *found(void)
{
    static EmergenceFound out;
    const EmergenceData data = {STEPS, CURVES, GAMES, steps, &values[0][0][0][0], falls};
    assert_int_equal(emergence_find(&out, &data, 1), 0);
    return &out;
}

static const EmergenceOrder *order_of(const EmergenceFound *all, size_t a, size_t b)
{
    for (size_t i = 0; i < all->n_orders; i++) {
        if (all->orders[i].a == a && all->orders[i].b == b) {
            return &all->orders[i];
        }
    }
    return NULL;
}

static void known_steps_are_found_within_their_intervals(void **state)
{
    const double at[3] = {4.5, 8, 6.5};
    (void)state;
    curves_make(at, .1);
    const EmergenceFound *all = found();
    for (int c = 0; c < 3; c++) {
        const EmergenceCurve *curve = &all->curves[c];
        assert_true(curve->emerged);
        assert_true(curve->crossing.low <= at[c] && at[c] <= curve->crossing.high);
        assert_true(curve->crossing.high - curve->crossing.low < 1);
        /* Negative twin: not anything. */
        assert_false(curve->crossing.low <= at[(c + 1) % 3] &&
                     at[(c + 1) % 3] <= curve->crossing.high);
    }
    assert_true(all->curves[EARLY].step == 32); /* the first above half */
    assert_true(all->curves[FALLING].step == 128);
    assert_true(all->curves[FALLING].gain.value > 1.3 && all->curves[FALLING].gain.low > 1);
    const EmergenceOrder *order = order_of(all, EARLY, LATE);
    assert_non_null(order);
    assert_true(order->lead.low > 2 && order->lead.high < 5);
    assert_true(order->lead.low <= 3.5 && 3.5 <= order->lead.high);
    order = order_of(all, LATE, FALLING);
    assert_non_null(order);
    assert_true(order->lead.high < 0);
}

/* Two curves that rise together are in no order, whatever the games. */
static void equal_steps_have_no_order(void **state)
{
    const double at[3] = {6.5, 6.5, 6.5};
    (void)state;
    curves_make(at, .1);
    const EmergenceOrder *order = order_of(found(), EARLY, LATE);
    assert_true(order && order->lead.low < 0 && order->lead.high > 0);
}

static void what_does_not_rise_has_no_step(void **state)
{
    const double at[3] = {4.5, 8, 6.5};
    (void)state;
    curves_make(at, .1);
    const EmergenceFound *all = found();
    for (int c = CONSTANT; c <= SHUFFLED; c++) {
        assert_false(all->curves[c].emerged);
        assert_true(isnan(all->curves[c].step) && isnan(all->curves[c].crossing.value));
        assert_null(order_of(all, EARLY, (size_t)c));
    }
    assert_true(isnan(all->curves[CONSTANT].kink) && isnan(all->curves[CONSTANT].bic_gain));
    assert_true(all->curves[SHUFFLED].gain.low < 0);
    /* A curve that gets worse has no step either. */
    for (int s = 0; s < STEPS; s++) {
        for (int g = 0; g < GAMES; g++) {
            values[s][SHUFFLED][g][0] = (1 - s / 20.) * values[s][SHUFFLED][g][1];
        }
    }
    assert_true(found()->curves[SHUFFLED].gain.high < 0 && !found()->curves[SHUFFLED].emerged);
}

static void two_pieces_are_told_from_one(void **state)
{
    double x[STEPS], line[STEPS], kinked[STEPS];
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        x[i] = i;
        line[i] = 3 + .5 * i;
        kinked[i] = i < 6 ? 1 : 1 + .4 * (i - 6);
    }
    assert_true(emergence_rss(x, line, STEPS, SIZE_MAX) < 1e-20);
    assert_true(emergence_rss(x, kinked, STEPS, SIZE_MAX) > .5);
    assert_true(emergence_rss(x, kinked, STEPS, 6) < 1e-20);
    assert_true(emergence_rss(x, kinked, STEPS, 4) > .05);
    /* As curves: a straight one does not want two pieces, a kinked one shows where they meet. */
    for (int s = 0; s < STEPS; s++) {
        steps[s] = pow(2, s);
        for (int g = 0; g < GAMES; g++) {
            for (int c = 0; c < CURVES; c++) {
                double value = c == EARLY ? line[s] : kinked[s];
                value += .02 * noise((uint64_t)(1000000 + s * CURVES + c)); /* of the checkpoint */
                values[s][c][g][1] = 1;
                values[s][c][g][0] = value;
            }
        }
    }
    const EmergenceFound *all = found();
    assert_true(all->curves[EARLY].bic_gain < 4);
    assert_true(all->curves[LATE].bic_gain > 20 && all->curves[LATE].kink == 64);
}

static void what_cannot_be_is_refused(void **state)
{
    EmergenceFound out;
    const EmergenceData one = {1, CURVES, GAMES, steps, &values[0][0][0][0], falls};
    (void)state;
    assert_refused(emergence_find(&out, &one, 1), OGPT_EUSAGE, "--keep log2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_steps_are_found_within_their_intervals),
        cmocka_unit_test(equal_steps_have_no_order),
        cmocka_unit_test(what_does_not_rise_has_no_step),
        cmocka_unit_test(two_pieces_are_told_from_one),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
