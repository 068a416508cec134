/* bench/bench_ranks.c - what the model of time in docs/CLUSTER.md stands on: the work of a training
 * step in one process, messages between ranks, and the seconds a step on 1 to 64 machines that
 * follow from both. Usage: bench_ranks [GIGABIT [MICROSECONDS [GAMES [CORES]]]], of the network
 * between the machines (10, 30), of a step (512) and of a machine (1; the measured core so often);
 * mpirun -n 2 bench_ranks measures the messages.
 *
 * Open MPI sends them through shared memory, or with `--mca btl self,tcp` over the loopback device.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "model/train/trainer.h"
#include "num/blas.h"

#define STEPS 12
#define LARGEST (64u << 20)
#define MACHINES 64
#define LANES 8

/* Seconds of the parts of a training step in this process. */
typedef struct StepWork {
    double game;   /* forward and backward, one game, with the sum of two lanes */
    double sums;   /* adding up two gradients */
    double update; /* of all weights */
    double bytes;  /* of a gradient */
} StepWork;

static int fail(void)
{
    fprintf(stderr, "bench_ranks: %s\n", err_message());
    return ranks_leave(OGPT_EIO, 1);
}

static int step_measure(StepWork *out, Pool *pool)
{
    static const TrainObserver nobody = {0};
    TrainOptions options = TRAIN_OPTIONS_DEFAULT;
    GptConfig cfg;
    GameSource *source = NULL;
    Trainer t;
    const GameVariant *variant = game_variant(8);
    options.batch = 16;
    options.lanes = 2;
    options.steps = 1000;
    int rc = gpt_config_preset(&cfg, "tiny");
    cfg.n_ctx = vocab_of(variant)->n_ctx;
    cfg.d_vocab = vocab_of(variant)->d_vocab;
    cfg.seed = 1;
    rc = rc ? rc : source_fresh(&source, variant, 1, RNG_FRESH);
    rc = rc ? rc : trainer_init(&t, &cfg, &options, source, pool, &nobody);
    if (rc) {
        return rc;
    }
    gpt_init(t.gpt, 1, RNG_INIT);
    memset(t.momentum, 0, t.gpt->n_numbers * sizeof(float));
    memset(t.second, 0, t.gpt->n_numbers * sizeof(float));
    t.at = (TrainCounters){.steps = options.steps};
    for (int step = -1; step < STEPS && rc == 0; step++) { /* the first warms up */
        BatchSums sums;
        double start = clock_seconds();
        rc = trainer_gradient(&t, &sums);
        double middle = clock_seconds();
        rc = rc ? rc : trainer_sum_lanes(&t);
        double summed = clock_seconds();
        rc = rc ? rc : trainer_update(&t);
        double end = clock_seconds();
        if (step >= 0) { /* the shortest: other processes may disturb */
            out->game = fmin(out->game, (middle - start) / (double)options.batch);
            out->sums = fmin(out->sums, summed - middle);
            out->update = fmin(out->update, end - summed);
        }
        t.at.step++;
    }
    out->bytes = (double)(t.gpt->n_numbers * sizeof(float));
    trainer_release(&t);
    source_free(source);
    return rc;
}

/* Seconds that a message takes from one rank to another: half of there and back, the shortest of
 * many, because other processes may disturb. */
static int message_time(double *out, char *buffer, size_t n_bytes)
{
    int times = n_bytes < 1 << 16 ? 1000 : n_bytes < 1 << 22 ? 100 : 20, rc = 0;
    const RanksPart to_1 = {buffer, n_bytes, 1}, to_0 = {buffer, n_bytes, 0};
    *out = INFINITY;
    for (int i = 0; i < times && rc == 0; i++) {
        double start = clock_seconds();
        if (ranks_own() == 0) {
            rc = ranks_exchange(&to_1, 1, NULL, 0);
            rc = rc ? rc : ranks_exchange(NULL, 0, &to_1, 1);
        } else if (ranks_own() == 1) {
            rc = ranks_exchange(NULL, 0, &to_0, 1);
            rc = rc ? rc : ranks_exchange(&to_0, 1, NULL, 0);
        }
        *out = fmin(*out, (clock_seconds() - start) / 2);
    }
    return rc;
}

