/* num/attention_row.h - one query over kept keys, vectorised. See num/kernels.h. Private. */
#ifndef OGPT_NUM_ATTENTION_ROW_H
#define OGPT_NUM_ATTENTION_ROW_H

#include <stddef.h>

#include "num/variant.h"

#define attention_row_scores_fast VARIANT_NAME(attention_row_scores_fast)
#define attention_row_softmax_fast VARIANT_NAME(attention_row_softmax_fast)

void attention_row_scores_fast(float *scores, const float *q, const float *keys, size_t n_keys,
                               size_t stride, size_t NH, size_t HS);
void attention_row_softmax_fast(float *weights, const float *scores, size_t n_keys, size_t stride,
                                size_t NH);

#endif
