/* num/attention_fast.h - causal attention, vectorised. See num/kernels.h. Private. */
#ifndef OGPT_NUM_ATTENTION_FAST_H
#define OGPT_NUM_ATTENTION_FAST_H

#include <stddef.h>

#include "num/variant.h"

#define attention_fwd_fast VARIANT_NAME(attention_fwd_fast)
#define attention_bwd_fast VARIANT_NAME(attention_bwd_fast)

void attention_fwd_fast(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS);
void attention_bwd_fast(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS);

#endif
