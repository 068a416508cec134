/* num/gemm_bf16_fast.c - the bfloat16 product where the processor has one: pack both factors, then
 * tiles of 6 rows by 64 columns; elsewhere the plain one.
 *
 * Pairs (num/bf16_pairs.h) follow each other along K. With K2 = ceil(K/2):
 *   packed a: pair (row m, k2) at [m*K2 + k2], or, when a is given transposed, at [k2*M + m]
 *   packed b: panels of 64 columns, pair (k2, column j of panel p) at [(p*K2 + k2)*64 + j]
 * Columns past N and the second half of an odd K are zeros.
 */
#include "num/gemm_bf16_fast.h"

#include <string.h>

#include "num/gemm_bf16.h"

#ifndef __AVX512BF16__

void gemm_bf16_here(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                    const float *b, size_t ldb, const float *base, const float *bias, float *c,
                    size_t ldc, void *scratch)
{
    (void)scratch;
    gemm_bf16_ref(ta, tb, M, N, K, a, lda, b, ldb, base, bias, c, ldc);
}

void gemm_bf16_symmetric_here(bool ta, bool tb, size_t M, size_t K, const float *a, const float *b,
                              float *c, void *scratch)
{
    (void)scratch;
    gemm_bf16_ref(ta, tb, M, M, K, a, ta ? M : K, b, tb ? K : M, NULL, NULL, c, M);
}

#else

#include "num/bf16_pairs.h"
#include "num/vec16.h"

enum { TILE_ROWS = 6 }; /* 24 accumulators, four registers of b, one of a: 29 of 32 */

/* 16 pairs: first halves from row x, second halves from row y (NULL: zeros). */
static inline __m512i pairs_of_rows(const float *x, const float *y, __mmask16 mask)
{
    __m512 first = _mm512_maskz_loadu_ps(mask, x);
    __m512 second = y ? _mm512_maskz_loadu_ps(mask, y) : _mm512_setzero_ps();
    return bf16_pairs(first, second);
}

/* Rows of x (R,K) to pairs along the row: out[r*K2 + k2]. */
static void pack_rows(uint32_t *out, const float *x, size_t ldx, size_t R, size_t K)
{
    for (size_t r = 0; r < R; r++) {
        bf16_row(out + r * ((K + 1) / 2), x + r * ldx, K);
    }
}

/* 16 columns of the rows first and second (NULL: zeros) of a factor, as pairs. */
static inline __m512i pairs_of_factor(const void *first, const void *second, size_t at, bool half,
                                      __mmask16 mask)
{
    if (!half) {
        return pairs_of_rows((const float *)first + at, second ? (const float *)second + at : NULL,
                             mask);
    }
    __m256i x = _mm256_maskz_loadu_epi16(mask, (const uint16_t *)first + at);
    __m256i y = second ? _mm256_maskz_loadu_epi16(mask, (const uint16_t *)second + at)
                       : _mm256_setzero_si256();
    return _mm512_permutexvar_epi16(bf16_interleaving(),
                                    _mm512_inserti64x4(_mm512_castsi256_si512(x), y, 1));
}

/* x (K,R) to pairs down the columns: column r of k2 is at
 * out[r / width * block + k2 * width + r % width], columns from R to a whole width are zeros. */
static void pack_columns(uint32_t *out, size_t width, size_t block, const Bf16Factor *f, size_t K,
                         size_t R)
{
    const bool half = f->half;
    for (size_t k2 = 0; k2 < (K + 1) / 2; k2++) {
        const char *first = (const char *)f->x + 2 * k2 * f->ld * sizeof(float);
        const char *second = 2 * k2 + 1 < K ? first + f->ld * sizeof(float) : NULL;
        for (size_t r0 = 0; r0 < R; r0 += width) {
            uint32_t *to = out + r0 / width * block + k2 * width;
            for (size_t i = 0; i < width; i += 16) {
                size_t r = r0 + i;
                __m512i pairs =
                    pairs_of_factor(first, second, r, half, bf16_lanes(r < R ? R - r : 0));
                _mm512_mask_storeu_epi32(to + i, bf16_lanes(width - i), pairs);
            }
        }
    }
}

