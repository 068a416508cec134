/* num/kernels_ref.c - the specification of every kernel, in plain loops.
 *
 * Compiled as float for the program and as double for the gradient tests. Clarity first: the fast
 * kernels are compared with these loops.
 */
#include "num/kernels.h"

#include <math.h>

#include "num/kernel_steps.h"

static void linear_fwd_ref(real *out, const real *inp, const real *w, const real *bias, size_t N,
                           size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    for (size_t n = 0; n < N; n++) {
        for (size_t o = 0; o < OC; o++) {
            real sum = bias ? bias[o] : 0;
            for (size_t c = 0; c < C; c++) {
                sum += inp[n * C + c] * w[c * OC + o];
            }
            out[n * OC + o] = sum;
        }
    }
}

static void linear_residual_ref(real *out, const real *base, const real *inp, const real *w,
                                const real *bias, size_t N, size_t C, size_t OC, void *scratch)
{
    linear_fwd_ref(out, inp, w, bias, N, C, OC, scratch);
    for (size_t i = 0; i < N * OC; i++) {
        out[i] += base[i];
    }
}

static void linear_bwd_inp_ref(real *dinp, const real *dout, const real *w, int keep, size_t N,
                               size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    for (size_t n = 0; n < N; n++) {
        for (size_t c = 0; c < C; c++) {
            real sum = keep ? dinp[n * C + c] : 0;
            for (size_t o = 0; o < OC; o++) {
                sum += dout[n * OC + o] * w[c * OC + o];
            }
            dinp[n * C + c] = sum;
        }
    }
}

static void linear_bwd_w_ref(real *dw, real *dbias, const real *inp, const real *dout, int keep,
                             size_t N, size_t C, size_t OC, void *scratch)
{
    (void)scratch;
    for (size_t i = 0; !keep && i < C * OC; i++) {
        dw[i] = 0;
    }
    for (size_t n = 0; n < N; n++) {
        for (size_t c = 0; c < C; c++) {
            for (size_t o = 0; o < OC; o++) {
                dw[c * OC + o] += inp[n * C + c] * dout[n * OC + o];
            }
        }
        for (size_t o = 0; dbias && o < OC; o++) {
            dbias[o] += dout[n * OC + o];
        }
    }
}

static void layernorm_fwd_ref(real *out, real *mean, real *rstd, const real *x, const real *w,
                              const real *b, size_t N, size_t C, real eps)
{
    for (size_t n = 0; n < N; n++) {
        const real *row = x + n * C;
        real m = 0, var = 0;
        for (size_t c = 0; c < C; c++) {
            m += row[c];
        }
        m /= (real)C;
        for (size_t c = 0; c < C; c++) {
            var += (row[c] - m) * (row[c] - m);
        }
        var /= (real)C;
        mean[n] = m;
        rstd[n] = 1 / (real)sqrt((double)(var + eps));
        for (size_t c = 0; c < C; c++) {
            out[n * C + c] = (row[c] - m) * rstd[n] * w[c] + b[c];
        }
    }
}

/* With xhat = (x - mean) * rstd and g = dout * w:
 * dx = rstd * (g - mean_c(g) - xhat * mean_c(g * xhat)). */
static void layernorm_bwd_ref(real *dx, real *dw, real *db, const real *dout, const real *x,
                              const real *w, const real *mean, const real *rstd, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        real g_mean = 0, gx_mean = 0;
        for (size_t c = 0; c < C; c++) {
            real xhat = (x[n * C + c] - mean[n]) * rstd[n];
            real g = dout[n * C + c] * w[c];
            g_mean += g;
            gx_mean += g * xhat;
            dw[c] += dout[n * C + c] * xhat;
            db[c] += dout[n * C + c];
        }
        g_mean /= (real)C;
        gx_mean /= (real)C;
        for (size_t c = 0; c < C; c++) {
            real xhat = (x[n * C + c] - mean[n]) * rstd[n];
            dx[n * C + c] += rstd[n] * (dout[n * C + c] * w[c] - g_mean - xhat * gx_mean);
        }
    }
}

static void gelu_fwd_ref(real *act, real *slope, const real *pre, const real *bias, size_t N,
                         size_t C)
{
    for (size_t n = 0; n < N; n++) {
        for (size_t c = 0; c < C; c++) {
            double x = (double)(pre[n * C + c] + bias[c]);
            double cdf = 0.5 * (1.0 + erf(x / sqrt(2.0)));
            double pdf = exp(-0.5 * x * x) / sqrt(2.0 * M_PI);
            act[n * C + c] = (real)(x * cdf);
            if (slope) {
                slope[n * C + c] = (real)(cdf + x * pdf);
            }
        }
    }
}

static void gelu_bwd_ref(real *d, real *dbias, const real *slope, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        for (size_t c = 0; c < C; c++) {
            d[n * C + c] *= slope[n * C + c];
            dbias[c] += d[n * C + c];
        }
    }
}

