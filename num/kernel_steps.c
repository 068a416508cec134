/* num/kernel_steps.c - attention and LayerNorm taken apart. See num/kernel_steps.h. */
#include "num/kernel_steps.h"

#include <math.h>
#include <string.h>

/* ---- one row of scores ---- */

/* weights[0..width) = softmax of the first n scores, zero behind them. */
static void softmax_row(real *weights, const real *scores, size_t n, size_t width)
{
    real top = scores[0], sum = 0;
    for (size_t s = 1; s < n; s++) {
        top = scores[s] > top ? scores[s] : top;
    }
    if (top == -INFINITY) {
        memset(weights, 0, width * sizeof(*weights));
        return;
    }
    for (size_t s = 0; s < width; s++) {
        weights[s] = s < n ? (real)exp((double)(scores[s] - top)) : 0;
        sum += weights[s];
    }
    for (size_t s = 0; s < n; s++) {
        weights[s] /= sum;
    }
}

/* With p the softmax: ds = p * (dp - sum p dp), in place. */
static void softmax_row_bwd(real *d, const real *scores, size_t n, size_t width)
{
    real top = scores[0], sum = 0, inner = 0;
    for (size_t s = 1; s < n; s++) {
        top = scores[s] > top ? scores[s] : top;
    }
    if (top == -INFINITY) {
        memset(d, 0, width * sizeof(*d));
        return;
    }
    for (size_t s = 0; s < n; s++) {
        real e = (real)exp((double)(scores[s] - top));
        sum += e;
        inner += e * d[s];
    }
    inner /= sum;
    for (size_t s = 0; s < width; s++) {
        d[s] = s < n ? (real)exp((double)(scores[s] - top)) / sum * (d[s] - inner) : 0;
    }
}

static real dot(const real *a, const real *b, size_t n)
{
    real sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void add_scaled(real *out, const real *x, real by, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += by * x[i];
    }
}

/* ---- all positions ---- */

void attention_scores(real *scores, const real *q, const real *k, size_t B, size_t T, size_t NH,
                      size_t HS)
{
    size_t C = NH * HS;
    for (size_t n = 0; n < B * T; n++) {
        for (size_t h = 0; h < NH; h++) {
            const real *keys = k + n / T * T * C + h * HS;
            for (size_t s = 0; s < T; s++) {
                scores[(n * NH + h) * T + s] =
                    s <= n % T ? dot(q + n * C + h * HS, keys + s * C, HS) / (real)sqrt((double)HS)
                               : (real)-INFINITY;
            }
        }
    }
}

void attention_softmax(real *pattern, const real *scores, size_t B, size_t T, size_t NH)
{
    for (size_t i = 0; i < B * T * NH; i++) {
        softmax_row(pattern + i * T, scores + i * T, i / NH % T + 1, T);
    }
}

void attention_mix(real *z, const real *pattern, const real *v, size_t B, size_t T, size_t NH,
                   size_t HS)
{
    size_t C = NH * HS;
    for (size_t n = 0; n < B * T; n++) {
        for (size_t h = 0; h < NH; h++) {
            const real *row = pattern + (n * NH + h) * T;
            const real *values = v + n / T * T * C + h * HS;
            for (size_t j = 0; j < HS; j++) {
                real sum = 0;
                for (size_t s = 0; s < T; s++) {
                    sum += row[s] * values[s * C + j];
                }
                z[n * C + h * HS + j] = sum;
            }
        }
    }
}

void attention_mix_bwd(real *dpattern, real *dv, const real *dz, const real *pattern, const real *v,
                       size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    memset(dv, 0, B * T * C * sizeof(*dv));
    for (size_t n = 0; n < B * T; n++) {
        for (size_t h = 0; h < NH; h++) {
            size_t row = (n * NH + h) * T, values = n / T * T * C + h * HS;
            for (size_t s = 0; s < T; s++) {
                dpattern[row + s] = dot(dz + n * C + h * HS, v + values + s * C, HS);
                add_scaled(dv + values + s * C, dz + n * C + h * HS, pattern[row + s], HS);
            }
        }
    }
}

void attention_softmax_bwd(real *d, const real *scores, size_t B, size_t T, size_t NH)
{
    for (size_t i = 0; i < B * T * NH; i++) {
        softmax_row_bwd(d + i * T, scores + i * T, i / NH % T + 1, T);
    }
}

void attention_scores_bwd(real *dq, real *dk, const real *dscores, const real *q, const real *k,
                          size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    real scale = 1 / (real)sqrt((double)HS);
    memset(dq, 0, B * T * C * sizeof(*dq));
    memset(dk, 0, B * T * C * sizeof(*dk));
    for (size_t n = 0; n < B * T; n++) {
        for (size_t h = 0; h < NH; h++) {
            size_t query = n * C + h * HS, keys = n / T * T * C + h * HS;
            for (size_t s = 0; s <= n % T; s++) {
                real d = dscores[(n * NH + h) * T + s] * scale;
                add_scaled(dq + query, k + keys + s * C, d, HS);
                add_scaled(dk + keys + s * C, q + query, d, HS);
            }
        }
    }
}

/* ---- one query over kept keys and values ---- */

