/* Every fast kernel against its plain twin, over sizes around the vector and tile boundaries. */
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
#include "num/gemm_bf16.h"
#include "num/kernel_steps.h"
#include "num/kernels.h"
#include "tests/num/kernel_sets.h"
#include "num/softmax.h"
#include "num/vec16.h"

#define MAX_NUMBERS (1 << 17)
#define N_BUFFERS 14

/* Two sets of the same random buffers: one for ref, one for fast. */
static float *ref[N_BUFFERS], *fast[N_BUFFERS];

/* Each buffer of each seed begins elsewhere in one list of draws: drawing them all took longer than
 * the kernels. */
static void fill(uint64_t seed, double std)
{
    static float draws[65521]; /* a prime: no two buffers meet in step */
    if (draws[0] == 0) {
        Rng rng = rng_at(1, RNG_TEST, 0);
        for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++) {
            draws[i] = (float)rng_normal(&rng);
        }
    }
    for (size_t i = 0; i < N_BUFFERS; i++) {
        size_t at = (size_t)(seed * 7919 + i * 4507) % (sizeof(draws) / sizeof(draws[0]));
        for (size_t j = 0; j < MAX_NUMBERS; j++) {
            ref[i][j] = fast[i][j] = draws[at] * (float)std;
            at = at + 1 < sizeof(draws) / sizeof(draws[0]) ? at + 1 : 0;
        }
    }
}

/* Largest difference of n numbers relative to the largest magnitude, which counts as at least
 * 0.1: inputs are of order one, and a result that vanishes by cancellation (the gradient of a
 * single key's score) keeps their rounding. */
static double difference(const float *a, const float *b, size_t n)
{
    double worst = 0, scale = 0.1;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        worst = d > worst || isnan(d) ? d : worst;
        scale = fmax(scale, fabs((double)a[i]));
    }
    return worst / scale;
}

/* The buffer's first n numbers agree within the tolerance for reductions of length K; and, the
 * negative twin, one element moved by ten tolerances is seen. */
static void same(size_t buffer, size_t n, size_t K)
{
    double d = difference(ref[buffer], fast[buffer], n);
    if (!(d <= KERNEL_TOL(K))) {
        fail_msg("buffer %zu: difference %g over %zu numbers, allowed %g", buffer, d, n,
                 KERNEL_TOL(K));
    }
    double scale = 0.1;
    for (size_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs((double)ref[buffer][i]));
    }
    float kept = fast[buffer][n / 2];
    fast[buffer][n / 2] = ref[buffer][n / 2] + (float)(10 * KERNEL_TOL(K) * scale);
    assert_true(difference(ref[buffer], fast[buffer], n) > KERNEL_TOL(K));
    fast[buffer][n / 2] = kept;
}

static const size_t sizes[][3] = {{1, 1, 1},    {2, 3, 5},      {7, 16, 17},   {59, 31, 61},
                                  {64, 64, 33}, {118, 128, 61}, {33, 100, 48}, {236, 128, 512}};

static void test_linear(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t N = sizes[i][0], C = sizes[i][1], OC = sizes[i][2];
        for (int half = 0; half < 2; half++) {
            fill(i, 1);
            kernels_ref.linear_fwd(ref[0], ref[1], ref[2], half ? ref[3] : NULL, N, C, OC, NULL);
            kernels_fast()->linear_fwd(fast[0], fast[1], fast[2], half ? fast[3] : NULL, N, C, OC,
                                       NULL);
            same(0, N * OC, C);
            kernels_ref.linear_bwd_inp(ref[5], ref[1], ref[2], half, N, OC, C, NULL);
            kernels_fast()->linear_bwd_inp(fast[5], fast[1], fast[2], half, N, OC, C, NULL);
            same(5, N * OC, C);
            kernels_ref.linear_bwd_w(ref[6], half ? ref[7] : NULL, ref[1], ref[8], !half, N, C, OC,
                                     NULL);
            kernels_fast()->linear_bwd_w(fast[6], half ? fast[7] : NULL, fast[1], fast[8], !half, N,
                                         C, OC, NULL);
            same(6, C * OC, N);
            same(7, OC, N);
        }
        kernels_ref.linear_residual(ref[4], ref[8], ref[1], ref[2], ref[3], N, C, OC, NULL);
        kernels_fast()->linear_residual(fast[4], fast[8], fast[1], fast[2], fast[3], N, C, OC,
                                        NULL);
        same(4, N * OC, C);
    }
}