static int messages_show(void)
{
    char *buffer = mem_calloc(LARGEST, 1, "a message");
    int rc = buffer ? 0 : OGPT_ENOMEM;
    if (ranks_first()) {
        printf("\nmessages between two of %d ranks\n%12s %14s %10s\n", ranks_count(), "bytes",
               "microseconds", "GB/s");
    }
    for (size_t n_bytes = 8; n_bytes <= LARGEST && rc == 0; n_bytes *= 8) {
        double seconds = 0;
        rc = message_time(&seconds, buffer, n_bytes);
        if (rc == 0 && ranks_first()) {
            printf("%12zu %14.1f %10.3f\n", n_bytes, 1e6 * seconds,
                   (double)n_bytes / seconds / 1e9);
        }
    }
    double shortest = INFINITY;
    for (int i = 0; i < 1000 && rc == 0; i++) {
        int64_t value = i;
        double start = clock_seconds();
        rc = ranks_most(&value);
        shortest = fmin(shortest, clock_seconds() - start);
    }
    if (rc == 0 && ranks_first()) {
        printf("agreement of all ranks on one number: %.1f microseconds\n", 1e6 * shortest);
    }
    mem_free(buffer);
    return rc;
}

/* What is asked about: the network between machines, a step, the cores of a machine. */
typedef struct Foretold {
    double gigabit, microseconds, games, cores;
} Foretold;

/* A step of so many games on n machines, each with its share of the lanes (8, or one a machine).
 * Each sends its sum of lanes in n-1 parts, adds up the parts that it gets, and gathers the whole;
 * then it updates its share of the weights and gathers those of all. Beside these, three small
 * agreements. */
static void model_show(const StepWork *one, const Foretold *asked)
{
    double alone = 0, bandwidth = asked->gigabit / 8 * 1e9, latency = 1e-6 * asked->microseconds;
    const StepWork work = {one->game / asked->cores, one->sums / asked->cores,
                           one->update / asked->cores, one->bytes};
    printf("\na step of %.0f games of tiny on 8x8; machines of %.0f cores, %.0f Gbit/s, %.0f "
           "microseconds a message\n",
           asked->games, asked->cores, asked->gigabit, asked->microseconds);
    printf("%9s %10s %10s %11s %10s %10s %8s\n", "machines", "games, ms", "sums, ms", "network, ms",
           "update, ms", "step, ms", "speed-up");
    for (int n = 1; n <= MACHINES; n *= 2) {
        double compute = work.game * asked->games / n, update = work.update / n;
        double lanes = n < LANES ? LANES : n; /* of the batch */
        double sums = work.sums * (lanes / n - 1 + (double)(n - 1) / n);
        double network = n == 1 ? 0
                                : 3 * work.bytes * (n - 1) / n / bandwidth +
                                      (3.0 * (n - 1) + 3 * ceil(log2(n))) * latency;
        double step = compute + sums + network + update;
        alone = n == 1 ? step : alone;
        printf("%9d %10.1f %10.1f %11.1f %10.1f %10.1f %8.1f\n", n, 1e3 * compute, 1e3 * sums,
               1e3 * network, 1e3 * update, 1e3 * step, alone / step);
    }
}

static double number_or(int argc, char **argv, int index, double otherwise)
{
    double value = argc > index ? strtod(argv[index], NULL) : 0;
    return value > 0 ? value : otherwise;
}

int main(int argc, char **argv)
{
    StepWork work = {.game = INFINITY, .sums = INFINITY, .update = INFINITY};
    int rc = ranks_begin();
    rc = rc ? rc : blas_init();
    if (ranks_count() == 1) {
        rc = rc ? rc : step_measure(&work, NULL);
        if (rc) {
            return fail();
        }
        printf("work of a step of tiny on 8x8 in one process, one thread\n"
               "%10.3f ms a game, forward and backward\n%10.3f ms to add up two gradients\n"
               "%10.3f ms an update of the weights\n%10.1f MB a gradient\n",
               1e3 * work.game, 1e3 * work.sums, 1e3 * work.update, work.bytes / 1e6);
        model_show(&work, &(Foretold){number_or(argc, argv, 1, 10), number_or(argc, argv, 2, 30),
                                      number_or(argc, argv, 3, 512), number_or(argc, argv, 4, 1)});
        return ranks_leave(0, 0);
    }
    rc = rc ? rc : messages_show();
    return rc ? fail() : ranks_leave(0, 0);
}
