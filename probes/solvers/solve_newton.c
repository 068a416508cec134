/* probes/solvers/solve_newton.c - logistic regression of all squares of a layer at once.
 *
 * multinomial:  min_W  (1/n) sum_i sum_s -ln p(y_is | u_i) + (l2/2) sum_sk ||w_sk||^2
 *   u_i    (width) standardised row; p = softmax over classes of w_sk . u_i + b_sk
 *   y_is   label of square s at position i; biases b are not penalised
 * one-vs-rest:  min_W  (1/n) sum_i sum_sk ln(1 + exp(-y_isk (w_sk . u_i + b_sk)))
 *                      + (l2/2) sum_sk (||w_sk||^2 + b_sk^2),   y_isk = +1 where y_is = k, else -1
 *
 * The sum splits into problems (one for each square, or for each square and class). Each has its
 * own step length and memory; they share the data. One round evaluates every unfinished problem at
 * its trial point with two matrix products over all of them, then each problem alone accepts the
 * point and takes a new quasi-Newton direction, or halves its step (Armijo's rule). Finished
 * problems drop out, and the products shrink.
 *
 * A round over all rows is expensive, so few are made:
 *   1. START_ROWS rows drawn at random: rounds preconditioned by Boehning's bound, one matrix
 *      (1/2) U^T U / n + l2 I for all problems and classes (Boehning 1992), until START_TOLERANCE;
 *   2. the exact Hessian of every problem at that point, on these rows, inverted;
 *   3. all rows, preconditioned by these inverses, to the tolerance asked for.
 * Both preconditioners, rescaled by the newest pair, start the two-loop recursion (Nocedal &
 * Wright 2006, algorithm 7.4), which corrects what the subset of rows gets wrong.
 *
 * Result: w in place, and the report. Ref: Liu & Nocedal 1989; Boehning 1992; Byrd et al. 2011
 * (Hessians of a subsample).
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/softmax.h"
#include "num/matrices/spd.h"
#include "num/vectors.h"
#include "probes/solvers/internal.h"

#define MEMORY 10 /* pairs kept a problem */
#define MAX_START_ROUNDS 60
/* Norm of the gradient on the subset at which stage 1 ends: its rounds are cheap, not free. */
#define START_TOLERANCE 3e-3
#define MAX_HALVINGS 30
#define ARMIJO 1e-4
#define IMPOSSIBLE -1e30f /* bias that switches off a class without examples */

/* Relative rounding of an objective that is summed in double from float scores. A step is not
 * refused for an increase below it. */
#define OBJECTIVE_ROUNDING 1e-7

typedef struct Problem {
    float *w, *g, *direction, *trial; /* (rows, classes) each */
    float *s, *y;                     /* (MEMORY, rows, classes): steps and gradient changes */
    double rho[MEMORY];
    double f, slope, step, gradient, gamma;
    int n_pairs, newest, halvings;
    bool started;
    enum { RUNNING, ARRIVED, STUCK } state;
} Problem;

typedef struct Newton {
    const Design *design; /* the rows of this stage */
    Shape shape;
    double tolerance;
    float *bound;         /* (rows, rows): inverse of Boehning's bound */
    Curvature *curvature; /* takes the place of the bound once it exists */
    Problem *problems;    /* (shape.n) */
    float *vectors;       /* all their numbers */
    uint16_t *running;    /* problems not yet finished */
    size_t n_running;
    float *panel;        /* (rows, classes, n_running) trial points */
    float *partial;      /* (n_blocks, rows, classes, n_running) gradients of the blocks */
    double *loss;        /* (n_blocks, n_running) */
    float *block_rows;   /* per worker (block rows, rows) */
    float *block_scores; /* per worker (block rows, classes, n) */
    float *scratch;      /* per worker (2, length) */
} Newton;

static void add_scaled(float *out, double scale, const float *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += (float)scale * a[i];
    }
}

/* ---- the preconditioners ---- */

