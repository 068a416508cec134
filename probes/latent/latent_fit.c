/* probes/latent/latent_fit.c - all but CCS. See probes/latent/latent_fit.h. */
#include "probes/latent/latent_fit.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/solvers/solver.h"

#define SUPERVISED_L2 1e-3
enum { POWER_STEPS = 1000 };

int latent_fit_allocate(LatentFit *out, size_t width, size_t n_squares)
{
    *out = (LatentFit){.width = width, .n_squares = n_squares};
    out->w = mem_calloc(n_squares * width, sizeof(float), "directions without labels");
    out->bias = mem_calloc(3 * n_squares, sizeof(double), "directions without labels");
    if (!out->w || !out->bias) {
        latent_fit_release(out);
        return OGPT_ENOMEM;
    }
    out->loss = out->bias + n_squares;
    out->stopped = out->loss + n_squares;
    for (size_t s = 0; s < n_squares; s++) {
        out->loss[s] = NAN;
    }
    return 0;
}

double latent_unconverged(const LatentFit *fit)
{
    double sum = 0;
    for (size_t s = 0; s < fit->n_squares; s++) {
        sum += fit->stopped[s];
    }
    return sum;
}

void latent_fit_release(LatentFit *fit)
{
    mem_free(fit->w);
    mem_free(fit->bias);
    *fit = (LatentFit){0};
}

/* ---- CRC-TPC ---- */

typedef struct CrcRun {
    LatentFit *out;
    const LatentRows *rows;
    const LatentPairs *pairs;
    uint64_t seed;
    float **kept, **outer; /* of a worker: (n, width), (width, width) */
    double **vector;       /* (3, width) */
} CrcRun;

/* Differences of the pairs that keep the square, centred; how many. */
static size_t differences_of(float *kept, const CrcRun *run, size_t square, double *mean)
{
    const LatentRows *rows = run->rows;
    size_t n = 0, width = rows->width;
    memset(mean, 0, width * sizeof(*mean));
    for (size_t i = 0; i < rows->n; i++) {
        if (latent_keeps(run->pairs, i, square)) {
            for (size_t c = 0; c < width; c++) {
                kept[n * width + c] = rows->first[i * width + c] - rows->second[i * width + c];
                mean[c] += (double)kept[n * width + c];
            }
            n++;
        }
    }
    for (size_t c = 0; c < width && n > 0; c++) {
        mean[c] /= (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < width; c++) {
            kept[i * width + c] -= (float)mean[c];
        }
    }
    return n;
}

/* The eigenvector of the largest eigenvalue, which it returns: powers of the matrix. *stopped: it
 * still moved at the last step, as it does where two eigenvalues are almost equal. */
static double first_component(double *v, double *next, double *stopped, const float *outer,
                              size_t width, Rng *rng)
{
    double value = 0;
    *stopped = 1;
    for (size_t c = 0; c < width; c++) {
        v[c] = rng_normal(rng);
    }
    for (int step = 0; step < POWER_STEPS; step++) {
        double square = 0, moved = 0;
        for (size_t r = 0; r < width; r++) {
            next[r] = 0;
            for (size_t c = 0; c < width; c++) {
                next[r] += (double)outer[r * width + c] * v[c];
            }
            square += next[r] * next[r];
        }
        value = sqrt(square);
        for (size_t c = 0; c < width && value > 0; c++) {
            moved += pow(next[c] / value - v[c], 2);
            v[c] = next[c] / value;
        }
        if (moved < 1e-18) {
            *stopped = 0;
            break;
        }
    }
    return value;
}

static int crc_job(void *context, size_t square, size_t worker)
{
    CrcRun *run = context;
    size_t width = run->rows->width;
    float *kept = run->kept[worker], *outer = run->outer[worker];
    double *v = run->vector[worker], *next = v + width, *mean = next + width, trace = 0;
    Rng rng = rng_at(run->seed, RNG_LATENT, UINT64_C(1) << 40 | square);
    size_t n = differences_of(kept, run, square, mean);
    if (n < 2) {
        return 0;
    }
    gemm(true, false, width, width, n, 1 / (float)n, kept, width, kept, width, 0, outer, width);
    double value = first_component(v, next, &run->out->stopped[square], outer, width, &rng);
    for (size_t c = 0; c < width && value > 0; c++) { /* none where nothing varies */
        trace += (double)outer[c * width + c];
        run->out->w[square * width + c] = (float)v[c];
        run->out->bias[square] -= (double)(float)v[c] * mean[c];
    }
    run->out->loss[square] = value / trace;
    return isfinite(value) ? 0 : err_set(OGPT_ENUM, "differences of pairs are not finite");
}

