/* probes/dictionaries/codebook_decoder.c - the decoder of a twin by least squares. See
 * probes/dictionaries/codebook.h.
 *
 * Products of features are added up over chunks of rows, in their order, by jobs that own a stripe
 * of the matrix each: float inside a chunk, double across chunks. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/matrices/spd.h"
#include "probes/dictionaries/codebook.h"

enum { DECODER_ROWS = 1024, DECODER_STRIPE = 64 };
#define DECODER_RIDGE 1e-6
#define DECODER_RIDGE_MOST 0.5

typedef struct DecoderFit {
    const Codebook *codebook;
    const float *inputs, *targets;
    size_t rows, d, m;
    float *f;                       /* (rows, m), centred once feature means are known */
    float *x;                       /* (rows, d), centred */
    double *f_mean, *x_mean;        /* (m), (d) */
    float *part;                    /* (workers, DECODER_STRIPE, m + d) */
    double *gram, *cross, *decoder; /* (m, m), (m, d), (m, d) */
} DecoderFit;

static int encode_chunk(void *context, size_t job, size_t worker)
{
    const DecoderFit *fit = context;
    const size_t first = job * DECODER_ROWS, left = fit->rows - first,
                 n = left < DECODER_ROWS ? left : DECODER_ROWS;
    codebook_encode(fit->codebook, fit->inputs + first * fit->codebook->inputs, n,
                    fit->f + first * fit->m);
    memcpy(fit->x + first * fit->d, fit->targets + first * fit->d, n * fit->d * sizeof(float));
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while fitting a decoder") : 0;
}

/* Take the means of columns off. */
static void centre(float *x, double *mean, size_t n, size_t width)
{
    memset(mean, 0, width * sizeof(*mean));
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < width; c++) {
            mean[c] += x[i * width + c];
        }
    }
    for (size_t c = 0; c < width; c++) {
        mean[c] /= (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < width; c++) {
            x[i * width + c] = (float)(x[i * width + c] - mean[c]);
        }
    }
}

/* A stripe of rows of f^T f, up to its diagonal, and of f^T x. */
static int stripe(void *context, size_t job, size_t worker)
{
    DecoderFit *fit = context;
    const size_t m = fit->m, d = fit->d, top = job * DECODER_STRIPE;
    const size_t n = m - top < DECODER_STRIPE ? m - top : DECODER_STRIPE, across = top + n;
    float *part = fit->part + worker * DECODER_STRIPE * (m + d),
          *crossed = part + DECODER_STRIPE * m;
    for (size_t first = 0; first < fit->rows; first += DECODER_ROWS) {
        const size_t rows = fit->rows - first < DECODER_ROWS ? fit->rows - first : DECODER_ROWS;
        const float *f = fit->f + first * m;
        gemm(true, false, n, across, rows, 1, f + top, m, f, m, 0, part, across);
        gemm(true, false, n, d, rows, 1, f + top, m, fit->x + first * d, d, 0, crossed, d);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < across; j++) {
                fit->gram[(top + i) * m + j] += part[i * across + j];
            }
            for (size_t c = 0; c < d; c++) {
                fit->cross[(top + i) * d + c] += crossed[i * d + c];
            }
        }
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted while fitting a decoder");
        }
    }
    return 0;
}

/* A stripe of the inverse times f^T x. */
static int solve_stripe(void *context, size_t job, size_t worker)
{
    DecoderFit *fit = context;
    const size_t m = fit->m, d = fit->d,
                 end = (job + 1) * DECODER_STRIPE < m ? (job + 1) * DECODER_STRIPE : m;
    for (size_t i = job * DECODER_STRIPE; i < end; i++) {
        for (size_t j = 0; j < m; j++) {
            for (size_t c = 0; c < d; c++) {
                fit->decoder[i * d + c] += fit->gram[i * m + j] * fit->cross[j * d + c];
            }
        }
    }
    return 0;
}

/* gram = its inverse, with as little ridge as gives it a factor: products in float leave more
 * features than rows, or ones that depend on each other, a little below 0. */