static int gram_block(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    size_t first, rows = newton->shape.rows;
    size_t n = design__block(&first, newton->design, job);
    float *u = newton->block_rows + worker * newton->design->block_rows * rows;
    int rc = design__rows(u, newton->design, first, n);
    if (rc != 0) {
        return rc;
    }
    gemm(true, false, rows, rows, n, 1.0f / (float)newton->design->problem->n, u, rows, u, rows,
         0.0f, newton->partial + job * rows * rows, rows);
    return 0;
}

/* The curvature of a class score is at most 1/2 in a softmax and 1/4 in a logistic function. */
static int make_bound(Newton *newton, const Work *work)
{
    size_t rows = newton->shape.rows, n_blocks = newton->design->n_blocks;
    const FitProblem *problem = newton->design->problem;
    double most = problem->one_vs_rest ? 0.25 : 0.5;
    double *matrix = mem_calloc(rows * rows, sizeof(double), "preconditioner");
    if (!matrix) {
        return OGPT_ENOMEM;
    }
    int rc = pool_run(work->pool, n_blocks, gram_block, newton);
    for (size_t b = 0; b < n_blocks && rc == 0; b++) {
        const float *partial = newton->partial + b * rows * rows;
        for (size_t i = 0; i < rows * rows; i++) {
            matrix[i] += most * (double)partial[i];
        }
    }
    for (size_t r = 0; r < rows; r++) {
        matrix[r * rows + r] += shape__penalty(problem, r);
    }
    rc = rc ? rc : spd_invert(matrix, rows);
    for (size_t i = 0; i < rows * rows && rc == 0; i++) {
        newton->bound[i] = (float)matrix[i];
    }
    mem_free(matrix);
    return rc;
}

static void precondition(float *out, const Newton *newton, size_t p, double scale, const float *v)
{
    size_t rows = newton->shape.rows, K = newton->shape.classes;
    if (newton->curvature) {
        curvature__apply(out, newton->curvature, p, scale, v);
    } else {
        gemm(false, false, rows, K, rows, (float)scale, newton->bound, rows, v, K, 0.0f, out, K);
    }
}

/* ---- objective and gradient of all running problems ---- */

static int evaluate_block(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    const FitProblem *problem = newton->design->problem;
    const Shape *shape = &newton->shape;
    size_t first, rows = shape->rows, columns = newton->n_running * shape->classes;
    size_t block = newton->design->block_rows;
    size_t n = design__block(&first, newton->design, job);
    float *u = newton->block_rows + worker * block * rows;
    float *scores = newton->block_scores + worker * block * shape->n * shape->classes;
    double *loss = newton->loss + job * newton->n_running;
    const uint8_t *labels = problem->labels + first * problem->n_squares;
    int rc = design__stop(newton->design);
    rc = rc ? rc : design__rows(u, newton->design, first, n);
    if (rc) {
        return rc;
    }
    memset(loss, 0, newton->n_running * sizeof(double));
    gemm(false, false, n, columns, rows, 1.0f, u, rows, newton->panel, columns, 0.0f, scores,
         columns);
    if (problem->one_vs_rest) {
        logistic_residual(scores, loss, labels, problem->n_squares, newton->running, n, columns,
                          problem->n_classes);
    } else {
        softmax_residual(scores, loss, labels, problem->n_squares, newton->running, n,
                         newton->n_running, shape->classes);
    }
    gemm(true, false, rows, columns, n, 1.0f / (float)problem->n, u, rows, scores, columns, 0.0f,
         newton->partial + job * rows * columns, columns);
    return 0;
}

static void fill_panel(Newton *newton)
{
    size_t K = newton->shape.classes, rows = newton->shape.rows, A = newton->n_running;
    for (size_t a = 0; a < A; a++) {
        const float *trial = newton->problems[newton->running[a]].trial;
        for (size_t r = 0; r < rows; r++) {
            for (size_t k = 0; k < K; k++) {
                newton->panel[(r * K + k) * A + a] = trial[r * K + k];
            }
        }
        for (size_t k = 0; k < K; k++) {
            if (!shape__present(newton->design, newton->running[a], k)) {
                newton->panel[((rows - 1) * K + k) * A + a] = IMPOSSIBLE;
            }
        }
    }
}

