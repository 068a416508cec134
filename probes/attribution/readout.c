/* probes/attribution/readout.c - contract in probes/attribution/readout.h. */
#include "probes/attribution/readout.h"

#include <math.h>

#include "base/err.h"
#include "base/rng.h"

static int allocate(Readout *out, size_t width, size_t n_columns)
{
    *out = (Readout){.width = width, .n_columns = n_columns};
    out->direction = mem_calloc(width * n_columns, sizeof(real), "directions of a readout");
    out->constant = mem_calloc(n_columns, sizeof(real), "constants of a readout");
    out->random = mem_calloc(width * n_columns, sizeof(real), "random directions");
    if (!out->direction || !out->constant || !out->random) {
        readout_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

void readout_release(Readout *readout)
{
    mem_free(readout->direction);
    mem_free(readout->constant);
    mem_free(readout->random);
    *readout = (Readout){0};
}

static void centre_column(real *matrix, size_t width, size_t n_columns, size_t k)
{
    double mean = 0;
    for (size_t c = 0; c < width; c++) {
        mean += matrix[c * n_columns + k] / (double)width;
    }
    for (size_t c = 0; c < width; c++) {
        matrix[c * n_columns + k] -= (real)mean;
    }
}

int readout_of_logits(Readout *out, const Gpt *gpt)
{
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    const real *w = gpt->params + gpt->map.lnf_w, *b = gpt->params + gpt->map.lnf_b;
    const real *W_U = gpt->params + gpt->map.W_U, *b_U = gpt->params + gpt->map.b_U;
    int rc = allocate(out, C, V - 1);
    if (rc != 0) {
        return rc;
    }
    out->normed = true;
    out->site = HOOK_RESID_POST;
    out->layer = gpt->cfg.n_layers - 1;
    out->eps = (real)gpt->cfg.eps;
    for (size_t k = 0; k < V - 1; k++) {
        double constant = b_U[k + 1];
        for (size_t c = 0; c < C; c++) {
            out->direction[c * (V - 1) + k] = w[c] * W_U[c * V + k + 1];
            constant += (double)b[c] * (double)W_U[c * V + k + 1];
        }
        out->constant[k] = (real)constant;
        centre_column(out->direction, C, V - 1, k);
    }
    return 0;
}

int readout_of_columns(Readout *out, size_t width, size_t n_columns, const float *direction,
                       const float *constant)
{
    int rc = allocate(out, width, n_columns);
    for (size_t i = 0; i < width * n_columns && rc == 0; i++) {
        out->direction[i] = (real)direction[i];
    }
    for (size_t k = 0; k < n_columns && rc == 0; k++) {
        out->constant[k] = (real)constant[k];
    }
    return rc;
}

static double column_length(const real *matrix, size_t width, size_t n_columns, size_t k)
{
    double sum = 0;
    for (size_t c = 0; c < width; c++) {
        sum += (double)matrix[c * n_columns + k] * (double)matrix[c * n_columns + k];
    }
    return sqrt(sum);
}

void readout_draw_random(Readout *readout, uint64_t seed)
{
    size_t C = readout->width, K = readout->n_columns;
    for (size_t k = 0; k < K; k++) {
        Rng rng = rng_at(seed, RNG_DIRECTION, k);
        for (size_t c = 0; c < C; c++) {
            readout->random[c * K + k] = (real)rng_normal(&rng);
        }
        if (readout->normed) {
            centre_column(readout->random, C, K, k);
        }
        double length = column_length(readout->random, C, K, k);
        double wanted = column_length(readout->direction, C, K, k);
        for (size_t c = 0; c < C && length > 0; c++) {
            readout->random[c * K + k] *= (real)(wanted / length);
        }
    }
}
