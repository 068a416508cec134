/* bench/bench_train.c - how fast the trainer is, next to the machine's own sgemm.
 *
 * Usage: bench_train PRESET [STEPS [BATCH [THREADS [f32|bf16 [adamw|muon]]]]]
 * Trains a fresh 8x8 network for STEPS steps, three times, and keeps the fastest. Prints one line
 * of tab-separated columns (named by the line before it, which starts with '#'):
 *   preset, precision, threads, batch, steps, games/s, tokens/s, GFLOP/s, peak GFLOP/s, share %,
 *   MiB
 * FLOPs per token are gpt_config_flops; the optimiser step counts as time, not as work. The peak is
 * one 1024^3 sgemm per worker, all workers running, best of three in the same run. Memory is the
 * process's peak resident size: run one preset per process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "datasets/batch.h"
#include "model/train/train.h"
#include "num/blas.h"

#define REPEATS 3
#define SEED 1
#define PEAK_SIZE 1024 /* rows, columns and depth of the sgemm that measures the peak */
#define PEAK_CALLS 8   /* calls a worker in one measurement */

typedef struct PeakRun {
    float *numbers; /* three matrices a worker */
} PeakRun;

static int peak_job(void *context, size_t job, size_t worker)
{
    const PeakRun *run = context;
    const size_t n = PEAK_SIZE;
    float *a = run->numbers + job * 3 * n * n;
    for (int i = 0; i < PEAK_CALLS; i++) {
        gemm(false, false, n, n, n, 1.0f, a, n, a + n * n, n, 0.0f, a + 2 * n * n, n);
    }
    return 0;
}

/* FLOP/s of sgemm with all workers at once. */
static int measure_peak(double *flops_per_second, Pool *pool)
{
    const size_t n_numbers = pool_size(pool) * 3 * PEAK_SIZE * PEAK_SIZE;
    PeakRun run = {mem_alloc(n_numbers, sizeof(float), "the matrices of the sgemm peak")};
    if (!run.numbers) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n_numbers; i++) {
        run.numbers[i] = (float)(i % 17) / 17.0f - 0.5f;
    }
    *flops_per_second = 0;
    int rc = 0;
    for (int i = 0; i < REPEATS && rc == 0; i++) {
        double start = clock_seconds();
        rc = pool_run(pool, pool_size(pool), peak_job, &run);
        double work = 2.0 * PEAK_SIZE * PEAK_SIZE * PEAK_SIZE * PEAK_CALLS;
        double rate = work * (double)pool_size(pool) / (clock_seconds() - start);
        *flops_per_second = rate > *flops_per_second ? rate : *flops_per_second;
    }
    mem_free(run.numbers);
    return rc;
}

/* The fastest of REPEATS runs, each in a run directory of its own below `directory`. */
static int measure_training(TrainResult *best, const GptConfig *cfg, const TrainOptions *options,
                            const char *directory, Pool *pool)
{
    Js *about = js_object();
    int rc = 0;
    for (int i = 0; i < REPEATS && rc == 0; i++) {
        GameSource *source = NULL;
        char name[32];
        char path[FILES_PATH_MAX];
        TrainResult result;
        snprintf(name, sizeof(name), "run-%d", i);
        rc = path_join(path, directory, name);
        rc = rc ? rc : source_fresh(&source, game_variant(8), SEED, RNG_FRESH);
        const TrainJob job = {
            .run_path = path, .cfg = cfg, .options = options, .source = source, .about = about};
        rc = rc ? rc : train_run(&result, &job, &(Work){.pool = pool});
        if (rc == 0 && (i == 0 || result.tokens_per_second > best->tokens_per_second)) {
            *best = result;
        }
        source_free(source);
    }
    js_free(about);
    return rc;
}

static int bench_preset(const char *preset, const TrainOptions *options, size_t threads,
                        const char *directory)
{
    GptConfig cfg;
    Pool *pool = NULL;
    TrainResult best;
    double peak = 0;
    const Vocab *vocab = vocab_of(game_variant(8));
    int rc = gpt_config_preset(&cfg, preset);
    if (rc != 0) {
        return rc;
    }
    cfg.n_ctx = vocab->n_ctx;
    cfg.d_vocab = vocab->d_vocab;
    cfg.seed = SEED;
    rc = pool_new(&pool, threads);
    rc = rc ? rc : blas_init();
    rc = rc ? rc : measure_training(&best, &cfg, options, directory, pool);
    size_t memory_bytes = memory_peak_bytes(); /* before the matrices of the peak */
    rc = rc ? rc : measure_peak(&peak, pool);
    if (rc == 0) {
        double tokens_per_second = best.tokens_per_second;
        double flops = gpt_config_flops(&cfg) * tokens_per_second;
        printf("#preset\tprecision\tthreads\tbatch\tsteps\tgames/s\ttokens/s\tGFLOP/"
               "s\tpeak\tshare%%\tMiB\n");
        printf("%s\t%s\t%zu\t%lld\t%lld\t%.2f\t%.0f\t%.2f\t%.2f\t%.1f\t%zu\n", preset,
               options->precision, threads, (long long)options->batch, (long long)options->steps,
               tokens_per_second * (double)best.games / (double)best.tokens, tokens_per_second,
               flops * 1e-9, peak * 1e-9, 100.0 * flops / peak, memory_bytes >> 20);
    }
    pool_free(pool);
    return rc;
}

/* A whole positive number, or 0. */
static long whole_number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end == '\0' && value > 0 ? value : 0;
}

int main(int argc, char **argv)
{
    long numbers[3] = {20, TRAIN_OPTIONS_DEFAULT.batch, 2}; /* steps, batch, threads */
    bool sound = argc >= 2 && argc <= 7;
    for (int i = 2; i < argc && i < 5 && sound; i++) {
        numbers[i - 2] = whole_number(argv[i]);
        sound = numbers[i - 2] > 0;
    }
    TrainOptions options = TRAIN_OPTIONS_DEFAULT;
    options.steps = numbers[0];
    options.batch = numbers[1];
    options.optimizer = argc > 6 ? argv[6] : "adamw"; /* as in torch_train.py */
    options.precision = argc > 5 ? argv[5] : "f32";
    options.seed = SEED;
    options.checkpoint_every = 0;
    options.report_every = options.steps;
    const char *reason =
        sound ? train_options_check(&options)
              : "expected a preset and up to three positive numbers, a precision, an optimizer";
    if (reason) {
        fprintf(stderr,
                "bench_train: %s\nusage: bench_train " GPT_PRESETS
                " [STEPS [BATCH [THREADS [f32|bf16 [adamw|muon]]]]]\n",
                reason);
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    char directory[FILES_PATH_MAX];
    snprintf(directory, sizeof(directory), "%s/ogpt-bench-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(directory)) {
        fprintf(stderr, "bench_train: cannot create %s\n", directory);
        return 4;
    }
    int rc = bench_preset(argv[1], &options, (size_t)numbers[2], directory);
    if (rc != 0) {
        fprintf(stderr, "bench_train: %s\n", err_message());
    }
    dir_remove(directory);
    return err_exit_code(rc, 0);
}