/* Objective of running problem `a` at its trial point, and its gradient into g. Blocks are added in
 * order. */
static double collect(float *g, const Newton *newton, size_t a)
{
    size_t K = newton->shape.classes, rows = newton->shape.rows, A = newton->n_running;
    size_t p = newton->running[a], n_blocks = newton->design->n_blocks;
    const float *trial = newton->problems[p].trial;
    double loss = 0, penalty = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        loss += newton->loss[b * A + a];
    }
    for (size_t r = 0; r < rows; r++) {
        double strength = shape__penalty(newton->design->problem, r);
        for (size_t k = 0; k < K; k++) {
            double w = (double)trial[r * K + k], sum = strength * w;
            const float *partial = newton->partial + (r * K + k) * A + a;
            for (size_t b = 0; b < n_blocks; b++) {
                sum += (double)partial[b * rows * K * A];
            }
            penalty += strength * w * w;
            g[r * K + k] = shape__present(newton->design, p, k) ? (float)sum : 0;
        }
    }
    return loss / (double)newton->design->problem->n + 0.5 * penalty;
}

/* ---- one problem's step ---- */

/* Remember the step to the accepted trial point and the change of the gradient, if they show
 * positive curvature. The objective is convex, so only rounding can make it negative. */
static void remember_pair(Problem *own, const Newton *newton, size_t p, const float *g_new,
                          float *scratch)
{
    size_t n = newton->shape.length;
    int slot = own->n_pairs ? (own->newest + 1) % MEMORY : 0;
    float *s = own->s + (size_t)slot * n, *y = own->y + (size_t)slot * n;
    for (size_t i = 0; i < n; i++) {
        s[i] = own->trial[i] - own->w[i];
        y[i] = g_new[i] - own->g[i];
    }
    double sy = vector_dot(s, y, n);
    if (!(sy > 1e-10 * sqrt(vector_dot(s, s, n) * vector_dot(y, y, n)))) {
        own->n_pairs = 0;
        return;
    }
    precondition(scratch, newton, p, 1, y);
    own->rho[slot] = 1 / sy;
    own->gamma = sy / vector_dot(y, scratch, n);
    own->newest = slot;
    own->n_pairs += own->n_pairs < MEMORY;
}

/* direction = -(inverse Hessian estimate) g by the two-loop recursion. */
static void choose_direction(Problem *own, const Newton *newton, size_t p, float *q)
{
    size_t n = newton->shape.length;
    double weight[MEMORY] = {0};
    memcpy(q, own->g, n * sizeof(float));
    for (int j = 0; j < own->n_pairs; j++) {
        int slot = (own->newest + MEMORY - j) % MEMORY;
        weight[j] = own->rho[slot] * vector_dot(own->s + (size_t)slot * n, q, n);
        add_scaled(q, -weight[j], own->y + (size_t)slot * n, n);
    }
    precondition(own->direction, newton, p, own->n_pairs ? -own->gamma : -1, q);
    for (int j = own->n_pairs - 1; j >= 0; j--) {
        int slot = (own->newest + MEMORY - j) % MEMORY;
        double back = own->rho[slot] * vector_dot(own->y + (size_t)slot * n, own->direction, n);
        add_scaled(own->direction, -weight[j] - back, own->s + (size_t)slot * n, n);
    }
    own->slope = vector_dot(own->g, own->direction, n);
}

static void place_trial(Problem *own, size_t n)
{
    memcpy(own->trial, own->w, n * sizeof(float));
    add_scaled(own->trial, own->step, own->direction, n);
}

