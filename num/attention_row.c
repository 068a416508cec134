/* num/attention_row.c - one query over kept keys and values. See num/attention_row.h. */
#include "num/attention_row.h"

#include <math.h>
#include <string.h>

#include "num/vec16.h"

size_t attention_row_stride(size_t n)
{
    return (n + VEC_LANES - 1) / VEC_LANES * VEC_LANES;
}

/* Scores first, largest score second, exponentials and their sum last; lanes behind n_keys take no
 * part. */
static void head_weights(float *weights, const float *q, const float *keys, size_t n_keys,
                         size_t stride, size_t HS)
{
    const VecInt lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t width = attention_row_stride(n_keys);
    float scale = 1 / sqrtf((float)HS);
    Vec top = vec_all(-INFINITY), sum = vec_all(0);
    for (size_t t = 0; t < width; t += VEC_LANES) {
        Vec score = vec_all(0);
        for (size_t c = 0; c < HS; c++) {
            score += q[c] * vec_load(keys + c * stride + t);
        }
        score = vec_select(lanes < (int)(n_keys - t), score * scale, vec_all(-INFINITY));
        top = vec_larger(score, top);
        vec_store(weights + t, score);
    }
    float largest = vec_max(top);
    for (size_t t = 0; t < width; t += VEC_LANES) {
        Vec e = vec_exp(vec_load(weights + t) - largest);
        e = vec_select(lanes < (int)(n_keys - t), e, vec_all(0));
        sum += e;
        vec_store(weights + t, e);
    }
    float total = vec_sum(sum);
    for (size_t t = 0; t < width; t += VEC_LANES) {
        vec_store(weights + t, vec_load(weights + t) / total);
    }
    memset(weights + width, 0, (stride - width) * sizeof(*weights));
}

void attention_row_weights(real *weights, const real *q, const real *keys, size_t n_keys,
                           size_t stride, size_t NH, size_t HS)
{
    for (size_t h = 0; h < NH; h++) {
        head_weights(weights + h * stride, q + h * HS, keys + h * HS * stride, n_keys, stride, HS);
    }
}

void attention_row_mix(real *z, const real *weights, const real *values, size_t n_keys,
                       size_t stride, size_t NH, size_t HS)
{
    size_t C = NH * HS;
    memset(z, 0, C * sizeof(*z));
    for (size_t t = 0; t < n_keys; t++) {
        const float *value = values + t * C;
        for (size_t h = 0; h < NH; h++) {
            float weight = weights[h * stride + t];
            for (size_t c = h * HS; c < (h + 1) * HS; c++) {
                z[c] += weight * value[c];
            }
        }
    }
}
