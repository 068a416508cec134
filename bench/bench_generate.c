/* bench/bench_generate.c - how fast games are made: the engine alone, and `generate` into a
 * corpus file, at one and two threads; best of three. Usage: bench_generate [GAMES]
 *
 * The engine plays games and throws them away, one by one and sixteen side by side; the corpus adds
 * checksums, the content hash and SQLite with every block synced to disk.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/files.h"
#include "base/pool.h"
#include "base/process.h"
#include "datasets/generate.h"
#include "game/play.h"

#define BLOCK_GAMES 1024
#define REPEATS 3
#define SEED 1

typedef struct EngineRun {
    const GameVariant *variant;
    uint64_t n_games;
    bool side_by_side;
} EngineRun;

static int engine_block(void *context, size_t job, size_t worker)
{
    const EngineRun *run = context;
    uint64_t first = (uint64_t)job * BLOCK_GAMES;
    uint64_t last = first + BLOCK_GAMES < run->n_games ? first + BLOCK_GAMES : run->n_games;
    uint8_t moves[BLOCK_GAMES * GAME_MAX_MOVES];
    if (run->side_by_side) {
        play_random_games(moves, run->variant, SEED, RNG_GENERATE, first, last - first);
        return 0;
    }
    for (uint64_t i = first; i < last; i++) {
        play_random(moves, run->variant, SEED, RNG_GENERATE, i);
    }
    return 0;
}

static int measure_engine(double *games_per_second, uint64_t n_games, bool side_by_side, Pool *pool)
{
    EngineRun run = {game_variant(8), n_games, side_by_side};
    *games_per_second = 0;
    for (int i = 0; i < REPEATS; i++) {
        double start = clock_seconds();
        int rc = pool_run(pool, (n_games + BLOCK_GAMES - 1) / BLOCK_GAMES, engine_block, &run);
        if (rc != 0) {
            return rc;
        }
        double rate = (double)n_games / (clock_seconds() - start);
        *games_per_second = rate > *games_per_second ? rate : *games_per_second;
    }
    return 0;
}

static int measure_corpus(double *games_per_second, uint64_t n_games, Pool *pool,
                          const char *directory)
{
    *games_per_second = 0;
    for (int i = 0; i < REPEATS; i++) {
        char name[32];
        char path[FILES_PATH_MAX];
        snprintf(name, sizeof(name), "%zu-%d.db", pool_size(pool), i);
        int rc = path_join(path, directory, name);
        if (rc != 0) {
            return rc;
        }
        GenerateResult result;
        double start = clock_seconds();
        rc = generate_corpus(&result, path, game_variant(8), n_games,
                             &(Work){.pool = pool, .seed = SEED});
        if (rc != 0) {
            return rc;
        }
        double rate = (double)n_games / (clock_seconds() - start);
        *games_per_second = rate > *games_per_second ? rate : *games_per_second;
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t n_games = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (argc > 2 || n_games == 0) {
        fprintf(stderr, "usage: bench_generate [GAMES]\n");
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    char directory[FILES_PATH_MAX];
    snprintf(directory, sizeof(directory), "%s/ogpt-bench-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(directory)) {
        fprintf(stderr, "bench_generate: cannot create %s\n", directory);
        return 4;
    }

    printf("%" PRIu64 " games of 8x8, best of %d\n", n_games, REPEATS);
    printf("%-8s %18s %18s %18s\n", "threads", "one by one/s", "engine games/s", "corpus games/s");
    int rc = 0;
    for (size_t threads = 1; threads <= 2 && rc == 0; threads++) {
        Pool *pool = NULL;
        double single = 0;
        double engine = 0;
        double corpus = 0;
        rc = pool_new(&pool, threads);
        rc = rc ? rc : measure_engine(&single, n_games, false, pool);
        rc = rc ? rc : measure_engine(&engine, n_games, true, pool);
        rc = rc ? rc : measure_corpus(&corpus, n_games, pool, directory);
        pool_free(pool);
        if (rc == 0) {
            printf("%-8zu %18.0f %18.0f %18.0f\n", threads, single, engine, corpus);
        }
    }
    if (rc != 0) {
        fprintf(stderr, "bench_generate: %s\n", err_message());
    }
    dir_remove(directory);
    return err_exit_code(rc, 0);
}
