/* probes/basis/basis_kurtosis.c - see probes/basis/basis_kurtosis.h.
 *
 * Rows are centred once. Four power sums of every coordinate, game by game, give the kurtosis of
 * all games and of every bootstrap replicate: a replicate is one row of how often each game was
 * drawn, so all replicates are one matrix product. */
#include "probes/basis/basis_kurtosis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/matrices/general.h"

enum { POWERS = 4, BASIS_ROTATIONS_A_STEP = 10 };
#define LEAST_SPREAD 1e-6 /* of a coordinate: of its largest value, and of all */

/* What one basis gives for one set. */
typedef struct BasisPoint {
    double mean, median, largest;
    size_t used, largest_at;
} BasisPoint;

typedef struct BasisWorker {
    float *rotation, *turned; /* (width, width), (n, width) */
    double *scratch;          /* (width, width) */
    float *sums;              /* (n_games, POWERS, width) */
    float *drawn;             /* (BOOTSTRAP_REPLICATES, POWERS, width) */
    double *sorted, *spread;  /* (width) */
} BasisWorker;

typedef struct BasisRun {
    const BasisRows *rows;
    size_t n, rotations, paired, first, width, longest, n_games;
    uint64_t seed;
    float **centred;    /* (n) */
    bool **varies;      /* (n): coordinates of the rows as they are */
    float *counts;      /* (BOOTSTRAP_REPLICATES, n_games) */
    BasisPoint *points; /* (n, rotations) */
    double *means;      /* (n, 1 + paired, BOOTSTRAP_REPLICATES): of the rows, of rotated ones */
    BasisWorker *workers;
} BasisRun;

/* ---- kurtosis ---- */

void basis_kurtosis_ref(double *out, const float *x, size_t n, size_t width)
{
    for (size_t c = 0; c < width; c++) {
        double mean = 0, second = 0, fourth = 0;
        for (size_t i = 0; i < n; i++) {
            mean += (double)x[i * width + c] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            double square = pow((double)x[i * width + c] - mean, 2);
            second += square / (double)n;
            fourth += square * square / (double)n;
        }
        out[c] = second > 0 ? fourth / (second * second) - 3 : NAN;
    }
}

/* From sums of powers of n numbers. */
static double excess_of(double n, double s1, double s2, double s3, double s4)
{
    double m = s1 / n, second = s2 / n - m * m;
    double fourth = s4 / n - 4 * m * s3 / n + 6 * m * m * s2 / n - 3 * m * m * m * m;
    return fourth / (second * second) - 3;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sums of the powers of y (n, width), game by game. */
static void power_sums(float *sums, const float *y, const BasisRows *rows)
{
    size_t width = rows->width;
    memset(sums, 0, rows->n_games * POWERS * width * sizeof(*sums));
    for (size_t g = 0; g < rows->n_games; g++) {
        float *to = sums + g * POWERS * width;
        for (size_t i = rows->first[g]; i < rows->first[g + 1]; i++) {
            const float *at = y + i * width;
            for (size_t c = 0; c < width; c++) {
                float square = at[c] * at[c];
                to[c] += at[c];
                to[width + c] += square;
                to[2 * width + c] += square * at[c];
                to[3 * width + c] += square * square;
            }
        }
    }
}

/* Mean, median and largest over the coordinates, from the sums of all games. */
static BasisPoint point_of(const BasisRows *rows, const float *sums, const bool *varies,
                           double *sorted)
{
    size_t width = rows->width;
    BasisPoint point = {.largest = -INFINITY};
    for (size_t c = 0; c < width; c++) {
        double s[POWERS] = {0};
        for (size_t g = 0; g < rows->n_games; g++) {
            for (size_t power = 0; power < POWERS; power++) {
                s[power] += (double)sums[(g * POWERS + power) * width + c];
            }
        }
        if (!varies || varies[c]) {
            double excess = excess_of((double)rows->n, s[0], s[1], s[2], s[3]);
            point.mean += excess;
            sorted[point.used++] = excess;
            if (excess > point.largest) {
                point.largest = excess;
                point.largest_at = c;
            }
        }
    }
    point.mean /= (double)point.used;
    qsort(sorted, point.used, sizeof(*sorted), ascending);
    point.median = 0.5 * (sorted[(point.used - 1) / 2] + sorted[point.used / 2]);
    return point;
}

/* means (BOOTSTRAP_REPLICATES) of a basis. */
static void replicate(double *means, const BasisRun *run, const BasisRows *rows,
                      const BasisWorker *worker, const bool *varies)
{
    size_t width = rows->width, row = POWERS * width;
    gemm(false, false, BOOTSTRAP_REPLICATES, row, rows->n_games, 1, run->counts, rows->n_games,
         worker->sums, row, 0, worker->drawn, row);
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        const float *s = worker->drawn + r * row;
        double n = 0, sum = 0, used = 0;
        for (size_t g = 0; g < rows->n_games; g++) {
            n += (double)run->counts[r * rows->n_games + g] *
                 (double)(rows->first[g + 1] - rows->first[g]);
        }
        for (size_t c = 0; c < width; c++) {
            double excess = excess_of(n, (double)s[c], (double)s[width + c],
                                      (double)s[2 * width + c], (double)s[3 * width + c]);
            /* A coordinate that moves in a few games only may stand still in the drawn ones. */
            bool there = (!varies || varies[c]) && isfinite(excess);
            sum += there ? excess : 0;
            used += there ? 1 : 0;
        }
        means[r] = sum / used;
    }
}

