/* num/kernel_steps.h - attention and LayerNorm taken apart, for passes that somebody looks into.
 *
 * The kernels of num/kernels.h never hold attention scores, an attention pattern or the scale of
 * a LayerNorm. These functions compute them one after another, so that a hook can read and change
 * what is between the steps, and take the gradient back through the same steps. Plain loops over
 * either number type: they run in microscopes, never in training. Legend in num/kernels.h; `d` in
 * front of a name is the gradient by that name. A value that a hook has changed counts as the
 * computed value plus a constant, so a gradient passes through the change as it is.
 *
 * attention_row_* work on one query over n_keys kept keys and values, `stride` columns apart
 * (attention_row_stride): keys (NH*HS, stride), column t the key of position t; values
 * (n_keys, NH*HS); scores and weights (NH, stride). The query's own key is the last one.
 */
#ifndef OGPT_NUM_KERNEL_STEPS_H
#define OGPT_NUM_KERNEL_STEPS_H

#include <stddef.h>

#include "num/real.h"

/* scores (B,T,NH,T) = q.k / sqrt(HS): for each query those of every head over all keys; minus
 * infinity for keys after the query. */
void attention_scores(real *scores, const real *q, const real *k, size_t B, size_t T, size_t NH,
                      size_t HS);
/* pattern (B,T,NH,T) = softmax of the scores over the keys up to the query, zero after it; zeros
 * throughout where all of them are minus infinity. pattern may be scores itself. */
void attention_softmax(real *pattern, const real *scores, size_t B, size_t T, size_t NH);
/* z (B,T,C) = pattern . v, over all keys. */
void attention_mix(real *z, const real *pattern, const real *v, size_t B, size_t T, size_t NH,
                   size_t HS);
/* dpattern (B,T,NH,T) and dv (B,T,C) are overwritten. */
void attention_mix_bwd(real *dpattern, real *dv, const real *dz, const real *pattern, const real *v,
                       size_t B, size_t T, size_t NH, size_t HS);
/* In place: d is dpattern before and dscores after. */
void attention_softmax_bwd(real *d, const real *scores, size_t B, size_t T, size_t NH);
/* dq and dk (B,T,C) are overwritten. */
void attention_scores_bwd(real *dq, real *dk, const real *dscores, const real *q, const real *k,
                          size_t B, size_t T, size_t NH, size_t HS);

/* Room for n positions: columns of keys and weights come in sixteens. */
size_t attention_row_stride(size_t n);
/* scores (NH, n_keys) of one query over keys (n_keys, NH*HS) as a pass has them. */
void attention_last_scores(real *scores, const real *q, const real *keys, size_t n_keys, size_t NH,
                           size_t HS);
/* The plain twins of the two kernels by these names in num/kernels.h. */
void attention_row_scores(real *scores, const real *q, const real *keys, size_t n_keys,
                          size_t stride, size_t NH, size_t HS);
void attention_row_softmax(real *weights, const real *scores, size_t n_keys, size_t stride,
                           size_t NH);
/* z (NH*HS) = weights . values. */
void attention_row_mix(real *z, const real *weights, const real *values, size_t n_keys,
                       size_t stride, size_t NH, size_t HS);
/* dweights (NH, stride), zero behind n_keys, and dv (NH*HS), of the last value alone, are
 * overwritten. */
void attention_row_mix_bwd(real *dweights, real *dv, const real *dz, const real *weights,
                           const real *values, size_t n_keys, size_t stride, size_t NH, size_t HS);
/* In place: d is dweights before and dscores after. */
void attention_row_softmax_bwd(real *d, const real *scores, size_t n_keys, size_t stride,
                               size_t NH);
/* dq (NH*HS) and dk (NH*HS), of the last key alone, are overwritten. */
void attention_row_scores_bwd(real *dq, real *dk, const real *dscores, const real *q,
                              const real *keys, size_t n_keys, size_t stride, size_t NH, size_t HS);

/* scale (N) = 1 / rstd: sqrt(variance + eps) of each row. */
void layernorm_scale(real *scale, const real *rstd, size_t N);
/* out (N,C) = (x - mean) / scale * w + b in the rows with a scale that is no longer 1 / rstd; the
 * others stay as they are. */
void layernorm_rescale(real *out, const real *scale, const real *x, const real *w, const real *b,
                       const real *mean, const real *rstd, size_t N, size_t C);
/* dscale (N) is overwritten. */
void layernorm_scale_bwd(real *dscale, const real *dout, const real *x, const real *w,
                         const real *mean, const real *scale, size_t N, size_t C);
/* What the layer's output gives back at a fixed scale, and dscale through the variance: dx (N,C),
 * dw (C) and db (C) += theirs. */
void layernorm_rescale_bwd(real *dx, real *dw, real *db, const real *dout, const real *dscale,
                           const real *x, const real *w, const real *mean, const real *rstd,
                           const real *scale, size_t N, size_t C);

#endif
