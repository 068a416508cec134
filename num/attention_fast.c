/* num/attention_fast.c - causal attention for short sequences: one game, one head at a time.
 *
 * With T <= 64 all keys of a head fit in four 16-lane vectors, so scores of a few queries stay in
 * registers. Everything is built from one primitive, `tile`: a small product of R rows with W
 * vectors, both compile-time constants. Shapes outside (T > 64, HS not 16, 32 or 64) go to the
 * plain kernel. The backward pass makes the pattern again from the kept log-sum-exp instead of
 * storing it: two extra products of HS against 4*T*T bytes a head of memory (Dao et al. 2022).
 */
#include "num/attention_fast.h"

#include <math.h>
#include <stdbool.h>

#include "num/kernels.h"
#include "num/vec16.h"

#define ROWS 4 /* queries (or keys) of one tile */

/* acc[r][w] = sum_k a[r*row_step + k*k_step] * m[k*ldm + 16*w ...], k in [k0, k1). */
static inline __attribute__((always_inline)) void tile_sized(Vec acc[ROWS][4], const float *a,
                                                             size_t row_step, size_t k_step,
                                                             const float *m, size_t ldm, size_t k0,
                                                             size_t k1, const int W)
{
    Vec sum[ROWS][4];
    for (int r = 0; r < ROWS; r++) {
        for (int w = 0; w < W; w++) {
            sum[r][w] = vec_all(0);
        }
    }
    for (size_t k = k0; k < k1; k++) {
        Vec row[4];
        for (int w = 0; w < W; w++) {
            row[w] = vec_load(m + k * ldm + (size_t)(w * VEC_LANES));
        }
        for (int r = 0; r < ROWS; r++) {
            Vec x = vec_all(a[(size_t)r * row_step + k * k_step]);
            for (int w = 0; w < W; w++) {
                sum[r][w] += x * row[w];
            }
        }
    }
    for (int r = 0; r < ROWS; r++) {
        for (int w = 0; w < W; w++) {
            acc[r][w] = sum[r][w];
        }
    }
}

static inline __attribute__((always_inline)) void tile(Vec acc[ROWS][4], const float *a,
                                                       size_t row_step, size_t k_step,
                                                       const float *m, size_t ldm, size_t k0,
                                                       size_t k1, size_t W)
{
    switch (W) {
    case 1: tile_sized(acc, a, row_step, k_step, m, ldm, k0, k1, 1); break;
    case 2: tile_sized(acc, a, row_step, k_step, m, ldm, k0, k1, 2); break;
    case 3: tile_sized(acc, a, row_step, k_step, m, ldm, k0, k1, 3); break;
    default: tile_sized(acc, a, row_step, k_step, m, ldm, k0, k1, 4); break;
    }
}

/* One head of one game, copied out of the (T,C) rows: rows padded with zeros to a multiple of
 * ROWS, and transposed copies of keys (and values) padded to 64 columns. */
typedef struct Head {
    float q[ATTENTION_MAX_T * ATTENTION_MAX_HS], k[ATTENTION_MAX_T * ATTENTION_MAX_HS],
        v[ATTENTION_MAX_T * ATTENTION_MAX_HS], dz[ATTENTION_MAX_T * ATTENTION_MAX_HS];
    float kt[ATTENTION_MAX_HS * ATTENTION_MAX_T], vt[ATTENTION_MAX_HS * ATTENTION_MAX_T];
    float p[ATTENTION_MAX_T * ATTENTION_MAX_T], ds[ATTENTION_MAX_T * ATTENTION_MAX_T];
} __attribute__((aligned(64))) Head;

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void rows_in(float *out, const float *from, size_t T, size_t C, size_t HS)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t j = 0; j < HS; j += VEC_LANES) {
            vec_store(out + t * HS + j, vec_load(from + t * C + j));
        }
    }
    memset(out + T * HS, 0, (round_up(T, ROWS) - T) * HS * sizeof(float));
}

