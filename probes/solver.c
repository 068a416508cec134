/* probes/solver.c - what every probe fit shares: standardising, priors, folding back. */
#include "probes/solver.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/internal.h"

/* At least this many rows a block, so that the matrix products run well, and at most this many
 * blocks, so that their partial gradients stay small beside the rows. */
#define MIN_BLOCK_ROWS 512
#define MAX_BLOCKS 64

/* A column whose deviation is below this share of its largest magnitude is constant up to the
 * rounding of floats. */
#define CONSTANT_COLUMN 1e-6

size_t design__block_rows(size_t n)
{
    size_t rows = (n + MAX_BLOCKS - 1) / MAX_BLOCKS;
    return rows > MIN_BLOCK_ROWS ? rows : MIN_BLOCK_ROWS;
}

size_t design__block(size_t *first, const Design *design, size_t b)
{
    *first = b * design->block_rows;
    size_t left = design->problem->n - *first;
    return left < design->block_rows ? left : design->block_rows;
}

void design__rows(float *out, const Design *design, size_t first, size_t n_rows)
{
    size_t width = design->problem->width;
    const float *shift = design->shift, *scale = design->scale;
    for (size_t i = 0; i < n_rows; i++) {
        const float *x = design->problem->x + (first + i) * width;
        float *u = out + i * (width + 1);
        for (size_t c = 0; c < width; c++) {
            u[c] = (x[c] - shift[c]) * scale[c];
        }
        u[width] = 1.0f;
    }
}

double design__prior(const Design *design, uint32_t count)
{
    double n = (double)design->problem->n, K = (double)design->problem->n_classes;
    return log(((double)count + 0.5) / (n + 0.5 * K));
}

size_t design__present(const Design *design, size_t square)
{
    size_t K = design->problem->n_classes, present = 0;
    for (size_t k = 0; k < K; k++) {
        present += design->count[square * K + k] > 0;
    }
    return present;
}

typedef struct Moments {
    const Design *design;
    double *sum;  /* (n_blocks, width) */
    bool squares; /* of squared distances from the mean, not of values */
} Moments;

static int moments_block(void *context, size_t job, size_t worker)
{
    const Moments *moments = context;
    const Design *design = moments->design;
    size_t width = design->problem->width, first;
    size_t rows = design__block(&first, design, job);
    double *sum = moments->sum + job * width;
    memset(sum, 0, width * sizeof(double));
    for (size_t i = first; i < first + rows; i++) {
        const float *x = design->problem->x + i * width;
        for (size_t c = 0; c < width; c++) {
            double value = (double)x[c];
            double distance = value - design->mean[c];
            sum[c] += moments->squares ? distance * distance : value;
        }
    }
    return 0;
}

/* Column means, then deviations, each block's sums added in the order of the blocks. */
static int measure_columns(Design *design, Pool *pool)
{
    size_t width = design->problem->width;
    double n = (double)design->problem->n;
    double *sum = mem_alloc(design->n_blocks * width, sizeof(double), "column sums");
    if (!sum) {
        return OGPT_ENOMEM;
    }
    Moments moments = {design, sum, false};
    int rc = pool_run(pool, design->n_blocks, moments_block, &moments);
    for (size_t b = 0; b < design->n_blocks && rc == 0; b++) {
        for (size_t c = 0; c < width; c++) {
            design->mean[c] += sum[b * width + c] / n;
        }
    }
    moments.squares = true;
    rc = rc ? rc : pool_run(pool, design->n_blocks, moments_block, &moments);
    for (size_t b = 0; b < design->n_blocks && rc == 0; b++) {
        for (size_t c = 0; c < width; c++) {
            design->deviation[c] += sum[b * width + c] / n;
        }
    }
    for (size_t c = 0; c < width && rc == 0; c++) {
        double deviation = sqrt(design->deviation[c]);
        bool constant = deviation <= CONSTANT_COLUMN * fabs(design->mean[c]);
        design->deviation[c] = constant ? 0 : deviation;
        design->shift[c] = (float)design->mean[c];
        design->scale[c] = constant ? 0 : (float)(1 / deviation);
    }
    mem_free(sum);
    return rc;
}

