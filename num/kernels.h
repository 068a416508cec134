/* num/kernels.h - dense transformer kernels, forward and backward.
 *
 * Row-major. Legend: B batch (games), T time, C channels, OC output channels, NH heads,
 * HS head size (C = NH*HS), N = B*T rows, V vocabulary. A name with d in front is the gradient
 * of the loss by that name.
 *
 * Every kernel exists twice. *_ref is the specification: plain loops, any size >= 1, float or
 * double. *_fast must agree with it within KERNEL_TOL(K), K the reduction length, which
 * tests/num/test_kernels.c proves. The set for training in bfloat16 differs by the rounding of
 * factors (tests/num/test_kernels_bf16.c, tests/num/test_attention_bf16.c). No kernel allocates,
 * prints, or fails. Outputs never alias inputs unless stated. The products need `scratch`:
 * scratch_bytes of memory, aligned to 64, with any contents. The graph (model/block.c) calls
 * kernels through a Kernels table, so that all sets run the same graph.
 */
#ifndef OGPT_NUM_KERNELS_H
#define OGPT_NUM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "num/real.h"

/* Allowed difference between ref and fast, relative to the largest magnitude of the result:
 * float rounding (6e-8) times a random-walk factor for K additions, with room for the fused
 * polynomials (3e-7). */
#define KERNEL_TOL(K) (2e-6 + 1.2e-7 * (double)(K))

/* A "factor" is an array (N,C) that nothing but products reads: the set that writes it decides how
 * its rows lie in the room of N*C numbers. kernels_ref and kernels_fast keep numbers; kernels_bf16
 * keeps rows of bfloat16, as their products take them, in half the room. Factors are out of
 * layernorm_fwd, act of gelu_fwd, d of gelu_bwd on return, z, dq, dk and dv of attention; inp of
 * all products, and dout of those that say so. */
typedef struct Kernels {
    const char *name;
    /* Bytes of scratch for products of at most these sizes. */
    size_t (*scratch_bytes)(size_t N, size_t C, size_t OC);

    /* out (N,OC) = inp (N,C) . w (C,OC) + bias (OC); bias may be NULL. */
    void (*linear_fwd)(real *out, const real *inp, const real *w, const real *bias, size_t N,
                       size_t C, size_t OC, void *scratch);
    /* out (N,OC) = base (N,OC) + inp (N,C) . w (C,OC) + bias (OC): a residual addition. */
    void (*linear_residual)(real *out, const real *base, const real *inp, const real *w,
                            const real *bias, size_t N, size_t C, size_t OC, void *scratch);
    /* dinp (N,C) = keep * dinp + dout (N,OC) . w (C,OC)^T, keep 0 or 1 (0: dinp is not read). */
    void (*linear_bwd_inp)(real *dinp, const real *dout, const real *w, int keep, size_t N,
                           size_t C, size_t OC, void *scratch);
    /* dw (C,OC) = keep * dw + inp (N,C)^T . dout (N,OC), keep 0 or 1 (0: dw is not read). Adds the
     * column sums of dout to dbias (OC), unless NULL. */
    void (*linear_bwd_w)(real *dw, real *dbias, const real *inp, const real *dout, int keep,
                         size_t N, size_t C, size_t OC, void *scratch);

    /* The same two for a dout that is a factor. */
    void (*linear_bwd_inp_factor)(real *dinp, const real *dout, const real *w, int keep, size_t N,
                                  size_t C, size_t OC, void *scratch);
    void (*linear_bwd_w_factor)(real *dw, real *dbias, const real *inp, const real *dout, int keep,
                                size_t N, size_t C, size_t OC, void *scratch);

    /* out (N,C) = (x - mean) * rstd * w + b per row; mean (N), rstd (N) are kept for the
     * backward pass. Ba, Kiros, Hinton 2016. */
    void (*layernorm_fwd)(real *out, real *mean, real *rstd, const real *x, const real *w,
                          const real *b, size_t N, size_t C, real eps);
    /* dx (N,C) += gradient through the layer; dw (C), db (C) += theirs. */
    void (*layernorm_bwd)(real *dx, real *dw, real *db, const real *dout, const real *x,
                          const real *w, const real *mean, const real *rstd, size_t N, size_t C);

    /* act (N,C) = gelu(pre + bias), exact: x * Phi(x); slope (N,C) = gelu'(pre + bias), or NULL.
     * slope or act may be pre itself. Hendrycks & Gimpel 2016. */
    void (*gelu_fwd)(real *act, real *slope, const real *pre, const real *bias, size_t N, size_t C);
    /* d (N,C) *= slope, in place; dbias (C) += column sums of the result. */
    void (*gelu_bwd)(real *d, real *dbias, const real *slope, size_t N, size_t C);

    /* Causal attention of all heads. q, k, v, z are (B,T,C) with heads side by side; lse
     * (B,NH,T) = log-sum-exp of each query's scaled scores, for the backward pass. */
    void (*attention_fwd)(real *z, real *lse, const real *q, const real *k, const real *v, size_t B,
                          size_t T, size_t NH, size_t HS);
    /* dq, dk, dv (B,T,C) are overwritten. The pattern is made again from q, k and lse. */
    void (*attention_bwd)(real *dq, real *dk, real *dv, const real *dz, const real *z,
                          const real *lse, const real *q, const real *k, const real *v, size_t B,
                          size_t T, size_t NH, size_t HS);

    /* One query of every head over n_keys kept keys, for a pass of one position (model/prefix.c).
     * q (C), keys (C,stride), column t the key of position t, finite in all columns; stride a
     * multiple of 16. scores (NH,stride) = q.k / sqrt(HS), minus infinity from n_keys on. */
    void (*attention_row_scores)(real *scores, const real *q, const real *keys, size_t n_keys,
                                 size_t stride, size_t NH, size_t HS);
    /* weights (NH,stride) = softmax over the first n_keys scores, zero behind them; zeros
     * throughout where all of them are minus infinity. weights may be scores itself. */
    void (*attention_row_softmax)(real *weights, const real *scores, size_t n_keys, size_t stride,
                                  size_t NH);

    /* Sum of -ln softmax(logits[n])[target[n]] over rows with a target other than 0 (the pad); V at
     * most 256. If scale is not 0, logits (N,V) are overwritten by the gradient times scale (rows
     * with a pad target: zeros). */
    double (*cross_entropy)(real *logits, const uint8_t *target, real scale, size_t N, size_t V);
} Kernels;

extern const Kernels kernels_ref;
#ifndef OGPT_REAL_DOUBLE
/* The fast kernels for this processor. */
const Kernels *kernels_fast(void);
/* As kernels_fast, but factors of products are rounded to bfloat16 (num/gemm_bf16.h); for
 * training, where bf16_available(). */
const Kernels *kernels_bf16(void);

/* The fast kernels may be compiled for several instruction sets (num/variant.h). The best that this
 * processor runs is in use, unless kernels_choose names another. Results can differ in the last
 * bits from set to set. */
const char *kernels_set(void);
/* The first n sets that this build has and this processor runs, the best last; returns how many
 * there are. */
size_t kernels_sets(const char *out[], size_t n);
/* name NULL: the best one. Not while kernels run. Returns 0 or OGPT_EUSAGE (the message lists the
 * sets). */
int kernels_choose(const char *name);
#endif

#endif
