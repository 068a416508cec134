/* bench/bench_train.c - how fast the trainer is, next to the machine's own sgemm.
 *
 * Usage: bench_train PRESET [STEPS [BATCH [THREADS [f32|bf16 [adamw|muon]]]]]
 * Trains a fresh 8x8 network for STEPS steps, three times, and keeps the fastest. Prints one line
 * of tab-separated columns (named by the line before it, which starts with '#'):
 *   preset, precision, threads, batch, steps, games/s, tokens/s, GFLOP/s, peak GFLOP/s, share %,
 *   MiB, share % of the bf16 peak
 * FLOPs per token are gpt_config_flops; the optimiser step counts as time, not as work. The peaks
 * are those of speed_peaks (model/speed.h) for all workers: sgemm's, and the one of products in
 * bfloat16 (0: none here). Memory is the process's peak resident size: run one preset per process.
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
    SpeedPeaks peaks = {0};
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
    rc = rc ? rc : speed_peaks(&peaks, pool);
    if (rc == 0) {
        double tokens_per_second = best.tokens_per_second;
        double flops = gpt_config_flops(&cfg) * tokens_per_second;
        double peak = peaks.f32 * (double)threads, half = peaks.bf16 * (double)threads;
        printf("#preset\tprecision\tthreads\tbatch\tsteps\tgames/s\ttokens/s\tGFLOP/"
               "s\tpeak\tshare%%\tMiB\tbf16_share%%\n");
        printf("%s\t%s\t%zu\t%lld\t%lld\t%.2f\t%.0f\t%.2f\t%.2f\t%.1f\t%zu\t%.1f\n", preset,
               options->precision, threads, (long long)options->batch, (long long)options->steps,
               tokens_per_second * (double)best.games / (double)best.tokens, tokens_per_second,
               flops * 1e-9, peak * 1e-9, 100.0 * flops / peak, memory_bytes >> 20,
               half > 0 ? 100.0 * flops / half : 0.0);
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