int design__init(Design *out, const FitProblem *problem, Pool *pool)
{
    size_t width = problem->width, S = problem->n_squares, K = problem->n_classes;
    *out = (Design){.problem = problem, .block_rows = design__block_rows(problem->n)};
    out->n_blocks = (problem->n + out->block_rows - 1) / out->block_rows;
    out->mean = mem_calloc(width, sizeof(double), "column means");
    out->deviation = mem_calloc(width, sizeof(double), "column deviations");
    out->shift = mem_calloc(width, sizeof(float), "column means");
    out->scale = mem_calloc(width, sizeof(float), "column deviations");
    out->count = mem_calloc(S * K, sizeof(uint32_t), "class counts");
    int rc = OGPT_ENOMEM;
    if (out->mean && out->deviation && out->shift && out->scale && out->count) {
        for (size_t i = 0; i < problem->n; i++) {
            for (size_t s = 0; s < S; s++) {
                out->count[s * K + problem->labels[i * S + s]]++;
            }
        }
        rc = measure_columns(out, pool);
    }
    if (rc) {
        design__release(out);
    }
    return rc;
}

void design__release(Design *design)
{
    mem_free(design->mean);
    mem_free(design->deviation);
    mem_free(design->shift);
    mem_free(design->scale);
    mem_free(design->count);
    *design = (Design){0};
}

/* Where a fit begins: zero weights and the class frequencies as biases. Classes without examples,
 * and squares of one class, stay there. The probe of the layer before was tried as a beginning and
 * took more rounds, not fewer: its weights are large where its own layer hardly varied. */
static void start_square(float *w, const Design *design, size_t square)
{
    size_t width = design->problem->width, K = design->problem->n_classes;
    memset(w, 0, width * K * sizeof(float));
    for (size_t k = 0; k < K; k++) {
        w[width * K + k] = (float)design__prior(design, design->count[square * K + k]);
    }
}

/* Standardised weights of one square to raw ones: w . (x - m)/d + b = (w/d) . x + b - w.m/d. */
static void fold_square(float *weight, float *bias, const float *w, const Design *design,
                        size_t square)
{
    const FitProblem *problem = design->problem;
    size_t width = problem->width, K = problem->n_classes, S = problem->n_squares;
    for (size_t k = 0; k < K; k++) {
        double b = (double)w[width * K + k];
        for (size_t c = 0; c < width; c++) {
            double deviation = design->deviation[c];
            double raw = deviation > 0 ? (double)w[c * K + k] / deviation : 0;
            weight[(c * S + square) * K + k] = (float)raw;
            b -= raw * design->mean[c];
        }
        bias[square * K + k] = (float)b;
    }
}

int fit_probe(float *weight, float *bias, FitReport *report, const char *solver,
              const FitProblem *problem, Pool *pool)
{
    size_t K = problem->n_classes, square_size = (problem->width + 1) * K;
    Design design = {0};
    float *w = NULL;
    *report = (FitReport){.gradient = NAN};
    if (!(problem->l2 > 0) || !isfinite(problem->l2)) {
        return err_set(OGPT_EUSAGE, "l2 is %g, expected a positive number", problem->l2);
    }
    int rc = design__init(&design, problem, pool);
    if (rc) {
        goto done;
    }
    w = mem_alloc(problem->n_squares * square_size, sizeof(float), "weights of a fit");
    if (!w) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    for (size_t s = 0; s < problem->n_squares; s++) {
        start_square(w + s * square_size, &design, s);
        report->n_absent += K - design__present(&design, s);
    }
    if (strcmp(solver, "newton") == 0) {
        rc = solve__newton(w, report, &design, pool);
    } else if (strcmp(solver, "liblinear") == 0) {
        rc = solve__liblinear(w, report, &design, pool);
    } else {
        rc = err_set(OGPT_EUSAGE, "solver \"%s\", expected one of %s", solver, SOLVER_NAMES);
    }
    if (rc == 0 && !isfinite(report->objective)) {
        rc = err_set(OGPT_ENUM, "%s: the objective of the probe is not finite", solver);
    }
    for (size_t s = 0; s < problem->n_squares && rc == 0; s++) {
        fold_square(weight, bias, w + s * square_size, &design, s);
    }
done:
    mem_free(w);
    design__release(&design);
    return rc;
}

size_t fit_bytes(const char *solver, size_t n, size_t width, size_t n_squares, size_t n_classes,
                 size_t n_workers)
{
    size_t weights = n_squares * (width + 1) * n_classes * sizeof(float);
    bool liblinear = strcmp(solver, "liblinear") == 0;
    return weights + (liblinear ? solve__liblinear_bytes
                                : solve__newton_bytes)(n, width, n_squares, n_classes, n_workers);
}
