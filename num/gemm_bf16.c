/* num/gemm_bf16.c - the bfloat16 product in plain loops, and its scratch. See num/gemm_bf16.h. */
#include "num/gemm_bf16.h"

#include <stdint.h>
#include <string.h>

#include "num/gemm_bf16_fast.h"

size_t gemm_bf16_scratch(size_t M, size_t N, size_t K)
{
    size_t K2 = (K + 1) / 2;
    return bf16_a_bytes(M, K2) + bf16_panels(N) * BF16_PANEL * K2 * sizeof(uint32_t);
}

/* Nearest even; the upper half of the float's bits. NaN stays NaN. */
static float rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    if (x == x) {
        bits += 0x7fff + (bits >> 16 & 1);
    }
    bits &= 0xffff0000u;
    memcpy(&x, &bits, sizeof(bits));
    return x;
}

void gemm_bf16_ref(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                   const float *b, size_t ldb, const float *base, const float *bias, float *c,
                   size_t ldc)
{
    for (size_t m = 0; m < M; m++) {
        for (size_t n = 0; n < N; n++) {
            float sum = (base ? base[m * ldc + n] : 0) + (bias ? bias[n] : 0);
            for (size_t k = 0; k < K; k++) {
                float x = ta ? a[k * lda + m] : a[m * lda + k];
                float y = tb ? b[n * ldb + k] : b[k * ldb + n];
                sum += rounded(x) * rounded(y);
            }
            c[m * ldc + n] = sum;
        }
    }
}
