/* tests/probes/basis/test_basis_angles.c - a simplex meets Welch's bound, orthogonal directions and
 * copies do not interfere by chance; dimensions of a direction. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/blas.h"
#include "num/matrices/symmetric.h"
#include "probes/basis/basis_angles.h"

enum { D = 16 };

/* D + 1 unit vectors in D dimensions with equal angles: v_i = a e_i - b 1 for i < D, and v_D with
 * 1 / sqrt(D) in every coordinate. */
static void simplex(float *unit)
{
    double a = sqrt(1 + 1.0 / D), b = (sqrt(D + 1.0) + 1) / (D * sqrt((double)D));
    for (size_t i = 0; i <= D; i++) {
        for (size_t c = 0; c < D; c++) {
            unit[i * D + c] = (float)(i == D ? 1 / sqrt((double)D) : (i == c ? a : 0) - b);
        }
    }
}

static void measure(BasisAngles *out, BasisChance *chance, const float *unit, size_t n)
{
    uint32_t group[4 * D];
    for (uint32_t i = 0; i < n; i++) {
        group[i] = i;
    }
    assert_int_equal(basis_chance(chance, n, D, &(Work){.seed = 3}), 0);
    assert_int_equal(basis_angles(out, unit, group, n, chance, &(Work){.seed = 3}), 0);
}

static void simplex_meets_the_bound(void **state)
{
    float unit[(D + 1) * D];
    BasisAngles found;
    BasisChance chance;
    simplex(unit);
    measure(&found, &chance, unit, D + 1);
    assert_true(fabs(found.bound - 1.0 / (D * D)) < 1e-12);
    /* Equality, of the mean and of the largest; single precision. */
    assert_true(fabs(found.cosines.square - found.bound) < 1e-6);
    assert_true(fabs(found.cosines.largest - sqrt(found.bound)) < 1e-6);
    assert_true(fabs(found.dimensions - D / (D + 1.0)) < 1e-6);
    assert_true(fabs(found.rank - D) < 1e-3);
    /* Chance does not meet it. */
    assert_true(chance.mean.square > 5 * found.bound);
    assert_true(chance.mean.largest > 3 * sqrt(found.bound));
    assert_true(found.z_square < -6);
}

static void orthogonal_copied_and_random(void **state)
{
    float unit[2 * D * D] = {0};
    BasisAngles found;
    BasisChance chance;
    for (size_t i = 0; i < D; i++) {
        unit[i * D + i] = 1;
    }
    measure(&found, &chance, unit, D);
    assert_true(found.cosines.mean == 0 && found.cosines.largest == 0 && found.bound == 0);
    assert_true(found.dimensions == 1 && fabs(found.rank - D) < 1e-9);
    assert_true(found.z_mean < -10);
    /* Random directions in D dimensions: the mean |cos| in closed form. */
    double se = chance.deviation.mean / sqrt(BASIS_DRAWS);
    assert_true(fabs(chance.mean.mean - random_cosine_mean(D)) < 4 * se);
    assert_true(fabs(chance.mean.square - 1.0 / D) <
                4 * chance.deviation.square / sqrt(BASIS_DRAWS));
    /* Twice each: half a dimension, and the bound of 2D directions is not met by the largest. */
    memcpy(unit + D * D, unit, D * D * sizeof(float));
    measure(&found, &chance, unit, 2 * D);
    assert_true(fabs(found.cosines.largest - 1) < 1e-6);
    assert_true(fabs(found.dimensions - 0.5) < 1e-6 && fabs(found.least - 0.5) < 1e-6);
    assert_true(fabs(found.cosines.square - found.bound) < 1e-6); /* a tight frame */
    assert_true(found.mean.low <= found.mean.value && found.mean.value <= found.mean.high);
}

static void groups_are_drawn_whole(void **state)
{
    /* Two directions of every group are equal, groups are orthogonal: between groups all is 0. */
    float unit[2 * D * D] = {0};
    uint32_t group[2 * D];
    BasisAngles found;
    BasisChance chance;
    for (uint32_t i = 0; i < 2 * D; i++) {
        group[i] = i / 2;
        unit[i * D + i / 2] = 1;
    }
    assert_int_equal(basis_chance(&chance, 2 * D, D, WORK_ALONE), 0);
    assert_int_equal(basis_angles(&found, unit, group, D, &chance, WORK_ALONE), 0);
    /* Pairs of one group count among the cosines, not in the mean, nor in its interval. */
    assert_true(found.cosines.mean > 0 && found.mean.value == 0);
    assert_true(found.mean.low == 0 && found.mean.high == 0);
}

static void value_lies_in_its_interval(void **state)
{
    /* Twins in a group are nearly one: with their pairs the mean is far above that of strangers. */
    enum { GROUPS = 6 };
    float unit[2 * GROUPS * D] = {0};
    uint32_t group[2 * GROUPS];
    Rng rng = rng_at(2, RNG_TEST, 0);
    BasisAngles found;
    BasisChance chance;
    for (uint32_t i = 0; i < 2 * GROUPS; i++) {
        group[i] = i / 2;
        double square = 0;
        for (size_t c = 0; c < D; c++) {
            unit[i * D + c] =
                i % 2 ? unit[(i - 1) * D + c] : (float)(0.02 * rng_normal(&rng) + (c == i / 2));
            square += (double)unit[i * D + c] * (double)unit[i * D + c];
        }
        for (size_t c = 0; c < D; c++) {
            unit[i * D + c] = (float)((double)unit[i * D + c] / sqrt(square));
        }
    }
    assert_int_equal(basis_chance(&chance, 2 * GROUPS, D, WORK_ALONE), 0);
    assert_int_equal(basis_angles(&found, unit, group, GROUPS, &chance, WORK_ALONE), 0);
    assert_true(found.mean.low <= found.mean.value && found.mean.value <= found.mean.high);
    assert_true(found.mean.high > found.mean.low && found.cosines.mean > found.mean.high);
}

static void dimensions_add_up_to_at_most_d(void **state)
{
    double w[40 * 4], dims[40];
    Rng rng = rng_at(1, RNG_TEST, 0);
    for (size_t i = 0; i < 160; i++) {
        w[i] = rng_normal(&rng);
    }
    double sum = basis_dimensions(dims, w, 40, 4);
    assert_true(sum > 2 && sum <= 4 + 1e-9);
    memset(w + 4, 0, 4 * sizeof(*w));
    basis_dimensions(dims, w, 2, 4);
    assert_true(fabs(dims[0] - 1) < 1e-12 && dims[1] == 0);
    w[4] = -3 * w[0], w[5] = -3 * w[1], w[6] = -3 * w[2], w[7] = -3 * w[3];
    basis_dimensions(dims, w, 2, 4); /* one line: 1 / (1 + 9) and 9 / (1 + 9) */
    assert_true(fabs(dims[0] - 0.1) < 1e-12 && fabs(dims[1] - 0.9) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simplex_meets_the_bound),
        cmocka_unit_test(orthogonal_copied_and_random),
        cmocka_unit_test(groups_are_drawn_whole),
        cmocka_unit_test(value_lies_in_its_interval),
        cmocka_unit_test(dimensions_add_up_to_at_most_d),
    };
    return blas_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
