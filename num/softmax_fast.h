/* num/softmax_fast.h - what num/softmax.c is called in one variant. See num/softmax.h. Private. */
#ifndef OGPT_NUM_SOFTMAX_FAST_H
#define OGPT_NUM_SOFTMAX_FAST_H

#include "num/variant.h"

#define softmax_residual_fast VARIANT_NAME(softmax_residual)
#define softmax_probability_fast VARIANT_NAME(softmax_probability)
#define logistic_residual_fast VARIANT_NAME(logistic_residual)

void softmax_residual_fast(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                           const uint16_t *squares, size_t N, size_t S, size_t K);
void softmax_probability_fast(float *z, size_t N, size_t S, size_t K);
void logistic_residual_fast(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                            const uint16_t *problems, size_t N, size_t G, size_t K);

#endif
