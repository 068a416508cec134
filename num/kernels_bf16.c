/* num/kernels_bf16.c - the kernels of training with factors rounded to bfloat16. What is no product
 * is that of num/kernels_fast.c, and factors (num/kernels.h) are kept as the products take them:
 * rows of bfloat16, each from a whole 32-bit word on. Elsewhere the plain product, and numbers.
 */
#include <string.h>

#include "num/attention_bf16.h"
#include "num/attention_row.h"
#include "num/gemm_bf16.h"
#include "num/gemm_bf16_fast.h"
#include "num/kernel_tables.h"

/* The largest of the three products of a linear layer: forward, of inputs, of weights. */
static size_t bf16_scratch(size_t N, size_t C, size_t OC)
{
    const size_t bytes[] = {gemm_bf16_scratch(N, OC, C), gemm_bf16_scratch(N, C, OC),
                            gemm_bf16_scratch(C, OC, N)};
    size_t most = bytes[0] > bytes[1] ? bytes[0] : bytes[1];
    return most > bytes[2] ? most : bytes[2];
}

static Bf16Factor numbers(const float *x, size_t C)
{
    return (Bf16Factor){.x = x, .ld = C};
}

#ifdef __AVX512BF16__

#include "num/bf16_pairs.h"

/* 32-bit words of a factor's row. */
static size_t words(size_t C)
{
    return (C + 1) / 2;
}

static Bf16Factor factor(const float *x, size_t C)
{
    return (Bf16Factor){.x = x, .ld = words(C), .half = true};
}

static void multiply(const Bf16Product *p, float *c, size_t ldc, void *scratch)
{
    gemm_bf16_factors_here(p, c, ldc, scratch);
}

/* sums += the columns of a factor */
static void add_factor_sums(float *sums, const float *x, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        const uint16_t *row = (const uint16_t *)x + n * 2 * words(C);
        for (size_t c = 0; c < C; c++) {
            uint32_t bits = (uint32_t)row[c] << 16;
            float number;
            memcpy(&number, &bits, sizeof(number));
            sums[c] += number;
        }
    }
}

#else

static Bf16Factor factor(const float *x, size_t C)
{
    return numbers(x, C);
}

static void multiply(const Bf16Product *p, float *c, size_t ldc, void *scratch)
{
    (void)scratch;
    gemm_bf16_ref(p->a.transposed, p->b.transposed, p->M, p->N, p->K, p->a.x, p->a.ld, p->b.x,
                  p->b.ld, p->base, p->bias, c, ldc);
}

static void add_factor_sums(float *sums, const float *x, size_t N, size_t C)
{
    vector_add_columns(sums, x, N, C);
}

#endif

static void linear_residual_bf16(float *out, const float *base, const float *inp, const float *w,
                                 const float *bias, size_t N, size_t C, size_t OC, void *scratch)
{
    const Bf16Product p = {.M = N,
                           .N = OC,
                           .K = C,
                           .a = factor(inp, C),
                           .b = numbers(w, OC),
                           .base = base,
                           .bias = bias};
    multiply(&p, out, OC, scratch);
}

static void linear_fwd_bf16(float *out, const float *inp, const float *w, const float *bias,
                            size_t N, size_t C, size_t OC, void *scratch)
{
    linear_residual_bf16(out, NULL, inp, w, bias, N, C, OC, scratch);
}

static void backward_inp(float *dinp, Bf16Factor dout, const float *w, int keep, size_t N, size_t C,
                         size_t OC, void *scratch)
{
    const Bf16Product p = {.M = N,
                           .N = C,
                           .K = OC,
                           .a = dout,
                           .b = {.x = w, .ld = OC, .transposed = true},
                           .base = keep ? dinp : NULL};
    multiply(&p, dinp, C, scratch);
}

static void linear_bwd_inp_bf16(float *dinp, const float *dout, const float *w, int keep, size_t N,
                                size_t C, size_t OC, void *scratch)
{
    backward_inp(dinp, numbers(dout, OC), w, keep, N, C, OC, scratch);
}

