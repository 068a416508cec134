/* probes/dictionaries/codebook.c - see probes/dictionaries/codebook.h. */
#include "probes/dictionaries/codebook.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"

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

static void encode_sae(const void *self, const float *x, size_t rows, float *f)
{
    sae_encode(self, x, rows, f);
}

static void decode_sae(const void *self, const float *f, size_t rows, float *x_hat)
{
    sae_decode(self, f, rows, x_hat);
}

void codebook_of_sae(Codebook *out, const Sae *sae, const char *name, size_t keep)
{
    *out = (Codebook){.inputs = sae->cfg.d_in,
                      .width = sae->cfg.d_in,
                      .features = sae->cfg.features,
                      .keep = keep,
                      .encode = encode_sae,
                      .decode = decode_sae,
                      .self = sae};
    snprintf(out->name, sizeof(out->name), "%s", name);
}

const float *codebook_columns(const Codebook *codebook)
{
    return codebook->encode == encode_sae ? ((const Sae *)codebook->self)->w_dec
                                          : codebook->decoder;
}

/* ---- coding ---- */

void codebook_encode(const Codebook *codebook, const float *x, size_t rows, float *f)
{
    const size_t m = codebook->features, d = codebook->inputs;
    if (m == 0) {
        return;
    }
    if (codebook->encode) {
        codebook->encode(codebook->self, x, rows, f);
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
        sae_keep_largest(f + r * m, m, codebook->keep);
    }
}

void codebook_decode(const Codebook *codebook, const float *f, size_t rows, float *x_hat)
{
    const size_t m = codebook->features, d = codebook->width;
    if (codebook->decode) {
        codebook->decode(codebook->self, f, rows, x_hat);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        memcpy(x_hat + r * d, codebook->mean, d * sizeof(*x_hat));
    }
    gemm(false, false, rows, d, m, 1, f, m, codebook->decoder, d, 1, x_hat, d);
}
