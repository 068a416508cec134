/* tests/probes/basis/test_basis_kurtosis.c - a sparse signal on coordinates, and the same rotated;
 * the plain version; any number of workers; what cannot be measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/matrices/general.h"
#include "probes/basis/basis_kurtosis.h"

enum { ROWS = 2000, WIDTH = 32, GAMES = 100, ROTATIONS = 60 };

static float sparse[ROWS * WIDTH], turned[ROWS * WIDTH], normal[ROWS * WIDTH];
static uint32_t first[GAMES + 1];
static Pool *pool;

static int setup(void **state)
{
    static float rotation[WIDTH * WIDTH];
    static double scratch[WIDTH * WIDTH];
    Rng rng = rng_at(5, RNG_TEST, 0);
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        /* One coordinate in ten is on. */
        sparse[i] = rng_uniform(&rng) < 0.1 ? (float)(1 + rng_uniform(&rng)) : 0;
        normal[i] = (float)rng_normal(&rng);
    }
    for (size_t g = 0; g <= GAMES; g++) {
        first[g] = (uint32_t)(g * ROWS / GAMES);
    }
    int rc = blas_init() || pool_new(&pool, 3);
    rotation_random(rotation, scratch, WIDTH, &rng);
    gemm(false, true, ROWS, WIDTH, WIDTH, 1, sparse, WIDTH, rotation, WIDTH, 0, turned, WIDTH);
    return rc;
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

static BasisRows rows_of(const float *x)
{
    return (BasisRows){x, ROWS, WIDTH, first, GAMES, 0};
}

static void planted_basis_is_found_and_its_rotation_is_not(void **state)
{
    const BasisRows rows[] = {rows_of(sparse), rows_of(turned), rows_of(normal)};
    BasisKurtosis found[3];
    assert_int_equal(
        basis_kurtosis_run(found, rows, 3, ROTATIONS, &(Work){.pool = pool, .seed = 1}), 0);
    assert_true(found[0].z > 20);
    assert_true(found[0].z_median > 20);
    assert_true(fabs(found[0].p - 1.0 / (ROTATIONS + 1)) < 1e-12);
    assert_true(found[0].beyond.low > 1);
    /* The same rows in another basis: what is measured is the basis, not the rows. */
    assert_true(fabs(found[1].z) < 3);
    assert_true(fabs(found[1].z_median) < 3);
    assert_true(found[1].p > 0.02);
    assert_true(fabs(found[1].beyond.value) < 0.1 * found[0].beyond.value);
    assert_true(fabs(found[2].z) < 3);
    /* Rotations of the rotated rows are rotations of the rows. */
    assert_true(fabs(found[0].rotated - found[1].rotated) < 0.05 * found[0].mean.value);
    for (int i = 0; i < 3; i++) {
        assert_true(found[i].mean.low < found[i].mean.value);
        assert_true(found[i].mean.value < found[i].mean.high);
        assert_true(found[i].beyond.low < found[i].beyond.value);
        assert_true(found[i].beyond.value < found[i].beyond.high);
        basis_kurtosis_release(&found[i]);
    }
}

static void plain_version_agrees(void **state)
{
    double plain[WIDTH], mean = 0, largest = -INFINITY;
    const BasisRows rows = rows_of(sparse);
    BasisKurtosis found;
    basis_kurtosis_ref(plain, sparse, ROWS, WIDTH);
    assert_int_equal(basis_kurtosis_run(&found, &rows, 1, 2, &(Work){.seed = 1}), 0);
    for (size_t c = 0; c < WIDTH; c++) {
        mean += plain[c] / WIDTH;
        largest = fmax(largest, plain[c]);
    }
    /* Sums of fourth powers in single precision, game by game: 20 of them. */
    assert_true(fabs(found.mean.value - mean) < 1e-4 * mean);
    assert_true(fabs(found.largest - largest) < 1e-4 * largest);
    assert_true(fabs(plain[found.largest_at] - largest) < 1e-4 * largest);
    /* Bernoulli(q) times a uniform on [1,2]: moments by hand. */
    double q = 0.1, m1 = 1.5 * q, m2 = 7.0 / 3 * q, m3 = 15.0 / 4 * q, m4 = 31.0 / 5 * q;
    double second = m2 - m1 * m1;
    double fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 * m1 * m1 * m1;
    double exact = fourth / (second * second) - 3;
    assert_true(fabs(mean - exact) < 0.1 * exact); /* 32 coordinates of 2,000 draws */
    basis_kurtosis_release(&found);
}

