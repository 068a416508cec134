/* The set for training in bfloat16: each kernel has the bits of kernels_fast, rounded where a
 * factor is kept, and of gemm_bf16_fast on the same numbers. */
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

/* N, C, OC: tiles, panels, vectors, odd numbers of all. */
static const size_t sizes[][3] = {{1, 1, 1},    {2, 3, 5},     {7, 16, 17},    {59, 31, 61},
                                  {64, 64, 33}, {33, 100, 48}, {118, 128, 61}, {61, 65, 130}};

enum { N_ARRAYS = 8, MAX_NUMBERS = 1 << 15 };
static float *x[N_ARRAYS], *factor, *made[2];
static void *scratch;

static void fill(uint64_t seed)
{
    Rng rng = rng_at(11, RNG_TEST, seed);
    for (size_t i = 0; i < N_ARRAYS; i++) {
        for (size_t j = 0; j < MAX_NUMBERS; j++) {
            x[i][j] = (float)rng_normal(&rng);
        }
    }
    memset(factor, 0xff, MAX_NUMBERS * sizeof(float));
}

/* Nearest even: the upper half of the bits. */
static uint32_t rounded(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* Where number (n,c) of a factor (N,C) is, in halves. */
static size_t place(size_t n, size_t c, size_t C)
{
    return n * ((C + 1) / 2 * 2) + c;
}

static const float *factor_of(const float *numbers, size_t N, size_t C)
{
    if (!bf16_available()) {
        return numbers;
    }
    memset(factor, 0, N * ((C + 1) / 2) * sizeof(float));
    for (size_t i = 0; i < N * C; i++) {
        ((uint16_t *)factor)[place(i / C, i % C, C)] = (uint16_t)rounded(numbers[i]);
    }
    return factor;
}

/* `kept` is the factor of these numbers, rows of odd length followed by a zero. */
static void is_factor_of(const float *kept, const float *numbers, size_t N, size_t C)
{
    for (size_t i = 0; i < N * C; i++) {
        if (!bf16_available()) {
            assert_memory_equal(&kept[i], &numbers[i], sizeof(float));
        } else {
            assert_int_equal(((const uint16_t *)kept)[place(i / C, i % C, C)], rounded(numbers[i]));
        }
    }
    for (size_t n = 0; bf16_available() && C % 2 == 1 && n < N; n++) {
        assert_int_equal(((const uint16_t *)kept)[place(n, C, C)], 0);
    }
}

static void same(size_t n)
{
    assert_memory_equal(made[0], made[1], n * sizeof(float));
    made[0][n / 2] += 1;
    assert_memory_not_equal(made[0], made[1], n * sizeof(float));
}

static void test_products(void **state)
{
    const Kernels *k = kernels_bf16();
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t N = sizes[s][0], C = sizes[s][1], OC = sizes[s][2];
        fill(s);
        assert_true(k->scratch_bytes(N, C, OC) <= MAX_NUMBERS * 4 * sizeof(float));
        const float *inp = factor_of(x[0], N, C);
        k->linear_fwd(made[0], inp, x[1], x[2], N, C, OC, scratch);
        gemm_bf16_fast(false, false, N, OC, C, x[0], C, x[1], OC, NULL, x[2], made[1], OC, scratch);
        same(N * OC);
        k->linear_residual(made[0], x[3], inp, x[1], x[2], N, C, OC, scratch);
        gemm_bf16_fast(false, false, N, OC, C, x[0], C, x[1], OC, x[3], x[2], made[1], OC, scratch);
        same(N * OC);
        for (int both = 0; both < 4; both++) { /* dout as numbers, and as a factor; keep, or not */
            int with = both & 1, keep = both >> 1;
            for (int i = 0; i < 2; i++) {
                memcpy(made[i], x[4], N * C * sizeof(float));
            }
            const float *dout = with ? factor_of(x[5], N, OC) : x[5];
            (with ? k->linear_bwd_inp_factor : k->linear_bwd_inp)(made[0], dout, x[1], keep, N, C,
                                                                  OC, scratch);
            gemm_bf16_fast(false, true, N, C, OC, x[5], OC, x[1], OC, keep ? made[1] : NULL, NULL,
                           made[1], C, scratch);
            same(N * C);
        }
    }
}

