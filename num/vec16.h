/* num/vec16.h - sixteen floats as one value, and exp on them.
 *
 * Why a GNU extension: gcc keeps exp and erf scalar without -ffast-math (which this project
 * refuses), and vector_size types become AVX-512, AVX2 or SSE code from one source.
 * Private to num/.
 */
#ifndef OGPT_NUM_VEC16_H
#define OGPT_NUM_VEC16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VEC_LANES 16

typedef float Vec __attribute__((vector_size(64)));
typedef int32_t VecInt __attribute__((vector_size(64)));

static inline Vec vec_load(const float *p)
{
    Vec v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void vec_store(float *p, Vec v)
{
    memcpy(p, &v, sizeof(v));
}

static inline Vec vec_all(float x)
{
    return (Vec){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

/* The first n lanes (n <= 16) from p, `rest` in the others. */
static inline Vec vec_load_part(const float *p, size_t n, float rest)
{
    Vec v = vec_all(rest);
    memcpy(&v, p, n * sizeof(float));
    return v;
}

/* Lane i of `v` from lane (i + by) of it, the first `by` lanes at the top; `by` 8, 4, 2 or 1. */
#define VEC_ROTATED(v, by)                                                                         \
    __builtin_shufflevector(v, v, (0 + (by)) % 16, (1 + (by)) % 16, (2 + (by)) % 16,               \
                            (3 + (by)) % 16, (4 + (by)) % 16, (5 + (by)) % 16, (6 + (by)) % 16,    \
                            (7 + (by)) % 16, (8 + (by)) % 16, (9 + (by)) % 16, (10 + (by)) % 16,   \
                            (11 + (by)) % 16, (12 + (by)) % 16, (13 + (by)) % 16,                  \
                            (14 + (by)) % 16, (15 + (by)) % 16)

/* Lane i plus lane i + 8, those plus 4 further on, 2, 1: one order on every machine. */
static inline float vec_sum(Vec v)
{
    v += VEC_ROTATED(v, 8);
    v += VEC_ROTATED(v, 4);
    v += VEC_ROTATED(v, 2);
    return v[0] + v[1];
}

static inline Vec vec_select(VecInt mask, Vec yes, Vec no)
{
    return (Vec)(((VecInt)yes & mask) | ((VecInt)no & ~mask));
}

static inline Vec vec_larger(Vec a, Vec b)
{
    return vec_select(a > b, a, b);
}

static inline float vec_max(Vec v)
{
    v = vec_larger(v, VEC_ROTATED(v, 8));
    v = vec_larger(v, VEC_ROTATED(v, 4));
    v = vec_larger(v, VEC_ROTATED(v, 2));
    return v[0] > v[1] ? v[0] : v[1];
}

/* 16 rows of 16 lanes become columns: lanes interleave, then pairs of lanes, then fours. */
static inline void vec_transpose(Vec v[VEC_LANES])
{
    Vec t[VEC_LANES];
    for (int i = 0; i < 16; i += 2) {
        t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12,
                                       28, 13, 29);
        t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11,
                                           27, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; i += 4) {
        for (int j = 0; j < 2; j++) {
            Vec a = t[i + j], b = t[i + j + 2];
            v[i + 2 * j] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25,
                                                   12, 13, 28, 29);
            v[i + 2 * j + 1] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26,
                                                       27, 14, 15, 30, 31);
        }
    }
    /* v[4*g + j], four q: lanes 4q+j of rows 4g .. 4g+3. */
    for (int j = 0; j < 4; j++) {
        Vec even[2], odd[2]; /* fours 0 and 2, 1 and 3, of rows 0..7 and 8..15 */
        for (int half = 0; half < 2; half++) {
            Vec a = v[8 * half + j], b = v[8 * half + 4 + j];
            even[half] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                                 25, 26, 27);
            odd[half] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                                28, 29, 30, 31);
        }
        for (int q = 0; q < 2; q++) {
            const Vec *from = q == 0 ? even : odd;
            t[4 * q + j] = __builtin_shufflevector(from[0], from[1], 0, 1, 2, 3, 8, 9, 10, 11, 16,
                                                   17, 18, 19, 24, 25, 26, 27);
            t[8 + 4 * q + j] = __builtin_shufflevector(from[0], from[1], 4, 5, 6, 7, 12, 13, 14, 15,
                                                       20, 21, 22, 23, 28, 29, 30, 31);
        }
    }
    memcpy(v, t, sizeof(t));
}

/* exp(x), relative error below 2e-7 for x in [-87, 88]; clamped outside (exp(-87) = 1.6e-38
 * stands for everything smaller). exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln(2)/2,
 * with ln 2 split in two so that r is exact enough (Cody & Waite 1980), and the Taylor
 * polynomial of degree 7 (truncation below 1e-8 at the ends). */
static inline Vec vec_exp(Vec x)
{
    x = vec_select(x < -87.0f, vec_all(-87.0f), x);
    x = vec_select(x > 88.0f, vec_all(88.0f), x);
    /* Adding 1.5 * 2^23 rounds to an integer and leaves it in the low mantissa bits. */
    const Vec magic = vec_all(12582912.0f);
    Vec shifted = x * 1.44269504088896341f + magic;
    Vec n = shifted - magic;
    Vec r = x - n * 0.693145751953125f;
    r = r - n * 1.42860682030941723e-6f;
    Vec p = vec_all(1.98412698e-4f);
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    VecInt exponent = ((VecInt)shifted - (VecInt)magic) << 23;
    return (Vec)((VecInt)p + exponent);
}

/* Standard normal distribution function and density of x: cdf absolute error below 3e-7, pdf below
 * 1e-7. erfc by Abramowitz & Stegun 7.1.26 (|error| <= 1.5e-7), which shares exp(-x^2/2) with the
 * density. */
static inline void vec_normal(Vec *cdf, Vec *pdf, Vec x)
{
    Vec sign_free = (Vec)((VecInt)x & 0x7fffffff);
    Vec z = sign_free * 0.70710678118654752f;
    Vec gauss = vec_exp(-(z * z));
    Vec t = 1.0f / (1.0f + 0.3275911f * z);
    Vec p = vec_all(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    Vec tail = 0.5f * p * t * gauss; /* 1 - Phi(|x|) */
    *cdf = vec_select(x < 0.0f, tail, 1.0f - tail);
    *pdf = gauss * 0.39894228040143268f;
}

#endif
