/* num/attention_bf16.h - causal attention with factors rounded to bfloat16. See num/kernels.h.
 * Private. */
#ifndef OGPT_NUM_ATTENTION_BF16_H
#define OGPT_NUM_ATTENTION_BF16_H

#include <stddef.h>

#include "num/variant.h"

#define attention_fwd_bf16 VARIANT_NAME(attention_fwd_bf16)
#define attention_bwd_bf16 VARIANT_NAME(attention_bwd_bf16)

/* Factors of all products are rounded: q, k, v, dz, the pattern and the gradient of the scores.
 * Sums, the softmax and lse are float32. Shapes that do not fit (num/attention_fast.h) are computed
 * in float32 and only what is kept is rounded; without the processor's products nothing is. */
void attention_fwd_bf16(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS);
void attention_bwd_bf16(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS);

#endif
