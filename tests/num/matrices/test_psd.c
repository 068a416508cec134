/* tests/num/matrices/test_psd.c - eigenvectors of symmetric positive matrices, of full rank and
 * not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/matrices/psd.h"

enum { SIDE = 12 };

/* B^T B of so many random rows. */
static void random_gram(double *a, int rows, uint64_t index)
{
    Rng rng = rng_at(3, RNG_TEST, index);
    memset(a, 0, SIDE * SIDE * sizeof(*a));
    for (int r = 0; r < rows; r++) {
        double b[SIDE];
        for (int i = 0; i < SIDE; i++) {
            b[i] = rng_normal(&rng);
        }
        for (int i = 0; i < SIDE * SIDE; i++) {
            a[i] += b[i / SIDE] * b[i % SIDE];
        }
    }
}

/* Vectors of values above rounding are orthonormal, and the matrix scales them. */
static void check(int rows)
{
    double a[SIDE * SIDE], kept[SIDE * SIDE], values[SIDE], trace = 0, sum = 0;
    random_gram(a, rows, (uint64_t)rows);
    memcpy(kept, a, sizeof(a));
    psd_eigenvectors(values, a, SIDE);
    for (int i = 0; i < SIDE; i++) {
        trace += kept[i * (SIDE + 1)];
        sum += values[i];
        assert_true(i == 0 || values[i] <= values[i - 1]);
        assert_true(i < rows ? values[i] > 1e-3 : values[i] < 1e-9 * values[0]);
        for (int j = 0; j < rows && i < rows && j < SIDE && i < SIDE; j++) {
            double dot = 0;
            for (int k = 0; k < SIDE; k++) {
                dot += a[i * SIDE + k] * a[j * SIDE + k];
            }
            assert_true(fabs(dot - (i == j)) < 1e-9);
        }
        for (int j = 0; j < SIDE && i < rows; j++) {
            double image = 0;
            for (int k = 0; k < SIDE; k++) {
                image += kept[j * SIDE + k] * a[i * SIDE + k];
            }
            assert_true(fabs(image - values[i] * a[i * SIDE + j]) < 1e-9 * values[0]);
        }
    }
    assert_true(fabs(sum - trace) < 1e-9 * trace);
}

static void vectors_are_eigenvectors(void **state)
{
    check(3 * SIDE);
    check(SIDE / 2); /* half of the values are 0 */
}

static void known_matrices(void **state)
{
    double turned[4] = {2.5, 1.5, 1.5, 2.5}, values[2], nothing[4] = {0};
    psd_eigenvectors(values, turned, 2);
    assert_true(fabs(values[0] - 4) < 1e-12 && fabs(values[1] - 1) < 1e-12);
    assert_true(fabs(turned[0] - turned[1]) < 1e-12 && fabs(fabs(turned[0]) - sqrt(0.5)) < 1e-12);
    psd_eigenvectors(values, nothing, 2);
    assert_true(values[0] == 0 && nothing[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_eigenvectors),
        cmocka_unit_test(known_matrices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
