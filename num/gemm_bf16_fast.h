/* num/gemm_bf16_fast.h - the bfloat16 product of one variant, and its scratch. Private. */
#ifndef OGPT_NUM_GEMM_BF16_FAST_H
#define OGPT_NUM_GEMM_BF16_FAST_H

#include "num/variant.h"

/* Whether the processor that this file is compiled for has the product. */
#ifdef __AVX512BF16__
#define BF16_HERE true
#else
#define BF16_HERE false
#endif

#define BF16_PANEL 64 /* columns: four registers of 16 pairs */

/* Panels of N columns, and bytes of the packed first factor, up to a whole line of the cache. */
static inline size_t bf16_panels(size_t N)
{
    return (N + BF16_PANEL - 1) / BF16_PANEL;
}

static inline size_t bf16_a_bytes(size_t M, size_t K2)
{
    return (M * K2 * sizeof(uint32_t) + 63) / 64 * 64;
}

/* One factor of a product: numbers, or rows of bfloat16 (num/kernels.h: a factor), zero behind an
 * odd row. ld: 32-bit words from one stored row to the next. A second factor that is half is not
 * transposed. */
typedef struct Bf16Factor {
    const void *x;
    size_t ld;
    bool transposed, half;
} Bf16Factor;

/* c = base + bias + op(a) . op(b), as in num/gemm_bf16.h; only where BF16_HERE. */
typedef struct Bf16Product {
    size_t M, N, K;
    Bf16Factor a, b;
    const float *base, *bias;
} Bf16Product;

#define gemm_bf16_factors_here VARIANT_NAME(gemm_bf16_factors)
#define gemm_bf16_here VARIANT_NAME(gemm_bf16)
#define gemm_bf16_symmetric_here VARIANT_NAME(gemm_bf16_symmetric)

void gemm_bf16_here(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                    const float *b, size_t ldb, const float *base, const float *bias, float *c,
                    size_t ldc, void *scratch);
void gemm_bf16_symmetric_here(bool ta, bool tb, size_t M, size_t K, const float *a, const float *b,
                              float *c, void *scratch);
void gemm_bf16_factors_here(const Bf16Product *product, float *c, size_t ldc, void *scratch);

#endif
