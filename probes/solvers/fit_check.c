/* probes/solvers/fit_check.c - the dense solver against its referee, on the same binary problems.
 * See probes/solvers/solver.h.
 *
 * Both fit, for every square and class,
 *   min_w,b  (1/n) sum_i ln(1 + exp(-y_i (w . u_i + b))) + (l2/2) (||w||^2 + b^2)
 * and one function evaluates both results, so that the weights are the only difference. Problems
 * with examples of a single class are left out: neither solver fits them.
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "probes/solvers/internal.h"

#define REFEREE_TOLERANCE 1e-4

enum { NEWTON, LIBLINEAR, N_SIDES };

typedef struct Checking {
    const Design *design;
    float *w[N_SIDES];     /* (width + 1, n_squares, n_classes) */
    float *u, *scores;     /* per worker: (block, width + 1), (N_SIDES, block, cells) */
    double *loss[N_SIDES]; /* (n_blocks, cells) */
    size_t *same;          /* (n_blocks) cells with the same argmax */
} Checking;

/* ln(1 + exp(-margin)) without overflow. */
static double logistic_loss(double margin)
{
    return margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
}

static size_t argmax(const float *score, size_t K)
{
    size_t top = 0;
    for (size_t k = 1; k < K; k++) {
        top = score[k] > score[top] ? k : top;
    }
    return top;
}

static int check_block(void *context, size_t job, size_t worker)
{
    Checking *check = context;
    const Design *design = check->design;
    const FitProblem *problem = design->problem;
    size_t S = problem->n_squares, K = problem->n_classes, cells = S * K, first;
    size_t rows = problem->width + 1, block = design->block_rows;
    size_t n = design__block(&first, design, job);
    float *u = check->u + worker * block * rows;
    float *scores = check->scores + worker * N_SIDES * block * cells;
    int rc = design__rows(u, design, first, n);
    if (rc != 0) {
        return rc;
    }
    for (size_t side = 0; side < N_SIDES; side++) {
        float *z = scores + side * block * cells;
        double *loss = check->loss[side] + job * cells;
        gemm(false, false, n, cells, rows, 1.0f, u, rows, check->w[side], cells, 0.0f, z, cells);
        for (size_t i = 0; i < n * cells; i++) {
            size_t cell = i % cells, row = first + i / cells;
            bool is = problem->labels[row * S + cell / K] == cell % K;
            loss[cell] += logistic_loss(is ? (double)z[i] : -(double)z[i]);
        }
    }
    for (size_t at = 0; at < n * S; at++) {
        const float *z = scores + at * K;
        check->same[job] += argmax(z, K) == argmax(z + block * cells, K);
    }
    return 0;
}

/* Reorder weights (problem, width + 1, classes) to (width + 1, cells). */
static void lay_out(float *out, const float *w, const Shape *shape, size_t cells)
{
    for (size_t cell = 0; cell < cells; cell++) {
        const float *own = w + cell / shape->classes * shape->length + cell % shape->classes;
        for (size_t r = 0; r < shape->rows; r++) {
            out[r * cells + cell] = own[r * shape->classes];
        }
    }
}

/* Objective of a cell: the losses, added in the order of the blocks, and the penalty. */
static double cell_objective(const Checking *check, size_t side, size_t cell)
{
    const FitProblem *problem = check->design->problem;
    size_t cells = problem->n_squares * problem->n_classes;
    double loss = 0, penalty = 0;
    for (size_t b = 0; b < check->design->n_blocks; b++) {
        loss += check->loss[side][b * cells + cell];
    }
    for (size_t r = 0; r <= problem->width; r++) {
        double w = (double)check->w[side][r * cells + cell];
        penalty += w * w;
    }
    return loss / (double)problem->n + 0.5 * problem->l2 * penalty;
}