static void test_layernorm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t N = sizes[i][0], C = sizes[i][1] + 1; /* one channel alone has no variance */
        fill(100 + i, 1);
        kernels_ref.layernorm_fwd(ref[0], ref[1], ref[2], ref[3], ref[4], ref[5], N, C, 1e-5f);
        kernels_fast()->layernorm_fwd(fast[0], fast[1], fast[2], fast[3], fast[4], fast[5], N, C,
                                      1e-5f);
        same(0, N * C, C);
        same(2, N, C);
        kernels_ref.layernorm_bwd(ref[6], ref[7], ref[8], ref[9], ref[3], ref[4], ref[1], ref[2], N,
                                  C);
        kernels_fast()->layernorm_bwd(fast[6], fast[7], fast[8], fast[9], fast[3], fast[4], fast[1],
                                      fast[2], N, C);
        same(6, N * C, C);
        same(7, C, N);
        same(8, C, N);
    }
}

static void test_gelu(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t N = sizes[i][0], C = sizes[i][1];
        fill(200 + i, 3);
        kernels_ref.gelu_fwd(ref[0], ref[1], ref[2], ref[3], N, C);
        kernels_fast()->gelu_fwd(fast[0], fast[1], fast[2], fast[3], N, C);
        same(0, N * C, 1);
        same(1, N * C, 1);
        kernels_ref.gelu_bwd(ref[4], ref[5], ref[1], N, C);
        kernels_fast()->gelu_bwd(fast[4], fast[5], fast[1], N, C);
        same(4, N * C, 1);
        same(5, C, N);
        kernels_fast()->gelu_fwd(fast[2], NULL, fast[2], fast[3], N, C); /* in place, no slope */
        memcpy(ref[2], ref[0], N * C * sizeof(float));
        same(2, N * C, 1);
    }
}

static void test_attention(void **state)
{
    (void)state;
    /* B, T, NH, HS: tile and vector boundaries in T, the three fast head sizes, and shapes that
     * go to the plain kernel. */
    const size_t shapes[][4] = {{1, 1, 1, 16},  {2, 3, 2, 16},  {1, 16, 1, 32}, {2, 17, 2, 64},
                                {3, 31, 4, 16}, {2, 59, 8, 16}, {1, 64, 1, 64}, {1, 63, 3, 32},
                                {1, 65, 1, 16}, {2, 11, 3, 12}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        size_t B = shapes[i][0], T = shapes[i][1], NH = shapes[i][2], HS = shapes[i][3];
        size_t n = B * T * NH * HS;
        fill(300 + i, 1);
        kernels_ref.attention_fwd(ref[0], ref[1], ref[2], ref[3], ref[4], B, T, NH, HS);
        kernels_fast()->attention_fwd(fast[0], fast[1], fast[2], fast[3], fast[4], B, T, NH, HS);
        same(0, n, T);
        same(1, B * NH * T, HS);
        kernels_ref.attention_bwd(ref[5], ref[6], ref[7], ref[8], ref[0], ref[1], ref[2], ref[3],
                                  ref[4], B, T, NH, HS);
        kernels_fast()->attention_bwd(fast[5], fast[6], fast[7], fast[8], fast[0], fast[1], fast[2],
                                      fast[3], fast[4], B, T, NH, HS);
        same(5, n, T + HS);
        same(6, n, T + HS);
        same(7, n, T + HS);
        /* The same in steps, forward and back. */
        attention_scores(fast[9], fast[2], fast[3], B, T, NH, HS);
        attention_softmax(fast[10], fast[9], B, T, NH);
        attention_mix(fast[0], fast[10], fast[4], B, T, NH, HS);
        attention_mix_bwd(fast[11], fast[7], fast[8], fast[10], fast[4], B, T, NH, HS);
        attention_softmax_bwd(fast[11], fast[9], B, T, NH);
        attention_scores_bwd(fast[5], fast[6], fast[11], fast[2], fast[3], B, T, NH, HS);
        same(0, n, T);
        same(5, n, T + HS);
        same(6, n, T + HS);
        same(7, n, T + HS);
    }
}

