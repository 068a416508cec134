/* num/attention_fast.h - causal attention, vectorised. See num/kernels.h. Private. */
#ifndef OGPT_NUM_ATTENTION_FAST_H
#define OGPT_NUM_ATTENTION_FAST_H

#include <stdbool.h>
#include <stddef.h>

#include "num/variant.h"

#define attention_fwd_fast VARIANT_NAME(attention_fwd_fast)
#define attention_bwd_fast VARIANT_NAME(attention_bwd_fast)

/* The shapes that the two fast kernels do themselves; others go to the plain one. */
#define ATTENTION_MAX_T 64
#define ATTENTION_MAX_HS 64
static inline bool attention_fits(size_t T, size_t HS)
{
    return T <= ATTENTION_MAX_T && (HS == 16 || HS == 32 || HS == ATTENTION_MAX_HS);
}

void attention_fwd_fast(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS);
void attention_bwd_fast(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS);

#endif
