/* num/softmax.c - many small softmaxes at once. See num/softmax.h. */
#include "num/softmax.h"

#include <math.h>

#include "num/vec16.h"

#define SMALLEST_EXPONENT -87.0f /* exp of it is about the smallest normal float */

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

/* One row of S cells: subtract the largest score of each cell, and add (largest - score of label)
 * to loss, which lacks only ln(sum of the exponentials). */
static void shift_cells(float *z, double *loss, const uint8_t *labels, const uint16_t *squares,
                        size_t S, size_t K)
{
    for (size_t s = 0; s < S; s++) {
        float *cell = z + s * K;
        float largest = cell[0];
        for (size_t k = 1; k < K; k++) {
            largest = cell[k] > largest ? cell[k] : largest;
        }
        for (size_t k = 0; k < K; k++) {
            cell[k] -= largest;
        }
        loss[s] -= (double)cell[labels[squares[s]]];
    }
}

static void normalise_cells(float *z, double *loss, const uint8_t *labels, const uint16_t *squares,
                            size_t S, size_t K)
{
    for (size_t s = 0; s < S; s++) {
        float *cell = z + s * K;
        float sum = 0;
        for (size_t k = 0; k < K; k++) {
            sum += cell[k];
        }
        loss[s] += (double)logf(sum);
        float scale = 1.0f / sum;
        for (size_t k = 0; k < K; k++) {
            cell[k] *= scale;
        }
        cell[labels[squares[s]]] -= 1.0f;
    }
}

void softmax_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                      const uint16_t *squares, size_t N, size_t S, size_t K)
{
    for (size_t n = 0; n < N; n++) {
        float *row = z + n * S * K;
        const uint8_t *row_labels = labels + n * label_stride;
        shift_cells(row, loss, row_labels, squares, S, K);
        exp_in_place(row, S * K);
        normalise_cells(row, loss, row_labels, squares, S, K);
    }
}
