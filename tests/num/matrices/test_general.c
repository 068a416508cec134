/* tests/num/matrices/test_general.c - eigenvalues of general matrices against what is known of
 * them, and rotations that are uniform. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "num/matrices/general.h"

enum { MOST = 24 };

static void product(double *out, const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            out[i * n + j] = 0;
            for (size_t k = 0; k < n; k++) {
                out[i * n + j] += a[i * n + k] * b[k * n + j];
            }
        }
    }
}

static double trace(const double *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i * n + i];
    }
    return sum;
}

/* The sums of the first three powers of the eigenvalues are the traces of the powers. */
static void power_sums_are_traces(void **state)
{
    for (size_t n = 1; n <= MOST; n++) {
        double a[MOST * MOST], a2[MOST * MOST], a3[MOST * MOST], kept[MOST * MOST];
        double re[MOST], im[MOST], sum[3] = {0}, imaginary = 0, size = 0;
        Rng rng = rng_at(3, RNG_TEST, n);
        for (size_t i = 0; i < n * n; i++) {
            a[i] = kept[i] = rng_normal(&rng);
            size += a[i] * a[i];
        }
        product(a2, a, a, n);
        product(a3, a2, a, n);
        assert_int_equal(general_eigenvalues(re, im, kept, n), 0);
        for (size_t i = 0; i < n; i++) {
            sum[0] += re[i];
            sum[1] += re[i] * re[i] - im[i] * im[i];
            sum[2] += re[i] * (re[i] * re[i] - 3 * im[i] * im[i]);
            imaginary += im[i];
        }
        assert_true(fabs(sum[0] - trace(a, n)) < 1e-11 * size);
        assert_true(fabs(sum[1] - trace(a2, n)) < 1e-11 * size);
        assert_true(fabs(sum[2] - trace(a3, n)) < 1e-11 * size * sqrt(size));
        assert_true(fabs(imaginary) < 1e-12 * size); /* they come in pairs */
    }
}

/* The companion matrix of (x - 1)(x - 2)...(x - 6), and a rotation by 90 degrees beside a 3. */
static void known_eigenvalues(void **state)
{
    double roots[6 * 6] = {21, -175, 735, -1624, 1764, -720}, re[6], im[6], found = 0;
    for (size_t i = 1; i < 6; i++) {
        roots[i * 6 + i - 1] = 1;
    }
    assert_int_equal(general_eigenvalues(re, im, roots, 6), 0);
    for (size_t i = 0; i < 6; i++) {
        assert_true(fabs(re[i] - round(re[i])) < 1e-8 && im[i] == 0);
        found += pow(10, round(re[i]) - 1);
    }
    assert_true(found == 111111);
    double turned[9] = {0, 1, 0, -1, 0, 0, 0, 0, 3};
    assert_int_equal(general_eigenvalues(re, im, turned, 3), 0);
    assert_true(fabs(re[0]) + fabs(re[1]) < 1e-14 && fabs(re[2] - 3) < 1e-14);
    assert_true(fabs(fabs(im[0]) - 1) < 1e-14 && fabs(im[0] + im[1]) < 1e-14);
    double broken[4] = {1, NAN, 0, 1};
    assert_int_equal(general_eigenvalues(re, im, broken, 2), OGPT_ENUM);
}

/* Rows are orthonormal; and E |A R B|^2 = |A|^2 |B|^2 / n, which a fixed rotation is far from. */
static void rotations_are_uniform(void **state)
{
    enum { N = 16, DRAWS = 400 };
    float r[N * N];
    double scratch[N * N], sum = 0, squares = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        Rng rng = rng_at(5, RNG_TEST, draw);
        rotation_random(r, scratch, N, &rng);
        double row = 0, other = 0, size = 0;
        for (size_t c = 0; c < N; c++) {
            row += (double)r[3 * N + c] * r[3 * N + c];
            other += (double)r[3 * N + c] * r[9 * N + c];
        }
        assert_true(fabs(row - 1) < 1e-6 && fabs(other) < 1e-6);
        /* A keeps the first two axes, B the first three: |A R B|^2 sums six numbers of R. */
        for (size_t i = 0; i < 2; i++) {
            for (size_t j = 0; j < 3; j++) {
                size += (double)r[i * N + j] * r[i * N + j];
            }
        }
        sum += size;
        squares += size * size;
    }
    double mean = sum / DRAWS, error = sqrt((squares / DRAWS - mean * mean) / DRAWS);
    assert_true(fabs(mean - 2.0 * 3.0 / N) < 3 * error);
    assert_true(error > 0 && fabs(mean - 2.0) > 30 * error); /* without a rotation */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_sums_are_traces),
        cmocka_unit_test(known_eigenvalues),
        cmocka_unit_test(rotations_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
