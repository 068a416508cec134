/* num/softmax.c - many small softmaxes at once. See num/softmax.h. */
#include "num/softmax.h"

#include <assert.h>
#include <math.h>

#include "num/softmax_fast.h"
#include "num/vec16.h"

#define SMALLEST_EXPONENT -87.0f /* exp of it is about the smallest normal float */

/* The sum of a cell lies in 1..K, so a double holds the product of this many of them: one
 * logarithm does for all. 2^1023 > 8^256 = 2^768; classes are at most 8. */
#define ROWS_PER_LOGARITHM 256

/* x = exp(x) for x <= 0; zero below SMALLEST_EXPONENT, so that no denormal slows what follows. */
static void exp_in_place(float *x, size_t n)
{
    size_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        Vec v = vec_load(x + i);
        vec_store(x + i, vec_select(v < SMALLEST_EXPONENT, vec_all(0), vec_exp(v)));
    }
    if (i < n) {
        float part[VEC_LANES];
        Vec v = vec_load_part(x + i, n - i, 0);
        vec_store(part, vec_select(v < SMALLEST_EXPONENT, vec_all(0), vec_exp(v)));
        memcpy(x + i, part, (n - i) * sizeof(float));
    }
}

/* One row: subtract the largest score of each cell. */
static void shift_cells(float *z, size_t S, size_t K)
{
    float largest[SOFTMAX_MAX_SQUARES];
    memcpy(largest, z, S * sizeof(float));
    for (size_t k = 1; k < K; k++) {
        for (size_t s = 0; s < S; s++) {
            float score = z[k * S + s];
            largest[s] = score > largest[s] ? score : largest[s];
        }
    }
    for (size_t k = 0; k < K; k++) {
        for (size_t s = 0; s < S; s++) {
            z[k * S + s] -= largest[s];
        }
    }
}

/* One row of exponentials: sum[s] of each cell, and the cells divided by it. */
static void normalise_cells(float *z, float *sum, size_t S, size_t K)
{
    float scale[SOFTMAX_MAX_SQUARES];
    memcpy(sum, z, S * sizeof(float));
    for (size_t k = 1; k < K; k++) {
        for (size_t s = 0; s < S; s++) {
            sum[s] += z[k * S + s];
        }
    }
    for (size_t s = 0; s < S; s++) {
        scale[s] = 1.0f / sum[s];
    }
    for (size_t k = 0; k < K; k++) {
        for (size_t s = 0; s < S; s++) {
            z[k * S + s] *= scale[s];
        }
    }
}

void softmax_residual_fast(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                           const uint16_t *squares, size_t N, size_t S, size_t K)
{
    float sum[SOFTMAX_MAX_SQUARES];
    double product[SOFTMAX_MAX_SQUARES];
    assert(S <= SOFTMAX_MAX_SQUARES && K <= 8);
    for (size_t first = 0; first < N; first += ROWS_PER_LOGARITHM) {
        size_t end = N - first < ROWS_PER_LOGARITHM ? N : first + ROWS_PER_LOGARITHM;
        for (size_t s = 0; s < S; s++) {
            product[s] = 1;
        }
        for (size_t n = first; n < end; n++) {
            float *row = z + n * S * K;
            const uint8_t *label = labels + n * label_stride;
            shift_cells(row, S, K);
            for (size_t s = 0; s < S && loss; s++) {
                loss[s] -= (double)row[label[squares[s]] * S + s];
            }
            exp_in_place(row, S * K);
            normalise_cells(row, sum, S, K);
            for (size_t s = 0; s < S; s++) {
                product[s] *= (double)sum[s];
            }
            for (size_t s = 0; s < S; s++) {
                row[label[squares[s]] * S + s] -= 1.0f;
            }
        }
        for (size_t s = 0; s < S && loss; s++) {
            loss[s] += log(product[s]);
        }
    }
}

void softmax_probability_fast(float *z, size_t N, size_t S, size_t K)
{
    float sum[SOFTMAX_MAX_SQUARES];
    assert(S <= SOFTMAX_MAX_SQUARES);
    for (size_t n = 0; n < N; n++) {
        float *row = z + n * S * K;
        shift_cells(row, S, K);
        exp_in_place(row, S * K);
        normalise_cells(row, sum, S, K);
    }
}

void logistic_residual_fast(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                            const uint16_t *problems, size_t N, size_t G, size_t K)
{
    for (size_t n = 0; n < N; n++) {
        float *row = z + n * G;
        const uint8_t *label = labels + n * label_stride;
        for (size_t g = 0; g < G; g++) {
            float score = row[g];
            float y = label[problems[g] / K] == problems[g] % K ? 1.0f : 0.0f;
            float e = expf(-fabsf(score));
            float likely = 1.0f / (1.0f + e);
            loss[g] += (double)((score > 0 ? score : 0) - score * y + log1pf(e));
            row[g] = (score > 0 ? likely : e * likely) - y;
        }
    }
}
