/* probes/solve_newton.c - multinomial logistic regression of all squares of a layer at once.
 *
 *   min_W  (1/n) sum_i sum_s -ln p(y_is | u_i) + (l2/2) sum_sk ||w_sk||^2
 *   u_i    (width) standardised row; p = softmax over classes of w_sk . u_i + b_sk
 *   y_is   label of square s at position i; biases b are not penalised
 *
 * The sum splits by square, so every square is its own problem with its own step length and
 * memory; what they share is the data. One round evaluates every unfinished square at its
 * trial point with two matrix products over all of them, then each square alone accepts the
 * point and takes a new quasi-Newton direction, or halves its step (Armijo's rule). Squares that
 * have arrived drop out, and the products shrink.
 *
 * Preconditioner, one for all squares: the Hessian of a square is at most (1/2) U^T U / n + l2 I
 * in every class (Boehning 1992), and its inverse, rescaled by the newest pair, starts the
 * two-loop recursion (Nocedal & Wright 2006, algorithm 7.4). Correlated columns, which make
 * plain L-BFGS crawl, cost nothing then.
 *
 * Result: w in place, report. Ref: Liu & Nocedal 1989; Boehning 1992.
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/softmax.h"
#include "num/spd.h"
#include "probes/internal.h"

#define MEMORY 10 /* pairs kept a square */
#define MAX_ROUNDS 1000
#define MAX_HALVINGS 30
#define ARMIJO 1e-4
#define IMPOSSIBLE -1e30f /* bias of a class without examples while the others are fitted */

/* Relative rounding of an objective summed in double from float scores: a step is not refused
 * for less. */
#define OBJECTIVE_ROUNDING 1e-7

typedef struct Square {
    float *w, *g, *direction, *trial; /* (width + 1, K) each */
    float *s, *y;                     /* (MEMORY, width + 1, K): steps and gradient changes */
    double rho[MEMORY];
    double f, slope, step, gradient, gamma;
    int n_pairs, newest, halvings;
    bool started;
    enum { RUNNING, ARRIVED, STUCK } state;
} Square;

typedef struct Newton {
    const Design *design;
    const FitProblem *problem;
    size_t rows, K, length; /* width + 1, classes, rows * K */
    float *inverse;         /* (rows, rows) preconditioner */
    Square *squares;        /* (n_squares) */
    float *vectors;         /* all their numbers */
    uint16_t *running;      /* squares not yet finished */
    size_t n_running;
    float *panel;        /* (rows, n_running * K) trial points side by side */
    float *partial;      /* (n_blocks, rows, n_running * K) gradients of the blocks */
    double *loss;        /* (n_blocks, n_running) */
    float *block_rows;   /* per worker (block rows, rows) */
    float *block_scores; /* per worker (block rows, n_squares * K) */
    float *q;            /* per worker (length) */
} Newton;

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static void add_scaled(float *out, double scale, const float *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += (float)scale * a[i];
    }
}

/* ---- the preconditioner ---- */

static int gram_block(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    size_t first, rows = newton->rows;
    size_t n = design__block(&first, newton->design, job);
    float *u = newton->block_rows + worker * newton->design->block_rows * rows;
    design__rows(u, newton->design, first, n);
    gemm(true, false, rows, rows, n, 1.0f / (float)newton->problem->n, u, rows, u, rows, 0.0f,
         newton->partial + job * rows * rows, rows);
    return 0;
}

static int make_preconditioner(Newton *newton, Pool *pool)
{
    size_t rows = newton->rows, n_blocks = newton->design->n_blocks;
    double *matrix = mem_calloc(rows * rows, sizeof(double), "preconditioner");
    if (!matrix) {
        return OGPT_ENOMEM;
    }
    int rc = pool_run(pool, n_blocks, gram_block, newton);
    for (size_t b = 0; b < n_blocks && rc == 0; b++) {
        const float *partial = newton->partial + b * rows * rows;
        for (size_t i = 0; i < rows * rows; i++) {
            matrix[i] += 0.5 * (double)partial[i];
        }
    }
    for (size_t r = 0; r + 1 < rows; r++) {
        matrix[r * rows + r] += newton->problem->l2;
    }
    rc = rc ? rc : spd_invert(matrix, rows);
    for (size_t i = 0; i < rows * rows && rc == 0; i++) {
        newton->inverse[i] = (float)matrix[i];
    }
    mem_free(matrix);
    return rc;
}