/* Rows from T on become columns of zeros, up to a multiple of 16. */
static void transpose_in(float *out, const float *from, size_t T, size_t C, size_t HS)
{
    Vec block[VEC_LANES];
    for (size_t t0 = 0; t0 < T; t0 += VEC_LANES) {
        for (size_t j0 = 0; j0 < HS; j0 += VEC_LANES) {
            for (size_t i = 0; i < VEC_LANES; i++) {
                block[i] = t0 + i < T ? vec_load(from + (t0 + i) * C + j0) : vec_all(0);
            }
            vec_transpose(block);
            for (size_t i = 0; i < VEC_LANES; i++) {
                vec_store(out + (j0 + i) * ATTENTION_MAX_T + t0, block[i]);
            }
        }
    }
}

/* Lanes 16*w + lane > t hold keys after query t. */
static Vec causal(Vec x, size_t w, size_t t, float blocked)
{
    const VecInt lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    int last = (int)t - (int)(w * VEC_LANES);
    return vec_select(lane > last, vec_all(blocked), x);
}

static void head_fwd(Head *h, float *z, float *lse, size_t T, size_t C, size_t HS)
{
    float scale = 1 / sqrtf((float)HS);
    for (size_t t0 = 0; t0 < T; t0 += ROWS) {
        size_t last = t0 + ROWS - 1, W = last / VEC_LANES + 1;
        float sums[ROWS];
        Vec acc[ROWS][4];
        tile(acc, h->q + t0 * HS, HS, 1, h->kt, ATTENTION_MAX_T, 0, HS, W);
        for (size_t r = 0; r < ROWS; r++) {
            Vec top = vec_all(-INFINITY), sum = vec_all(0);
            for (size_t w = 0; w < W; w++) {
                acc[r][w] = causal(acc[r][w] * scale, w, t0 + r, -INFINITY);
                top = vec_larger(acc[r][w], top);
            }
            float largest = vec_max(top);
            for (size_t w = 0; w < W; w++) {
                Vec e = causal(vec_exp(acc[r][w] - largest), w, t0 + r, 0);
                sum += e;
                vec_store(h->p + r * ATTENTION_MAX_T + w * VEC_LANES, e);
            }
            sums[r] = vec_sum(sum);
            if (t0 + r < T) {
                lse[t0 + r] = largest + logf(sums[r]);
            }
        }
        size_t keys = last < T ? last + 1 : T;
        tile(acc, h->p, ATTENTION_MAX_T, 1, h->v, HS, 0, keys, HS / VEC_LANES);
        for (size_t r = 0; r < ROWS && t0 + r < T; r++) {
            for (size_t w = 0; w < HS / VEC_LANES; w++) {
                vec_store(z + (t0 + r) * C + w * VEC_LANES, acc[r][w] / sums[r]);
            }
        }
    }
}

void attention_fwd_fast(float *z, float *lse, const float *q, const float *k, const float *v,
                        size_t B, size_t T, size_t NH, size_t HS)
{
    if (!attention_fits(T, HS)) {
        kernels_ref.attention_fwd(z, lse, q, k, v, B, T, NH, HS);
        return;
    }
    Head head;
    size_t C = NH * HS;
    for (size_t b = 0; b < B; b++) {
        for (size_t i = 0; i < NH; i++) {
            size_t at = b * T * C + i * HS;
            rows_in(head.q, q + at, T, C, HS);
            rows_in(head.v, v + at, T, C, HS);
            transpose_in(head.kt, k + at, T, C, HS);
            head_fwd(&head, z + at, lse + (b * NH + i) * T, T, C, HS);
        }
    }
}

