/* bench/bench_intervene.c - how fast a sweep of edits over layers and scales is.
 *
 * Usage: bench_intervene MODEL PROBE CASES THREADS [SHEET]
 * Scores every case of the file under method add at resid_post, last position, in each layer of
 * the probe alone with five scales, three times, and keeps the fastest. Prints one line of
 * tab-separated columns (named by the line before it, which starts with '#'):
 *   threads, cases, plans, seconds, edits/s, mean error over all plans, MiB of caches
 * SHEET receives what another program needs to do the same (bench/torch_intervene.py): one line per
 * case with its tokens, edited squares with their classes, and legal tokens of the edited board,
 * and one line per plan with its layer, scale and mean error.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "num/blas.h"
#include "probes/edits/edit_methods.h"
#include "probes/edits/edit_network.h"
#include "probes/edits/edit_sweep.h"
#include "probes/legality/answers.h"

#define REPEATS 3
#define SEED 1
static const double scales[] = {0.05, 0.1, 0.2, 0.4, 0.8}; /* shares of the row's norm */
enum { N_SCALES = sizeof(scales) / sizeof(scales[0]) };

typedef struct Bench {
    ModelFile model;
    Probe probe;
    CaseSet cases;
    Pool *pool;
    EditPlan plans[EDIT_MAX_LAYERS * N_SCALES];
    SweepRow rows[EDIT_MAX_LAYERS * N_SCALES];
    size_t n_plans;
    double seconds, error;
} Bench;

static void list_plans(Bench *bench)
{
    for (int layer = 0; layer < EDIT_MAX_LAYERS; layer++) {
        int at = probe_layer_index(&bench->probe, layer);
        bool possible = at >= 0 && bench->probe.fitted[at];
        for (size_t s = 0; possible && s < N_SCALES; s++) {
            EditPlan *plan = &bench->plans[bench->n_plans++];
            *plan = EDIT_PLAN_DEFAULT;
            plan->layers = 1ULL << layer;
            plan->scale = (EditScale){scales[s], true};
        }
    }
}

/* Once from the start: the network's caches are new. */
static int sweep_once(Bench *bench)
{
    const EditScoring scoring = {.stage = "sweep"};
    const Work work = {.seed = SEED, .pool = bench->pool};
    EditNetwork *network = NULL;
    BoardDirections directions;
    double start = clock_seconds(), seconds;
    int rc = direction_board_of_probe(&directions, &bench->probe);
    rc = rc ? rc
            : edit_network_new(&network, bench->model.gpt, &directions, pool_size(bench->pool),
                               SEED);
    if (rc != 0) {
        direction_board_release(&directions);
        return rc;
    }
    EditPredictor predictor = edit_network_predictor(network);
    rc = edit_sweep(bench->rows, &predictor, &bench->cases, bench->plans, bench->n_plans, &scoring,
                    &work);
    edit_network_free(network);
    direction_board_release(&directions);
    seconds = clock_seconds() - start;
    bench->seconds = bench->seconds > 0 && bench->seconds < seconds ? bench->seconds : seconds;
    return rc;
}

static int write_sheet(const Bench *bench, const char *path)
{
    const Vocab *vocab = vocab_of(bench->cases.variant);
    FILE *file = fopen(path, "w");
    if (!file) {
        return err_set(OGPT_EIO, "%s: cannot be written", path);
    }
    for (size_t i = 0; i < bench->cases.n; i++) {
        const EditCase *edit = &bench->cases.cases[i];
        BoardTerms terms = direction_terms(&bench->probe);
        EditSquares squares = edit_squares(&terms, edit);
        uint64_t legal = answer_tokens(vocab, edit->legal_edited);
        fprintf(file, "case");
        for (int t = 0; t < edit->n_moves; t++) {
            fprintf(file, " %d", vocab->tok_of_sq[edit->moves[t]]);
        }
        for (int s = 0; s < squares.n; s++) {
            fprintf(file, "%s%d %d %d", s == 0 ? " | " : " ", squares.squares[s], squares.from[s],
                    squares.to[s]);
        }
        fprintf(file, " |");
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            if (legal >> tok & 1) {
                fprintf(file, " %d", tok);
            }
        }
        fprintf(file, "\n");
    }
    for (size_t p = 0; p < bench->n_plans; p++) {
        fprintf(file, "plan %d %g %.6f\n", __builtin_ctzll(bench->plans[p].layers),
                bench->plans[p].scale.value, bench->rows[p].error);
    }
    return fclose(file) == 0 ? 0 : err_set(OGPT_EIO, "%s: cannot be written", path);
}

static int bench_run(Bench *bench, char **arguments)
{
    char *warning = NULL;
    int rc = blas_init();
    rc = rc ? rc : model_load(&bench->model, arguments[0], &warning);
    mem_free(warning);
    rc = rc ? rc : probe_load(&bench->probe, arguments[1]);
    if (rc == 0) {
        const Vocab *vocab = vocab_by_size(bench->model.gpt->cfg.d_vocab, RULES_CLASSIC);
        rc = vocab ? cases_read(&bench->cases, vocab->variant, arguments[2])
                   : err_set(OGPT_EFORMAT, "%s: no board has this vocabulary", arguments[0]);
    }
    rc = rc ? rc : pool_new(&bench->pool, strtoul(arguments[3], NULL, 10));
    if (rc != 0) {
        return rc;
    }
    list_plans(bench);
    for (int i = 0; i < REPEATS && rc == 0; i++) {
        rc = sweep_once(bench);
    }
    for (size_t p = 0; p < bench->n_plans; p++) {
        bench->error += bench->rows[p].error / (double)bench->n_plans;
    }
    return rc;
}

int main(int argc, char **argv)
{
    static Bench bench;
    int rc;
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: bench_intervene MODEL PROBE CASES THREADS [SHEET]\n");
        return 2;
    }
    rc = bench_run(&bench, argv + 1);
    rc = rc == 0 && argc == 6 ? write_sheet(&bench, argv[5]) : rc;
    if (rc != 0) {
        fprintf(stderr, "bench_intervene: %s\n", err_message());
    } else {
        size_t caches = pool_size(bench.pool) * edit_network_bytes(&bench.model.gpt->cfg);
        printf("#threads\tcases\tplans\tseconds\tedits/s\terror\tMiB\n");
        printf("%zu\t%zu\t%zu\t%.2f\t%.0f\t%.6f\t%zu\n", pool_size(bench.pool), bench.cases.n,
               bench.n_plans, bench.seconds,
               (double)(bench.cases.n * bench.n_plans) / bench.seconds, bench.error, caches >> 20);
    }
    pool_free(bench.pool);
    cases_release(&bench.cases);
    probe_release(&bench.probe);
    model_release(&bench.model);
    return rc ? 1 : 0;
}