static int advance_problem(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    size_t n = newton->shape.length, p = newton->running[job];
    Problem *own = &newton->problems[p];
    float *g = newton->scratch + worker * 2 * n, *scratch = g + n;
    double f = collect(g, newton, job);
    if (own->started) {
        double allowed =
            own->f + ARMIJO * own->step * own->slope + OBJECTIVE_ROUNDING * (1 + fabs(own->f));
        if (!(f <= allowed)) {
            own->step *= 0.5;
            own->state = ++own->halvings > MAX_HALVINGS ? STUCK : RUNNING;
            place_trial(own, n);
            return 0;
        }
        remember_pair(own, newton, p, g, scratch);
    } else if (!isfinite(f)) {
        return err_set(OGPT_ENUM, "problem %zu: the objective is not finite at the start", p);
    }
    own->started = true;
    own->halvings = 0;
    own->step = 1;
    own->f = f;
    memcpy(own->w, own->trial, n * sizeof(float));
    memcpy(own->g, g, n * sizeof(float));
    own->gradient = sqrt(vector_dot(g, g, n));
    if (own->gradient <= newton->tolerance) {
        own->state = ARRIVED;
        return 0;
    }
    choose_direction(own, newton, p, scratch);
    if (!(own->slope < 0)) { /* rounding spoilt the memory: use the preconditioner alone */
        own->n_pairs = 0;
        choose_direction(own, newton, p, scratch);
    }
    place_trial(own, n);
    return 0;
}

/* ---- the stages ---- */

static void list_running(Newton *newton)
{
    newton->n_running = 0;
    for (size_t p = 0; p < newton->shape.n; p++) {
        if (newton->problems[p].state == RUNNING) {
            newton->running[newton->n_running++] = (uint16_t)p;
        }
    }
}

/* Minimise every problem from `w` on the rows of `design`, to the tolerance or for max_rounds. w is
 * replaced by the result. */
static int minimise(float *w, int *rounds, Newton *newton, const Design *design, double tolerance,
                    int max_rounds, const Work *work)
{
    size_t length = newton->shape.length;
    newton->design = design;
    newton->tolerance = tolerance;
    for (size_t p = 0; p < newton->shape.n; p++) {
        Problem *own = &newton->problems[p];
        own->state = shape__present(design, p, 0) || newton->shape.classes > 1 ? RUNNING : ARRIVED;
        own->started = false;
        own->n_pairs = 0;
        memcpy(own->trial, w + p * length, length * sizeof(float));
        memcpy(own->w, own->trial, length * sizeof(float));
    }
    int rc = newton->curvature ? 0 : make_bound(newton, work);
    list_running(newton);
    for (int round = 0; rc == 0 && newton->n_running > 0 && round < max_rounds; round++) {
        ++*rounds;
        fill_panel(newton);
        rc = pool_run(work->pool, design->n_blocks, evaluate_block, newton);
        rc = rc ? rc : pool_run(work->pool, newton->n_running, advance_problem, newton);
        list_running(newton);
    }
    for (size_t p = 0; p < newton->shape.n && rc == 0; p++) {
        memcpy(w + p * length, newton->problems[p].w, length * sizeof(float));
    }
    return rc;
}

/* Stages 1 and 2 on a subset of the rows, or on all if they are few. */
static int approach(float *w, Newton *newton, const Design *design, const Work *work)
{
    FitProblem some = {0};
    Design subset = {0};
    const Design *rows = design;
    int rc = 0, rounds = 0;
    if (design->problem->n > START_ROWS) {
        rc = design__subset(&subset, &some, design, START_ROWS);
        rows = &subset;
    }
    rc = rc ? rc : minimise(w, &rounds, newton, rows, START_TOLERANCE, MAX_START_ROUNDS, work);
    rc = rc ? rc : curvature__new(&newton->curvature, rows, w, work);
    if (rows == &subset) {
        design__subset_release(&subset, &some);
    }
    return rc;
}