/* Scaled score of query t and key s of one head. */
static real score_of(const real *q, const real *k, size_t HS)
{
    real sum = 0;
    for (size_t j = 0; j < HS; j++) {
        sum += q[j] * k[j];
    }
    return sum / (real)sqrt((double)HS);
}

static void attention_fwd_ref(real *z, real *lse, const real *q, const real *k, const real *v,
                              size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    for (size_t b = 0; b < B; b++) {
        for (size_t h = 0; h < NH; h++) {
            for (size_t t = 0; t < T; t++) {
                const real *query = q + (b * T + t) * C + h * HS;
                real *out = z + (b * T + t) * C + h * HS;
                real top = score_of(query, k + b * T * C + h * HS, HS), sum = 0;
                for (size_t s = 1; s <= t; s++) {
                    real score = score_of(query, k + (b * T + s) * C + h * HS, HS);
                    top = score > top ? score : top;
                }
                for (size_t j = 0; j < HS; j++) {
                    out[j] = 0;
                }
                for (size_t s = 0; s <= t; s++) {
                    real score = score_of(query, k + (b * T + s) * C + h * HS, HS);
                    real weight = (real)exp((double)(score - top));
                    sum += weight;
                    for (size_t j = 0; j < HS; j++) {
                        out[j] += weight * v[(b * T + s) * C + h * HS + j];
                    }
                }
                for (size_t j = 0; j < HS; j++) {
                    out[j] /= sum;
                }
                lse[(b * NH + h) * T + t] = top + (real)log((double)sum);
            }
        }
    }
}

/* With p the pattern and dp[s] = dz . v[s]: ds = p * (dp - sum_s p dp), and the inner sum equals
 * dz . z. Then dq += ds k, dk += ds q (both / sqrt(HS)), dv += p dz. */
static void attention_bwd_ref(real *dq, real *dk, real *dv, const real *dz, const real *z,
                              const real *lse, const real *q, const real *k, const real *v,
                              size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    real scale = 1 / (real)sqrt((double)HS);
    for (size_t i = 0; i < B * T * C; i++) {
        dq[i] = dk[i] = dv[i] = 0;
    }
    for (size_t b = 0; b < B; b++) {
        for (size_t h = 0; h < NH; h++) {
            for (size_t t = 0; t < T; t++) {
                size_t at = (b * T + t) * C + h * HS;
                real inner = 0;
                for (size_t j = 0; j < HS; j++) {
                    inner += dz[at + j] * z[at + j];
                }
                for (size_t s = 0; s <= t; s++) {
                    size_t key = (b * T + s) * C + h * HS;
                    real score = score_of(q + at, k + key, HS), dp = 0;
                    real p = (real)exp((double)(score - lse[(b * NH + h) * T + t]));
                    for (size_t j = 0; j < HS; j++) {
                        dp += dz[at + j] * v[key + j];
                    }
                    real ds = p * (dp - inner) * scale;
                    for (size_t j = 0; j < HS; j++) {
                        dq[at + j] += ds * k[key + j];
                        dk[key + j] += ds * q[at + j];
                        dv[key + j] += p * dz[at + j];
                    }
                }
            }
        }
    }
}

static double cross_entropy_ref(real *logits, const uint8_t *target, real scale, size_t N, size_t V)
{
    double loss = 0;
    for (size_t n = 0; n < N; n++) {
        real *row = logits + n * V;
        real top = row[0];
        double sum = 0;
        for (size_t i = 1; i < V; i++) {
            top = row[i] > top ? row[i] : top;
        }
        for (size_t i = 0; i < V; i++) {
            sum += exp((double)(row[i] - top));
        }
        double log_sum = (double)top + log(sum);
        if (target[n] != 0) {
            loss += log_sum - (double)row[target[n]];
        }
        for (size_t i = 0; scale != 0 && i < V; i++) {
            double p = exp((double)row[i] - log_sum) - (i == target[n] ? 1.0 : 0.0);
            row[i] = target[n] != 0 ? (real)p * scale : 0;
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

const Kernels kernels_ref = {
    .name = "ref",
    .scratch_bytes = no_scratch,
    .linear_fwd = linear_fwd_ref,
    .linear_residual = linear_residual_ref,
    .linear_bwd_inp = linear_bwd_inp_ref,
    .linear_bwd_w = linear_bwd_w_ref,
    .linear_bwd_inp_factor = linear_bwd_inp_ref,
    .linear_bwd_w_factor = linear_bwd_w_ref,
    .layernorm_fwd = layernorm_fwd_ref,
    .layernorm_bwd = layernorm_bwd_ref,
    .gelu_fwd = gelu_fwd_ref,
    .gelu_bwd = gelu_bwd_ref,
    .attention_fwd = attention_fwd_ref,
    .attention_bwd = attention_bwd_ref,
    .attention_row_scores = attention_row_scores,
    .attention_row_softmax = attention_row_softmax,
    .cross_entropy = cross_entropy_ref,
};
