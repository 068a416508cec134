/* num/attention_bf16.c - causal attention for short sequences, factors rounded to bfloat16: one
 * game, one head, sixteen queries at a time.
 *
 * A vector holds one key's scores of sixteen queries, so largest scores, sums and logarithms of
 * sixteen rows are made side by side, without sums across lanes. Pairs (num/bf16_pairs.h) of k, v,
 * q and dz are kept along the row for sums over channels, and down the columns for sums over
 * positions. Shapes outside (T > 64, HS not 16, 32 or 64), and processors without such products, go
 * to num/attention_fast.h.
 */
#include "num/attention_bf16.h"

#include "num/attention_fast.h"

#ifndef __AVX512BF16__

void attention_fwd_bf16(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS)
{
    attention_fwd_fast(z, lse, q, k, v, B, T, NH, HS);
}

void attention_bwd_bf16(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS)
{
    attention_bwd_fast(dq, dk, dv, dz, z, lse, q, k, v, B, T, NH, HS);
}

#else

#include <math.h>
#include <string.h>

#include "num/bf16_pairs.h"
#include "num/vec16.h"

#define LANES ((size_t)16)
#define ROWS ((size_t)8) /* of one tile */
#define LOG2_E 1.44269504088896341f

/* One head of one game. Rows: pair (t, j2) at [t*HS/2 + j2]. Columns: pair (t2, j) at [t2*HS + j].
 * What lies behind T is zero, up to whole tiles. */
typedef struct HalfHead {
    uint32_t k_rows[ATTENTION_MAX_T * ATTENTION_MAX_HS / 2],
        v_rows[ATTENTION_MAX_T * ATTENTION_MAX_HS / 2];
    uint32_t q_columns[ATTENTION_MAX_T / 2 * ATTENTION_MAX_HS],
        k_columns[ATTENTION_MAX_T / 2 * ATTENTION_MAX_HS];
    uint32_t v_columns[ATTENTION_MAX_T / 2 * ATTENTION_MAX_HS],
        dz_columns[ATTENTION_MAX_T / 2 * ATTENTION_MAX_HS];
    /* The sixteen queries at work: pair (j2, query) of q and dz, pair (key2, query). */
    uint32_t q[ATTENTION_MAX_HS / 2 * LANES], dz[ATTENTION_MAX_HS / 2 * LANES],
        keys[ATTENTION_MAX_T / 2 * LANES];
    /* Pair (key, query2) of the pattern and of the gradient of the scores. */
    uint32_t pattern[ATTENTION_MAX_T * ATTENTION_MAX_T / 2],
        dscore[ATTENTION_MAX_T * ATTENTION_MAX_T / 2];
    float score[ATTENTION_MAX_T * LANES], dp[ATTENTION_MAX_T * LANES];
} __attribute__((aligned(64))) HalfHead;

/* A head's rows lie far apart, in lines that no other head reads: the processor does not foresee
 * them. So those of the next head are fetched while this one is at work. */
static void fetch_rows(const void *x, size_t T, size_t stride_bytes, size_t row_bytes)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t at = 0; at < row_bytes; at += 64) {
            _mm_prefetch((const char *)x + t * stride_bytes + at, _MM_HINT_T1);
        }
    }
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void rows_in(uint32_t *out, const float *x, size_t T, size_t C, size_t HS)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t j = 0; j < HS; j += LANES) {
            _mm256_store_si256((__m256i *)(out + (t * HS + j) / 2),
                               (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + t * C + j)));
        }
    }
    memset(out + T * HS / 2, 0, (round_up(T, ROWS) - T) * HS / 2 * sizeof(*out));
}

static void columns_in(uint32_t *out, const float *x, size_t T, size_t C, size_t HS)
{
    size_t n = (T + 1) / 2;
    for (size_t t2 = 0; t2 < n; t2++) {
        const float *row = x + 2 * t2 * C;
        for (size_t j = 0; j < HS; j += LANES) {
            __m512 second = 2 * t2 + 1 < T ? _mm512_loadu_ps(row + C + j) : _mm512_setzero_ps();
            _mm512_store_si512(out + t2 * HS + j, bf16_pairs(_mm512_loadu_ps(row + j), second));
        }
    }
    memset(out + n * HS, 0, (round_up(T, LANES) / 2 - n) * HS * sizeof(*out));
}

