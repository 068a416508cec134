/* tests/probes/ablation/test_ablation_draws.c - kept draws give plain bootstraps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/ablation/ablation_draws.h"

enum { N = 300 };

static void same(Interval a, Interval b)
{
    /* Sums of 300 doubles in another order: 300 * 1e-16, relative. */
    assert_true(fabs(a.value - b.value) < 1e-12 * fabs(a.value));
    assert_true(fabs(a.low - b.low) < 1e-12 * fabs(a.low));
    assert_true(fabs(a.high - b.high) < 1e-12 * fabs(a.high));
}

static void intervals_are_those_of_the_plain_bootstrap(void **state)
{
    double numerator[N], denominator[N];
    AblationDraws draws, other;
    Rng rng = rng_at(1, RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        numerator[i] = 1 + rng_normal(&rng);
        denominator[i] = 1 + (double)rng_below(&rng, 3);
    }
    for (size_t n = 1; n <= N; n += 299) {
        assert_int_equal(ablation_draws_init(&draws, n, 9), 0);
        same(ablation_draws_ratio(&draws, numerator, denominator),
             bootstrap_ratio(numerator, denominator, n, 9));
        same(ablation_draws_ratio(&draws, numerator, NULL), bootstrap_ratio(numerator, NULL, n, 9));
        ablation_draws_release(&draws);
    }
    /* Twin: another seed draws other units. */
    assert_int_equal(ablation_draws_init(&other, N, 8), 0);
    Interval plain = bootstrap_ratio(numerator, NULL, N, 9);
    Interval kept = ablation_draws_ratio(&other, numerator, NULL);
    assert_true(kept.value == plain.value || fabs(kept.value - plain.value) < 1e-12);
    assert_true(fabs(kept.low - plain.low) > 1e-9);
    ablation_draws_release(&other);
    (void)state;
}

static void nothing_to_draw_from(void **state)
{
    double none[1] = {0};
    AblationDraws draws;
    assert_int_equal(ablation_draws_init(&draws, 0, 1), 0);
    assert_true(isnan(ablation_draws_ratio(&draws, none, NULL).value));
    ablation_draws_release(&draws);
    mem_fail_at(1, 0);
    assert_int_equal(ablation_draws_init(&draws, 5, 1), OGPT_ENOMEM);
    mem_fail_at(0, 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_the_plain_bootstrap),
        cmocka_unit_test(nothing_to_draw_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
