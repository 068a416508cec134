/* probes/solvers/fit_design.c - what every probe fit shares: standardised rows, class counts,
 * subsets. See probes/solvers/internal.h. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "probes/solvers/internal.h"

/* A block has at least this many rows, so that the matrix products run well. There are at most this
 * many blocks, so that their partial gradients need little memory compared with the rows. */
#define MIN_BLOCK_ROWS 512
#define MAX_BLOCKS 64

/* A column is constant, up to the rounding of floats, if its deviation is below this share of its
 * mean. */
#define CONSTANT_COLUMN 1e-6

#define MOMENT_ROWS ((size_t)64) /* fetched at a time */

/* The subset is part of the solver, so its seed is not that of the experiment. */
#define SUBSET_SEED 1

size_t design__block_rows(size_t n)
{
    size_t rows = (n + MAX_BLOCKS - 1) / MAX_BLOCKS;
    return rows > MIN_BLOCK_ROWS ? rows : MIN_BLOCK_ROWS;
}

double design__seconds(const FitProblem *problem)
{
    return problem->seconds > 0 ? problem->seconds : FIT_SECONDS;
}

int design__rounds(const FitProblem *problem)
{
    return problem->rounds > 0 ? problem->rounds : FIT_ROUNDS;
}

int design__stop(const Design *design)
{
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while fitting a probe");
    }
    if (clock_seconds() > design->deadline) {
        return err_set(
            OGPT_ENUM,
            "the fit of %zu squares is not done after %g s a square; take fewer games or "
            "a larger --l2, and check the model (ogpt verify)",
            design->problem->n_squares, design__seconds(design->problem));
    }
    return 0;
}

void solve__unconverged(FitReport *report, size_t square)
{
    uint64_t bit = square < 64 ? (uint64_t)1 << square : 0;
    report->n_unconverged += bit == 0 || (report->unconverged & bit) == 0;
    report->unconverged |= bit;
}

size_t design__block(size_t *first, const Design *design, size_t b)
{
    *first = b * design->block_rows;
    size_t left = design->problem->n - *first;
    return left < design->block_rows ? left : design->block_rows;
}

void design__standardise(float *out, const Design *design, const float *x, size_t n)
{
    size_t width = design->problem->width;
    const float *shift = design->shift, *scale = design->scale;
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * width;
        float *u = out + i * (width + 1);
        for (size_t c = 0; c < width; c++) {
            u[c] = (row[c] - shift[c]) * scale[c];
        }
        u[width] = 1.0f;
    }
}

const float *design__raw(int *rc, float *room, const Design *design, size_t first, size_t n)
{
    const FitProblem *problem = design->problem;
    if (problem->x) {
        return problem->x + first * problem->width;
    }
    *rc = problem->fetch(problem->rows, room, first, n);
    return *rc ? NULL : room;
}

/* Rows that are fetched come to the end of `out`, which has one float a row more: what is written
 * stays before what is still to be read. */
int design__rows(float *out, const Design *design, size_t first, size_t n_rows)
{
    int rc = 0;
    const float *raw = design__raw(&rc, out + n_rows, design, first, n_rows);
    if (raw) {
        design__standardise(out, design, raw, n_rows);
    }
    return rc;
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

Shape shape__of(const FitProblem *problem)
{
    size_t S = problem->n_squares, K = problem->n_classes, rows = problem->width + 1;
    return problem->one_vs_rest ? (Shape){rows, 1, rows, S * K} : (Shape){rows, K, rows * K, S};
}

bool shape__present(const Design *design, size_t p, size_t k)
{
    const FitProblem *problem = design->problem;
    size_t K = problem->n_classes;
    uint32_t count = design->count[problem->one_vs_rest ? p : p * K + k];
    return count > 0 && !(problem->one_vs_rest && count == problem->n);
}

double shape__penalty(const FitProblem *problem, size_t r)
{
    return r < problem->width || problem->one_vs_rest ? problem->l2 : 0;
}

int design__subset(Design *out, FitProblem *problem, const Design *full, size_t n_rows)
{
    const FitProblem *all = full->problem;
    size_t width = all->width, S = all->n_squares;
    float *x = mem_alloc(n_rows * width, sizeof(float), "rows of a subset");
    uint8_t *labels = mem_alloc(n_rows, S, "labels of a subset");
    *problem = *all;
    *out = *full;
    problem->x = x;
    problem->fetch = NULL;
    problem->labels = labels;
    problem->n = n_rows;
    out->problem = problem;
    out->block_rows = design__block_rows(n_rows);
    out->n_blocks = (n_rows + out->block_rows - 1) / out->block_rows;
    int rc = x && labels ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < n_rows && rc == 0; i++) {
        size_t from = (size_t)rng_permute(SUBSET_SEED, RNG_FIT, 0, i, all->n);
        const float *row = design__raw(&rc, x + i * width, full, from, 1);
        if (row && row != x + i * width) {
            memcpy(x + i * width, row, width * sizeof(float));
        }
        memcpy(labels + i * S, all->labels + from * S, S);
    }
    return rc;
}

