/* num/kernel_tables.h - the sets of kernels of one variant. Private. */
#ifndef OGPT_NUM_KERNEL_TABLES_H
#define OGPT_NUM_KERNEL_TABLES_H

#include "num/variant.h"

#define kernels_fast_here VARIANT_NAME(kernels_fast)
#define kernels_bf16_here VARIANT_NAME(kernels_bf16)

#define layernorm_bwd_fast VARIANT_NAME(layernorm_bwd_fast)
#define cross_entropy_fast VARIANT_NAME(cross_entropy_fast)
#define vector_add_columns VARIANT_NAME(vector_add_columns)

extern const Kernels kernels_fast_here, kernels_bf16_here;

/* What both sets have. */
void layernorm_bwd_fast(float *dx, float *dw, float *db, const float *dout, const float *x,
                        const float *w, const float *mean, const float *rstd, size_t N, size_t C);
double cross_entropy_fast(float *logits, const uint8_t *target, float scale, size_t N, size_t V);
/* sums (C) += the columns of x (N,C); NULL: nothing. */
void vector_add_columns(float *sums, const float *x, size_t N, size_t C);

#endif
