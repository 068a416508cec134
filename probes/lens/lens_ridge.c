/* probes/lens/lens_ridge.c - see probes/lens/lens_ridge.h. */
#include "probes/lens/lens_ridge.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/matrices/spd.h"

#define CHUNK_LEAST 256 /* rows */

size_t lens_chunks(size_t n)
{
    size_t chunks = n / CHUNK_LEAST;
    chunks = chunks > 1 ? chunks : 1;
    return chunks < LENS_CHUNKS ? chunks : LENS_CHUNKS;
}

size_t lens_chunk(size_t *first, size_t n, size_t k)
{
    size_t chunks = lens_chunks(n);
    *first = n * k / chunks;
    return n * (k + 1) / chunks - *first;
}

/* ---- the design ---- */

void lens_standardise(float *u, const LensDesign *design, size_t first, size_t n_rows)
{
    size_t C = design->width;
    const float *x = design->x + first * C;
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t c = 0; c < C; c++) {
            u[i * C + c] = (x[i * C + c] - design->shift[c]) * design->scale[c];
        }
    }
}

static int measure_columns(LensDesign *design)
{
    size_t C = design->width, n = design->n;
    double *mean = mem_calloc(2 * C, sizeof(double), "means of columns");
    if (!mean) {
        return OGPT_ENOMEM;
    }
    double *square = mean + C;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < C; c++) {
            mean[c] += (double)design->x[i * C + c];
        }
    }
    for (size_t c = 0; c < C; c++) {
        mean[c] /= (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < C; c++) {
            double d = (double)design->x[i * C + c] - mean[c];
            square[c] += d * d;
        }
    }
    int rc = 0;
    for (size_t c = 0; c < C; c++) {
        double deviation = sqrt(square[c] / (double)n);
        if (!isfinite(deviation)) {
            rc = err_set(OGPT_ENUM,
                         "column %zu of the rows is not finite; check the model "
                         "(ogpt verify)",
                         c);
        }
        design->shift[c] = (float)mean[c];
        /* Below this a column is a constant and its rounding. */
        design->scale[c] = deviation > 1e-7 * (fabs(mean[c]) + 1e-20) ? (float)(1 / deviation) : 0;
    }
    mem_free(mean);
    return rc;
}

/* partial (chunk) = U^T Y of the rows of a chunk; y NULL: U itself. */
typedef struct ProductJob {
    const LensDesign *design;
    const float *y;
    const double *b; /* taken off y */
    size_t D;
    float *partial; /* (chunks, width, D) */
    float *rows;    /* per worker (chunk rows, width + D) */
    size_t most;    /* rows of a chunk */
} ProductJob;

static int product_chunk(void *context, size_t job, size_t worker)
{
    const ProductJob *product = context;
    const LensDesign *design = product->design;
    size_t C = design->width, D = product->D, first, n = lens_chunk(&first, design->n, job);
    float *u = product->rows + worker * product->most * (C + D), *y = u + product->most * C;
    lens_standardise(u, design, first, n);
    for (size_t i = 0; i < n && product->y; i++) {
        for (size_t d = 0; d < D; d++) {
            y[i * D + d] = product->y[(first + i) * D + d] - (float)product->b[d];
        }
    }
    gemm(true, false, C, D, n, 1, u, C, product->y ? y : u, D, 0, product->partial + job * C * D,
         D);
    return 0;
}

/* out (width, D) = U^T (Y - b) / n; y NULL: U^T U / n. */
static int product_sum(double *out, const LensDesign *design, const float *y, const double *b,
                       size_t D, const Work *work)
{
    size_t C = design->width, chunks = lens_chunks(design->n);
    ProductJob job = {.design = design, .y = y, .b = b, .D = D, .most = design->n / chunks + 1};
    job.partial = mem_alloc(chunks * C * D, sizeof(float), "products of rows");
    job.rows = mem_alloc(work_workers(work) * job.most * (C + D), sizeof(float), "rows");
    int rc =
        job.partial && job.rows ? pool_run(work->pool, chunks, product_chunk, &job) : OGPT_ENOMEM;
    for (size_t i = 0; i < C * D && rc == 0; i++) {
        double sum = 0;
        for (size_t k = 0; k < chunks; k++) {
            sum += (double)job.partial[k * C * D + i];
        }
        out[i] = sum / (double)design->n;
    }
    mem_free(job.partial);
    mem_free(job.rows);
    return rc;
}

