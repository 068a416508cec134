/* probes/dictionaries/codebook.c - see probes/dictionaries/codebook.h. */
#include "probes/dictionaries/codebook.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "probes/sae/dictionary.h"

void codebook_release(Codebook *codebook)
{
    mem_free(codebook->weight);
    mem_free(codebook->bias);
    mem_free(codebook->decoder);
    mem_free(codebook->mean);
    *codebook = (Codebook){0};
}

int codebook_linear(Codebook *out, size_t inputs, size_t width, size_t features)
{
    *out = (Codebook){.inputs = inputs, .width = width, .features = features};
    out->weight = mem_calloc(inputs * features, sizeof(float), "directions of a dictionary");
    out->bias = mem_calloc(features, sizeof(float), "biases of a dictionary");
    if (!out->weight || !out->bias) {
        codebook_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

void codebook_of_sae(Codebook *out, const Sae *sae, const char *name, size_t keep)
{
    const Dictionary dictionary = dictionary_of_sae(sae);
    *out = (Codebook){.inputs = (size_t)dictionary.width,
                      .width = (size_t)dictionary.width,
                      .features = (size_t)dictionary.features,
                      .keep = keep,
                      .encode = dictionary.encode,
                      .decode = dictionary.decode,
                      .self = dictionary.self};
    snprintf(out->name, sizeof(out->name), "%s", name);
}

/* ---- the k largest ---- */

/* The k-th largest of x (n), 1 <= k <= n; x is put into another order (Hoare's quickselect, pivot
 * the median of three). */
static float kth_largest(float *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, goal = k - 1;
    while (low < high) {
        float a = x[low], b = x[low + (high - low) / 2], c = x[high];
        float pivot = a > b ? (b > c ? b : (a > c ? c : a)) : (a > c ? a : (b > c ? c : b));
        size_t i = low, j = high;
        for (;;) {
            while (x[i] > pivot) {
                i++;
            }
            while (x[j] < pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            float swap = x[i];
            x[i++] = x[j];
            x[j--] = swap;
        }
        /* x[low .. j] >= pivot >= x[j+1 .. high], and j < high: of three numbers the one in the
         * middle is not less than all others. */
        if (goal <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
    return x[goal];
}

void codebook_keep(float *f, size_t n, size_t k, float *scratch)
{
    size_t active = 0;
    for (size_t j = 0; j < n; j++) {
        scratch[active] = f[j];
        active += f[j] > 0;
    }
    if (active <= k) {
        return;
    }
    const float least = kth_largest(scratch, active, k);
    size_t equal = k;
    for (size_t j = 0; j < n; j++) {
        equal -= f[j] > least;
    }
    for (size_t j = 0; j < n; j++) {
        if (f[j] == least && equal > 0) {
            equal--;
        } else if (f[j] <= least) { /* NaN stays, to be found */
            f[j] = 0;
        }
    }
}

/* ---- coding ---- */

void codebook_encode(const Codebook *codebook, const float *x, size_t rows, float *f,
                     float *scratch)
{
    const size_t m = codebook->features, d = codebook->inputs;
    if (m == 0) {
        return;
    }
    if (codebook->encode) {
        codebook->encode(codebook->self, x, (int)rows, f);
    } else if (codebook->weight) {
        gemm(false, false, rows, m, d, 1, x, d, codebook->weight, m, 0, f, m);
        for (size_t r = 0; r < rows; r++) {
            for (size_t j = 0; j < m; j++) {
                f[r * m + j] += codebook->bias[j];
            }
        }
    } else {
        memcpy(f, x, rows * m * sizeof(*f));
    }
    for (size_t i = 0; i < rows * m && !codebook->encode; i++) {
        f[i] = f[i] < 0 ? 0 : f[i]; /* NaN stays, to be found */
    }
    for (size_t r = 0; r < rows && codebook->keep > 0; r++) {
        codebook_keep(f + r * m, m, codebook->keep, scratch);
    }
}

void codebook_decode(const Codebook *codebook, const float *f, size_t rows, float *x_hat)
{
    const size_t m = codebook->features, d = codebook->width;
    if (codebook->decode) {
        codebook->decode(codebook->self, f, (int)rows, x_hat);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        memcpy(x_hat + r * d, codebook->mean, d * sizeof(*x_hat));
    }
    gemm(false, false, rows, d, m, 1, f, m, codebook->decoder, d, 1, x_hat, d);
}
