/* probes/heads/head_weights.c - see probes/heads/head_weights.h. */
#include "probes/heads/head_weights.h"

#include <math.h>
#include <string.h>

/* A pivot below this share of the largest is rounding: products in double, 1e3 additions. */
#define PIVOT_LEAST 1e-12

void head_weights_read(double *out, const Gpt *gpt, HeadMatrix matrix, size_t head)
{
    const TensorMap *map = &gpt->map;
    size_t C = (size_t)gpt->cfg.d_model, HS = (size_t)gpt->cfg.d_head;
    size_t NH = (size_t)gpt->cfg.n_heads, layer = head / NH, h = head % NH;
    const real *block = gpt->params + layer * map->block_stride, *w = block + map->ln1_w;
    if (matrix == HEAD_W_O) {
        for (size_t i = 0; i < HS; i++) {
            const real *row = block + map->W_O + (h * HS + i) * C;
            double mean = 0;
            for (size_t c = 0; c < C; c++) {
                mean += (double)row[c] / (double)C;
            }
            for (size_t c = 0; c < C; c++) {
                out[i * C + c] = (double)row[c] - mean;
            }
        }
        return;
    }
    const real *from = block + (matrix == HEAD_W_Q   ? map->W_Q
                                : matrix == HEAD_W_K ? map->W_K
                                                     : map->W_V);
    for (size_t c = 0; c < C; c++) {
        for (size_t i = 0; i < HS; i++) {
            out[c * HS + i] = (double)w[c] * (double)from[c * NH * HS + h * HS + i];
        }
    }
}

void head_weights_product(double *out, const double *a, const double *b, size_t M, size_t K,
                          size_t N, bool across)
{
    memset(out, 0, M * N * sizeof(*out));
    for (size_t i = 0; i < M; i++) {
        for (size_t k = 0; k < K; k++) {
            double factor = across ? a[k * M + i] : a[i * K + k];
            for (size_t j = 0; j < N; j++) {
                out[i * N + j] += factor * b[k * N + j];
            }
        }
    }
}

void head_weights_root(double *l, const double *g, size_t n)
{
    double largest = 0;
    memset(l, 0, n * n * sizeof(*l));
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, g[i * n + i]);
    }
    for (size_t j = 0; j < n; j++) {
        double pivot = g[j * n + j];
        for (size_t k = 0; k < j; k++) {
            pivot -= l[j * n + k] * l[j * n + k];
        }
        if (!(pivot > PIVOT_LEAST * largest)) {
            continue;
        }
        l[j * n + j] = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++) {
            double sum = g[i * n + j];
            for (size_t k = 0; k < j; k++) {
                sum -= l[i * n + k] * l[j * n + k];
            }
            l[i * n + j] = sum / l[j * n + j];
        }
    }
}

double head_weights_norm(const double *a, size_t count)
{
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        square += a[i] * a[i];
    }
    return sqrt(square);
}