/* One panel of b given transposed, x (columns,K): rows become columns, 16 by 16 pairs. */
static void pack_panel_transposed(uint32_t *out, const float *x, size_t ldx, size_t n_columns,
                                  size_t K)
{
    size_t K2 = (K + 1) / 2;
    Vec block[VEC_LANES]; /* pairs, moved about as if they were floats */
    for (size_t j0 = 0; j0 < BF16_PANEL; j0 += 16) {
        for (size_t k2 = 0; k2 < K2; k2 += 16) {
            for (size_t j = 0; j < 16; j++) {
                block[j] = j0 + j < n_columns
                               ? (Vec)bf16_pairs_of_row(x + (j0 + j) * ldx + 2 * k2, K - 2 * k2)
                               : vec_all(0);
            }
            vec_transpose(block);
            for (size_t i = 0; i < 16 && k2 + i < K2; i++) {
                _mm512_store_si512(out + (k2 + i) * BF16_PANEL + j0, (__m512i)block[i]);
            }
        }
    }
}

static void pack_b(uint32_t *out, const Bf16Factor *b, size_t K, size_t N)
{
    size_t K2 = (K + 1) / 2;
    if (!b->transposed) {
        pack_columns(out, BF16_PANEL, K2 * BF16_PANEL, b, K, N);
        return;
    }
    for (size_t p = 0; p < bf16_panels(N); p++) {
        size_t left = N - p * BF16_PANEL, width = left < BF16_PANEL ? left : BF16_PANEL;
        pack_panel_transposed(out + p * K2 * BF16_PANEL,
                              (const float *)b->x + p * BF16_PANEL * b->ld, b->ld, width, K);
    }
}

/* The factors and the starting values of one tile of c. */
typedef struct TileIn {
    const uint32_t *a; /* pair (r, k2) at a[r*row_step + k2*k_step] */
    size_t row_step, k_step, K2;
    const uint32_t *panel;
    const float *base, *bias; /* of the tile's first row and column; NULL: zeros */
} TileIn;

/* c (R,64) = base + bias + a . panel, R a compile-time constant. */
static inline __attribute__((always_inline)) void tile_sized(float *c, size_t ldc, const TileIn *in,
                                                             const int R)
{
    const uint32_t *a = in->a, *panel = in->panel;
    const size_t row_step = in->row_step, k_step = in->k_step, K2 = in->K2;
    __m512 sum[TILE_ROWS][4]; /* registers, if every loop over it is unrolled */
#pragma GCC unroll 4
    for (int w = 0; w < 4; w++) {
        __m512 of_column = in->bias ? _mm512_loadu_ps(in->bias + 16 * w) : _mm512_setzero_ps();
#pragma GCC unroll TILE_ROWS
        for (int r = 0; r < R; r++) {
            sum[r][w] = of_column;
        }
    }
    if (in->base) {
#pragma GCC unroll TILE_ROWS
        for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
            for (int w = 0; w < 4; w++) {
                sum[r][w] =
                    _mm512_add_ps(_mm512_loadu_ps(in->base + (size_t)r * ldc + 16 * w), sum[r][w]);
            }
        }
    }
    /* The next tile of c, if there is one: a store, too, waits for its line. */
    for (int r = 0; r < R; r++) {
        for (int w = 0; w < 4; w++) {
            uintptr_t at = (uintptr_t)c + ((size_t)(R + r) * ldc + 16 * (size_t)w) * sizeof(float);
            _mm_prefetch((const char *)at, _MM_HINT_ET0);
        }
    }
    for (size_t k2 = 0; k2 < K2; k2++) {
        __m512bh y[4];
#pragma GCC unroll 4
        for (int w = 0; w < 4; w++) {
            y[w] = (__m512bh)_mm512_load_si512(panel + k2 * BF16_PANEL + 16 * w);
        }
#pragma GCC unroll TILE_ROWS
        for (int r = 0; r < R; r++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[(size_t)r * row_step + k2 * k_step]);
#pragma GCC unroll 4
            for (int w = 0; w < 4; w++) {
                sum[r][w] = _mm512_dpbf16_ps(sum[r][w], x, y[w]);
            }
        }
    }
#pragma GCC unroll TILE_ROWS
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
        for (int w = 0; w < 4; w++) {
            _mm512_storeu_ps(c + (size_t)r * ldc + 16 * w, sum[r][w]);
        }
    }
}

static void tile(float *c, size_t ldc, const TileIn *in, size_t R)
{
    switch (R) {
    case 1: tile_sized(c, ldc, in, 1); break;
    case 2: tile_sized(c, ldc, in, 2); break;
    case 3: tile_sized(c, ldc, in, 3); break;
    case 4: tile_sized(c, ldc, in, 4); break;
    case 5: tile_sized(c, ldc, in, 5); break;
    default: tile_sized(c, ldc, in, TILE_ROWS); break;
    }
}

