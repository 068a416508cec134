/* probes/solvers/solver.c - see probes/solvers/solver.h: the start of a fit, the choice of
 * the penalty, and folding weights back to raw rows. */
#include "probes/solvers/solver.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "probes/solvers/internal.h"

#define ROWS_OF_GAME 60 /* at most, for the memory that is announced */

/* The start of a fit: zero weights, and biases from the class frequencies. Classes without
 * examples, and squares of one class, stay there. Why not start at the probe of the layer before?
 * It took more rounds, because its weights are large where its own layer hardly varied. One-vs-rest
 * problems lie square by square, class by class. */
static void start_weights(float *w, const Design *design)
{
    const FitProblem *problem = design->problem;
    Shape shape = shape__of(problem);
    size_t K = problem->n_classes, n_cells = problem->n_squares * K;
    memset(w, 0, shape.n * shape.length * sizeof(float));
    for (size_t cell = 0; cell < n_cells; cell++) {
        float *biases = w + cell / shape.classes * shape.length + problem->width * shape.classes;
        biases[cell % shape.classes] = (float)design__prior(design, design->count[cell]);
    }
}

/* Convert standardised weights to raw ones: w . (x - m)/d + b = (w/d) . x + b - w.m/d. */
static void fold_weights(const FitWeights *out, const float *w, const Design *design)
{
    const FitProblem *problem = design->problem;
    Shape shape = shape__of(problem);
    size_t width = problem->width, n_cells = problem->n_squares * problem->n_classes;
    for (size_t cell = 0; cell < n_cells; cell++) {
        const float *own = w + cell / shape.classes * shape.length + cell % shape.classes;
        double b = (double)own[width * shape.classes];
        for (size_t c = 0; c < width; c++) {
            double deviation = design->deviation[c];
            double raw = deviation > 0 ? (double)own[c * shape.classes] / deviation : 0;
            out->weight[c * n_cells + cell] = (float)raw;
            b -= raw * design->mean[c];
        }
        out->bias[cell] = (float)b;
    }
}

/* Mean loss of the validation rows, summed over squares, in nats. */
static int validation_loss(double *out, const FitWeights *weights, const FitProblem *problem)
{
    size_t K = problem->n_classes, n_cells = problem->n_squares * K;
    float *scores = mem_alloc(problem->n_valid, n_cells * sizeof(float), "validation scores");
    double sum = 0;
    if (!scores) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < problem->n_valid; i++) {
        memcpy(scores + i * n_cells, weights->bias, n_cells * sizeof(float));
    }
    gemm(false, false, problem->n_valid, n_cells, problem->width, 1.0f, problem->valid_x,
         problem->width, weights->weight, n_cells, 1.0f, scores, n_cells);
    for (size_t i = 0; i < problem->n_valid * problem->n_squares; i++) {
        const float *score = scores + i * K;
        double total = 0, own = (double)score[problem->valid_labels[i]];
        for (size_t k = 0; k < K; k++) {
            total += exp((double)score[k] - own);
        }
        sum += log(total);
    }
    *out = sum / (double)problem->n_valid;
    mem_free(scores);
    return 0;
}

/* Go down the grid as long as the validation loss falls. Each fit starts where the one before
 * ended. w and report are those of the best fit. */
static int fit_path(float *w, const FitWeights *out, FitReport *report, Design *design,
                    const Work *work)
{
    static const double grid[] = FIT_L2_GRID;
    const FitProblem *asked = design->problem;
    FitProblem problem = *asked;
    Shape shape = shape__of(asked);
    size_t length = shape.n * shape.length, n_absent = report->n_absent;
    double best = INFINITY, loss = 0;
    float *next = mem_alloc(length, sizeof(float), "weights of a fit");
    int rounds = 0, rc = next ? 0 : OGPT_ENOMEM;
    if (next) {
        memcpy(next, w, length * sizeof(float));
    }
    Design tried = *design;
    tried.problem = &problem;
    for (size_t i = 0; i < sizeof(grid) / sizeof(grid[0]) && rc == 0; i++) {
        FitReport own = {.n_absent = n_absent, .l2 = grid[i]};
        problem.l2 = grid[i];
        rc = solve__newton(next, &own, &tried, work);
        rounds += own.rounds;
        if (rc == 0) {
            fold_weights(out, next, design);
            rc = validation_loss(&loss, out, asked);
        }
        if (rc || !(loss < best)) {
            break;
        }
        best = loss;
        *report = own;
        memcpy(w, next, length * sizeof(float));
    }
    report->rounds = rounds;
    mem_free(next);
    return rc;
}

