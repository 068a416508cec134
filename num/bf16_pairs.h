/* num/bf16_pairs.h - sixteen pairs of bfloat16 numbers, as the products take them. Only where the
 * processor has them (AVX512-BF16). Private to num/.
 *
 * A "pair" is two bfloat16 numbers that follow each other along the sum, in one 32-bit word: what
 * the instruction multiplies and adds at once.
 */
#ifndef OGPT_NUM_BF16_PAIRS_H
#define OGPT_NUM_BF16_PAIRS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Half word i of 32 to half word 2i, half word 16+i to 2i+1. */
static inline __m512i bf16_interleaving(void)
{
    __m512i word = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_or_si512(word,
                           _mm512_slli_epi32(_mm512_add_epi32(word, _mm512_set1_epi32(16)), 16));
}

/* 16 pairs: first halves from x, second halves from y. */
static inline __m512i bf16_pairs(__m512 x, __m512 y)
{
    return _mm512_permutexvar_epi16(bf16_interleaving(), (__m512i)_mm512_cvtne2ps_pbh(y, x));
}

/* The first n lanes of sixteen. */
static inline __mmask16 bf16_lanes(size_t n)
{
    return (__mmask16)(n >= 16 ? 0xffff : (1u << n) - 1);
}

/* 32 numbers of one row as 16 pairs; those from n on are zeros, and not read. */
static inline __m512i bf16_pairs_of_row(const float *x, size_t n)
{
    if (n >= 32) {
        return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(x));
    }
    return (__m512i)_mm512_cvtne2ps_pbh(
        _mm512_maskz_loadu_ps(bf16_lanes(n > 16 ? n - 16 : 0), x + 16),
        _mm512_maskz_loadu_ps(bf16_lanes(n), x));
}

/* K numbers to (K+1)/2 pairs along the row; out may be where x begins, or in front of it. */
static inline void bf16_row(uint32_t *out, const float *x, size_t K)
{
    for (size_t k2 = 0; k2 < (K + 1) / 2; k2 += 16) {
        _mm512_mask_storeu_epi32(out + k2, bf16_lanes((K + 1) / 2 - k2),
                                 bf16_pairs_of_row(x + 2 * k2, K - 2 * k2));
    }
}

#endif