size_t attention_row_stride(size_t n)
{
    return (n + 15) / 16 * 16;
}

void attention_row_scores(real *scores, const real *q, const real *keys, size_t n_keys,
                          size_t stride, size_t NH, size_t HS)
{
    for (size_t h = 0; h < NH; h++) {
        for (size_t t = 0; t < stride; t++) {
            real sum = 0;
            for (size_t c = h * HS; t < n_keys && c < (h + 1) * HS; c++) {
                sum += q[c] * keys[c * stride + t];
            }
            scores[h * stride + t] = t < n_keys ? sum / (real)sqrt((double)HS) : (real)-INFINITY;
        }
    }
}

void attention_last_scores(real *scores, const real *q, const real *keys, size_t n_keys, size_t NH,
                           size_t HS)
{
    real scale = (real)(1.0 / sqrt((double)HS));
    for (size_t t = 0; t < n_keys; t++) {
        const real *key = keys + t * NH * HS;
        for (size_t h = 0; h < NH; h++) {
            real sum = 0;
            for (size_t c = h * HS; c < (h + 1) * HS; c++) {
                sum += q[c] * key[c];
            }
            scores[h * n_keys + t] = sum * scale;
        }
    }
}

void attention_row_softmax(real *weights, const real *scores, size_t n_keys, size_t stride,
                           size_t NH)
{
    for (size_t h = 0; h < NH; h++) {
        softmax_row(weights + h * stride, scores + h * stride, n_keys, stride);
    }
}

void attention_row_mix(real *z, const real *weights, const real *values, size_t n_keys,
                       size_t stride, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    memset(z, 0, C * sizeof(*z));
    for (size_t t = 0; t < n_keys; t++) {
        const real *value = values + t * C;
        for (size_t h = 0; h < NH; h++) {
            real weight = weights[h * stride + t];
            for (size_t c = h * HS; c < (h + 1) * HS; c++) {
                z[c] += weight * value[c];
            }
        }
    }
}

void attention_row_mix_bwd(real *dweights, real *dv, const real *dz, const real *weights,
                           const real *values, size_t n_keys, size_t stride, size_t NH, size_t HS)
{
    memset(dv, 0, NH * HS * sizeof(*dv));
    for (size_t h = 0; h < NH; h++) {
        for (size_t t = 0; t < stride; t++) {
            dweights[h * stride + t] =
                t < n_keys ? dot(dz + h * HS, values + t * NH * HS + h * HS, HS) : 0;
        }
        add_scaled(dv + h * HS, dz + h * HS, weights[h * stride + n_keys - 1], HS);
    }
}

void attention_row_softmax_bwd(real *d, const real *scores, size_t n_keys, size_t stride, size_t NH)
{
    for (size_t h = 0; h < NH; h++) {
        softmax_row_bwd(d + h * stride, scores + h * stride, n_keys, stride);
    }
}

void attention_row_scores_bwd(real *dq, real *dk, const real *dscores, const real *q,
                              const real *keys, size_t n_keys, size_t stride, size_t NH, size_t HS)
{
    real scale = 1 / (real)sqrt((double)HS);
    for (size_t c = 0; c < NH * HS; c++) {
        const real *d = dscores + c / HS * stride;
        dq[c] = dot(d, keys + c * stride, n_keys) * scale;
        dk[c] = d[n_keys - 1] * q[c] * scale;
    }
}

/* ---- LayerNorm ---- */

void layernorm_scale(real *scale, const real *rstd, size_t N)
{
    for (size_t n = 0; n < N; n++) {
        scale[n] = 1 / rstd[n];
    }
}

void layernorm_rescale(real *out, const real *scale, const real *x, const real *w, const real *b,
                       const real *mean, const real *rstd, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        for (size_t c = 0; scale[n] != 1 / rstd[n] && c < C; c++) {
            out[n * C + c] = (x[n * C + c] - mean[n]) / scale[n] * w[c] + b[c];
        }
    }
}

void layernorm_scale_bwd(real *dscale, const real *dout, const real *x, const real *w,
                         const real *mean, const real *scale, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        real sum = 0;
        for (size_t c = 0; c < C; c++) {
            sum += dout[n * C + c] * w[c] * (x[n * C + c] - mean[n]);
        }
        dscale[n] = -sum / (scale[n] * scale[n]);
    }
}

/* With g = dout * w: dx = (g - mean_c(g)) / scale + dscale * (x - mean) * rstd / C, the last term
 * because d sqrt(variance + eps) / dx = (x - mean) / (C * sqrt(variance + eps)). */
void layernorm_rescale_bwd(real *dx, real *dw, real *db, const real *dout, const real *dscale,
                           const real *x, const real *w, const real *mean, const real *rstd,
                           const real *scale, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        const real *d = dout + n * C;
        real g_mean = dot(d, w, C) / (real)C;
        for (size_t c = 0; c < C; c++) {
            real centred = x[n * C + c] - mean[n];
            dx[n * C + c] +=
                (d[c] * w[c] - g_mean) / scale[n] + dscale[n] * centred * rstd[n] / (real)C;
            dw[c] += d[c] * centred / scale[n];
            db[c] += d[c];
        }
    }
}
