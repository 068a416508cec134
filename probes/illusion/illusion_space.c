/* probes/illusion/illusion_space.c - see probes/illusion/illusion_space.h. */
#include "probes/illusion/illusion_space.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/matrices/psd.h"
#include "num/vectors.h"

#define DEPENDENT 1e-6

/* Take the parts along the first n rows of the basis away from v, twice for accuracy. */
static void remove_parts(double *v, const double *basis, size_t n, size_t width)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            const double *row = basis + i * width;
            double along = 0;
            for (size_t c = 0; c < width; c++) {
                along += v[c] * row[c];
            }
            for (size_t c = 0; c < width; c++) {
                v[c] -= along * row[c];
            }
        }
    }
}

static double scale_to_one(double *v, size_t width)
{
    double sum = 0;
    for (size_t c = 0; c < width; c++) {
        sum += v[c] * v[c];
    }
    const double length = sqrt(sum);
    for (size_t c = 0; c < width && length > 0; c++) {
        v[c] /= length;
    }
    return length;
}

int illusion_space_of_weights(IllusionSpace *out, const Gpt *gpt, int layer)
{
    const size_t C = (size_t)gpt->cfg.d_model, M = (size_t)gpt->cfg.d_mlp;
    const real *w = gpt->params + gpt->map.W_out + (size_t)layer * gpt->map.block_stride;
    *out = (IllusionSpace){.width = M};
    out->basis = mem_alloc((C + 1) * M, sizeof(*out->basis), "a row space");
    for (size_t c = 0; c < C && out->basis && out->rank < M; c++) {
        double *v = out->basis + out->rank * M;
        double before = 0;
        for (size_t k = 0; k < M; k++) {
            v[k] = (double)w[k * C + c];
            before += v[k] * v[k];
        }
        remove_parts(v, out->basis, out->rank, M);
        out->rank += scale_to_one(v, M) > DEPENDENT * sqrt(before);
    }
    return out->basis ? 0 : OGPT_ENOMEM;
}

int illusion_space_of_gram(IllusionSpace *out, const double *g, size_t width, double kept)
{
    double *values = mem_alloc(width, sizeof(*values), "eigenvalues");
    double trace = 0, sum = 0;
    *out = (IllusionSpace){.width = width};
    out->basis = mem_alloc(width * width, sizeof(*out->basis), "eigenvectors");
    const int rc = values && out->basis ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        memcpy(out->basis, g, width * width * sizeof(*g));
        psd_eigenvectors(values, out->basis, width);
        for (size_t i = 0; i < width; i++) {
            trace += values[i];
        }
        while (out->rank < width && sum < kept * trace) {
            sum += values[out->rank++];
        }
    }
    mem_free(values);
    return rc;
}

void illusion_space_release(IllusionSpace *space)
{
    mem_free(space->basis);
    *space = (IllusionSpace){0};
}

void illusion_split(float *row, float *null, const IllusionSpace *space, const float *v)
{
    const size_t width = space->width;
    if (space->rank == width) {
        memcpy(row, v, width * sizeof(*row));
        memset(null, 0, width * sizeof(*null));
        return;
    }
    memset(row, 0, width * sizeof(*row));
    for (size_t i = 0; i < space->rank; i++) {
        const double *basis = space->basis + i * width;
        double along = 0;
        for (size_t c = 0; c < width; c++) {
            along += (double)v[c] * basis[c];
        }
        for (size_t c = 0; c < width; c++) {
            row[c] = (float)(row[c] + along * basis[c]);
        }
    }
    for (size_t c = 0; c < width; c++) {
        null[c] = v[c] - row[c];
    }
}

void illusion_random(float *out, float *scratch, const IllusionSpace *space, double null_share,
                     Rng *rng)
{
    const size_t width = space->width;
    float *row = scratch, *null = scratch + width;
    for (size_t c = 0; c < width; c++) {
        out[c] = (float)rng_normal(rng);
    }
    illusion_split(row, null, space, out);
    vector_unit(row, width);
    vector_unit(null, width);
    const double along_row = sqrt(1 - null_share), along_null = sqrt(null_share);
    for (size_t c = 0; c < width; c++) {
        out[c] = (float)(along_row * row[c] + along_null * null[c]);
    }
    vector_unit(out, width);
}
