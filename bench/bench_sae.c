/* bench/bench_sae.c - how fast an autoencoder is trained, next to the machine's own sgemm.
 *
 * Usage: bench_sae [ROWS [WIDTH [FEATURES [K [THREADS [KIND]]]]]]
 * Trains a kind that keeps K features a row (batchtopk) on rows that lie in memory, three times,
 * and keeps the fastest. Prints one line of tab-separated columns (named by the line before it,
 * which starts with '#'): kind, threads, rows, width, features, k, seconds, rows/s, GFLOP/s, peak
 * GFLOP/s, share %, MiB A row counts 12 * WIDTH * FEATURES operations, as if every feature were
 * active. The peak is that of sgemm, all workers running (model/speed.h). Memory is the process's
 * peak.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "model/speed.h"
#include "num/blas.h"
#include "probes/sae/training/sae_train.h"

#define REPEATS 3
#define BATCH 4096
#define BLOCK 65536 /* rows in memory, used again and again */

static size_t width;

static int make_row(void *context, size_t job, size_t worker)
{
    float *row = (float *)context + job * width;
    Rng rng = rng_at(1, RNG_TEST, job);
    for (size_t c = 0; c < width; c++) {
        row[c] = (float)rng_normal(&rng);
    }
    return 0;
}

static int fill(void *context, float *x, float *y, size_t *rows, uint64_t block, const Work *work)
{
    *rows = BLOCK;
    memcpy(x, context, BLOCK * width * sizeof(float));
    return 0;
}

static int measure(double *seconds, const SaeTrainOptions *options, float *rows, const Work *work)
{
    const SaeStream stream = {
        .context = rows, .d_in = width, .d_out = width, .block_rows = BLOCK, .fill = fill};
    const SaeTrainJob job = {.stream = &stream, .options = options};
    int rc = 0;
    for (int i = 0; i < REPEATS && rc == 0; i++) {
        Sae *sae = NULL;
        const double start = clock_seconds();
        rc = sae_train(&sae, &job, work);
        const double own = clock_seconds() - start;
        *seconds = i == 0 || own < *seconds ? own : *seconds;
        sae_free(sae);
    }
    return rc;
}

/* A whole positive number, or 0. */
static long whole_number(const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);
    return *end == '\0' && value > 0 ? value : 0;
}

int main(int argc, char **argv)
{
    long numbers[5] = {1000000, 128, 1024, 32, 2}; /* rows, width, features, k, threads */
    bool sound = argc <= 7;
    for (int i = 1; i < argc && i < 6; i++) {
        numbers[i - 1] = whole_number(argv[i]);
        sound = sound && numbers[i - 1] > 0;
    }
    SaeTrainOptions options = SAE_TRAIN_DEFAULT;
    const int kind = argc == 7 ? sae_kind_parse(argv[6]) : SAE_BATCHTOPK;
    options.kind = (SaeKind)(kind < 0 ? 0 : kind);
    if (!sound || !sae_has_k(options.kind) || numbers[0] < BATCH) {
        fprintf(stderr,
                "usage: bench_sae [ROWS [WIDTH [FEATURES [K [THREADS [KIND]]]]]], at least "
                "%d rows, a kind with K\n",
                BATCH);
        return 2;
    }
    width = (size_t)numbers[1];
    options.activations = numbers[0];
    options.batch = BATCH;
    options.features = (size_t)numbers[2];
    options.k = (size_t)numbers[3];
    sae_train_complete(&options);
    Pool *pool = NULL;
    double seconds = 0;
    SpeedPeaks peaks = {0};
    float *rows = mem_alloc(BLOCK * width, sizeof(float), "rows");
    int rc = rows ? pool_new(&pool, (size_t)numbers[4]) : OGPT_ENOMEM;
    const Work work = {.pool = pool};
    rc = rc ? rc : blas_init();
    rc = rc ? rc : pool_run(pool, BLOCK, make_row, rows);
    rc = rc ? rc : measure(&seconds, &options, rows, &work);
    const size_t memory_bytes = memory_peak_bytes(); /* before the matrices of the peak */
    rc = rc ? rc : speed_peaks(&peaks, pool);
    if (rc == 0) {
        const double done = (double)(options.activations / BATCH * BATCH);
        const double flops = 12.0 * (double)numbers[1] * (double)numbers[2] * done / seconds;
        const double peak = peaks.f32 * (double)numbers[4];
        printf("#kind\tthreads\trows\twidth\tfeatures\tk\tseconds\trows/s\tGFLOP/s\tpeak\tshare%%\t"
               "MiB\n");
        printf("%s\t%ld\t%.0f\t%ld\t%ld\t%ld\t%.2f\t%.0f\t%.2f\t%.2f\t%.1f\t%zu\n",
               sae_kind_name(options.kind), numbers[4], done, numbers[1], numbers[2], numbers[3],
               seconds, done / seconds, flops * 1e-9, peak * 1e-9, 100 * flops / peak,
               memory_bytes >> 20);
    } else {
        fprintf(stderr, "bench_sae: %s\n", err_message());
    }
    pool_free(pool);
    mem_free(rows);
    return rc ? 1 : 0;
}