/* A basis that nothing made special: its interval holds 0, 19 times in 20, though there are games
 * enough to tell any two bases apart. */
static void a_random_basis_is_not_beyond(void **state)
{
    enum { SETS = 16, NARROW = 8, MANY = ROWS * WIDTH / NARROW }; /* 4 times the rows, 8 wide */
    static float x[SETS][ROWS * WIDTH];
    float rotation[NARROW * NARROW];
    double scratch[NARROW * NARROW];
    uint32_t begin[GAMES + 1];
    BasisRows rows[SETS];
    BasisKurtosis found[SETS];
    size_t off = 0;
    for (size_t g = 0; g <= GAMES; g++) {
        begin[g] = (uint32_t)(g * MANY / GAMES);
    }
    for (uint32_t i = 0; i < SETS; i++) {
        Rng rng = rng_at(6, RNG_TEST, i);
        rotation_random(rotation, scratch, NARROW, &rng);
        gemm(false, true, MANY, NARROW, NARROW, 1, sparse, NARROW, rotation, NARROW, 0, x[i],
             NARROW);
        rows[i] = (BasisRows){x[i], MANY, NARROW, begin, GAMES, i};
    }
    assert_int_equal(
        basis_kurtosis_run(found, rows, SETS, ROTATIONS, &(Work){.pool = pool, .seed = 1}), 0);
    for (int i = 0; i < SETS; i++) {
        off += found[i].beyond.low > 0 || found[i].beyond.high < 0;
    }
    assert_true(off <= 3); /* of 16 at 5 %, more than 3 come once in 140 */
    /* The basis of each set is drawn for itself. */
    double same = 0;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        same += found[0].replicates[r] == found[1].replicates[r];
    }
    assert_true(same < 10);
    for (int i = 0; i < SETS; i++) {
        basis_kurtosis_release(&found[i]);
    }
}

static void workers_change_no_bit(void **state)
{
    const BasisRows rows[] = {rows_of(sparse), rows_of(turned)};
    BasisKurtosis one[2], three[2], other[2];
    assert_int_equal(basis_kurtosis_run(one, rows, 2, 12, &(Work){.seed = 1}), 0);
    assert_int_equal(basis_kurtosis_run(three, rows, 2, 12, &(Work){.pool = pool, .seed = 1}), 0);
    assert_int_equal(basis_kurtosis_run(other, rows, 2, 12, &(Work){.seed = 2}), 0);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(one[i].replicates, three[i].replicates,
                            BOOTSTRAP_REPLICATES * sizeof(double));
        assert_memory_equal(&one[i].z, &three[i].z, sizeof(double));
        assert_memory_equal(&one[i].beyond, &three[i].beyond, sizeof(Interval));
        assert_true(one[i].rotated != other[i].rotated);
        assert_memory_equal(&one[i].mean.value, &other[i].mean.value, sizeof(double));
        basis_kurtosis_release(&one[i]);
        basis_kurtosis_release(&three[i]);
        basis_kurtosis_release(&other[i]);
    }
}

static void still_coordinates_are_left_out(void **state)
{
    float *x = malloc(sizeof(sparse));
    BasisKurtosis found;
    memcpy(x, sparse, sizeof(sparse));
    for (size_t i = 0; i < ROWS; i++) {
        x[i * WIDTH] = 7;
        x[i * WIDTH + 1] *= 1e-12F; /* its fourth power is no float */
    }
    const BasisRows rows = rows_of(x);
    assert_int_equal(basis_kurtosis_run(&found, &rows, 1, 2, WORK_ALONE), 0);
    assert_int_equal(found.used, WIDTH - 2);
    assert_true(isfinite(found.mean.value) && isfinite(found.mean.high));
    basis_kurtosis_release(&found);
    memset(x, 0, sizeof(sparse));
    assert_int_equal(basis_kurtosis_run(&found, &rows, 1, 2, WORK_ALONE), OGPT_ENUM);
    basis_kurtosis_release(&found);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_basis_is_found_and_its_rotation_is_not),
        cmocka_unit_test(plain_version_agrees),
        cmocka_unit_test(a_random_basis_is_not_beyond),
        cmocka_unit_test(workers_change_no_bit),
        cmocka_unit_test(still_coordinates_are_left_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