/* One query over kept keys: the numbers of keys on both sides of a vector's width. */
static void test_attention_row(void **state)
{
    (void)state;
    const size_t shapes[][4] = {{1, 16, 1, 16}, {15, 16, 2, 5}, {16, 32, 3, 16}, {59, 64, 8, 16}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        size_t n = shapes[i][0], stride = shapes[i][1], NH = shapes[i][2], HS = shapes[i][3];
        fill(450 + i, 1);
        kernels_ref.attention_row_scores(ref[0], ref[2], ref[3], n, stride, NH, HS);
        kernels_ref.attention_row_softmax(ref[1], ref[0], n, stride, NH);
        kernels_fast()->attention_row_scores(fast[0], fast[2], fast[3], n, stride, NH, HS);
        kernels_fast()->attention_row_softmax(fast[1], fast[0], n, stride, NH);
        same(1, NH * stride, n + HS);
        for (size_t j = 0; j < NH * stride; j++) { /* behind the keys nothing is attended to */
            bool behind = j % stride >= n;
            assert_true(behind == (ref[0][j] == -INFINITY) && behind == (fast[0][j] == -INFINITY));
            assert_true(!behind || (ref[1][j] == 0 && fast[1][j] == 0));
            ref[0][j] = behind ? 0 : ref[0][j];
            fast[0][j] = behind ? 0 : fast[0][j];
        }
        same(0, NH * stride, HS);
        kernels_fast()->attention_row_softmax(fast[0], fast[0], n, stride, NH); /* in place */
        assert_memory_equal(fast[0], fast[1], NH * stride * sizeof(float));
        /* A key that was taken out by a score of minus infinity has no weight at all. */
        for (size_t h = 0; h < NH; h++) {
            ref[0][h * stride] = -INFINITY;
        }
        kernels_ref.attention_row_softmax(ref[1], ref[0], n, stride, NH);
        kernels_fast()->attention_row_softmax(fast[1], ref[0], n, stride, NH);
        same(1, NH * stride, n + HS);
        for (size_t h = 0; h < NH; h++) {
            assert_true(ref[1][h * stride] == 0 && fast[1][h * stride] == 0);
            assert_true(n == 1 || fast[1][h * stride + 1] > 0);
        }
    }
}

static void test_attention_is_causal(void **state)
{
    (void)state;
    size_t T = 59, NH = 8, HS = 16, C = NH * HS, cut = 20;
    fill(400, 1);
    kernels_fast()->attention_fwd(fast[0], fast[1], fast[2], fast[3], fast[4], 1, T, NH, HS);
    for (size_t i = cut * C; i < T * C; i++) { /* everything from `cut` on changes */
        fast[3][i] += 1;
        fast[4][i] -= 1;
    }
    kernels_fast()->attention_fwd(fast[5], fast[1], fast[2], fast[3], fast[4], 1, T, NH, HS);
    assert_memory_equal(fast[0], fast[5], cut * C * sizeof(float));
    assert_memory_not_equal(fast[0], fast[5], T * C * sizeof(float));
}

static void test_cross_entropy(void **state)
{
    (void)state;
    const size_t vocabularies[] = {2, 13, 16, 33, 61, 256};
    for (size_t i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++) {
        size_t N = 59, V = vocabularies[i];
        uint8_t target[59];
        for (size_t n = 0; n < N; n++) {
            target[n] = (uint8_t)(n * 7 % V); /* row 0 and others are pads */
        }
        for (int half = 0; half < 2; half++) {
            fill(500 + i, 4);
            double a = kernels_ref.cross_entropy(ref[0], target, half ? 0.25f : 0, N, V);
            double b = kernels_fast()->cross_entropy(fast[0], target, half ? 0.25f : 0, N, V);
            assert_true(fabs(a - b) <= KERNEL_TOL(V) * fabs(a));
            assert_true(a > 0);
            same(0, N * V, V);
        }
    }
}