/* The gradient of weights, of both kinds of dout, and the sums of their columns. */
static void test_weights(void **state)
{
    const Kernels *k = kernels_bf16();
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t N = sizes[s][0], C = sizes[s][1], OC = sizes[s][2];
        float *inp = x[6], *sums = x[7];
        fill(100 + s);
        memcpy(inp, factor_of(x[0], N, C), N * C * sizeof(float));
        for (int way = 0; way < 4; way++) {
            const bool with = way & 1;
            const int keep = way >> 1;
            for (int i = 0; i < 2; i++) {
                memcpy(made[i], x[4], C * OC * sizeof(float));
            }
            memset(sums, 0, OC * sizeof(float));
            const float *dout = with ? factor_of(x[5], N, OC) : x[5];
            (with ? k->linear_bwd_w_factor : k->linear_bwd_w)(made[0], sums, inp, dout, keep, N, C,
                                                              OC, scratch);
            gemm_bf16_fast(true, false, C, OC, N, x[0], C, x[5], OC, keep ? made[1] : NULL, NULL,
                           made[1], OC, scratch);
            same(C * OC);
            for (size_t o = 0; o < OC; o++) {
                double sum = 0, off = 1e-5;
                for (size_t n = 0; n < N; n++) { /* a factor is rounded: by 2^-9 of each */
                    sum += (double)x[5][n * OC + o];
                    off += with ? fabs((double)x[5][n * OC + o]) / 512 : 0;
                }
                assert_true(fabs((double)sums[o] - sum) <= off);
            }
        }
    }
}

static void test_rows(void **state)
{
    const Kernels *k = kernels_bf16(), *f = kernels_fast();
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t N = sizes[s][0], C = sizes[s][1] + 1;
        fill(200 + s);
        k->layernorm_fwd(made[0], x[4], x[5], x[0], x[1], x[2], N, C, 1e-5f);
        f->layernorm_fwd(made[1], x[6], x[7], x[0], x[1], x[2], N, C, 1e-5f);
        is_factor_of(made[0], made[1], N, C);
        assert_memory_equal(x[4], x[6], N * sizeof(float));
        assert_memory_equal(x[5], x[7], N * sizeof(float));
        C = sizes[s][1];
        memcpy(made[0], x[0], N * C * sizeof(float));
        k->gelu_fwd(made[0], x[4], made[0], x[1], N, C); /* in place */
        f->gelu_fwd(made[1], x[5], x[0], x[1], N, C);
        is_factor_of(made[0], made[1], N, C);
        assert_memory_equal(x[4], x[5], N * C * sizeof(float));
        memset(x[6], 0, C * sizeof(float));
        memset(x[7], 0, C * sizeof(float));
        memcpy(made[0], x[0], N * C * sizeof(float));
        memcpy(made[1], x[0], N * C * sizeof(float));
        k->gelu_bwd(made[0], x[6], x[5], N, C);
        f->gelu_bwd(made[1], x[7], x[5], N, C);
        is_factor_of(made[0], made[1], N, C);
        assert_memory_equal(x[6], x[7], C * sizeof(float)); /* summed before the rounding */
    }
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ARRAYS; i++) {
        x[i] = aligned_alloc(64, MAX_NUMBERS * sizeof(float));
    }
    factor = aligned_alloc(64, MAX_NUMBERS * sizeof(float));
    made[0] = aligned_alloc(64, MAX_NUMBERS * sizeof(float));
    made[1] = aligned_alloc(64, MAX_NUMBERS * sizeof(float));
    scratch = aligned_alloc(64, MAX_NUMBERS * 4 * sizeof(float));
    return blas_init();
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ARRAYS; i++) {
        free(x[i]);
    }
    free(factor);
    free(made[0]);
    free(made[1]);
    free(scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_rows),
    };
    return run_in_each_set(tests, set_up, tear_down, true);
}