void design__subset_release(Design *subset, FitProblem *problem)
{
    mem_free((void *)problem->x);
    mem_free((void *)problem->labels);
    *problem = (FitProblem){0};
    *subset = (Design){0};
}

typedef struct Moments {
    const Design *design;
    double *sum;  /* (n_blocks, width) */
    bool squares; /* sum squared distances from the mean, not values */
} Moments;

static int moments_block(void *context, size_t job, size_t worker)
{
    const Moments *moments = context;
    const Design *design = moments->design;
    size_t width = design->problem->width, first;
    size_t rows = design__block(&first, design, job);
    double *sum = moments->sum + job * width;
    float *room = design->problem->x ? NULL : mem_alloc(MOMENT_ROWS * width, sizeof(*room), "rows");
    int rc = design->problem->x || room ? 0 : OGPT_ENOMEM;
    memset(sum, 0, width * sizeof(double));
    for (size_t done = 0; done < rows && rc == 0; done += MOMENT_ROWS) {
        const size_t n = rows - done < MOMENT_ROWS ? rows - done : MOMENT_ROWS;
        const float *x = design__raw(&rc, room, design, first + done, n);
        for (size_t i = 0; i < n * width && rc == 0; i += width) {
            for (size_t c = 0; c < width; c++) {
                double value = (double)x[i + c];
                double distance = value - design->mean[c];
                sum[c] += moments->squares ? distance * distance : value;
            }
        }
    }
    mem_free(room);
    return rc;
}

static int refuse_range(size_t column, double deviation)
{
    return err_set(
        OGPT_ENUM,
        "column %zu of the activations varies by %g, expected %g to %g: single precision "
        "cannot hold the weights of a probe; check the model (ogpt verify)",
        column, deviation, FIT_SMALLEST, FIT_LARGEST);
}

/* Leave out the columns that do not vary, and refuse rows whose weights could not be held. */
static int scale_columns(Design *design)
{
    double largest = 0;
    size_t varying = 0;
    for (size_t c = 0; c < design->problem->width; c++) {
        double deviation = sqrt(design->deviation[c]);
        bool constant = deviation <= CONSTANT_COLUMN * fabs(design->mean[c]);
        if (!constant && !(deviation <= FIT_LARGEST)) {
            return refuse_range(c, deviation);
        }
        if (!constant && deviation > largest) {
            largest = deviation;
            varying = c;
        }
        constant = constant || deviation < FIT_SMALLEST;
        design->deviation[c] = constant ? 0 : deviation;
        design->shift[c] = (float)design->mean[c];
        design->scale[c] = constant ? 0 : (float)(1 / deviation);
    }
    return largest > 0 && largest < FIT_SMALLEST ? refuse_range(varying, largest) : 0;
}

/* Column means, then deviations. The sums of the blocks are added in order. */
static int measure_columns(Design *design, const Work *work)
{
    size_t width = design->problem->width;
    double n = (double)design->problem->n;
    double *sum = mem_alloc(design->n_blocks * width, sizeof(double), "column sums");
    if (!sum) {
        return OGPT_ENOMEM;
    }
    Moments moments = {design, sum, false};
    int rc = pool_run(work->pool, design->n_blocks, moments_block, &moments);
    for (size_t b = 0; b < design->n_blocks && rc == 0; b++) {
        for (size_t c = 0; c < width; c++) {
            design->mean[c] += sum[b * width + c] / n;
        }
    }
    moments.squares = true;
    rc = rc ? rc : pool_run(work->pool, design->n_blocks, moments_block, &moments);
    for (size_t b = 0; b < design->n_blocks && rc == 0; b++) {
        for (size_t c = 0; c < width; c++) {
            design->deviation[c] += sum[b * width + c] / n;
        }
    }
    mem_free(sum);
    return rc ? rc : scale_columns(design);
}

int design__init(Design *out, const FitProblem *problem, const Work *work)
{
    size_t width = problem->width, S = problem->n_squares, K = problem->n_classes;
    *out = (Design){.problem = problem, .block_rows = design__block_rows(problem->n)};
    out->n_blocks = (problem->n + out->block_rows - 1) / out->block_rows;
    out->deadline = clock_seconds() + design__seconds(problem) * (double)S;
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
        rc = measure_columns(out, work);
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