static void newton_release(Newton *newton)
{
    curvature__free(newton->curvature);
    mem_free(newton->bound);
    mem_free(newton->problems);
    mem_free(newton->vectors);
    mem_free(newton->running);
    mem_free(newton->panel);
    mem_free(newton->partial);
    mem_free(newton->loss);
    mem_free(newton->block_rows);
    mem_free(newton->block_scores);
    mem_free(newton->scratch);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The larger number of blocks of the two stages: a subset of START_ROWS may be cut finer than all
 * rows. */
static size_t most_blocks(size_t n)
{
    size_t all = (n + design__block_rows(n) - 1) / design__block_rows(n);
    size_t start = START_ROWS / design__block_rows(START_ROWS) + 1;
    return n > START_ROWS ? larger(all, start) : all;
}

static int newton_init(Newton *newton, const Design *design, size_t n_workers)
{
    Shape shape = shape__of(design->problem);
    size_t rows = shape.rows, per_problem = (4 + 2 * MEMORY) * shape.length;
    size_t columns = shape.n * shape.classes, n_blocks = most_blocks(design->problem->n);
    *newton = (Newton){.design = design, .shape = shape};
    newton->bound = mem_alloc(rows * rows, sizeof(float), "preconditioner");
    newton->problems = mem_calloc(shape.n, sizeof(Problem), "problems of a fit");
    newton->vectors = mem_calloc(shape.n * per_problem, sizeof(float), "solver memory");
    newton->running = mem_alloc(shape.n, sizeof(uint16_t), "problems of a fit");
    newton->panel = mem_alloc(rows, columns * sizeof(float), "trial points");
    newton->partial =
        mem_alloc(n_blocks * rows, larger(rows, columns) * sizeof(float), "partial gradients");
    newton->loss = mem_alloc(n_blocks * shape.n, sizeof(double), "partial losses");
    newton->block_rows = mem_alloc(n_workers * design->block_rows * rows, sizeof(float), "rows");
    newton->block_scores =
        mem_alloc(n_workers * design->block_rows * columns, sizeof(float), "scores");
    newton->scratch = mem_alloc(n_workers * 2 * shape.length, sizeof(float), "solver scratch");
    if (!newton->bound || !newton->problems || !newton->vectors || !newton->running ||
        !newton->panel || !newton->partial || !newton->loss || !newton->block_rows ||
        !newton->block_scores || !newton->scratch) {
        newton_release(newton);
        return OGPT_ENOMEM;
    }
    for (size_t p = 0; p < shape.n; p++) {
        float *v = newton->vectors + p * per_problem;
        size_t length = shape.length;
        newton->problems[p] = (Problem){.w = v,
                                        .g = v + length,
                                        .direction = v + 2 * length,
                                        .trial = v + 3 * length,
                                        .s = v + 4 * length,
                                        .y = v + (4 + MEMORY) * length};
    }
    return 0;
}

int solve__newton(float *w, FitReport *report, const Design *design, const Work *work)
{
    double asked = design->problem->tolerance;
    Newton newton;
    int rc = newton_init(&newton, design, work_workers(work));
    if (rc) {
        return rc;
    }
    rc = approach(w, &newton, design, work);
    rc = rc ? rc
            : minimise(w, &report->rounds, &newton, design, asked > 0 ? asked : FIT_TOLERANCE,
                       design__rounds(design->problem), work);
    report->gradient = 0;
    for (size_t p = 0; p < newton.shape.n && rc == 0; p++) {
        const Problem *own = &newton.problems[p];
        report->objective += own->f;
        report->gradient = fmax(report->gradient, own->gradient);
        if (own->state != ARRIVED) {
            solve__unconverged(report, p * newton.shape.classes / design->problem->n_classes);
        }
    }
    newton_release(&newton);
    return rc;
}

size_t solve__newton_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                           size_t n_workers)
{
    size_t rows = width + 1, columns = n_squares * n_classes, block = design__block_rows(n);
    size_t vectors = (5 + 2 * MEMORY) * rows * columns;
    size_t partial = most_blocks(n) * rows * larger(rows, columns);
    size_t workers = n_workers * (block * (rows + columns) + 2 * rows * n_classes);
    size_t subset = n > START_ROWS ? START_ROWS * (width * sizeof(float) + n_squares) : 0;
    return (3 * rows * rows + vectors + partial + workers) * sizeof(float) + subset +
           curvature__bytes(width, n_squares, n_classes, n_workers);
}