static void precondition(float *out, const Newton *newton, double scale, const float *v)
{
    gemm(false, false, newton->rows, newton->K, newton->rows, (float)scale, newton->inverse,
         newton->rows, v, newton->K, 0.0f, out, newton->K);
}

/* ---- objective and gradient of all running squares ---- */

static int evaluate_block(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    const FitProblem *problem = newton->problem;
    size_t first, rows = newton->rows, columns = newton->n_running * newton->K;
    size_t block = newton->design->block_rows;
    size_t n = design__block(&first, newton->design, job);
    float *u = newton->block_rows + worker * block * rows;
    float *scores = newton->block_scores + worker * block * problem->n_squares * newton->K;
    double *loss = newton->loss + job * newton->n_running;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while fitting a probe");
    }
    memset(loss, 0, newton->n_running * sizeof(double));
    design__rows(u, newton->design, first, n);
    gemm(false, false, n, columns, rows, 1.0f, u, rows, newton->panel, columns, 0.0f, scores,
         columns);
    softmax_residual(scores, loss, problem->labels + first * problem->n_squares, problem->n_squares,
                     newton->running, n, newton->n_running, newton->K);
    gemm(true, false, rows, columns, n, 1.0f / (float)problem->n, u, rows, scores, columns, 0.0f,
         newton->partial + job * rows * columns, columns);
    return 0;
}

static bool class_present(const Newton *newton, size_t square, size_t k)
{
    return newton->design->count[square * newton->K + k] > 0;
}

static void fill_panel(Newton *newton)
{
    size_t K = newton->K, columns = newton->n_running * K;
    for (size_t a = 0; a < newton->n_running; a++) {
        size_t square = newton->running[a];
        const float *trial = newton->squares[square].trial;
        for (size_t r = 0; r < newton->rows; r++) {
            memcpy(newton->panel + r * columns + a * K, trial + r * K, K * sizeof(float));
        }
        for (size_t k = 0; k < K; k++) {
            if (!class_present(newton, square, k)) {
                newton->panel[(newton->rows - 1) * columns + a * K + k] = IMPOSSIBLE;
            }
        }
    }
}

/* Objective of running square `a` at its trial point, and its gradient into g: the blocks are
 * added in their order. */
static double collect(float *g, const Newton *newton, size_t a)
{
    size_t K = newton->K, columns = newton->n_running * K, square = newton->running[a];
    size_t n_blocks = newton->design->n_blocks;
    const float *trial = newton->squares[square].trial;
    double l2 = newton->problem->l2, loss = 0, penalty = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        loss += newton->loss[b * newton->n_running + a];
    }
    for (size_t r = 0; r < newton->rows; r++) {
        bool bias = r + 1 == newton->rows;
        for (size_t k = 0; k < K; k++) {
            double w = (double)trial[r * K + k], sum = bias ? 0 : l2 * w;
            const float *partial = newton->partial + r * columns + a * K + k;
            for (size_t b = 0; b < n_blocks; b++) {
                sum += (double)partial[b * newton->rows * columns];
            }
            penalty += bias ? 0 : w * w;
            g[r * K + k] = class_present(newton, square, k) ? (float)sum : 0;
        }
    }
    return loss / (double)newton->problem->n + 0.5 * l2 * penalty;
}

/* ---- one square's step ---- */

/* Remember the step to the accepted trial point and the change of the gradient, when they show
 * positive curvature, as the convex objective does up to rounding. */
