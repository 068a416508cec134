/* num/gemm_bf16.h - matrix products of numbers rounded to bfloat16, summed in float32.
 *
 * For training only. Weights, the residual stream, gradients of weights and sums stay float32; each
 * factor of a product is rounded to 8 bits of mantissa (nearest even, relative error 2^-9) when it
 * is loaded or, as num/kernels.h says, when it is kept. Processors with AVX512-BF16 then do twice
 * as many multiplications a cycle. Why our own: OpenBLAS as packaged has no such product.
 *
 * Ref: Micikevicius et al. 2018, Mixed Precision Training; Kalamkar et al. 2019, bfloat16.
 *
 * Row-major. c (M,N) = base + bias + op(a) (M,K) . op(b) (K,N); op transposes when ta/tb. base
 * (M,N), rows as far apart as those of c, may be c itself; bias (N) is added to every row; either
 * may be NULL: zeros. ldx: numbers from one stored row to the next.
 */
#ifndef OGPT_NUM_GEMM_BF16_H
#define OGPT_NUM_GEMM_BF16_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the fast product is in use: this build has it, and so has the processor (AVX512-BF16). */
bool bf16_available(void);

/* Bytes of scratch, aligned to 64, for a product of these sizes. */
size_t gemm_bf16_scratch(size_t M, size_t N, size_t K);

/* The specification: rounds, multiplies and adds in plain loops. Always compiled. */
void gemm_bf16_ref(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                   const float *b, size_t ldb, const float *base, const float *bias, float *c,
                   size_t ldc);
/* The same by AVX512-BF16 where available, else gemm_bf16_ref itself. Differences: the order of
 * sums, and numbers below 1.2e-38 count as 0. */
void gemm_bf16_fast(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                    const float *b, size_t ldb, const float *base, const float *bias, float *c,
                    size_t ldc, void *scratch);
/* c (M,M) = op(a) (M,K) . op(b) (K,M), all without gaps between rows, where the caller knows that
 * it is symmetric: b is a transposed, or both are one symmetric matrix. The bits of gemm_bf16_fast;
 * little more than half of it is computed. Scratch as for (M,M,K). */
void gemm_bf16_symmetric(bool ta, bool tb, size_t M, size_t K, const float *a, const float *b,
                         float *c, void *scratch);

#endif
