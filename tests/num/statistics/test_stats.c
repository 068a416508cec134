/* tests/num/statistics/test_stats.c - the bootstrap: values, coverage, purity; what must fail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/statistics/stats.h"

enum { N = 400 };

static void fill_normal(double *out, size_t n, double mean, uint64_t index)
{
    Rng rng = rng_at(7, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = mean + rng_normal(&rng);
    }
}

static void value_is_the_ratio_of_sums(void **state)
{
    const double numerator[] = {1, 2, 3, 6}, denominator[] = {2, 2, 4, 16};
    Interval ratio = bootstrap_ratio(numerator, denominator, 4, 1);
    Interval mean = bootstrap_ratio(numerator, NULL, 4, 1);
    assert_true(ratio.value == 12.0 / 24.0);
    assert_true(mean.value == 3.0);
    /* The mean of ratios, 0.65625, is another number: the ratio is not taken unit by unit. */
    assert_true(fabs(ratio.value - 0.65625) > 0.1);
    assert_true(ratio.low <= ratio.value && ratio.value <= ratio.high);
}

/* A normal mean of n = 400 has the 95 % interval +-1.96 / 20 = +-0.098. The ends of a bootstrap
 * interval of 1,000 replicates scatter by about sqrt(0.025*0.975/1000)/0.058 = 0.085 standard
 * errors, and the sample's own deviation by 3.5 %: 0.03 is more than four times both together. */
static void interval_has_the_normal_width(void **state)
{
    double x[N];
    Interval interval;
    fill_normal(x, N, 5.0, 0);
    interval = bootstrap_ratio(x, NULL, N, 1);
    assert_true(fabs((interval.high - interval.low) - 2 * 0.098) < 0.03);

    /* Negative twin: four times the data under the same rule must not pass. */
    double wide[4 * N];
    fill_normal(wide, 4 * N, 5.0, 0);
    interval = bootstrap_ratio(wide, NULL, 4 * N, 1);
    assert_false(fabs((interval.high - interval.low) - 2 * 0.098) < 0.03);
}

/* 200 samples: a true 95 % interval misses 10 +- 3.1 times; the percentile interval at n = 40 is
 * a little short (about 93.5 %), so 2..25 misses are four deviations to both sides. */
static void interval_covers_the_truth(void **state)
{
    int missed = 0, missed_shifted = 0;
    for (uint64_t sample = 0; sample < 200; sample++) {
        double x[40];
        Interval interval;
        fill_normal(x, 40, 1.0, 100 + sample);
        interval = bootstrap_ratio(x, NULL, 40, sample);
        missed += interval.low > 1.0 || interval.high < 1.0;
        missed_shifted += interval.low > 1.5 || interval.high < 1.5;
    }
    assert_in_range(missed, 2, 25);
    assert_true(missed_shifted > 25); /* a wrong truth, 3.2 standard errors away, is missed */
}

static void difference_is_paired(void **state)
{
    double a[N], b[N], ones[N];
    Interval paired, unpaired;
    fill_normal(a, N, 10.0, 1);
    for (size_t i = 0; i < N; i++) {
        b[i] = a[i] - 0.25;
        ones[i] = 1.0;
    }
    paired = bootstrap_difference(a, ones, b, NULL, N, 3);
    assert_true(fabs(paired.value - 0.25) < 1e-12); /* sums of 400 numbers near 10 */
    assert_true(paired.high - paired.low < 1e-12);

    /* The same numbers in another order are no longer pairs: the interval opens. */
    for (size_t i = 0; i < N; i++) {
        b[i] = a[N - 1 - i] - 0.25;
    }
    unpaired = bootstrap_difference(a, NULL, b, NULL, N, 3);
    assert_true(unpaired.high - unpaired.low > 0.1);
}

static void closed_share_has_its_fixed_points(void **state)
{
    double null[N], self[N], half[N];
    Interval interval;
    fill_normal(null, N, 8.0, 2);
    fill_normal(self, N, 1.0, 3);
    for (size_t i = 0; i < N; i++) {
        half[i] = (null[i] + self[i]) / 2;
    }
    assert_true(fabs(bootstrap_closed(null, self, self, N, 1).value - 1.0) < 1e-12);
    assert_true(fabs(bootstrap_closed(null, self, null, N, 1).value) < 1e-12);
    interval = bootstrap_closed(null, self, half, N, 1);
    assert_true(fabs(interval.value - 0.5) < 1e-12);
    assert_true(interval.high - interval.low < 1e-9);
    /* The roles are not exchangeable. */
    assert_false(fabs(bootstrap_closed(self, null, self, N, 1).value - 1.0) < 0.5);
}