int latent_crc(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs, const Work *work)
{
    size_t workers = work_workers(work), width = rows->width;
    CrcRun run = {.out = out, .rows = rows, .pairs = pairs, .seed = work->seed};
    int rc = latent_fit_allocate(out, width, pairs->n_squares);
    run.kept = mem_calloc(workers, sizeof(*run.kept), "differences of pairs");
    run.outer = mem_calloc(workers, sizeof(*run.outer), "differences of pairs");
    run.vector = mem_calloc(workers, sizeof(*run.vector), "differences of pairs");
    rc = rc || (run.kept && run.outer && run.vector) ? rc : OGPT_ENOMEM;
    for (size_t w = 0; w < workers && rc == 0; w++) {
        run.kept[w] = mem_alloc(rows->n * width, sizeof(float), "differences of pairs");
        run.outer[w] = mem_alloc(width * width, sizeof(float), "differences of pairs");
        run.vector[w] = mem_alloc(3 * width, sizeof(double), "differences of pairs");
        rc = run.kept[w] && run.outer[w] && run.vector[w] ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : pool_run(work->pool, pairs->n_squares, crc_job, &run);
    for (size_t w = 0; w < workers && run.kept && run.outer && run.vector; w++) {
        mem_free(run.kept[w]);
        mem_free(run.outer[w]);
        mem_free(run.vector[w]);
    }
    mem_free(run.kept);
    mem_free(run.outer);
    mem_free(run.vector);
    if (rc != 0) {
        latent_fit_release(out);
    }
    return rc;
}

/* ---- with labels ---- */

enum { LATENT_NONE, LATENT_THEIRS, LATENT_MINE, LATENT_CLASSES }; /* of a square in a pair */

int latent_supervised(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs,
                      const LatentOptions *options, const Work *work)
{
    size_t n = rows->n, width = rows->width, S = pairs->n_squares;
    const Work quiet = work_quiet(work);
    float *x = mem_alloc(n * width, sizeof(*x), "differences of pairs");
    uint8_t *labels = mem_alloc(n, S, "labels of pairs");
    FitWeights weights = {.weight =
                              mem_calloc(width * S * LATENT_CLASSES, sizeof(float), "a probe"),
                          .bias = mem_calloc(S * LATENT_CLASSES, sizeof(float), "a probe")};
    FitReport report;
    int rc = latent_fit_allocate(out, width, S);
    rc = rc || (x && labels && weights.weight && weights.bias) ? rc : OGPT_ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (size_t c = 0; c < width; c++) {
            x[i * width + c] = rows->first[i * width + c] - rows->second[i * width + c];
        }
        for (size_t s = 0; s < S; s++) {
            labels[i * S + s] = !latent_keeps(pairs, i, s) ? LATENT_NONE
                                : latent_mine(pairs, i, s) ? LATENT_MINE
                                                           : LATENT_THEIRS;
        }
    }
    const FitProblem problem = {.x = x,
                                .labels = labels,
                                .n = n,
                                .width = width,
                                .n_squares = S,
                                .n_classes = LATENT_CLASSES,
                                .l2 = SUPERVISED_L2,
                                .rounds = options->rounds,
                                .seconds = INFINITY}; /* rounds end it, not the clock */
    rc = rc ? rc : fit_probe(&weights, &report, "newton", &problem, &quiet);
    for (size_t s = 0; s < S && rc == 0; s++) {
        const float *bias = weights.bias + s * LATENT_CLASSES;
        out->bias[s] = (double)bias[LATENT_MINE] - (double)bias[LATENT_THEIRS];
        out->stopped[s] = (double)(report.unconverged >> s & 1);
        for (size_t c = 0; c < width; c++) {
            const float *w = weights.weight + (c * S + s) * LATENT_CLASSES;
            out->w[s * width + c] = w[LATENT_MINE] - w[LATENT_THEIRS];
        }
    }
    mem_free(x);
    mem_free(labels);
    mem_free(weights.weight);
    mem_free(weights.bias);
    if (rc != 0) {
        latent_fit_release(out);
    }
    return rc;
}

/* ---- memory ---- */

static size_t crc_bytes(size_t n, size_t width, const Work *work)
{
    return work_workers(work) * ((n + width) * width * sizeof(float) + 3 * width * sizeof(double));
}

static size_t supervised_bytes(size_t n, size_t width, size_t n_squares, const Work *work)
{
    const FitProblem problem = {.n = n,
                                .width = width,
                                .n_squares = n_squares,
                                .n_classes = LATENT_CLASSES,
                                .l2 = SUPERVISED_L2};
    return n * (width * sizeof(float) + n_squares) +
           (width + 1) * n_squares * LATENT_CLASSES * sizeof(float) +
           fit_bytes("newton", &problem, work);
}

size_t latent_fit_bytes(size_t n, size_t width, size_t n_squares, const LatentOptions *options,
                        const Work *work)
{
    size_t most = latent_ccs_bytes(n, width, n_squares, options->starts, work);
    size_t crc = crc_bytes(n, width, work);
    size_t labels = supervised_bytes(n, width, n_squares, work);
    most = crc > most ? crc : most;
    most = labels > most ? labels : most;
    return most + n_squares * (width * sizeof(float) + 3 * sizeof(double));
}
