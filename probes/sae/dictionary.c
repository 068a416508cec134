/* probes/sae/dictionary.c - contract in probes/sae/dictionary.h. */
#include "probes/sae/dictionary.h"

#include <math.h>
#include <string.h>

#include "num/blas.h"
#include "probes/sae/sae_select.h"

static void encode_sae(const void *self, const float *x, int rows, float *f)
{
    sae_encode(self, x, (size_t)rows, f);
}

static void decode_sae(const void *self, const float *f, int rows, float *x_hat)
{
    sae_decode(self, f, (size_t)rows, x_hat);
}

Dictionary dictionary_of_sae(const Sae *sae)
{
    return (Dictionary){.name = sae_kind_name(sae->cfg.kind),
                        .width = (int)sae->cfg.d_in,
                        .features = (int)sae->cfg.features,
                        .width_out = (int)sae->cfg.d_out,
                        .columns = sae->w_dec,
                        .encode = encode_sae,
                        .decode = decode_sae,
                        .self = sae};
}

/* Silence all but the k largest of |f|; of equal ones the first are kept. */
static void keep_by_size(float *f, size_t m, size_t k)
{
    Selection selection = {.k = k};
    while (selection.round < SELECT_ROUNDS) {
        uint32_t bins[SELECT_BINS] = {0};
        uint64_t wide[SELECT_BINS];
        for (size_t j = 0; j < m; j++) {
            const float size = fabsf(f[j]);
            sae__select_count(bins, &selection, &size, 1);
        }
        for (size_t b = 0; b < SELECT_BINS; b++) {
            wide[b] = bins[b];
        }
        if (!sae__select_round(&selection, wide)) {
            return; /* no more than k are not 0 */
        }
    }
    const float least = sae__select_value(&selection);
    size_t equal = k;
    for (size_t j = 0; j < m; j++) {
        equal -= fabsf(f[j]) > least;
    }
    for (size_t j = 0; j < m; j++) {
        if (fabsf(f[j]) < least || (fabsf(f[j]) == least && equal == 0)) {
            f[j] = 0;
        } else if (fabsf(f[j]) == least) {
            equal--;
        }
    }
}

static void encode_directions(const void *self, const float *x, int rows, float *f)
{
    const DirectionDictionary *own = self;
    const size_t d = (size_t)own->width, m = (size_t)own->features;
    gemm(false, true, (size_t)rows, m, d, 1, x, d, own->directions, d, 0, f, m);
    for (size_t j = 0; j < m && own->mean; j++) {
        double offset = 0;
        for (size_t c = 0; c < d; c++) {
            offset += (double)own->directions[j * d + c] * own->mean[c];
        }
        for (size_t r = 0; r < (size_t)rows; r++) {
            f[r * m + j] -= (float)offset;
        }
    }
    for (size_t r = 0; r < (size_t)rows; r++) {
        for (size_t j = 0; j < m && !own->both; j++) {
            f[r * m + j] = f[r * m + j] > 0 ? f[r * m + j] : 0;
        }
        if (own->k > 0 && own->both) {
            keep_by_size(f + r * m, m, (size_t)own->k);
        } else if (own->k > 0) {
            sae__keep_largest(f + r * m, m, (size_t)own->k);
        }
    }
}

static void decode_directions(const void *self, const float *f, int rows, float *x_hat)
{
    const DirectionDictionary *own = self;
    const size_t d = (size_t)own->width, m = (size_t)own->features;
    for (size_t r = 0; r < (size_t)rows; r++) {
        if (own->mean) {
            memcpy(x_hat + r * d, own->mean, d * sizeof(float));
        } else {
            memset(x_hat + r * d, 0, d * sizeof(float));
        }
    }
    gemm(false, false, (size_t)rows, d, m, 1, f, m, own->directions, d, 1, x_hat, d);
}

Dictionary dictionary_of_directions(const DirectionDictionary *directions, const char *name)
{
    return (Dictionary){.name = name,
                        .width = directions->width,
                        .features = directions->features,
                        .width_out = directions->width,
                        .columns = directions->directions,
                        .encode = encode_directions,
                        .decode = decode_directions,
                        .self = directions};
}

static void encode_rows(const void *self, const float *x, int rows, float *f)
{
    const RawDictionary *own = self;
    const size_t d = (size_t)own->width;
    memcpy(f, x, (size_t)rows * d * sizeof(float));
    for (size_t r = 0; r < (size_t)rows && own->k > 0; r++) {
        sae__keep_largest(f + r * d, d, (size_t)own->k);
    }
}

static void decode_rows(const void *self, const float *f, int rows, float *x_hat)
{
    const RawDictionary *own = self;
    memcpy(x_hat, f, (size_t)rows * (size_t)own->width * sizeof(float));
}

Dictionary dictionary_of_rows(const RawDictionary *raw, const char *name)
{
    return (Dictionary){.name = name,
                        .width = raw->width,
                        .features = raw->width,
                        .width_out = raw->width,
                        .encode = encode_rows,
                        .decode = decode_rows,
                        .self = raw};
}
