/* probes/dictionaries/twins.c - see probes/dictionaries/twins.h. */
#include "probes/dictionaries/twins.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/matrices/psd.h"
#include "probes/board/direction_set.h"

const char *twin_name(Twin twin)
{
    static const char *const names[N_TWINS] = {TWINS(ENUM_NAME)};
    return names[twin];
}

bool twin_exists(Twin twin, const TwinSource *source)
{
    return (twin != TWIN_NEURONS || source->neurons) && (twin != TWIN_PROBE || source->probe);
}

static void rows_mean(double *mean, const TwinSource *source)
{
    memset(mean, 0, source->width * sizeof(*mean));
    for (size_t i = 0; i < source->n; i++) {
        for (size_t c = 0; c < source->width; c++) {
            mean[c] += source->x[i * source->width + c];
        }
    }
    for (size_t c = 0; c < source->width; c++) {
        mean[c] /= (double)source->n;
    }
}

/* Column j = a direction; the bias puts its zero at the mean. */
static void set_column(Codebook *out, size_t j, const double *direction, const double *mean)
{
    double offset = 0;
    for (size_t c = 0; c < out->inputs; c++) {
        out->weight[c * out->features + j] = (float)direction[c];
        offset += direction[c] * mean[c];
    }
    out->bias[j] = (float)-offset;
}

/* Directions (n, width), each of both signs. */
static void set_both(Codebook *out, size_t n, double *directions, const double *mean)
{
    for (size_t i = 0; i < n; i++) {
        double *direction = directions + i * out->inputs;
        set_column(out, 2 * i, direction, mean);
        for (size_t c = 0; c < out->inputs; c++) {
            direction[c] = -direction[c];
        }
        set_column(out, 2 * i + 1, direction, mean);
    }
}

/* ---- the twins ---- */

static int make_neurons(Codebook *out, const TwinSource *source)
{
    *out = (Codebook){.neurons = true,
                      .inputs = source->n_neurons,
                      .width = source->width,
                      .features = source->n_neurons};
    return 0;
}

enum { PRODUCT_ROWS = 1024 };

/* axes (width, width) = the principal components of the rows, one a row. Products are added up in
 * float inside a chunk, in double across chunks. */
static int principal_axes(double *axes, const TwinSource *source, const double *mean)
{
    const size_t d = source->width;
    float *chunk = mem_alloc(PRODUCT_ROWS * d, sizeof(float), "rows about their mean");
    float *part = mem_alloc(d * d, sizeof(float), "products of coordinates");
    double *values = mem_alloc(d, sizeof(double), "variances of components");
    int rc = chunk && part && values ? 0 : OGPT_ENOMEM;
    for (size_t first = 0; first < source->n && rc == 0; first += PRODUCT_ROWS) {
        const size_t left = source->n - first, n = left < PRODUCT_ROWS ? left : PRODUCT_ROWS;
        for (size_t i = 0; i < n * d; i++) {
            chunk[i] = (float)(source->x[first * d + i] - mean[i % d]);
        }
        gemm(true, false, d, d, n, 1, chunk, d, chunk, d, 0, part, d);
        for (size_t i = 0; i < d * d; i++) {
            axes[i] += part[i];
        }
    }
    if (rc == 0) {
        psd_eigenvectors(values, axes, d);
    }
    mem_free(chunk);
    mem_free(part);
    mem_free(values);
    return rc;
}

static int make_axes(Codebook *out, Twin twin, const TwinSource *source, const double *mean)
{
    const size_t d = source->width;
    double *axes = mem_calloc(d * d, sizeof(double), "axes of rows");
    int rc = axes ? codebook_linear(out, d, d, 2 * d) : OGPT_ENOMEM;
    if (rc == 0 && twin == TWIN_PCA) {
        rc = principal_axes(axes, source, mean);
    }
    for (size_t c = 0; c < d && rc == 0 && twin == TWIN_BASIS; c++) {
        axes[c * d + c] = 1;
    }
    if (rc == 0) {
        set_both(out, d, axes, mean);
    }
    mem_free(axes);
    return rc;
}

static int make_random(Codebook *out, const TwinSource *source, size_t features, const double *mean)
{
    const size_t d = source->width;
    float *drawn = mem_alloc(d, sizeof(float), "a random direction");
    double *direction = mem_alloc(d, sizeof(double), "a random direction");
    int rc = drawn && direction ? codebook_linear(out, d, d, features) : OGPT_ENOMEM;
    for (size_t j = 0; j < features && rc == 0; j++) {
        double length = direction_random(drawn, d, source->seed, j);
        for (size_t c = 0; c < d; c++) {
            direction[c] = drawn[c] / length;
        }
        set_column(out, j, direction, mean);
    }
    mem_free(drawn);
    mem_free(direction);
    return rc;
}

/* w of a class minus the mean of the other two: its direction and its bias, of length 1. A class
 * that never occurs on a square (the centre is never empty) was given no weights: none here. */
static void probe_column(Codebook *out, const TwinSource *source, size_t square, size_t class)
{
    const Probe *probe = source->probe;
    const size_t squares = (size_t)probe->n_squares, d = source->width;
    const float *weight = probe->weight[source->probe_index];
    const float *bias = probe->bias[source->probe_index] + square * 3;
    const size_t j = class * squares + square;
    double length = 0, own = 0;
    for (size_t c = 0; c < d; c++) {
        const float *w = weight + (c * squares + square) * 3;
        double value = w[class] - (w[(class + 1) % 3] + w[(class + 2) % 3]) / 2.0;
        out->weight[c * out->features + j] = (float)value;
        length += value * value;
        own += fabs((double)w[class]);
    }
    length = sqrt(length);
    double offset = bias[class] - (bias[(class + 1) % 3] + bias[(class + 2) % 3]) / 2.0;
    for (size_t c = 0; c < d; c++) {
        float *w = &out->weight[c * out->features + j];
        *w = own > 0 ? (float)(*w / length) : 0;
    }
    out->bias[j] = own > 0 ? (float)(offset / length) : 0;
}

static int make_probe(Codebook *out, const TwinSource *source)
{
    const size_t squares = (size_t)source->probe->n_squares;
    int rc = codebook_linear(out, source->width, source->width, 3 * squares);
    for (size_t class = 0; class < 3 && rc == 0; class ++) {
        for (size_t s = 0; s < squares; s++) {
            probe_column(out, source, s, class);
        }
    }
    return rc;
}

int twin_make(Codebook *out, Twin twin, const TwinSource *source, size_t keep, size_t features,
              const Work *work)
{
    double *mean = mem_alloc(source->width, sizeof(double), "mean of rows");
    *out = (Codebook){0};
    int rc = mean ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        rows_mean(mean, source);
        rc = twin == TWIN_NEURONS                     ? make_neurons(out, source)
             : twin == TWIN_BASIS || twin == TWIN_PCA ? make_axes(out, twin, source, mean)
             : twin == TWIN_PROBE                     ? make_probe(out, source)
             : twin == TWIN_RANDOM                    ? make_random(out, source, features, mean)
                                   : codebook_linear(out, source->width, source->width, 0);
    }
    mem_free(mean);
    if (rc == 0) {
        snprintf(out->name, sizeof(out->name), "%s", twin_name(twin));
        out->keep = keep;
        rc = codebook_fit_decoder(out, out->neurons ? source->neurons : source->x, source->x,
                                  source->n, work);
    }
    if (rc) {
        codebook_release(out);
    }
    return rc;
}
