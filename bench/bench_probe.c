/* bench/bench_probe.c - fitting the probes of all squares of one layer, next to the referee.
 *
 * Usage: bench_probe MODEL FOLDER [ROWS [THREADS]]
 * Draws ROWS positions (default 40,000) of fresh random games, 8 a game, captures layer 5 (or
 * the last) of the network, and fits task mine of all squares: newton's multinomial problems
 * (best of three), liblinear's one-vs-rest problems by its own stopping rule, and the same
 * problems by both to a tight tolerance. Into FOLDER go x.npy (rows, width) float32, standardised,
 * and labels.npy (rows, squares) uint8, for peer_probe.py. Prints tab-separated columns, named by
 * a line that starts with '#'.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/formats/npy.h"
#include "base/process.h"
#include "num/blas.h"
#include "probes/activations/activations.h"
#include "probes/board/scores.h"
#include "probes/solvers/solver.h"

#define REPEATS 3
#define SEED 1
#define PLIES 8
#define LAYER 5

typedef struct Bench {
    LabelledSet set;
    float *x; /* (n, width) standardised */
    size_t n, width;
    int n_classes;
    Work work;
} Bench;

/* Columns to mean 0 and deviation 1, so that every program gets the same problem. */
static void standardise(float *x, size_t n, size_t width)
{
    for (size_t c = 0; c < width; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)x[i * width + c];
        }
        for (size_t i = 0; i < n; i++) {
            double distance = (double)x[i * width + c] - sum / (double)n;
            squares += distance * distance;
        }
        double scale = squares > 0 ? 1 / sqrt(squares / (double)n) : 0;
        for (size_t i = 0; i < n; i++) {
            x[i * width + c] = (float)(((double)x[i * width + c] - sum / (double)n) * scale);
        }
    }
}

static int draw(Bench *out, const ModelFile *model, size_t n_rows)
{
    const Gpt *gpt = model->gpt;
    const Vocab *vocab = vocab_by_size(gpt->cfg.d_vocab, RULES_CLASSIC);
    const Task *task = task_find("mine");
    int layer = gpt->cfg.n_layers > LAYER ? LAYER : gpt->cfg.n_layers - 1;
    GameSource *source = NULL;
    int rc = source_fresh(&source, vocab->variant, SEED, RNG_EVAL);
    rc = rc ? rc
            : labelled_draw(&out->set, source, task, LABELS_MOVER, n_rows / PLIES, PLIES,
                            &out->work);
    source_free(source);
    if (rc) {
        return rc;
    }
    out->n = out->set.set.n_positions;
    out->width = (size_t)gpt->cfg.d_model;
    out->n_classes = task->n_classes;
    out->x = mem_alloc(out->n * out->width, sizeof(float), "activations");
    if (!out->x) {
        return OGPT_ENOMEM;
    }
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    rc = activations_capture(&out->x, &out->set.set, gpt, &where, &out->work);
    standardise(out->x, out->n, out->width);
    return rc;
}

static int write_array(const char *folder, const char *name, const char *dtype, const void *data,
                       size_t rows, size_t columns, size_t item)
{
    char path[FILES_PATH_MAX];
    NpyWriter *writer = NULL;
    uint64_t shape[2] = {rows, columns};
    int rc = path_join(path, folder, name);
    rc = rc ? rc : npy_writer_new(&writer, path, dtype, 2, shape);
    rc = rc ? rc : npy_writer_add(writer, data, rows * columns * item);
    if (rc == 0) {
        return npy_writer_finish(writer);
    }
    if (writer) {
        npy_writer_abort(writer);
    }
    return rc;
}

static int time_solver(const Bench *bench, const FitProblem *problem, const char *solver,
                       int repeats)
{
    size_t cells = problem->n_squares * problem->n_classes;
    float *weight = mem_alloc(problem->width * cells, sizeof(float), "weights");
    float *bias = mem_alloc(cells, sizeof(float), "biases");
    FitWeights out = {.weight = weight, .bias = bias};
    FitReport report = {0};
    double best = INFINITY;
    int rc = weight && bias ? 0 : OGPT_ENOMEM;
    for (int i = 0; i < repeats && rc == 0; i++) {
        double start = clock_seconds();
        rc = fit_probe(&out, &report, solver, problem, &bench->work);
        best = fmin(best, clock_seconds() - start);
    }
    if (rc == 0) {
        printf("%s\t%zu\t%zu\t%zu\t%zu\t%.3f\t%.8f\n", solver, work_workers(&bench->work), bench->n,
               bench->width, problem->n_squares, best, report.objective);
        fflush(stdout);
    }
    mem_free(weight);
    mem_free(bias);
    return rc;
}

static int run(Bench *bench, const char *model_path, const char *folder, size_t n_rows)
{
    ModelFile model = {0};
    char *warning = NULL;
    FitCheck check;
    int rc = model_load(&model, model_path, &warning);
    mem_free(warning);
    rc = rc ? rc : dir_create(folder);
    rc = rc ? rc : draw(bench, &model, n_rows);
    size_t S = bench->set.n_squares;
    rc = rc ? rc
            : write_array(folder, "x.npy", "f4", bench->x, bench->n, bench->width, sizeof(float));
    rc = rc ? rc : write_array(folder, "labels.npy", "u1", bench->set.labels, bench->n, S, 1);
    if (rc == 0) {
        FitProblem problem = {.x = bench->x,
                              .labels = bench->set.labels,
                              .n = bench->n,
                              .width = bench->width,
                              .n_squares = S,
                              .n_classes = (size_t)bench->n_classes,
                              .l2 = FIT_L2};
        printf("# solver\tthreads\trows\twidth\tsquares\tseconds\tobjective\n");
        rc = time_solver(bench, &problem, "newton", REPEATS);
        rc = rc ? rc : time_solver(bench, &problem, "liblinear", 1);
        rc = rc ? rc : fit_check(&check, &problem, &bench->work);
    }
    if (rc == 0) {
        printf("# check: newton's seconds and objective of the binary problems, liblinear's,\n"
               "# relative difference, of the worst square, share of cells read alike\n"
               "check\t%.3f\t%.8f\t%.3f\t%.8f\t%.2e\t%.2e\t%.5f\n",
               check.seconds[0], check.newton, check.seconds[1], check.liblinear, check.difference,
               check.worst, check.agreement);
    }
    labelled_release(&bench->set);
    mem_free(bench->x);
    model_release(&model);
    return rc;
}

int main(int argc, char **argv)
{
    Bench bench = {.work.seed = SEED};
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: bench_probe MODEL FOLDER [ROWS [THREADS]]\n");
        return 2;
    }
    long rows = argc > 3 ? strtol(argv[3], NULL, 10) : 40000;
    long threads = argc > 4 ? strtol(argv[4], NULL, 10) : 2;
    if (rows < 1000 || rows > 10000000 || threads < 1 || threads > 256) {
        fprintf(stderr, "bench_probe: expected 1000 to 10000000 rows and 1 to 256 threads\n");
        return 2;
    }
    int rc = blas_init();
    rc = rc ? rc : pool_new(&bench.work.pool, (size_t)threads);
    rc = rc ? rc : run(&bench, argv[1], argv[2], (size_t)rows);
    if (rc) {
        fprintf(stderr, "bench_probe: %s\n", err_message());
    }
    pool_free(bench.work.pool);
    return rc ? 1 : 0;
}