int lens_design_make(LensDesign *out, const float *x, size_t n, size_t width, double l2,
                     const Work *work)
{
    size_t C = width;
    *out = (LensDesign){.x = x, .n = n, .width = C, .l2 = l2};
    out->shift = mem_alloc(C, sizeof(float), "columns");
    out->scale = mem_alloc(C, sizeof(float), "columns");
    out->gram = mem_alloc(C * C, sizeof(double), "products of columns");
    out->inverse = mem_alloc(C * C, sizeof(double), "products of columns");
    int rc = out->shift && out->scale && out->gram && out->inverse ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : measure_columns(out);
    rc = rc ? rc : product_sum(out->gram, out, NULL, NULL, C, work);
    if (rc == 0) {
        memcpy(out->inverse, out->gram, C * C * sizeof(double));
        for (size_t c = 0; c < C; c++) {
            out->inverse[c * C + c] += l2;
        }
        rc = spd_invert(out->inverse, C);
    }
    if (rc) {
        lens_design_release(out);
    }
    return rc;
}

void lens_design_release(LensDesign *design)
{
    mem_free(design->shift);
    mem_free(design->scale);
    mem_free(design->gram);
    mem_free(design->inverse);
    *design = (LensDesign){0};
}

/* ---- maps ---- */

int lens_ridge(double *w, double *b, const LensDesign *design, const float *y, size_t D,
               const Work *work)
{
    size_t C = design->width, n = design->n;
    double *cross = mem_alloc(C * D, sizeof(double), "products with targets");
    memset(b, 0, D * sizeof(*b));
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < D; d++) {
            b[d] += (double)y[i * D + d];
        }
    }
    for (size_t d = 0; d < D; d++) {
        b[d] /= (double)n;
    }
    int rc = cross ? product_sum(cross, design, y, b, D, work) : OGPT_ENOMEM;
    if (rc == 0) {
        memset(w, 0, C * D * sizeof(*w));
        for (size_t c = 0; c < C; c++) {
            for (size_t k = 0; k < C; k++) {
                double factor = design->inverse[c * C + k];
                for (size_t d = 0; d < D; d++) {
                    w[c * D + d] += factor * cross[k * D + d];
                }
            }
        }
    }
    mem_free(cross);
    return rc;
}

void lens_fold(float *matrix, float *bias, const LensDesign *design, const double *w,
               const double *b, size_t D)
{
    for (size_t d = 0; d < D; d++) {
        double constant = b[d];
        for (size_t c = 0; c < design->width; c++) {
            double a = w[c * D + d] * (double)design->scale[c];
            matrix[c * D + d] = (float)a;
            constant -= a * (double)design->shift[c];
        }
        bias[d] = (float)constant;
    }
}

typedef struct MapJob {
    float *out;
    const float *x, *matrix, *bias;
    size_t n, C, D;
} MapJob;

static int map_chunk(void *context, size_t job, size_t worker)
{
    const MapJob *map = context;
    size_t first, n = lens_chunk(&first, map->n, job);
    float *out = map->out + first * map->D;
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * map->D, map->bias, map->D * sizeof(float));
    }
    gemm(false, false, n, map->D, map->C, 1, map->x + first * map->C, map->C, map->matrix, map->D,
         1, out, map->D);
    return 0;
}

int lens_map_rows(float *out, const float *x, size_t n, const float *matrix, const float *bias,
                  const size_t sizes[2], const Work *work)
{
    MapJob job = {out, x, matrix, bias, n, sizes[0], sizes[1]};
    return pool_run(work->pool, lens_chunks(n), map_chunk, &job);
}