static int check_problem(const char *solver, const FitProblem *problem)
{
    bool adamw = strcmp(solver, "adamw") == 0, newton = strcmp(solver, "newton") == 0;
    if (!adamw && !newton && strcmp(solver, "liblinear") != 0) {
        return err_set(OGPT_EUSAGE, "solver \"%s\", expected one of %s", solver, SOLVER_NAMES);
    }
    if (!problem->x && !newton) {
        return err_set(OGPT_EUSAGE, "solver %s needs all rows in memory; use newton", solver);
    }
    if (problem->n_hidden > 0 && !adamw) {
        return err_set(OGPT_EUSAGE, "solver %s fits no hidden layer; use adamw", solver);
    }
    if (problem->start && problem->n_hidden < problem->width) {
        return err_set(OGPT_EUSAGE,
                       "a hidden layer of %zu units cannot begin as a linear fit of %zu columns",
                       problem->n_hidden, problem->width);
    }
    if (!adamw && problem->l2 == FIT_L2_AUTO) {
        return newton && problem->n_valid > 0
                   ? 0
                   : err_set(OGPT_EUSAGE,
                             "solver %s with %zu validation rows: l2 is chosen by newton on "
                             "validation rows only; give a number",
                             solver, problem->n_valid);
    }
    if (!adamw && (!(problem->l2 > 0) || !isfinite(problem->l2))) {
        return err_set(OGPT_EUSAGE, "l2 is %g, expected a positive number", problem->l2);
    }
    return 0;
}

/* Fit by a convex solver, in standardised coordinates, and fold the weights back. */
static int fit_convex(const FitWeights *out, FitReport *report, const char *solver, Design *design,
                      const Work *work)
{
    const FitProblem *problem = design->problem;
    Shape shape = shape__of(problem);
    float *w = mem_alloc(shape.n * shape.length, sizeof(float), "weights of a fit");
    if (!w) {
        return OGPT_ENOMEM;
    }
    start_weights(w, design);
    report->l2 = problem->l2;
    int rc = strcmp(solver, "liblinear") == 0 ? solve__liblinear(w, report, design, work)
             : problem->l2 == FIT_L2_AUTO     ? fit_path(w, out, report, design, work)
                                              : solve__newton(w, report, design, work);
    if (rc == 0) {
        fold_weights(out, w, design);
    }
    mem_free(w);
    return rc;
}

int fit_probe(const FitWeights *out, FitReport *report, const char *solver,
              const FitProblem *problem, const Work *work)
{
    Design design = {0};
    *report = (FitReport){.gradient = NAN, .l2 = NAN};
    int rc = check_problem(solver, problem);
    rc = rc ? rc : design__init(&design, problem, work);
    if (rc) {
        return rc;
    }
    for (size_t s = 0; s < problem->n_squares; s++) {
        report->n_absent += problem->n_classes - design__present(&design, s);
    }
    rc = strcmp(solver, "adamw") == 0 ? solve__adamw(out, report, &design, work)
                                      : fit_convex(out, report, solver, &design, work);
    if (rc == 0 && !isfinite(report->objective)) {
        rc = err_set(OGPT_ENUM, "%s: the objective of the probe is not finite", solver);
    }
    design__release(&design);
    return rc;
}

size_t fit_bytes(const char *solver, const FitProblem *problem, const Work *work)
{
    size_t n_workers = work_workers(work);
    size_t S = problem->n_squares, K = problem->n_classes, width = problem->width;
    size_t weights = 2 * S * (width + 1) * K * sizeof(float);
    size_t scores = problem->l2 == FIT_L2_AUTO ? problem->n_valid * S * K * sizeof(float) : 0;
    if (strcmp(solver, "adamw") == 0) {
        return solve__adamw_bytes(width, problem->n_hidden, S, K, ROWS_OF_GAME, n_workers);
    }
    return weights + scores +
           (strcmp(solver, "liblinear") == 0 ? solve__liblinear_bytes : solve__newton_bytes)(
               problem->n, width, S, K, n_workers);
}

/* newton: about 45 rounds on the subset and 15 on all rows, each of two products, and the Hessians
 * of the subset with their inverses. liblinear: about 200 passes over the rows for each problem, of
 * sparse nodes that are read ten times more slowly than a product. */
#define SUBSET_ROUNDS 45
#define WHOLE_ROUNDS 15
#define LIBLINEAR_PASSES 200
#define LIBLINEAR_SLOWNESS 10

double fit_flops(const char *solver, const FitProblem *problem)
{
    double n = (double)problem->n, w = (double)problem->width + 1;
    double S = (double)problem->n_squares, K = (double)problem->n_classes, C = S * K;
    double hidden = (double)problem->n_hidden, pairs = (K - 1) * K / 2;
    if (strcmp(solver, "adamw") == 0) {
        double epochs = problem->epochs > 0 ? problem->epochs : hidden > 0 ? HIDDEN_EPOCHS : 1;
        return 6 * n * epochs * (hidden > 0 ? hidden * (w + C) : w * C);
    }
    if (strcmp(solver, "liblinear") == 0) {
        return 2 * n * w * C * LIBLINEAR_PASSES * LIBLINEAR_SLOWNESS;
    }
    double some = n < START_ROWS ? n : START_ROWS, side = w * (K - 1);
    bool shared = side > CURVATURE_MAX_ROWS;
    double hessians = S * (shared ? 1 : pairs) * 2 * some * w * w;
    double inverses = S * 2 * (shared ? w * w * w : side * side * side);
    double tried = problem->l2 == FIT_L2_AUTO ? 3 : 1;
    return tried * (4 * w * C * (SUBSET_ROUNDS * some + WHOLE_ROUNDS * n) + hessians + inverses);
}
