/* bench/bench_import.c - how fast other people's games are imported: random games are generated,
 * exported in each format, and imported again, every one replayed by the rules; two threads, best
 * of three, next to the generator's own rate. Usage: bench_import [GAMES]
 *
 * An import that gives another content hash than the corpus exported is an error, not a number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/pool.h"
#include "base/process.h"
#include "datasets/export.h"
#include "datasets/generate.h"
#include "datasets/import.h"

#define REPEATS 3
#define THREADS 2
#define SEED 1

static const struct {
    const char *name;
    ExportFormat format;
} forms[] = {{"text", EXPORT_TEXT}, {"pgn", EXPORT_PGN}, {"npy", EXPORT_NPY}};
#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

static char directory[FILES_PATH_MAX];

static int export_form(const char *path, const char *corpus_path, ExportFormat format)
{
    const ExportOptions options = {.format = format};
    Corpus *corpus = NULL;
    bool unchanged = false;
    int rc = corpus_open(&corpus, corpus_path, false);
    rc = rc ? rc : export_games(&unchanged, corpus, path, &options, NULL, NULL);
    corpus_close(corpus);
    return rc;
}

/* Games a second of the best import of `file`. */
static int measure(double *best, const char *file, const char *content_hash, Pool *pool)
{
    const ImportOptions options = {.check = {.variant = game_variant(8), .first_move = SQ_NONE},
                                   .read = {.format = "auto"},
                                   .force = true};
    char path[FILES_PATH_MAX];
    int rc = path_join(path, directory, "imported");
    *best = 0;
    for (int i = 0; rc == 0 && i < REPEATS; i++) {
        ImportResult result;
        remove(path);
        rc = import_games(&result, path, &file, 1, &options, pool, NULL);
        if (rc == 0 && strcmp(result.content_hash, content_hash) != 0) {
            rc = err_set(OGPT_ENEGATIVE, "%s: content hash: expected %s, found %s", file,
                         content_hash, result.content_hash);
        }
        const double rate = (double)result.counts.games / result.seconds;
        *best = rate > *best ? rate : *best;
    }
    return rc;
}

static int run(uint64_t n_games, Pool *pool)
{
    GenerateResult made = {0};
    char corpus[FILES_PATH_MAX];
    int rc = path_join(corpus, directory, "generated");
    rc = rc ? rc
            : generate_corpus(&made, corpus, game_variant(8), n_games,
                              &(Work){.pool = pool, .seed = SEED});
    if (rc != 0) {
        return rc;
    }
    printf("%" PRIu64 " games of 8x8, %d threads, best of %d\n", n_games, THREADS, REPEATS);
    printf("%-10s %12s %12s\n", "", "MB", "games/s");
    printf("%-10s %12s %12.0f\n", "generate", "", (double)n_games / made.seconds);
    for (size_t i = 0; rc == 0 && i < N_FORMS; i++) {
        char file[FILES_PATH_MAX];
        uint64_t n_bytes = 0;
        double rate = 0;
        rc = path_join(file, directory, forms[i].name);
        rc = rc ? rc : export_form(file, corpus, forms[i].format);
        rc = rc ? rc : file_size(&n_bytes, file);
        rc = rc ? rc : measure(&rate, file, made.content_hash, pool);
        if (rc == 0) {
            printf("%-10s %12.1f %12.0f\n", forms[i].name, (double)n_bytes / 1e6, rate);
        }
    }
    return rc;
}

int main(int argc, char **argv)
{
    const uint64_t n_games = argc > 1 ? strtoull(argv[1], NULL, 10) : 300000;
    if (argc > 2 || n_games == 0) {
        fprintf(stderr, "usage: bench_import [GAMES]\n");
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    Pool *pool = NULL;
    snprintf(directory, sizeof(directory), "%s/ogpt-bench-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(directory)) {
        fprintf(stderr, "bench_import: cannot create %s\n", directory);
        return 4;
    }
    int rc = pool_new(&pool, THREADS);
    rc = rc ? rc : run(n_games, pool);
    pool_free(pool);
    if (rc != 0) {
        fprintf(stderr, "bench_import: %s\n", err_message());
    }
    dir_remove(directory);
    return err_exit_code(rc, 0);
}