static void remember_pair(Square *square, const Newton *newton, const float *g_new, float *scratch)
{
    size_t n = newton->length;
    int slot = square->n_pairs ? (square->newest + 1) % MEMORY : 0;
    float *s = square->s + (size_t)slot * n, *y = square->y + (size_t)slot * n;
    for (size_t i = 0; i < n; i++) {
        s[i] = square->trial[i] - square->w[i];
        y[i] = g_new[i] - square->g[i];
    }
    double sy = dot(s, y, n);
    if (!(sy > 1e-10 * sqrt(dot(s, s, n) * dot(y, y, n)))) {
        square->n_pairs = 0;
        return;
    }
    precondition(scratch, newton, 1, y);
    square->rho[slot] = 1 / sy;
    square->gamma = sy / dot(y, scratch, n);
    square->newest = slot;
    square->n_pairs += square->n_pairs < MEMORY;
}

/* direction = -(inverse Hessian estimate) g by the two-loop recursion. */
static void choose_direction(Square *square, const Newton *newton, float *q)
{
    size_t n = newton->length;
    double weight[MEMORY] = {0};
    memcpy(q, square->g, n * sizeof(float));
    for (int j = 0; j < square->n_pairs; j++) {
        int slot = (square->newest + MEMORY - j) % MEMORY;
        weight[j] = square->rho[slot] * dot(square->s + (size_t)slot * n, q, n);
        add_scaled(q, -weight[j], square->y + (size_t)slot * n, n);
    }
    precondition(square->direction, newton, square->n_pairs ? -square->gamma : -1, q);
    for (int j = square->n_pairs - 1; j >= 0; j--) {
        int slot = (square->newest + MEMORY - j) % MEMORY;
        double back = square->rho[slot] * dot(square->y + (size_t)slot * n, square->direction, n);
        add_scaled(square->direction, -weight[j] - back, square->s + (size_t)slot * n, n);
    }
    square->slope = dot(square->g, square->direction, n);
}

static void place_trial(Square *square, size_t n)
{
    memcpy(square->trial, square->w, n * sizeof(float));
    add_scaled(square->trial, square->step, square->direction, n);
}

static int advance_square(void *context, size_t job, size_t worker)
{
    Newton *newton = context;
    Square *square = &newton->squares[newton->running[job]];
    size_t n = newton->length;
    float *g = newton->q + worker * 2 * n, *scratch = g + n;
    double f = collect(g, newton, job);
    if (square->started) {
        double allowed = square->f + ARMIJO * square->step * square->slope +
                         OBJECTIVE_ROUNDING * (1 + fabs(square->f));
        if (!(f <= allowed)) {
            square->step *= 0.5;
            square->state = ++square->halvings > MAX_HALVINGS ? STUCK : RUNNING;
            place_trial(square, n);
            return 0;
        }
        remember_pair(square, newton, g, scratch);
    } else if (!isfinite(f)) {
        return err_set(OGPT_ENUM, "square %d: the objective is not finite at the start",
                       (int)newton->running[job]);
    }
    square->started = true;
    square->halvings = 0;
    square->step = 1;
    square->f = f;
    memcpy(square->w, square->trial, n * sizeof(float));
    memcpy(square->g, g, n * sizeof(float));
    square->gradient = sqrt(dot(g, g, n));
    double tolerance = newton->problem->tolerance > 0 ? newton->problem->tolerance : FIT_TOLERANCE;
    if (square->gradient <= tolerance) {
        square->state = ARRIVED;
        return 0;
    }
    choose_direction(square, newton, scratch);
    if (!(square->slope < 0)) { /* rounding spoilt the memory: the preconditioner alone */
        square->n_pairs = 0;
        choose_direction(square, newton, scratch);
    }
    place_trial(square, n);
    return 0;
}

/* ---- the whole fit ---- */

static void list_running(Newton *newton)
{
    newton->n_running = 0;
    for (size_t s = 0; s < newton->problem->n_squares; s++) {
        if (newton->squares[s].state == RUNNING) {
            newton->running[newton->n_running++] = (uint16_t)s;
        }
    }
}

