/* bench/bench_patch.c - how fast every edge of a network is patched.
 *
 * Usage: bench_patch MODEL PAIRS SCOPE REPEATS THREADS [SHEET]
 * Draws PAIRS pairs of histories (flips) for the network's board, does both runs of each and
 * patches all edges at SCOPE (last, all), noising, LayerNorm recomputed: REPEATS times from the
 * start, and keeps the fastest. Prints one line of tab-separated columns (named by the line before
 * it, which starts with '#'):
 *   threads, pairs, edges, scope, seconds, edges/s (times pairs), mean effect, MiB
 * SHEET receives what another program needs to do the same (bench/torch_patch.py): a line `pair`
 * with the tokens of both histories and the weights of Delta, a line `edge` with the sum of its
 * numerators over the pairs, in the order of graph_edge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "model/checkpoint.h"
#include "num/blas.h"
#include "probes/patching/edges.h"

#define SEED 1

typedef struct PatchBench {
    ModelFile model;
    Graph graph;
    PairSet pairs;
    Pool *pool;
    EdgeQuestion question;
    double *effect, *denominator;
    double seconds;
    size_t bytes;
} PatchBench;

static int patch_once(PatchBench *bench)
{
    const Work work = {.seed = SEED, .pool = bench->pool};
    EdgeRuns *runs = NULL;
    double start = clock_seconds(), seconds;
    int rc = edges_new(&runs, &bench->question, &work);
    rc = rc ? rc : edges_exact(bench->effect, bench->denominator, runs, &work);
    edges_free(runs);
    seconds = clock_seconds() - start;
    bench->seconds = bench->seconds > 0 && bench->seconds < seconds ? bench->seconds : seconds;
    return rc;
}

static void write_history(FILE *file, const Vocab *vocab, const uint8_t *moves, int n)
{
    fprintf(file, " |");
    for (int t = 0; t < n; t++) {
        fprintf(file, " %d", vocab->tok_of_sq[moves[t]]);
    }
}

static double edge_sum(const PatchBench *bench, size_t edge)
{
    double sum = 0.0;
    for (size_t i = 0; i < bench->pairs.n; i++) {
        sum += bench->effect[i * bench->graph.n_edges + edge];
    }
    return sum;
}

static int write_sheet(const PatchBench *bench, const char *path)
{
    const Vocab *vocab = bench->question.vocab;
    real weights[BOARD_SQUARES + 1];
    FILE *file = fopen(path, "w");
    if (!file) {
        return err_set(OGPT_EIO, "%s: cannot be written", path);
    }
    for (size_t i = 0; i < bench->pairs.n; i++) {
        const GamePair *pair = &bench->pairs.pairs[i];
        fprintf(file, "pair");
        write_history(file, vocab, pair->clean, pair->n_moves);
        write_history(file, vocab, pair->corrupt, pair->n_moves);
        fprintf(file, " |");
        pair_weights(weights, vocab, pair);
        for (int v = 0; v < vocab->d_vocab; v++) {
            fprintf(file, " %.9g", (double)weights[v]);
        }
        fprintf(file, "\n");
    }
    for (size_t e = 0; e < bench->graph.n_edges; e++) {
        fprintf(file, "edge %.9g\n", edge_sum(bench, e));
    }
    return fclose(file) == 0 ? 0 : err_set(OGPT_EIO, "%s: cannot be written", path);
}

/* arguments: MODEL PAIRS SCOPE REPEATS THREADS */
static int bench_run(PatchBench *bench, char **arguments)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    char *warning = NULL;
    int rc = blas_init();
    rc = rc ? rc : model_load(&bench->model, arguments[0], &warning);
    mem_free(warning);
    if (rc != 0) {
        return rc;
    }
    const Vocab *vocab = vocab_by_size(bench->model.gpt->cfg.d_vocab, RULES_CLASSIC);
    if (!vocab) {
        return err_set(OGPT_EFORMAT, "%s: no board has this vocabulary", arguments[0]);
    }
    bench->graph = graph_of(&bench->model.gpt->cfg);
    options.n = strtoul(arguments[1], NULL, 10);
    rc = pool_new(&bench->pool, strtoul(arguments[4], NULL, 10));
    rc = rc ? rc
            : pairs_make(&bench->pairs, vocab->variant, &options,
                         &(Work){.seed = SEED, .pool = bench->pool});
    if (rc != 0) {
        return rc;
    }
    bench->question =
        (EdgeQuestion){.gpt = bench->model.gpt,
                       .graph = &bench->graph,
                       .vocab = vocab,
                       .pairs = bench->pairs.pairs,
                       .n_pairs = bench->pairs.n,
                       .scope = strcmp(arguments[2], "all") == 0 ? PATCH_ALL : PATCH_LAST};
    bench->bytes = edges_bytes(&bench->question, &(Work){.pool = bench->pool});
    bench->effect =
        mem_calloc(bench->pairs.n * bench->graph.n_edges, sizeof(*bench->effect), "effects");
    bench->denominator = mem_calloc(bench->pairs.n, sizeof(*bench->denominator), "denominators");
    rc = bench->effect && bench->denominator ? 0 : OGPT_ENOMEM;
    for (unsigned long i = strtoul(arguments[3], NULL, 10); i > 0 && rc == 0; i--) {
        rc = patch_once(bench);
    }
    return rc;
}

static void print_row(const PatchBench *bench)
{
    double effect = 0.0, all = 0.0;
    size_t n_edges = bench->graph.n_edges;
    for (size_t e = 0; e < n_edges; e++) {
        effect += edge_sum(bench, e);
    }
    for (size_t i = 0; i < bench->pairs.n; i++) {
        all += bench->denominator[i];
    }
    printf("#threads\tpairs\tedges\tscope\tseconds\tedges/s\teffect\tMiB\n");
    printf("%zu\t%zu\t%zu\t%s\t%.2f\t%.0f\t%.8f\t%zu\n", pool_size(bench->pool), bench->pairs.n,
           n_edges, patch_scope_name(bench->question.scope), bench->seconds,
           (double)(n_edges * bench->pairs.n) / bench->seconds, effect / all / (double)n_edges,
           bench->bytes >> 20);
}

int main(int argc, char **argv)
{
    static PatchBench bench;
    int rc;
    if (argc < 6 || argc > 7) {
        fprintf(stderr, "usage: bench_patch MODEL PAIRS SCOPE REPEATS THREADS [SHEET]\n");
        return 2;
    }
    rc = bench_run(&bench, argv + 1);
    rc = rc == 0 && argc == 7 ? write_sheet(&bench, argv[6]) : rc;
    if (rc != 0) {
        fprintf(stderr, "bench_patch: %s\n", err_message());
    } else {
        print_row(&bench);
    }
    mem_free(bench.effect);
    mem_free(bench.denominator);
    pool_free(bench.pool);
    pairs_release(&bench.pairs);
    model_release(&bench.model);
    return rc ? 1 : 0;
}
