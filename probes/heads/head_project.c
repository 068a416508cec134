/* probes/heads/head_project.c - see probes/heads/head_project.h. */
#include "probes/heads/head_project.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

void head_project(float *out, const float *pattern, const float *weights, size_t n_heads,
                  size_t stride, size_t n_keys)
{
    for (size_t h = 0; h < n_heads; h++) {
        float sum[HEAD_LANES] = {0};
        const float *row = pattern + h * stride;
        for (size_t s = 0; s < n_keys; s++) {
            const float *w = weights + s * HEAD_LANES;
#pragma omp simd
            for (size_t lane = 0; lane < HEAD_LANES; lane++) {
                sum[lane] += row[s] * w[lane];
            }
        }
        memcpy(out + h * HEAD_LANES, sum, sizeof(sum));
    }
}

void head_project_ref(double *out, const float *pattern, const float *weights, size_t n_heads,
                      size_t stride, size_t n_keys)
{
    for (size_t h = 0; h < n_heads; h++) {
        for (size_t lane = 0; lane < HEAD_LANES; lane++) {
            double sum = 0;
            for (size_t s = 0; s < n_keys; s++) {
                sum += (double)pattern[h * stride + s] * (double)weights[s * HEAD_LANES + lane];
            }
            out[h * HEAD_LANES + lane] = sum;
        }
    }
}

/* ln x for x in (0, 1]: the exponent, and the series of 2 atanh((m - 1) / (m + 1)) for the mantissa
 * m in [sqrt(1/2), sqrt(2)), whose first term that is left out is below 2e-8. */
static inline float log_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    uint32_t shifted = bits - 0x3f3504f3; /* sqrt(1/2) */
    int32_t exponent = (int32_t)shifted >> 23;
    bits -= (uint32_t)exponent << 23;
    float m;
    memcpy(&m, &bits, sizeof(m));
    float f = (m - 1) / (m + 1), g = f * f;
    float series = 2.0f + g * (0.66666667f + g * (0.4f + g * (0.28571429f + g * 0.22222222f)));
    return (float)exponent * 0.69314718f + f * series;
}

HeadShape head_shape(const float *pattern, size_t n_keys)
{
    float sum = 0, largest = 0;
#pragma omp simd reduction(+ : sum) reduction(max : largest)
    for (size_t s = 0; s < n_keys; s++) {
        float a = pattern[s], kept = a > 1e-30f ? a : 1e-30f; /* a ln a is 0 there */
        sum -= kept * log_of(kept);
        largest = a > largest ? a : largest;
    }
    return (HeadShape){(double)sum, (double)largest};
}

HeadShape head_shape_ref(const float *pattern, size_t n_keys)
{
    HeadShape out = {0, 0};
    for (size_t s = 0; s < n_keys; s++) {
        double a = (double)pattern[s];
        out.entropy -= a > 0 ? a * log(a) : 0;
        out.largest = a > out.largest ? a : out.largest;
    }
    return out;
}