static void interval_is_a_pure_function(void **state)
{
    double x[N];
    Interval first, again, other_seed, other_data;
    fill_normal(x, N, 0.0, 4);
    first = bootstrap_ratio(x, NULL, N, 5);
    again = bootstrap_ratio(x, NULL, N, 5);
    other_seed = bootstrap_ratio(x, NULL, N, 6);
    assert_memory_equal(&first, &again, sizeof(first));
    assert_true(first.low != other_seed.low);
    x[17] += 1.0;
    other_data = bootstrap_ratio(x, NULL, N, 5);
    assert_true(first.value != other_data.value);
}

static void empty_and_degenerate_samples_are_nan(void **state)
{
    const double zeros[] = {0, 0, 0}, mixed[] = {0, 0, 1};
    Interval none = bootstrap_ratio(zeros, NULL, 0, 1);
    Interval zero = bootstrap_ratio(zeros, zeros, 3, 1);
    Interval some = bootstrap_ratio(mixed, mixed, 3, 1);
    assert_true(isnan(none.value) && isnan(none.low) && isnan(none.high));
    assert_true(isnan(zero.value) && isnan(zero.low) && isnan(zero.high));
    /* Replicates that drew only the empty units are left out, the rest all say 1. */
    assert_true(some.value == 1.0 && some.low == 1.0 && some.high == 1.0);
}

/* 80 data sets without a difference: p < 0.05 in 5 %, a little more at n = 50 because the
 * percentile interval is short there: 4.8 expected, 15 is more than four deviations above. With a
 * difference of one deviation each is found. */
static void paired_tests_find_what_is_there(void **state)
{
    enum { UNITS = 50, SETS = 80 };
    double x[UNITS], ones[UNITS], zero[UNITS] = {0};
    int null_found = 0, effect_found = 0;
    for (int i = 0; i < UNITS; i++) {
        ones[i] = 1;
    }
    for (int set = 0; set < SETS; set++) {
        fill_normal(x, UNITS, 0.0, 1000 + (uint64_t)set);
        null_found += bootstrap_paired(x, ones, UNITS, (uint64_t)set).p < 0.05;
        if (set % 8 == 0) {
            fill_normal(x, UNITS, 1.0, 1000 + (uint64_t)set);
            effect_found += bootstrap_paired(x, ones, UNITS, (uint64_t)set).p < 0.05;
        }
    }
    assert_in_range(null_found, 0, 15);
    assert_int_equal(effect_found, SETS / 8);
    PairedTest same = bootstrap_paired(zero, ones, UNITS, 1);
    assert_true(same.p == 1 && same.difference.value == 0 && same.difference.low == 0);
    PairedTest sure = bootstrap_paired(ones, ones, UNITS, 1);
    assert_true(fabs(sure.p - 2.0 / (PAIRED_REPLICATES + 1)) < 1e-15 && sure.difference.low == 1);
    assert_true(isnan(bootstrap_paired(zero, zero, UNITS, 1).p));
    assert_true(isnan(bootstrap_paired(x, ones, 0, 1).p));
    /* The sign turns with the difference, the p-value does not care. */
    fill_normal(x, UNITS, 0.2, 5);
    PairedTest ab = bootstrap_paired(x, ones, UNITS, 1);
    for (int i = 0; i < UNITS; i++) {
        x[i] = -x[i];
    }
    PairedTest ba = bootstrap_paired(x, ones, UNITS, 1);
    assert_true(ab.p == ba.p && ab.difference.value == -ba.difference.value);
}

/* Holm's own scheme on five p-values, worked out by hand. */
static void holm_steps_down(void **state)
{
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
    const double expected[] = {0.03, 0.06, NAN, 0.06, 0.02};
    PairedTest tests[5];
    for (int i = 0; i < 5; i++) {
        tests[i] = (PairedTest){.p = p[i]};
    }
    holm_adjust(tests, 5);
    for (int i = 0; i < 5; i++) {
        assert_true(isnan(expected[i]) ? isnan(tests[i].p_holm)
                                       : fabs(tests[i].p_holm - expected[i]) < 1e-15);
    }
    /* Negative twin: without the correction, or with Bonferroni's, they would differ. */
    assert_true(tests[0].p_holm > p[0] && tests[1].p_holm < 4 * p[1]);
    tests[0].p = 0.6;
    holm_adjust(tests, 1);
    assert_true(tests[0].p_holm == 0.6);
    tests[1].p = 0.7;
    holm_adjust(tests, 2);
    assert_true(tests[0].p_holm == 1 && tests[1].p_holm == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_is_the_ratio_of_sums),
        cmocka_unit_test(interval_has_the_normal_width),
        cmocka_unit_test(interval_covers_the_truth),
        cmocka_unit_test(difference_is_paired),
        cmocka_unit_test(closed_share_has_its_fixed_points),
        cmocka_unit_test(paired_tests_find_what_is_there),
        cmocka_unit_test(holm_steps_down),
        cmocka_unit_test(interval_is_a_pure_function),
        cmocka_unit_test(empty_and_degenerate_samples_are_nan),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