/* ---- jobs ---- */

/* Centre a set; which coordinates vary; its own point and replicates. */
static int own_job(void *context, size_t job, size_t worker_index)
{
    BasisRun *run = context;
    const BasisRows *rows = &run->rows[job];
    BasisWorker *worker = &run->workers[worker_index];
    size_t width = rows->width, used = 0;
    double all = 0;
    for (size_t c = 0; c < width; c++) {
        double mean = 0, largest = 0, spread = 0;
        for (size_t i = 0; i < rows->n; i++) {
            mean += (double)rows->x[i * width + c] / (double)rows->n;
        }
        for (size_t i = 0; i < rows->n; i++) {
            double x = (double)rows->x[i * width + c];
            run->centred[job][i * width + c] = (float)(x - mean);
            spread += (x - mean) * (x - mean) / (double)rows->n;
            largest = fmax(largest, fabs(x));
        }
        all += spread / (double)width;
        worker->spread[c] = sqrt(spread) > LEAST_SPREAD * largest ? spread : 0;
    }
    /* Neither rounding alone nor so small that its fourth power is none. */
    for (size_t c = 0; c < width; c++) {
        run->varies[job][c] = sqrt(worker->spread[c]) > LEAST_SPREAD * sqrt(all);
        used += run->varies[job][c];
    }
    if (used == 0) {
        return err_set(OGPT_ENUM, "kurtosis: no coordinate of the rows varies");
    }
    power_sums(worker->sums, run->centred[job], rows);
    BasisPoint *point = &run->points[job * (run->rotations + 1)];
    *point = point_of(rows, worker->sums, run->varies[job], worker->sorted);
    replicate(run->means + job * (1 + run->paired) * BOOTSTRAP_REPLICATES, run, rows, worker,
              run->varies[job]);
    return 0;
}

/* One rotation, of every set. */
static int rotation_job(void *context, size_t job, size_t worker_index)
{
    BasisRun *run = context;
    BasisWorker *worker = &run->workers[worker_index];
    size_t rotation = run->first + job, width = run->width;
    Rng rng = rng_at(run->seed, RNG_BASIS, rotation);
    rotation_random(worker->rotation, worker->scratch, width, &rng);
    for (size_t set = 0; set < run->n; set++) {
        const BasisRows *rows = &run->rows[set];
        gemm(false, true, rows->n, width, width, 1, run->centred[set], width, worker->rotation,
             width, 0, worker->turned, width);
        power_sums(worker->sums, worker->turned, rows);
        run->points[set * (run->rotations + 1) + 1 + rotation] =
            point_of(rows, worker->sums, NULL, worker->sorted);
        if (rotation < run->paired) {
            double *means =
                run->means + (set * (1 + run->paired) + 1 + rotation) * BOOTSTRAP_REPLICATES;
            replicate(means, run, rows, worker, NULL);
        }
    }
    return 0;
}

/* ---- the result ---- */

