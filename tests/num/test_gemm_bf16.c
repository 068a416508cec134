/* The bfloat16 product: plain and fast agree, and both are what rounding promises. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/blas.h"
#include "num/gemm_bf16.h"
#include "num/kernels.h"
#include "tests/num/kernel_sets.h"

/* Sizes around tiles (6), panels (64), register halves (16) and odd K. */
static const size_t sizes[][3] = {{1, 1, 1},     {5, 63, 2},     {6, 64, 3},
                                  {7, 65, 31},   {13, 130, 33},  {236, 128, 64},
                                  {61, 61, 128}, {128, 512, 59}, {33, 200, 17}};

static double largest(const float *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)x[i]));
    }
    return most;
}

static double difference(const float *x, const float *y, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)x[i] - (double)y[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

static void check(size_t M, size_t N, size_t K, bool ta, bool tb, bool keep, bool biased)
{
    float *a = calloc(M * K, sizeof(*a)), *b = calloc(K * N, sizeof(*b));
    float *c[3], *bias = calloc(N, sizeof(*bias));
    void *scratch = NULL;
    Rng rng = rng_at(4, RNG_TEST, M * 1000 + N);
    for (size_t i = 0; i < M * K; i++) {
        a[i] = (float)rng_normal(&rng);
    }
    for (size_t i = 0; i < K * N; i++) {
        b[i] = (float)rng_normal(&rng);
    }
    for (size_t i = 0; biased && i < N; i++) {
        bias[i] = (float)(i % 5) - 1;
    }
    for (int i = 0; i < 3; i++) {
        c[i] = calloc(M * N, sizeof(float));
        for (size_t j = 0; j < M * N; j++) {
            c[i][j] = keep ? (float)(j % 7) : NAN; /* not read when it is not kept */
        }
    }
    for (size_t j = 0; j < M * N; j++) {
        c[2][j] = (keep ? c[2][j] : 0) + bias[j % N];
    }
    assert_int_equal(posix_memalign(&scratch, 64, gemm_bf16_scratch(M, N, K)), 0);
    size_t lda = ta ? M : K, ldb = tb ? K : N;
    /* With a bias the base is another matrix, and what c held is not read. */
    float *base = calloc(M * N, sizeof(*base));
    const float *from[2];
    memcpy(base, c[0], M * N * sizeof(*base));
    for (int i = 0; i < 2; i++) {
        from[i] = !keep ? NULL : biased ? base : c[i];
        for (size_t j = 0; biased && j < M * N; j++) {
            c[i][j] = NAN;
        }
    }
    gemm_bf16_ref(ta, tb, M, N, K, a, lda, b, ldb, from[0], biased ? bias : NULL, c[0], N);
    gemm_bf16_fast(ta, tb, M, N, K, a, lda, b, ldb, from[1], biased ? bias : NULL, c[1], N,
                   scratch);
    gemm(ta, tb, M, N, K, 1, a, lda, b, ldb, 1, c[2], N);
    /* The same rounded factors, other order of sums: float rounding for K additions. */
    double scale = fmax(largest(c[0], M * N), 1);
    double allowed = (2e-6 + 1.2e-7 * (double)K) * scale;
    assert_true(difference(c[0], c[1], M * N) <= allowed);
    /* Against the exact factors: each product is off by at most 2 * 2^-9 of |a||b| (both below
     * 4.5 here with certainty for these draws), so K of them by 2^-8 * K * 20. */
    assert_true(difference(c[0], c[2], M * N) <= 20.0 / 256 * (double)K + allowed);
    /* Negative twin: rounding is visible, so the comparison with itself was not empty. */
    if (K > 16) {
        assert_true(difference(c[0], c[2], M * N) > allowed);
    }
    for (int i = 0; i < 3; i++) {
        free(c[i]);
    }
    free(scratch);
    free(base);
    free(bias);
    free(b);
    free(a);
}

static void test_fast_is_ref(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int mode = 0; mode < 16; mode++) {
            check(sizes[i][0], sizes[i][1], sizes[i][2], (mode & 1) != 0, (mode & 2) != 0,
                  (mode & 4) != 0, (mode & 8) != 0);
        }
    }
}

static void test_nan_comes_through(void **state)
{
    (void)state;
    _Alignas(64) char scratch[4096];
    float a[6] = {1, NAN, 1, 1, 1, 1}, b[4] = {1, 2, 3, 4}, c[6];
    assert_true(gemm_bf16_scratch(3, 2, 2) <= sizeof(scratch));
    gemm_bf16_fast(false, false, 3, 2, 2, a, 2, b, 2, NULL, NULL, c, 2, scratch);
    assert_true(isnan(c[0]) && isnan(c[1]));
    assert_true(c[2] == 4 && c[3] == 6);
}

/* A symmetric product has the bits of the whole one, around tiles, panels and vectors; one that is
 * not symmetric has not. */
static void test_symmetric(void **state)
{
    const size_t shapes[][2] = {{1, 3}, {16, 5}, {64, 16}, {65, 7}, {80, 33}, {100, 64}, {200, 31}};
    (void)state;
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
        size_t M = shapes[s][0], K = shapes[s][1], n = M * K > M * M ? M * K : M * M;
        float *a = calloc(n, sizeof(*a)), *c = calloc(M * M, sizeof(*c));
        float *whole = calloc(M * M, sizeof(*whole));
        void *scratch = NULL;
        Rng rng = rng_at(5, RNG_TEST, s);
        for (size_t i = 0; i < n; i++) {
            a[i] = (float)rng_normal(&rng);
        }
        size_t bytes = gemm_bf16_scratch(M, M, K > M ? K : M);
        assert_int_equal(posix_memalign(&scratch, 64, bytes), 0);
        for (int t = 0; t < 2; t++) { /* a times its transpose, both ways round */
            gemm_bf16_fast(t, !t, M, M, K, a, t ? M : K, a, t ? M : K, NULL, NULL, whole, M,
                           scratch);
            gemm_bf16_symmetric(t, !t, M, K, a, a, c, scratch);
            assert_memory_equal(c, whole, M * M * sizeof(*c));
        }
        float *b = whole; /* the square of what is symmetric */
        memcpy(a, c, M * M * sizeof(*c));
        gemm_bf16_fast(false, false, M, M, M, a, M, a, M, NULL, NULL, b, M, scratch);
        gemm_bf16_symmetric(false, false, M, M, a, a, c, scratch);
        assert_memory_equal(c, b, M * M * sizeof(*c));
        a[M - 1] += 1; /* no longer symmetric */
        gemm_bf16_fast(false, false, M, M, M, a, M, a, M, NULL, NULL, b, M, scratch);
        gemm_bf16_symmetric(false, false, M, M, a, a, c, scratch);
        assert_true(M <= 64 || !bf16_available() || memcmp(c, b, M * M * sizeof(*c)) != 0);
        free(scratch);
        free(whole);
        free(c);
        free(a);
    }
}

static int set_up(void **state)
{
    (void)state;
    return blas_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_is_ref),
        cmocka_unit_test(test_nan_comes_through),
        cmocka_unit_test(test_symmetric),
    };
    return run_in_each_set(tests, set_up, NULL, true);
}
