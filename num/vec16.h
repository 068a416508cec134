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
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void vec_store(float *p, Vec v)
{
    memcpy(p, &v, sizeof v);
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

static inline float vec_sum(Vec v)
{
    float part[VEC_LANES];
    vec_store(part, v);
    for (size_t half = VEC_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            part[i] += part[i + half];
        }
    }
    return part[0];
}

static inline float vec_max(Vec v)
{
    float part[VEC_LANES];
    vec_store(part, v);
    for (size_t half = VEC_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            part[i] = part[i] > part[i + half] ? part[i] : part[i + half];
        }
    }
    return part[0];
}

static inline Vec vec_select(VecInt mask, Vec yes, Vec no)
{
    return (Vec)(((VecInt)yes & mask) | ((VecInt)no & ~mask));
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