/* A tile of fewer than 64 columns goes through a full one on the stack. */
static void tile_narrow(float *c, size_t ldc, size_t width, const TileIn *in, size_t R)
{
    float full[TILE_ROWS * BF16_PANEL] __attribute__((aligned(64)));
    float bias[BF16_PANEL] = {0};
    TileIn whole = *in;
    if (in->bias) {
        memcpy(bias, in->bias, width * sizeof(float));
        whole.bias = bias;
    }
    for (size_t r = 0; in->base && r < R; r++) {
        memcpy(full + r * BF16_PANEL, in->base + r * ldc, width * sizeof(float));
        memset(full + r * BF16_PANEL + width, 0, (BF16_PANEL - width) * sizeof(float));
        whole.base = full;
    }
    tile(full, BF16_PANEL, &whole, R);
    for (size_t r = 0; r < R; r++) {
        memcpy(c + r * ldc, full + r * BF16_PANEL, width * sizeof(float));
    }
}

/* All of c, or of a panel only the tiles that reach its diagonal or lie below it. */
static void multiply(bool below, const Bf16Product *p, float *c, size_t ldc, void *scratch)
{
    const size_t M = p->M, N = p->N, K = p->K, K2 = (K + 1) / 2;
    const bool ta = p->a.transposed;
    const float *base = p->base, *bias = p->bias;
    const uint32_t *pa = p->a.x;
    uint32_t *pb = (uint32_t *)((char *)scratch + bf16_a_bytes(M, K2));
    TileIn in = {.row_step = ta ? 1 : K2, .k_step = ta ? M : 1, .K2 = K2};
    if (ta) {
        pack_columns(scratch, M, 0, &p->a, K, M);
        pa = scratch;
    } else if (!p->a.half) {
        pack_rows(scratch, p->a.x, p->a.ld, M, K);
        pa = scratch;
    } else {
        in.row_step = p->a.ld; /* it lies as it is needed */
    }
    pack_b(pb, &p->b, K, N);
    for (size_t n = 0; n < N; n += BF16_PANEL) {
        size_t width = N - n < BF16_PANEL ? N - n : BF16_PANEL;
        in.panel = pb + n * K2;
        in.bias = bias ? bias + n : NULL;
        for (size_t m = below ? n / TILE_ROWS * TILE_ROWS : 0; m < M; m += TILE_ROWS) {
            size_t R = M - m < TILE_ROWS ? M - m : TILE_ROWS, at = m * ldc + n;
            in.a = pa + m * in.row_step;
            in.base = base ? base + at : NULL;
            if (width == BF16_PANEL) {
                tile(c + at, ldc, &in, R);
            } else {
                tile_narrow(c + at, ldc, width, &in, R);
            }
        }
    }
}

void gemm_bf16_here(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                    const float *b, size_t ldb, const float *base, const float *bias, float *c,
                    size_t ldc, void *scratch)
{
    const Bf16Product p = {.M = M,
                           .N = N,
                           .K = K,
                           .a = {.x = a, .ld = lda, .transposed = ta},
                           .b = {.x = b, .ld = ldb, .transposed = tb},
                           .base = base,
                           .bias = bias};
    multiply(false, &p, c, ldc, scratch);
}

void gemm_bf16_factors_here(const Bf16Product *product, float *c, size_t ldc, void *scratch)
{
    multiply(false, product, c, ldc, scratch);
}

/* Rows 0 .. n-1 of the columns n .. M-1, from those below the diagonal; n is a multiple of 16. */
static void mirror(float *c, size_t M, size_t n)
{
    size_t last = n + BF16_PANEL < M ? n + BF16_PANEL : M, j = n;
    Vec block[VEC_LANES];
    for (; j + VEC_LANES <= last; j += VEC_LANES) {
        for (size_t i = 0; i < n; i += VEC_LANES) {
            for (size_t r = 0; r < VEC_LANES; r++) {
                block[r] = vec_load(c + (j + r) * M + i);
            }
            vec_transpose(block);
            for (size_t r = 0; r < VEC_LANES; r++) {
                vec_store(c + (i + r) * M + j, block[r]);
            }
        }
    }
    for (; j < last; j++) {
        for (size_t i = 0; i < n; i++) {
            c[i * M + j] = c[j * M + i];
        }
    }
}

/* A product and its mirror image have the same factors in the same order of sums: the same bits. */
void gemm_bf16_symmetric_here(bool ta, bool tb, size_t M, size_t K, const float *a, const float *b,
                              float *c, void *scratch)
{
    const Bf16Product p = {.M = M,
                           .N = M,
                           .K = K,
                           .a = {.x = a, .ld = ta ? M : K, .transposed = ta},
                           .b = {.x = b, .ld = tb ? K : M, .transposed = tb}};
    multiply(true, &p, c, M, scratch);
    for (size_t n = BF16_PANEL; n < M; n += BF16_PANEL) {
        mirror(c, M, n);
    }
}

#endif