static int invert(DecoderFit *fit)
{
    const size_t m = fit->m;
    double *whole = mem_alloc(m * m, sizeof(*whole), "products of features");
    double trace = 0;
    int rc = whole ? OGPT_ENUM : OGPT_ENOMEM;
    for (size_t i = 0; i < m; i++) {
        trace += fit->gram[i * m + i];
    }
    if (whole) {
        memcpy(whole, fit->gram, m * m * sizeof(*whole));
    }
    for (double ridge = DECODER_RIDGE; rc == OGPT_ENUM && ridge < DECODER_RIDGE_MOST; ridge *= 10) {
        memcpy(fit->gram, whole, m * m * sizeof(*whole));
        for (size_t i = 0; i < m; i++) {
            fit->gram[i * m + i] += trace > 0 ? ridge * trace / (double)m : 1;
        }
        rc = spd_invert(fit->gram, m);
    }
    mem_free(whole);
    return rc;
}

static int solve(DecoderFit *fit, const Work *work)
{
    const size_t stripes = (fit->m + DECODER_STRIPE - 1) / DECODER_STRIPE;
    int rc = pool_run(work->pool, stripes, stripe, fit);
    rc = rc ? rc : invert(fit);
    return rc ? rc : pool_run(work->pool, stripes, solve_stripe, fit);
}

/* mean = mean of x - (mean of f) decoder: the constant that leaves no mean error. */
static void write_out(Codebook *codebook, const DecoderFit *fit)
{
    for (size_t i = 0; i < fit->m * fit->d; i++) {
        codebook->decoder[i] = (float)fit->decoder[i];
    }
    for (size_t c = 0; c < fit->d; c++) {
        double mean = fit->x_mean[c];
        for (size_t j = 0; j < fit->m; j++) {
            mean -= fit->f_mean[j] * fit->decoder[j * fit->d + c];
        }
        codebook->mean[c] = (float)mean;
    }
}

static int allocate(DecoderFit *fit, Codebook *codebook, const Work *work)
{
    const size_t m = fit->m, d = fit->d;
    codebook->decoder = mem_alloc(m * d, sizeof(float), "decoder of a dictionary");
    codebook->mean = mem_alloc(d, sizeof(float), "mean of rows");
    fit->f = mem_alloc(fit->rows * m, sizeof(float), "features of rows");
    fit->x = mem_alloc(fit->rows * d, sizeof(float), "rows to be rebuilt");
    fit->f_mean = mem_alloc(m, sizeof(double), "means of features");
    fit->x_mean = mem_alloc(d, sizeof(double), "means of rows");
    fit->part = mem_alloc(work_workers(work) * DECODER_STRIPE * (m + d), sizeof(float), "products");
    fit->gram = mem_calloc(m * m, sizeof(double), "products of features");
    fit->cross = mem_calloc(m * d, sizeof(double), "products of features and rows");
    fit->decoder = mem_calloc(m * d, sizeof(double), "decoder of a dictionary");
    return codebook->decoder && codebook->mean && fit->f && fit->x && fit->f_mean && fit->x_mean &&
                   fit->part && fit->gram && fit->cross && fit->decoder
               ? 0
               : OGPT_ENOMEM;
}

int codebook_fit_decoder(Codebook *codebook, const float *inputs, const float *targets, size_t rows,
                         const Work *work)
{
    DecoderFit fit = {.codebook = codebook,
                      .inputs = inputs,
                      .targets = targets,
                      .rows = rows < CODEBOOK_FIT_ROWS ? rows : CODEBOOK_FIT_ROWS,
                      .d = codebook->width,
                      .m = codebook->features};
    int rc = allocate(&fit, codebook, work);
    rc =
        rc ? rc
           : pool_run(work->pool, (fit.rows + DECODER_ROWS - 1) / DECODER_ROWS, encode_chunk, &fit);
    if (rc == 0) {
        centre(fit.f, fit.f_mean, fit.rows, fit.m);
        centre(fit.x, fit.x_mean, fit.rows, fit.d);
    }
    rc = rc || fit.m == 0 ? rc : solve(&fit, work);
    if (rc == 0) {
        write_out(codebook, &fit);
    }
    mem_free(fit.f);
    mem_free(fit.x);
    mem_free(fit.f_mean);
    mem_free(fit.x_mean);
    mem_free(fit.part);
    mem_free(fit.gram);
    mem_free(fit.cross);
    mem_free(fit.decoder);
    return rc;
}