/* Fill p and ds (T,T): the pattern and the gradient of the scores. */
static void head_pattern_bwd(Head *h, const float *dz, const float *z, const float *lse, size_t T,
                             size_t C, size_t HS)
{
    float scale = 1 / sqrtf((float)HS);
    for (size_t t0 = 0; t0 < T; t0 += ROWS) {
        size_t W = (t0 + ROWS - 1) / VEC_LANES + 1;
        Vec score[ROWS][4], dp[ROWS][4];
        tile(score, h->q + t0 * HS, HS, 1, h->kt, ATTENTION_MAX_T, 0, HS, W);
        tile(dp, h->dz + t0 * HS, HS, 1, h->vt, ATTENTION_MAX_T, 0, HS, W);
        for (size_t r = 0; r < ROWS; r++) {
            size_t t = t0 + r;
            float *p_row = h->p + t * ATTENTION_MAX_T, *ds_row = h->ds + t * ATTENTION_MAX_T;
            if (t >= T) {
                memset(p_row, 0, ATTENTION_MAX_T * sizeof(float));
                memset(ds_row, 0, ATTENTION_MAX_T * sizeof(float));
                continue;
            }
            Vec inner_lanes = vec_all(0);
            for (size_t j = 0; j < HS; j += VEC_LANES) {
                inner_lanes += vec_load(dz + t * C + j) * vec_load(z + t * C + j);
            }
            float inner = vec_sum(inner_lanes);
            for (size_t w = 0; w < W; w++) {
                Vec p = causal(vec_exp(score[r][w] * scale - lse[t]), w, t, 0);
                vec_store(p_row + w * VEC_LANES, p);
                vec_store(ds_row + w * VEC_LANES, p * (dp[r][w] - inner) * scale);
            }
        }
    }
}

static void tile_out(float *out, Vec acc[ROWS][4], size_t row, size_t T, size_t C, size_t HS)
{
    for (size_t r = 0; r < ROWS && row + r < T; r++) {
        for (size_t w = 0; w < HS / VEC_LANES; w++) {
            vec_store(out + (row + r) * C + w * VEC_LANES, acc[r][w]);
        }
    }
}

static void head_bwd(Head *h, float *dq, float *dk, float *dv, size_t T, size_t C, size_t HS)
{
    Vec acc[ROWS][4];
    size_t W = HS / VEC_LANES;
    for (size_t row = 0; row < T; row += ROWS) {
        /* Rows are queries: keys up to the last query of the tile (masked ones are zero). */
        size_t keys = row + ROWS < T ? row + ROWS : T;
        tile(acc, h->ds + row * ATTENTION_MAX_T, ATTENTION_MAX_T, 1, h->k, HS, 0, keys, W);
        tile_out(dq, acc, row, T, C, HS);
        /* Rows are keys: queries from the first key of the tile on, read down the columns. */
        tile(acc, h->ds + row, 1, ATTENTION_MAX_T, h->q, HS, row, T, W);
        tile_out(dk, acc, row, T, C, HS);
        tile(acc, h->p + row, 1, ATTENTION_MAX_T, h->dz, HS, row, T, W);
        tile_out(dv, acc, row, T, C, HS);
    }
}

void attention_bwd_fast(float *dq, float *dk, float *dv, const float *dz, const float *z,
                        const float *lse, const float *q, const float *k, const float *v, size_t B,
                        size_t T, size_t NH, size_t HS)
{
    if (!attention_fits(T, HS)) {
        kernels_ref.attention_bwd(dq, dk, dv, dz, z, lse, q, k, v, B, T, NH, HS);
        return;
    }
    Head head;
    size_t C = NH * HS;
    for (size_t b = 0; b < B; b++) {
        for (size_t i = 0; i < NH; i++) {
            size_t at = b * T * C + i * HS;
            rows_in(head.q, q + at, T, C, HS);
            rows_in(head.k, k + at, T, C, HS);
            rows_in(head.dz, dz + at, T, C, HS);
            transpose_in(head.kt, k + at, T, C, HS);
            transpose_in(head.vt, v + at, T, C, HS);
            head_pattern_bwd(&head, dz + at, z + at, lse + (b * NH + i) * T, T, C, HS);
            head_bwd(&head, dq + at, dk + at, dv + at, T, C, HS);
        }
    }
}
