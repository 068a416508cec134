/* num/attention_row.c - one query over kept keys, sixteen keys at a time. See num/kernels.h.
 *
 * Lanes after n_keys take no part: their scores are minus infinity, for any content of the columns.
 */
#include "num/attention_row.h"

#include <math.h>
#include <string.h>

#include "num/vec16.h"

static Vec first_lanes(Vec x, size_t n, float rest)
{
    const VecInt lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vec_select(lanes < (int)n, x, vec_all(rest));
}

void attention_row_scores_fast(float *scores, const float *q, const float *keys, size_t n_keys,
                               size_t stride, size_t NH, size_t HS)
{
    float scale = 1 / sqrtf((float)HS);
    for (size_t h = 0; h < NH; h++) {
        const float *query = q + h * HS, *columns = keys + h * HS * stride;
        float *row = scores + h * stride;
        size_t t = 0;
        for (; t < n_keys; t += VEC_LANES) {
            Vec score = vec_all(0);
            for (size_t c = 0; c < HS; c++) {
                score += query[c] * vec_load(columns + c * stride + t);
            }
            vec_store(row + t, first_lanes(score * scale, n_keys - t, -INFINITY));
        }
        for (; t < stride; t += VEC_LANES) {
            vec_store(row + t, vec_all(-INFINITY));
        }
    }
}

/* The largest score first, exponentials and their sum second. */
static void head_softmax(float *weights, const float *scores, size_t n_keys, size_t stride)
{
    Vec top = vec_all(-INFINITY), sum = vec_all(0);
    for (size_t t = 0; t < n_keys; t += VEC_LANES) {
        top = vec_larger(first_lanes(vec_load(scores + t), n_keys - t, -INFINITY), top);
    }
    float largest = vec_max(top);
    if (largest == -INFINITY) {
        memset(weights, 0, stride * sizeof(*weights));
        return;
    }
    for (size_t t = 0; t < n_keys; t += VEC_LANES) {
        Vec score = vec_load(scores + t), e = vec_exp(score - largest);
        /* vec_exp has a least value: a key that a hook took out must not keep it. */
        e = first_lanes(vec_select(score == -INFINITY, vec_all(0), e), n_keys - t, 0);
        sum += e;
        vec_store(weights + t, e);
    }
    float total = vec_sum(sum);
    for (size_t t = 0; t < stride; t += VEC_LANES) {
        vec_store(weights + t, t < n_keys ? vec_load(weights + t) / total : vec_all(0));
    }
}

void attention_row_softmax_fast(float *weights, const float *scores, size_t n_keys, size_t stride,
                                size_t NH)
{
    for (size_t h = 0; h < NH; h++) {
        head_softmax(weights + h * stride, scores + h * stride, n_keys, stride);
    }
}