/* n <= 16 rows of x become columns: pair (j2, row) at [j2*16 + row]. */
static void transposed_in(uint32_t *out, const float *x, size_t n, size_t C, size_t HS)
{
    Vec block[VEC_LANES];
    for (size_t j = 0; j < HS; j += LANES) {
        for (size_t r = 0; r < LANES; r++) {
            block[r] = r < n ? vec_load(x + r * C + j) : vec_all(0);
        }
        vec_transpose(block);
        for (size_t i = 0; i < LANES; i += 2) {
            _mm512_store_si512(out + (j + i) / 2 * LANES,
                               bf16_pairs((__m512)block[i], (__m512)block[i + 1]));
        }
    }
}

/* sum[r][w] = sum over k2 in [from, to) of pairs (row r, k2) at a[r*row_step + k2*k_step] times the
 * sixteen pairs at b[k2*ldb + 16*w]; R rows, W vectors, compile-time constants. */
static inline __attribute__((always_inline)) void tile(__m512 sum[], const uint32_t *a,
                                                       size_t row_step, size_t k_step,
                                                       const uint32_t *b, size_t ldb, size_t from,
                                                       size_t to, const size_t R, const size_t W)
{
    for (size_t i = 0; i < R * W; i++) {
        sum[i] = _mm512_setzero_ps();
    }
    for (size_t k2 = from; k2 < to; k2++) {
        for (size_t r = 0; r < R; r++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[r * row_step + k2 * k_step]);
            for (size_t w = 0; w < W; w++) {
                __m512bh y = (__m512bh)_mm512_load_si512(b + k2 * ldb + LANES * w);
                sum[r * W + w] = _mm512_dpbf16_ps(sum[r * W + w], x, y);
            }
        }
    }
}

/* Rows first .. first+R of a product with HS columns, times factor[r] if given, into `out`. */
static inline __attribute__((always_inline)) void
rows_sized(uint16_t *out, size_t C, size_t n, const float *factor, const uint32_t *a,
           size_t row_step, size_t k_step, const uint32_t *b, size_t from, size_t to,
           const size_t R, const size_t W)
{
    for (size_t first = 0; first < n; first += R) {
        __m512 sum[ROWS * 2];
        tile(sum, a + first * row_step, row_step, k_step, b, W * LANES, from, to, R, W);
        for (size_t r = 0; r < R && first + r < n; r++) {
            __m512 by = _mm512_set1_ps(factor ? factor[first + r] : 1);
            for (size_t w = 0; w < W; w++) {
                __m512 x = factor ? _mm512_mul_ps(sum[r * W + w], by) : sum[r * W + w];
                _mm256_storeu_si256((__m256i *)(out + (first + r) * C + LANES * w),
                                    (__m256i)_mm512_cvtneps_pbh(x));
            }
        }
    }
}

/* Where the pairs of the first factor lie, and which of them are summed. */
typedef struct Factor {
    const uint32_t *a;
    size_t row_step, k_step, from, to;
} Factor;

/* n rows of HS numbers: a product with the columns b, times factor[row] unless NULL. */
static void product_rows(uint16_t *out, size_t C, size_t n, const float *factor, const Factor *f,
                         const uint32_t *b, size_t HS)
{
    switch (HS) {
    case 16:
        rows_sized(out, C, n, factor, f->a, f->row_step, f->k_step, b, f->from, f->to, 8, 1);
        break;
    case 32:
        rows_sized(out, C, n, factor, f->a, f->row_step, f->k_step, b, f->from, f->to, 8, 2);
        break;
    default:
        rows_sized(out, C, n, factor, f->a, f->row_step, f->k_step, b, f->from, f->to, 4, 4);
        break;
    }
}