static void moments(double *mean, double *deviation, const BasisPoint *points, size_t n,
                    bool median)
{
    double sum = 0, squares = 0;
    for (size_t r = 0; r < n; r++) {
        sum += median ? points[r].median : points[r].mean;
    }
    *mean = sum / (double)n;
    for (size_t r = 0; r < n; r++) {
        squares += pow((median ? points[r].median : points[r].mean) - *mean, 2);
    }
    *deviation = sqrt(squares / (double)(n - 1));
}

static int summarise(BasisKurtosis *out, const BasisRun *run, size_t set)
{
    const BasisPoint *own = &run->points[set * (run->rotations + 1)], *turned = own + 1;
    const double *means = run->means + set * (1 + run->paired) * BOOTSTRAP_REPLICATES;
    double *copy = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(*copy), "replicates");
    size_t as_large = 0;
    double drift = 0; /* of the paired rotations from all of them */
    out->replicates = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(double), "replicates");
    if (!copy || !out->replicates) {
        mem_free(copy);
        return OGPT_ENOMEM;
    }
    out->used = own->used;
    out->median = own->median;
    out->largest = own->largest;
    out->largest_at = own->largest_at;
    moments(&out->rotated, &out->rotated_deviation, turned, run->rotations, false);
    moments(&out->rotated_median, &out->median_deviation, turned, run->rotations, true);
    for (size_t r = 0; r < run->rotations; r++) {
        as_large += turned[r].mean >= own->mean;
        drift += r < run->paired ? (turned[r].mean - out->rotated) / (double)run->paired : 0;
    }
    out->z = (own->mean - out->rotated) / out->rotated_deviation;
    out->z_median = (own->median - out->rotated_median) / out->median_deviation;
    out->p = (double)(as_large + 1) / (double)(run->rotations + 1);
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        double rotated = -drift;
        for (size_t k = 0; k < run->paired; k++) {
            rotated += means[(1 + k) * BOOTSTRAP_REPLICATES + r] / (double)run->paired;
        }
        Rng rng = rng_at(run->seed, RNG_BASIS,
                         UINT64_C(3) << 32 | (uint64_t)run->rows[set].stream << 16 | r);
        out->replicates[r] = means[r] - rotated + out->rotated_deviation * rng_normal(&rng);
    }
    out->mean.value = own->mean;
    memcpy(copy, means, BOOTSTRAP_REPLICATES * sizeof(*copy));
    bootstrap_quantiles(&out->mean, copy, BOOTSTRAP_REPLICATES);
    out->beyond.value = own->mean - out->rotated;
    memcpy(copy, out->replicates, BOOTSTRAP_REPLICATES * sizeof(*copy));
    bootstrap_quantiles(&out->beyond, copy, BOOTSTRAP_REPLICATES);
    mem_free(copy);
    return 0;
}

/* ---- memory ---- */

static size_t longest_of(const BasisRows *rows, size_t n)
{
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        longest = rows[i].n > longest ? rows[i].n : longest;
    }
    return longest;
}

static size_t worker_bytes(const BasisRows *rows, size_t longest)
{
    size_t width = rows->width;
    return (width * width + longest * width +
            (rows->n_games + BOOTSTRAP_REPLICATES) * POWERS * width) *
               sizeof(float) +
           (width + 2) * width * sizeof(double);
}

size_t basis_kurtosis_bytes(const BasisRows *rows, size_t n, const Work *work)
{
    size_t bytes = BOOTSTRAP_REPLICATES * rows->n_games * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        bytes += rows[i].n * rows[i].width * sizeof(float) +
                 (2 + BASIS_PAIRED) * BOOTSTRAP_REPLICATES * sizeof(double);
    }
    return bytes + work_workers(work) * worker_bytes(rows, longest_of(rows, n));
}

