/* num/kernels_fast.c - the kernels of training: BLAS for products, 16-lane vectors for the rest.
 * The contracts are in num/kernels.h; the specification is num/kernels_ref.c. Attention lives in
 * num/attention_fast.c.
 */
#include "num/kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "num/attention_fast.h"
#include "num/attention_row.h"
#include "num/blas.h"
#include "num/gemm_bf16.h"
#include "num/gemm_bf16_fast.h"
#include "num/kernel_tables.h"
#include "num/softmax_fast.h"
#include "num/vec16.h"

/* Rows that a product is added to: copies of the bias. */
static void bias_rows(float *out, const float *bias, size_t N, size_t OC)
{
    for (size_t n = 0; bias && n < N; n++) {
        memcpy(out + n * OC, bias, OC * sizeof(float));
    }
}

static void residual_rows(float *out, const float *base, const float *bias, size_t N, size_t OC)
{
    for (size_t n = 0; n < N; n++) {
        float *o = out + n * OC;
        const float *x = base + n * OC;
#pragma omp simd
        for (size_t i = 0; i < OC; i++) {
            o[i] = x[i] + bias[i];
        }
    }
}

void vector_add_columns(float *sums, const float *x, size_t N, size_t OC)
{
    for (size_t n = 0; sums && n < N; n++) {
        const float *row = x + n * OC;
#pragma omp simd
        for (size_t o = 0; o < OC; o++) {
            sums[o] += row[o];
        }
    }
}

static void linear_fwd_fast(float *out, const float *inp, const float *w, const float *bias,
                            size_t N, size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    bias_rows(out, bias, N, OC);
    gemm(false, false, N, OC, C, 1, inp, C, w, OC, bias ? 1 : 0, out, OC);
}

static void linear_residual_fast(float *out, const float *base, const float *inp, const float *w,
                                 const float *bias, size_t N, size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    residual_rows(out, base, bias, N, OC);
    gemm(false, false, N, OC, C, 1, inp, C, w, OC, 1, out, OC);
}

static void linear_bwd_inp_fast(float *dinp, const float *dout, const float *w, int keep, size_t N,
                                size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    gemm(false, true, N, C, OC, 1, dout, OC, w, OC, keep ? 1 : 0, dinp, C);
}

static void linear_bwd_w_fast(float *dw, float *dbias, const float *inp, const float *dout,
                              int keep, size_t N, size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    gemm(true, false, C, OC, N, 1, inp, C, dout, OC, keep ? 1 : 0, dw, OC);
    vector_add_columns(dbias, dout, N, OC);
}

/* Sums over a row are kept in 16 partial sums: a fixed order at any vector width. */
static float row_sum(const float *x, size_t C)
{
    Vec sum = vec_all(0);
    size_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        sum += vec_load(x + c);
    }
    if (c < C) {
        sum += vec_load_part(x + c, C - c, 0);
    }
    return vec_sum(sum);
}

static float row_variance_sum(const float *x, float mean, size_t C)
{
    Vec sum = vec_all(0);
    size_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        Vec d = vec_load(x + c) - mean;
        sum += d * d;
    }
    if (c < C) {
        Vec d = vec_load_part(x + c, C - c, mean) - mean;
        sum += d * d;
    }
    return vec_sum(sum);
}

static void layernorm_fwd_fast(float *out, float *mean, float *rstd, const float *x, const float *w,
                               const float *b, size_t N, size_t C, float eps)
{
    for (size_t n = 0; n < N; n++) {
        const float *row = x + n * C;
        float *o = out + n * C;
        float m = row_sum(row, C) / (float)C;
        float s = 1 / sqrtf(row_variance_sum(row, m, C) / (float)C + eps);
        mean[n] = m;
        rstd[n] = s;
#pragma omp simd
        for (size_t c = 0; c < C; c++) {
            o[c] = (row[c] - m) * s * w[c] + b[c];
        }
    }
}

void layernorm_bwd_fast(float *dx, float *dw, float *db, const float *dout, const float *x,
                        const float *w, const float *mean, const float *rstd, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        const float *row = x + n * C, *d = dout + n * C;
        float *dr = dx + n * C, m = mean[n], s = rstd[n];
        Vec g_sum = vec_all(0), gx_sum = vec_all(0);
        size_t c = 0;
        for (; c + VEC_LANES <= C; c += VEC_LANES) {
            Vec xhat = (vec_load(row + c) - m) * s, dv = vec_load(d + c);
            Vec g = dv * vec_load(w + c);
            g_sum += g;
            gx_sum += g * xhat;
            vec_store(dw + c, vec_load(dw + c) + dv * xhat);
            vec_store(db + c, vec_load(db + c) + dv);
        }
        float g_mean = vec_sum(g_sum), gx_mean = vec_sum(gx_sum);
        for (; c < C; c++) {
            float xhat = (row[c] - m) * s;
            g_mean += d[c] * w[c];
            gx_mean += d[c] * w[c] * xhat;
            dw[c] += d[c] * xhat;
            db[c] += d[c];
        }
        g_mean /= (float)C;
        gx_mean /= (float)C;
#pragma omp simd
        for (size_t i = 0; i < C; i++) {
            float xhat = (row[i] - m) * s;
            dr[i] += s * (d[i] * w[i] - g_mean - xhat * gx_mean);
        }
    }
}