/* 2^x, relative error below 3e-7: 2^n times the Taylor polynomial of degree 6 at |r| <= 1/2. */
static inline __m512 exp2_of(__m512 x)
{
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_sub_ps(x, n), p = _mm512_set1_ps(1.54035304e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.33335581e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.61812911e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.55041087e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.40226507e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.93147181e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}

/* ln x of positive numbers: x = 2^e m with m in [3/4, 3/2), ln m = 2 atanh((m-1) / (m+1)) by its
 * series to the ninth power (next term below 4e-9). */
static inline __m512 log_of(__m512 x)
{
    __m512 m = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    __m512 e = _mm512_getexp_ps(_mm512_div_ps(x, m)), one = _mm512_set1_ps(1);
    __m512 t = _mm512_div_ps(_mm512_sub_ps(m, one), _mm512_add_ps(m, one));
    __m512 t2 = _mm512_mul_ps(t, t), p = _mm512_set1_ps(2.0f / 9);
    p = _mm512_fmadd_ps(p, t2, _mm512_set1_ps(2.0f / 7));
    p = _mm512_fmadd_ps(p, t2, _mm512_set1_ps(2.0f / 5));
    p = _mm512_fmadd_ps(p, t2, _mm512_set1_ps(2.0f / 3));
    p = _mm512_fmadd_ps(p, t2, _mm512_set1_ps(2));
    return _mm512_fmadd_ps(e, _mm512_set1_ps(0.69314718055994531f), _mm512_mul_ps(p, t));
}

/* Which of the queries first .. first+15 see the key. */
static __mmask16 seeing(size_t key, size_t first)
{
    return key <= first ? 0xffff : key < first + LANES ? (__mmask16)(0xffffu << (key - first)) : 0;
}

static void head_fwd(HalfHead *h, uint16_t *z, float *lse, const float *q, size_t T, size_t C,
                     size_t HS)
{
    float scale = 1 / sqrtf((float)HS);
    __m512 to_log2 = _mm512_set1_ps(scale * LOG2_E);
    for (size_t first = 0; first < T; first += LANES) {
        size_t n = T - first < LANES ? T - first : LANES, n_keys = round_up(first + n, ROWS);
        __m512 top = _mm512_set1_ps(-INFINITY), total = _mm512_setzero_ps();
        float one_by[LANES];
        transposed_in(h->q, q + first * C, n, C, HS);
        for (size_t key = 0; key < n_keys; key += ROWS) {
            __m512 score[ROWS];
            tile(score, h->k_rows + key * HS / 2, HS / 2, 1, h->q, LANES, 0, HS / 2, ROWS, 1);
            for (size_t r = 0; r < ROWS; r++) {
                /* Keys behind T are seen by queries behind T alone. */
                top = _mm512_mask_max_ps(top, seeing(key + r, first), top, score[r]);
                _mm512_store_ps(h->score + (key + r) * LANES, score[r]);
            }
        }
        __m512 least = _mm512_mul_ps(top, to_log2);
        for (size_t key = 0; key < n_keys; key += 2) {
            __m512 weight[2];
            for (size_t i = 0; i < 2; i++) {
                __m512 x = _mm512_load_ps(h->score + (key + i) * LANES);
                weight[i] = _mm512_maskz_mov_ps(seeing(key + i, first),
                                                exp2_of(_mm512_fmsub_ps(x, to_log2, least)));
                total = _mm512_add_ps(total, weight[i]);
            }
            _mm512_store_si512(h->keys + key / 2 * LANES, bf16_pairs(weight[0], weight[1]));
        }
        _mm512_mask_storeu_ps(lse + first, bf16_lanes(n),
                              _mm512_fmadd_ps(top, _mm512_set1_ps(scale), log_of(total)));
        _mm512_storeu_ps(one_by, _mm512_div_ps(_mm512_set1_ps(1), total));
        product_rows(z + first * C, C, n, one_by,
                     &(Factor){.a = h->keys, .row_step = 1, .k_step = LANES, .to = n_keys / 2},
                     h->v_columns, HS);
    }
}

/* Where head i of all games begins. */
static size_t head_at(size_t i, size_t T, size_t NH, size_t HS)
{
    return i / NH * T * NH * HS + i % NH * HS;
}

/* N rows of C numbers become rows of bfloat16, where they are. */
static void halve(float *x, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++) {
        bf16_row((uint32_t *)x + n * ((C + 1) / 2), x + n * C, C);
    }
}