static void compare(FitCheck *out, const Checking *check)
{
    const FitProblem *problem = check->design->problem;
    size_t S = problem->n_squares, K = problem->n_classes, same = 0;
    for (size_t s = 0; s < S; s++) {
        double of[N_SIDES] = {0};
        for (size_t cell = s * K; cell < (s + 1) * K; cell++) {
            for (size_t side = 0; side < N_SIDES; side++) {
                of[side] +=
                    shape__present(check->design, cell, 0) ? cell_objective(check, side, cell) : 0;
            }
        }
        out->newton += of[NEWTON];
        out->liblinear += of[LIBLINEAR];
        if (of[LIBLINEAR] > 0) {
            out->worst = fmax(out->worst, fabs(of[NEWTON] - of[LIBLINEAR]) / of[LIBLINEAR]);
        }
    }
    for (size_t b = 0; b < check->design->n_blocks; b++) {
        same += check->same[b];
    }
    out->difference = out->liblinear > 0 ? fabs(out->newton - out->liblinear) / out->liblinear : 0;
    out->agreement = (double)same / (double)(problem->n * S);
}

static int check_init(Checking *check, const Design *design, size_t n_workers)
{
    const FitProblem *problem = design->problem;
    size_t cells = problem->n_squares * problem->n_classes, rows = problem->width + 1;
    bool whole = true;
    *check = (Checking){.design = design};
    check->u = mem_alloc(n_workers * design->block_rows, rows * sizeof(float), "rows");
    check->scores = mem_alloc(n_workers * N_SIDES * design->block_rows, cells * sizeof(float),
                              "scores of a check");
    check->same = mem_calloc(design->n_blocks, sizeof(size_t), "counts of a check");
    for (int side = 0; side < N_SIDES; side++) {
        check->w[side] = mem_alloc(rows, cells * sizeof(float), "weights of a check");
        check->loss[side] = mem_calloc(design->n_blocks * cells, sizeof(double), "losses");
        whole = whole && check->w[side] && check->loss[side];
    }
    return whole && check->u && check->scores && check->same ? 0 : OGPT_ENOMEM;
}

static void check_release(Checking *check)
{
    mem_free(check->u);
    mem_free(check->scores);
    mem_free(check->same);
    for (int side = 0; side < N_SIDES; side++) {
        mem_free(check->w[side]);
        mem_free(check->loss[side]);
    }
}

/* Fit one side into check->w. */
static int fit_side(Checking *check, FitCheck *out, int side, Design *design, const Work *work)
{
    FitProblem own = *design->problem;
    const FitProblem *kept = design->problem;
    FitReport report = {0};
    own.one_vs_rest = side == NEWTON;
    own.tolerance = side == NEWTON ? own.tolerance : REFEREE_TOLERANCE;
    design->problem = &own;
    Shape shape = shape__of(&own);
    float *w = mem_calloc(shape.n, shape.length * sizeof(float), "weights of a check");
    double start = clock_seconds();
    int rc = !w               ? OGPT_ENOMEM
             : side == NEWTON ? solve__newton(w, &report, design, work)
                              : solve__liblinear(w, &report, design, work);
    out->seconds[side] = clock_seconds() - start;
    if (rc == 0) {
        lay_out(check->w[side], w, &shape, own.n_squares * own.n_classes);
    }
    design->problem = kept;
    mem_free(w);
    return rc;
}

int fit_check(FitCheck *out, const FitProblem *problem, const Work *work)
{
    FitProblem binary = *problem;
    Design design = {0};
    Checking check = {0};
    *out = (FitCheck){0};
    binary.one_vs_rest = true;
    if (!(problem->l2 > 0) || !isfinite(problem->l2)) {
        return err_set(OGPT_EUSAGE, "l2 is %g, expected a positive number", problem->l2);
    }
    int rc = design__init(&design, &binary, work);
    rc = rc ? rc : check_init(&check, &design, work_workers(work));
    for (int side = 0; side < N_SIDES && rc == 0; side++) {
        rc = fit_side(&check, out, side, &design, work);
    }
    rc = rc ? rc : pool_run(work->pool, design.n_blocks, check_block, &check);
    if (rc == 0) {
        compare(out, &check);
    }
    check_release(&check);
    design__release(&design);
    return rc;
}