static void gelu_piece(Vec *act, Vec *slope, Vec x)
{
    Vec cdf, pdf;
    vec_normal(&cdf, &pdf, x);
    *act = x * cdf;
    *slope = cdf + x * pdf;
}

static void gelu_fwd_fast(float *act, float *slope, const float *pre, const float *bias, size_t N,
                          size_t C)
{
    for (size_t n = 0; n < N; n++) {
        size_t at = n * C, c = 0;
        Vec a, s;
        for (; c + VEC_LANES <= C; c += VEC_LANES) {
            gelu_piece(&a, &s, vec_load(pre + at + c) + vec_load(bias + c));
            vec_store(act + at + c, a);
            if (slope) {
                vec_store(slope + at + c, s);
            }
        }
        if (c < C) {
            size_t bytes = (C - c) * sizeof(float);
            gelu_piece(&a, &s,
                       vec_load_part(pre + at + c, C - c, 0) + vec_load_part(bias + c, C - c, 0));
            memcpy(act + at + c, &a, bytes);
            if (slope) {
                memcpy(slope + at + c, &s, bytes);
            }
        }
    }
}

static void gelu_bwd_fast(float *d, float *dbias, const float *slope, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        float *row = d + n * C;
        const float *s = slope + n * C;
#pragma omp simd
        for (size_t c = 0; c < C; c++) {
            row[c] *= s[c];
            dbias[c] += row[c];
        }
    }
}

/* Tokens are bytes, so a row of logits never holds more. */
#define MAX_V 256

double cross_entropy_fast(float *logits, const uint8_t *target, float scale, size_t N, size_t V)
{
    assert(V <= MAX_V);
    double loss = 0;
    float buffer[MAX_V];
    size_t n_vec = (V + VEC_LANES - 1) / VEC_LANES;
    for (size_t n = 0; n < N; n++) {
        float *row = logits + n * V;
        if (target[n] == 0) {
            if (scale != 0) {
                memset(row, 0, V * sizeof(float));
            }
            continue;
        }
        /* Lanes past V hold a score so low that its exp is 0 next to the largest. */
        for (size_t i = V; i < n_vec * VEC_LANES; i++) {
            buffer[i] = -1e30f;
        }
        memcpy(buffer, row, V * sizeof(float));
        Vec top_lanes = vec_load(buffer), sum_lanes = vec_all(0);
        for (size_t i = 1; i < n_vec; i++) {
            Vec x = vec_load(buffer + i * VEC_LANES);
            top_lanes = vec_larger(x, top_lanes);
        }
        float top = vec_max(top_lanes), of_target = buffer[target[n]];
        for (size_t i = 0; i < n_vec; i++) {
            Vec e = vec_exp(vec_load(buffer + i * VEC_LANES) - top);
            vec_store(buffer + i * VEC_LANES, e);
            sum_lanes += e;
        }
        float sum = vec_sum(sum_lanes);
        loss += (double)top + log((double)sum) - (double)of_target;
        if (scale != 0) {
            float factor = scale / sum;
#pragma omp simd
            for (size_t i = 0; i < V; i++) {
                row[i] = buffer[i] * factor;
            }
            row[target[n]] -= scale;
        }
    }
    return loss;
}

static size_t no_scratch(size_t N, size_t C, size_t OC)
{
    (void)N;
    (void)C;
    (void)OC;
    return 0;
}

const Kernels kernels_fast_here = {
    .name = "fast",
    .scratch_bytes = no_scratch,
    .linear_fwd = linear_fwd_fast,
    .linear_residual = linear_residual_fast,
    .linear_bwd_inp = linear_bwd_inp_fast,
    .linear_bwd_w = linear_bwd_w_fast,
    .linear_bwd_inp_factor = linear_bwd_inp_fast,
    .linear_bwd_w_factor = linear_bwd_w_fast,
    .layernorm_fwd = layernorm_fwd_fast,
    .layernorm_bwd = layernorm_bwd_fast,
    .gelu_fwd = gelu_fwd_fast,
    .gelu_bwd = gelu_bwd_fast,
    .attention_fwd = attention_fwd_fast,
    .attention_bwd = attention_bwd_fast,
    .attention_row_scores = attention_row_scores_fast,
    .attention_row_softmax = attention_row_softmax_fast,
    .cross_entropy = cross_entropy_fast,
};

const NumVariant VARIANT_NAME(num_variant) = {
    .fast = &kernels_fast_here,
    .bf16 = &kernels_bf16_here,
    .has_bf16 = BF16_HERE,
    .gemm_bf16 = gemm_bf16_here,
    .gemm_bf16_symmetric = gemm_bf16_symmetric_here,
    .softmax_residual = softmax_residual_fast,
    .softmax_probability = softmax_probability_fast,
    .logistic_residual = logistic_residual_fast,
};