static int allocate(BasisRun *run, size_t workers)
{
    size_t width = run->width, games = run->n_games, row = POWERS * width;
    run->centred = mem_calloc(run->n, sizeof(*run->centred), "rows");
    run->varies = mem_calloc(run->n, sizeof(*run->varies), "rows");
    run->counts = mem_calloc(BOOTSTRAP_REPLICATES * games, sizeof(float), "draws of games");
    run->points = mem_calloc(run->n * (run->rotations + 1), sizeof(BasisPoint), "kurtosis");
    run->means =
        mem_calloc(run->n * (1 + run->paired) * BOOTSTRAP_REPLICATES, sizeof(double), "replicates");
    run->workers = mem_calloc(workers, sizeof(BasisWorker), "rotations");
    if (!run->centred || !run->varies || !run->counts || !run->points || !run->means ||
        !run->workers) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < run->n; i++) {
        run->centred[i] = mem_alloc(run->rows[i].n * width, sizeof(float), "rows");
        run->varies[i] = mem_calloc(width, sizeof(bool), "rows");
        if (!run->centred[i] || !run->varies[i]) {
            return OGPT_ENOMEM;
        }
    }
    for (size_t w = 0; w < workers; w++) {
        BasisWorker *worker = &run->workers[w];
        worker->rotation = mem_alloc(width * width, sizeof(float), "a rotation");
        worker->scratch = mem_alloc(width * width, sizeof(double), "a rotation");
        worker->turned = mem_alloc(run->longest * width, sizeof(float), "rotated rows");
        worker->sums = mem_alloc(games * row, sizeof(float), "sums of games");
        worker->drawn = mem_alloc(BOOTSTRAP_REPLICATES * row, sizeof(float), "sums of replicates");
        worker->sorted = mem_alloc(width, sizeof(double), "kurtosis");
        worker->spread = mem_alloc(width, sizeof(double), "kurtosis");
        if (!worker->rotation || !worker->scratch || !worker->turned || !worker->sums ||
            !worker->drawn || !worker->sorted || !worker->spread) {
            return OGPT_ENOMEM;
        }
    }
    return 0;
}

static void run_release(BasisRun *run, size_t workers)
{
    for (size_t i = 0; i < run->n && run->centred && run->varies; i++) {
        mem_free(run->centred[i]);
        mem_free(run->varies[i]);
    }
    for (size_t w = 0; w < workers && run->workers; w++) {
        mem_free(run->workers[w].rotation);
        mem_free(run->workers[w].scratch);
        mem_free(run->workers[w].turned);
        mem_free(run->workers[w].sums);
        mem_free(run->workers[w].drawn);
        mem_free(run->workers[w].sorted);
        mem_free(run->workers[w].spread);
    }
    mem_free(run->centred);
    mem_free(run->varies);
    mem_free(run->counts);
    mem_free(run->points);
    mem_free(run->means);
    mem_free(run->workers);
}

/* The draws of bootstrap_ratio (num/statistics/stats.h): how often replicate r drew each game. */
static void draw_games(BasisRun *run)
{
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        Rng rng = rng_at(run->seed, RNG_BOOTSTRAP, r);
        for (size_t g = 0; g < run->n_games; g++) {
            run->counts[r * run->n_games + rng_below(&rng, (uint32_t)run->n_games)] += 1;
        }
    }
}

int basis_kurtosis_run(BasisKurtosis *out, const BasisRows *rows, size_t n, size_t rotations,
                       const Work *work)
{
    BasisRun run = {.rows = rows,
                    .n = n,
                    .rotations = rotations,
                    .paired = rotations < BASIS_PAIRED ? rotations : BASIS_PAIRED,
                    .width = rows->width,
                    .longest = longest_of(rows, n),
                    .n_games = rows->n_games,
                    .seed = work->seed};
    memset(out, 0, n * sizeof(*out));
    int rc = allocate(&run, work_workers(work));
    if (rc == 0) {
        draw_games(&run);
        rc = pool_run(work->pool, n, own_job, &run);
    }
    for (; run.first < rotations && rc == 0; run.first += BASIS_ROTATIONS_A_STEP) {
        size_t left = rotations - run.first;
        rc = interrupt_pending()
                 ? err_set(OGPT_EINTR, "interrupted after %zu of %zu rotations", run.first,
                           rotations)
                 : pool_run(work->pool,
                            left < BASIS_ROTATIONS_A_STEP ? left : BASIS_ROTATIONS_A_STEP,
                            rotation_job, &run);
        work_tick(work, "rotations", (double)(run.first + BASIS_ROTATIONS_A_STEP),
                  (double)rotations);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = summarise(&out[i], &run, i);
    }
    run_release(&run, work_workers(work));
    return rc;
}

void basis_kurtosis_release(BasisKurtosis *kurtosis)
{
    mem_free(kurtosis->replicates);
    *kurtosis = (BasisKurtosis){0};
}