void attention_fwd_bf16(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS, row = HS * sizeof(float), stride = C * sizeof(float);
    if (!attention_fits(T, HS)) {
        attention_fwd_fast(z, lse, q, k, v, B, T, NH, HS);
        halve(z, B * T, C);
        return;
    }
    HalfHead head;
    uint16_t *out = (uint16_t *)z;
    for (size_t i = 0; i < B * NH; i++) {
        size_t at = head_at(i, T, NH, HS), next = head_at(i + 1 < B * NH ? i + 1 : i, T, NH, HS);
        fetch_rows(q + next, T, stride, row);
        fetch_rows(k + next, T, stride, row);
        fetch_rows(v + next, T, stride, row);
        fetch_rows(out + next, T, stride / 2, row / 2);
        rows_in(head.k_rows, k + at, T, C, HS);
        columns_in(head.v_columns, v + at, T, C, HS);
        head_fwd(&head, out + at, lse + i * T, q + at, T, C, HS);
    }
}

/* The pattern and the gradient of the scores of the queries first .. first+n: into h->pattern,
 * h->dscore and, by pairs of keys, h->keys. The inner sum of a query is that of p times dp over its
 * keys, so z is not needed. */
static void scores_bwd(HalfHead *h, const float *lse, size_t first, size_t n, size_t HS)
{
    float factor = 1 / sqrtf((float)HS);
    __m512 scale = _mm512_set1_ps(factor), to_log2 = _mm512_set1_ps(factor * LOG2_E);
    __mmask16 valid = bf16_lanes(n);
    __m512 least = _mm512_mul_ps(_mm512_maskz_loadu_ps(valid, lse), _mm512_set1_ps(LOG2_E));
    __m512 inner = _mm512_setzero_ps();
    for (size_t key = 0; key < first + n; key += ROWS) {
        __m512 score[ROWS], dp[ROWS];
        tile(score, h->k_rows + key * HS / 2, HS / 2, 1, h->q, LANES, 0, HS / 2, ROWS, 1);
        tile(dp, h->v_rows + key * HS / 2, HS / 2, 1, h->dz, LANES, 0, HS / 2, ROWS, 1);
        for (size_t r = 0; r < ROWS; r++) {
            __m512 p = _mm512_maskz_mov_ps(valid & seeing(key + r, first),
                                           exp2_of(_mm512_fmsub_ps(score[r], to_log2, least)));
            inner = _mm512_fmadd_ps(p, dp[r], inner);
            _mm512_store_ps(h->score + (key + r) * LANES, p);
            _mm512_store_ps(h->dp + (key + r) * LANES, dp[r]);
        }
    }
    for (size_t key = 0; key < first + n; key += 2) {
        __m512 ds[2];
        for (size_t r = 0; r < 2; r++) {
            size_t at = ((key + r) * ATTENTION_MAX_T + first) / 2;
            __m512 p = _mm512_load_ps(h->score + (key + r) * LANES);
            __m512 dp = _mm512_load_ps(h->dp + (key + r) * LANES);
            ds[r] = _mm512_mul_ps(_mm512_mul_ps(p, _mm512_sub_ps(dp, inner)), scale);
            _mm256_store_si256((__m256i *)(h->pattern + at), (__m256i)_mm512_cvtneps_pbh(p));
            _mm256_store_si256((__m256i *)(h->dscore + at), (__m256i)_mm512_cvtneps_pbh(ds[r]));
        }
        _mm512_store_si512(h->keys + key / 2 * LANES, bf16_pairs(ds[0], ds[1]));
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Any shape, in plain loops: kernels_ref's, but for the inner sum. */
static void query_bwd(float *dq, float *dk, float *dv, const float *dz, float lse, const float *q,
                      const float *k, const float *v, size_t t, size_t C, size_t HS)
{
    float scale = 1 / sqrtf((float)HS), inner = 0;
    for (size_t s = 0; s <= t; s++) {
        float p = expf(scale * dot(q, k + s * C, HS) - lse);
        inner += p * dot(dz, v + s * C, HS);
    }
    for (size_t s = 0; s <= t; s++) {
        float p = expf(scale * dot(q, k + s * C, HS) - lse);
        float ds = p * (dot(dz, v + s * C, HS) - inner) * scale;
        for (size_t j = 0; j < HS; j++) {
            dq[j] += ds * k[s * C + j];
            dk[s * C + j] += ds * q[j];
            dv[s * C + j] += p * dz[j];
        }
    }
}

static void plain_bwd(float *const out[3], const float *dz, const float *lse,
                      const float *const in[3], size_t B, size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    for (size_t f = 0; f < 3; f++) {
        memset(out[f], 0, B * T * C * sizeof(float));
    }
    for (size_t i = 0; i < B * NH; i++) {
        size_t at = head_at(i, T, NH, HS);
        for (size_t t = 0; t < T; t++) {
            size_t row = at + t * C;
            query_bwd(out[0] + row, out[1] + at, out[2] + at, dz + row, lse[i * T + t], in[0] + row,
                      in[1] + at, in[2] + at, t, C, HS);
        }
    }
    for (size_t f = 0; f < 3; f++) {
        halve(out[f], B * T, C);
    }
}

/* dq of all queries; then dk and dv of sixteen keys at a time, from the queries that see them. */
static void head_bwd(HalfHead *h, uint16_t *const out[3], const float *dz, const float *lse,
                     const float *q, size_t T, size_t C, size_t HS)
{
    for (size_t first = 0; first < T; first += LANES) {
        size_t n = T - first < LANES ? T - first : LANES, row = first * C;
        transposed_in(h->q, q + row, n, C, HS);
        transposed_in(h->dz, dz + row, n, C, HS);
        scores_bwd(h, lse + first, first, n, HS);
        const Factor keys = {
            .a = h->keys, .row_step = 1, .k_step = LANES, .to = (first + n + 1) / 2};
        product_rows(out[0] + row, C, n, NULL, &keys, h->k_columns, HS);
    }
    for (size_t first = 0; first < T; first += LANES) {
        size_t n = T - first < LANES ? T - first : LANES, row = first * C;
        Factor queries = {.a = h->dscore + first * ATTENTION_MAX_T / 2,
                          .row_step = ATTENTION_MAX_T / 2,
                          .k_step = 1,
                          .from = first / 2,
                          .to = round_up(T, LANES) / 2};
        product_rows(out[1] + row, C, n, NULL, &queries, h->q_columns, HS);
        queries.a = h->pattern + first * ATTENTION_MAX_T / 2;
        product_rows(out[2] + row, C, n, NULL, &queries, h->dz_columns, HS);
    }
}

void attention_bwd_bf16(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS)
{
    size_t C = NH * HS, row = HS * sizeof(float), stride = C * sizeof(float);
    (void)z;
    if (!attention_fits(T, HS)) {
        plain_bwd((float *const[]){dq, dk, dv}, dz, lse, (const float *const[]){q, k, v}, B, T, NH,
                  HS);
        return;
    }
    HalfHead head, *h = &head;
    uint16_t *const out[] = {(uint16_t *)dq, (uint16_t *)dk, (uint16_t *)dv};
    const float *const in[] = {q, k, v, dz};
    for (size_t i = 0; i < B * NH; i++) {
        size_t at = head_at(i, T, NH, HS), next = head_at(i + 1 < B * NH ? i + 1 : i, T, NH, HS);
        for (size_t f = 0; f < 4; f++) {
            fetch_rows(in[f] + next, T, stride, row);
        }
        for (size_t f = 0; f < 3; f++) {
            fetch_rows(out[f] + next, T, stride / 2, row / 2);
        }
        rows_in(h->k_rows, k + at, T, C, HS);
        rows_in(h->v_rows, v + at, T, C, HS);
        columns_in(h->q_columns, q + at, T, C, HS);
        columns_in(h->k_columns, k + at, T, C, HS);
        columns_in(h->dz_columns, dz + at, T, C, HS);
        uint16_t *const here[] = {out[0] + at, out[1] + at, out[2] + at};
        head_bwd(h, here, dz + at, lse + i * T, q + at, T, C, HS);
    }
}

#endif
