/* tests/num/matrices/test_symmetric.c - eigenvalues of matrices with a known spectrum, the
 * effective rank of known sets, and the cosines of random directions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/matrices/symmetric.h"

enum { N = 40 };

/* The second difference matrix of n rows: 2 on the diagonal, -1 beside it. Its eigenvalues are
 * 2 - 2 cos(k pi / (n + 1)), k = 1..n. */
static void second_differences(double *a, size_t n)
{
    memset(a, 0, n * n * sizeof(a[0]));
    for (size_t i = 0; i < n; i++) {
        a[i * n + i] = 2;
        if (i + 1 < n) {
            a[i * n + i + 1] = a[(i + 1) * n + i] = -1;
        }
    }
}

static void known_spectra_are_found(void **state)
{
    double a[N * N], values[N], one[1] = {-3};
    second_differences(a, N);
    symmetric_eigenvalues(values, a, N);
    for (size_t k = 0; k < N; k++) {
        double expected = 2 - 2 * cos((double)(N - k) * acos(-1.0) / (N + 1));
        /* 1e-12 of the Frobenius norm (15.5 here), and as much again for rounding. */
        assert_true(fabs(values[k] - expected) < 4e-11);
        assert_true(k == 0 || values[k] <= values[k - 1]);
    }
    /* Negative twin: one changed element moves the spectrum beyond that. */
    second_differences(a, N);
    a[7] = a[7 * N] = 1e-3;
    double changed[N], moved = 0;
    symmetric_eigenvalues(changed, a, N);
    for (size_t k = 0; k < N; k++) {
        moved = fmax(moved, fabs(changed[k] - values[k]));
    }
    assert_true(moved > 1e-6);
    symmetric_eigenvalues(values, one, 1);
    assert_true(values[0] == -3);
    memset(a, 0, sizeof(a));
    symmetric_eigenvalues(values, a, 3);
    assert_true(values[0] == 0 && values[2] == 0);
}

/* Trace and sum of squares are kept by the rotations, for every matrix. */
static void invariants_hold(void **state)
{
    double a[N * N], values[N], trace = 0, squares = 0;
    Rng rng = rng_at(3, RNG_TEST, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j <= i; j++) {
            a[i * N + j] = a[j * N + i] = rng_normal(&rng);
        }
    }
    for (size_t i = 0; i < N * N; i++) {
        trace += i % (N + 1) == 0 ? a[i] : 0;
        squares += a[i] * a[i];
    }
    symmetric_eigenvalues(values, a, N);
    for (size_t k = 0; k < N; k++) {
        trace -= values[k];
        squares -= values[k] * values[k];
    }
    assert_true(fabs(trace) < 1e-10 && fabs(squares) < 1e-8); /* rounding of 40 and 1,600 terms */
}

static void effective_ranks_are_known(void **state)
{
    double equal[8], one[8] = {5}, none[8] = {0}, halved[2] = {4, 1};
    for (int i = 0; i < 8; i++) {
        equal[i] = 2.5;
    }
    assert_true(fabs(effective_rank(equal, 8) - 8) < 1e-12);
    assert_true(fabs(effective_rank(one, 8) - 1) < 1e-12);
    assert_true(isnan(effective_rank(none, 8)));
    /* Singular values 2 and 1: p = 2/3, 1/3. */
    assert_true(fabs(effective_rank(halved, 2) - exp(log(3) - 2.0 / 3 * log(2))) < 1e-12);
    /* Rounding may leave a slightly negative eigenvalue: it counts as zero. */
    double rounded[2] = {4, -1e-15};
    assert_true(effective_rank(rounded, 2) == 1);
}

/* The mean |cosine| of random directions, by drawing them. */
static void random_cosines_are_as_stated(void **state)
{
    enum { D = 32, PAIRS = 4000 };
    double mean = 0, square = 0;
    Rng rng = rng_at(5, RNG_TEST, 1);
    for (int pair = 0; pair < PAIRS; pair++) {
        double dot = 0, aa = 0, bb = 0;
        for (int c = 0; c < D; c++) {
            double a = rng_normal(&rng), b = rng_normal(&rng);
            dot += a * b;
            aa += a * a;
            bb += b * b;
        }
        double cosine = dot / sqrt(aa * bb);
        mean += fabs(cosine) / PAIRS;
        square += cosine * cosine / PAIRS;
    }
    /* |cosine| has deviation about 0.107 in 32 dimensions: four standard errors of 4,000 draws. */
    assert_true(fabs(mean - random_cosine_mean(D)) < 4 * 0.107 / sqrt(PAIRS));
    assert_true(fabs(mean - random_cosine_mean(D / 2)) > 4 * 0.107 / sqrt(PAIRS));
    assert_true(fabs(sqrt(square) - random_cosine_deviation(D)) < 0.01);
    assert_true(fabs(random_cosine_mean(1) - 1) < 1e-12); /* on a line every cosine is +-1 */
    assert_true(fabs(random_cosine_mean(512) - sqrt(2 / (acos(-1.0) * 512))) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_spectra_are_found),
        cmocka_unit_test(invariants_hold),
        cmocka_unit_test(effective_ranks_are_known),
        cmocka_unit_test(random_cosines_are_as_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