static void linear_bwd_inp_factor(float *dinp, const float *dout, const float *w, int keep,
                                  size_t N, size_t C, size_t OC, void *scratch)
{
    backward_inp(dinp, factor(dout, OC), w, keep, N, C, OC, scratch);
}

static void backward_w(float *dw, const float *inp, Bf16Factor dout, int keep, size_t N, size_t C,
                       size_t OC, void *scratch)
{
    Bf16Product p = {
        .M = C, .N = OC, .K = N, .a = factor(inp, C), .b = dout, .base = keep ? dw : NULL};
    p.a.transposed = true;
    multiply(&p, dw, OC, scratch);
}

static void linear_bwd_w_bf16(float *dw, float *dbias, const float *inp, const float *dout,
                              int keep, size_t N, size_t C, size_t OC, void *scratch)
{
    backward_w(dw, inp, numbers(dout, OC), keep, N, C, OC, scratch);
    vector_add_columns(dbias, dout, N, OC);
}

static void linear_bwd_w_factor(float *dw, float *dbias, const float *inp, const float *dout,
                                int keep, size_t N, size_t C, size_t OC, void *scratch)
{
    backward_w(dw, inp, factor(dout, OC), keep, N, C, OC, scratch);
    if (dbias) {
        add_factor_sums(dbias, dout, N, OC);
    }
}

/* Row n of a factor (N,C) from C numbers, which may lie in the same memory, there or behind it. */
static void keep_row(float *out, size_t n, const float *row, size_t C)
{
#ifdef __AVX512BF16__
    bf16_row((uint32_t *)out + n * words(C), row, C);
#else
    memmove(out + n * C, row, C * sizeof(*out));
#endif
}

/* A row is made where the last one of numbers would lie, behind all rows of the factor. */
static void layernorm_fwd_bf16(float *out, float *mean, float *rstd, const float *x, const float *w,
                               const float *b, size_t N, size_t C, float eps)
{
    for (size_t n = 0; n < N; n++) {
        float *row = out + (N - 1) * C;
        kernels_fast_here.layernorm_fwd(row, mean + n, rstd + n, x + n * C, w, b, 1, C, eps);
        keep_row(out, n, row, C);
    }
}

static void gelu_fwd_bf16(float *act, float *slope, const float *pre, const float *bias, size_t N,
                          size_t C)
{
    for (size_t n = 0; n < N; n++) {
        kernels_fast_here.gelu_fwd(act + n * C, slope ? slope + n * C : NULL, pre + n * C, bias, 1,
                                   C);
        keep_row(act, n, act + n * C, C);
    }
}

static void gelu_bwd_bf16(float *d, float *dbias, const float *slope, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        kernels_fast_here.gelu_bwd(d + n * C, dbias, slope + n * C, 1, C);
        keep_row(d, n, d + n * C, C);
    }
}

const Kernels kernels_bf16_here = {
    .name = "bf16",
    .scratch_bytes = bf16_scratch,
    .linear_fwd = linear_fwd_bf16,
    .linear_residual = linear_residual_bf16,
    .linear_bwd_inp = linear_bwd_inp_bf16,
    .linear_bwd_w = linear_bwd_w_bf16,
    .linear_bwd_inp_factor = linear_bwd_inp_factor,
    .linear_bwd_w_factor = linear_bwd_w_factor,
    .layernorm_fwd = layernorm_fwd_bf16,
    .layernorm_bwd = layernorm_bwd_fast,
    .gelu_fwd = gelu_fwd_bf16,
    .gelu_bwd = gelu_bwd_bf16,
    .attention_fwd = attention_fwd_bf16,
    .attention_bwd = attention_bwd_bf16,
    .attention_row_scores = attention_row_scores_fast,
    .attention_row_softmax = attention_row_softmax_fast,
    .cross_entropy = cross_entropy_fast,
};