static void test_exp_and_normal(void **state)
{
    (void)state;
    double worst_exp = 0, worst_cdf = 0, worst_pdf = 0;
    for (int i = 0; i < 200000; i++) {
        float x = (float)(-87.0 + 175.0 * i / 200000.0), y = (float)(-9.0 + 18.0 * i / 200000.0);
        double e = exp((double)x), cdf = 0.5 * erfc(-(double)y / sqrt(2.0));
        Vec c, p;
        vec_normal(&c, &p, vec_all(y));
        worst_exp = fmax(worst_exp, fabs((double)vec_exp(vec_all(x))[3] - e) / e);
        worst_cdf = fmax(worst_cdf, fabs((double)c[5] - cdf));
        worst_pdf = fmax(worst_pdf,
                         fabs((double)p[7] - exp(-0.5 * (double)y * (double)y) / sqrt(2 * M_PI)));
    }
    print_message("largest errors: exp %.3g, cdf %.3g, pdf %.3g\n", worst_exp, worst_cdf,
                  worst_pdf);
    /* The bounds stated in num/vec16.h. */
    assert_true(worst_exp < 2e-7);
    assert_true(worst_cdf < 3e-7);
    assert_true(worst_pdf < 1e-7);
    assert_true(worst_exp > 1e-9); /* the comparison measures something */
    assert_true(vec_exp(vec_all(-1e30f))[0] < 2e-38f);
}

/* Softmaxes of 3 classes on 61 squares against plain ones in double precision. */
static void test_softmax(void **state)
{
    enum { N = 7, S = 61, K = 3 };
    (void)state;
    uint8_t labels[N * S];
    uint16_t squares[S];
    double loss[S] = {0}, plain_loss[S] = {0};
    fill(3, 4);
    for (size_t i = 0; i < (size_t)N * S; i++) {
        labels[i] = (uint8_t)(i * 7 % K);
    }
    for (size_t s = 0; s < S; s++) {
        squares[s] = (uint16_t)s;
    }
    for (size_t n = 0; n < N; n++) {
        for (size_t s = 0; s < S; s++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++) {
                sum += exp((double)fast[0][(n * K + k) * S + s]);
            }
            for (size_t k = 0; k < K; k++) {
                double p = exp((double)fast[0][(n * K + k) * S + s]) / sum;
                ref[1][(n * K + k) * S + s] = (float)p;
                ref[0][(n * K + k) * S + s] = (float)(p - (labels[n * S + s] == k));
                plain_loss[s] -= labels[n * S + s] == k ? log(p) : 0;
            }
        }
    }
    memcpy(fast[1], fast[0], (size_t)N * S * K * sizeof(float));
    softmax_residual(fast[0], loss, labels, S, squares, N, S, K);
    softmax_probability(fast[1], N, S, K);
    same(0, (size_t)N * S * K, K);
    same(1, (size_t)N * S * K, K);
    for (size_t s = 0; s < S; s++) {
        assert_true(fabs(loss[s] - plain_loss[s]) < 1e-5 * (1 + plain_loss[s]));
    }
}

/* Only what is there can be chosen, and the best is what runs unless told. */
static void test_choice(void **state)
{
    (void)state;
    const char *sets[8], *kept = kernels_set();
    size_t n = kernels_sets(sets, 8);
    assert_int_equal(kernels_choose("x86-64-v9"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "'x86-64-v9'"));
    assert_non_null(strstr(err_message(), sets[0]));
    assert_string_equal(kernels_set(), kept);
    assert_int_equal(kernels_choose(NULL), 0);
    assert_string_equal(kernels_set(), sets[n - 1]);
    assert_int_equal(kernels_choose(kept), 0);
    if (bf16_available()) {
        assert_ptr_not_equal(kernels_fast(), kernels_bf16());
    }
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_BUFFERS; i++) {
        ref[i] = calloc(MAX_NUMBERS, sizeof(float));
        fast[i] = calloc(MAX_NUMBERS, sizeof(float));
    }
    return blas_init();
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_BUFFERS; i++) {
        free(ref[i]);
        free(fast[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_gelu),          cmocka_unit_test(test_attention),
        cmocka_unit_test(test_attention_row), cmocka_unit_test(test_attention_is_causal),
        cmocka_unit_test(test_cross_entropy), cmocka_unit_test(test_exp_and_normal),
        cmocka_unit_test(test_softmax),       cmocka_unit_test(test_choice),
    };
    return run_in_each_set(tests, set_up, tear_down, false);
}