static void newton_release(Newton *newton)
{
    mem_free(newton->inverse);
    mem_free(newton->squares);
    mem_free(newton->vectors);
    mem_free(newton->running);
    mem_free(newton->panel);
    mem_free(newton->partial);
    mem_free(newton->loss);
    mem_free(newton->block_rows);
    mem_free(newton->block_scores);
    mem_free(newton->q);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int newton_init(Newton *newton, const Design *design, size_t n_workers)
{
    const FitProblem *problem = design->problem;
    size_t S = problem->n_squares, K = problem->n_classes, rows = problem->width + 1;
    size_t length = rows * K, per_square = (4 + 2 * MEMORY) * length;
    size_t partial = design->n_blocks * rows * larger(rows, S * K);
    *newton = (Newton){.design = design, .problem = problem, .rows = rows, .K = K};
    newton->length = length;
    newton->inverse = mem_alloc(rows * rows, sizeof(float), "preconditioner");
    newton->squares = mem_calloc(S, sizeof(Square), "squares of a fit");
    newton->vectors = mem_calloc(S * per_square, sizeof(float), "solver memory");
    newton->running = mem_alloc(S, sizeof(uint16_t), "squares of a fit");
    newton->panel = mem_alloc(rows, S * K * sizeof(float), "trial points");
    newton->partial = mem_alloc(partial, sizeof(float), "partial gradients");
    newton->loss = mem_alloc(design->n_blocks * S, sizeof(double), "partial losses");
    newton->block_rows = mem_alloc(n_workers * design->block_rows * rows, sizeof(float), "rows");
    newton->block_scores =
        mem_alloc(n_workers * design->block_rows * S * K, sizeof(float), "scores");
    newton->q = mem_alloc(n_workers * 2 * length, sizeof(float), "solver scratch");
    if (!newton->inverse || !newton->squares || !newton->vectors || !newton->running ||
        !newton->panel || !newton->partial || !newton->loss || !newton->block_rows ||
        !newton->block_scores || !newton->q) {
        newton_release(newton);
        return OGPT_ENOMEM;
    }
    for (size_t s = 0; s < S; s++) {
        float *v = newton->vectors + s * per_square;
        newton->squares[s] = (Square){.w = v,
                                      .g = v + length,
                                      .direction = v + 2 * length,
                                      .trial = v + 3 * length,
                                      .s = v + 4 * length,
                                      .y = v + (4 + MEMORY) * length};
    }
    return 0;
}

int solve__newton(float *w, FitReport *report, const Design *design, Pool *pool)
{
    size_t S = design->problem->n_squares;
    Newton newton;
    int rc = newton_init(&newton, design, pool ? pool_size(pool) : 1);
    if (rc) {
        return rc;
    }
    for (size_t s = 0; s < S; s++) {
        memcpy(newton.squares[s].trial, w + s * newton.length, newton.length * sizeof(float));
    }
    rc = make_preconditioner(&newton, pool);
    list_running(&newton);
    while (rc == 0 && newton.n_running > 0 && report->rounds < MAX_ROUNDS) {
        report->rounds++;
        fill_panel(&newton);
        rc = pool_run(pool, design->n_blocks, evaluate_block, &newton);
        rc = rc ? rc : pool_run(pool, newton.n_running, advance_square, &newton);
        list_running(&newton);
    }
    report->gradient = 0;
    for (size_t s = 0; s < S && rc == 0; s++) {
        const Square *square = &newton.squares[s];
        memcpy(w + s * newton.length, square->w, newton.length * sizeof(float));
        report->objective += square->f;
        report->gradient = fmax(report->gradient, square->gradient);
        report->n_unconverged += square->state != ARRIVED;
    }
    newton_release(&newton);
    return rc;
}

size_t solve__newton_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                           size_t n_workers)
{
    size_t rows = width + 1, columns = n_squares * n_classes, block = design__block_rows(n);
    size_t n_blocks = (n + block - 1) / block;
    size_t vectors = (5 + 2 * MEMORY) * rows * columns;
    size_t partial = n_blocks * rows * larger(rows, columns);
    size_t workers = n_workers * (block * (rows + columns) + 2 * rows * n_classes);
    return (3 * rows * rows + vectors + partial + workers) * sizeof(float);
}
