/* probes/basis/basis_toy.c - see probes/basis/basis_toy.h. */
#include "probes/basis/basis_toy.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "probes/basis/basis_angles.h"
#include "probes/solvers/solve_descent.h"

enum { TOY_NODES = 64, TOY_CELLS_A_STEP = 20, TOY_ROUNDS = 400 };

/* ---- the grid ---- */

/* Nodes and weights of Gauss and Legendre on [0,1]: roots of P_n by Newton's method (Abramowitz &
 * Stegun 1964, 25.4.29). */
static void legendre(double *node, double *weight, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double z = cos(acos(-1.0) * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;
        for (int step = 0; step < 100; step++) {
            double p = 1, before = 0;
            for (size_t k = 0; k < n; k++) {
                double next = ((2 * (double)k + 1) * z * p - (double)k * before) / ((double)k + 1);
                before = p;
                p = next;
            }
            slope = (double)n * (z * p - before) / (z * z - 1);
            z -= p / slope;
            if (fabs(p / slope) < 1e-15) {
                break;
            }
        }
        node[i] = 0.5 * (1 - z);
        weight[i] = 1 / ((1 - z * z) * slope * slope);
    }
}

int toy_grid_make(ToyGrid *out, size_t features, double p, size_t nodes)
{
    double node[TOY_NODES + 1] = {0}, weight[TOY_NODES + 1] = {1 - p};
    *out = (ToyGrid){.n = 1, .features = features};
    legendre(node + 1, weight + 1, nodes);
    for (size_t i = 1; i <= nodes; i++) {
        weight[i] *= p;
    }
    for (size_t f = 0; f < features; f++) {
        out->n *= nodes + 1;
    }
    out->x = mem_alloc(out->n * features, sizeof(double), "a grid of features");
    out->weight = mem_alloc(out->n, sizeof(double), "a grid of features");
    if (!out->x || !out->weight) {
        toy_grid_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < out->n; i++) {
        size_t left = i;
        out->weight[i] = 1;
        for (size_t f = 0; f < features; f++, left /= nodes + 1) {
            out->x[i * features + f] = node[left % (nodes + 1)];
            out->weight[i] *= weight[left % (nodes + 1)];
        }
    }
    return 0;
}

void toy_grid_release(ToyGrid *grid)
{
    mem_free(grid->x);
    mem_free(grid->weight);
    *grid = (ToyGrid){0};
}

/* ---- the loss ---- */

double toy_loss(double *gradient, const ToyShape *shape, const ToyGrid *grid, const double *w)
{
    size_t n = shape->features, m = shape->dims;
    const double *bias = w + m * n;
    double loss = 0;
    if (gradient) {
        memset(gradient, 0, toy_numbers(shape) * sizeof(*gradient));
    }
    for (size_t k = 0; k < grid->n; k++) {
        const double *x = grid->x + k * n;
        double hidden[TOY_FEATURES] = {0}, back[TOY_FEATURES] = {0}, slope[TOY_FEATURES];
        for (size_t j = 0; j < m; j++) {
            for (size_t i = 0; i < n; i++) {
                hidden[j] += w[j * n + i] * x[i];
            }
        }
        for (size_t i = 0; i < n; i++) {
            double before = bias[i];
            for (size_t j = 0; j < m; j++) {
                before += w[j * n + i] * hidden[j];
            }
            double error = fmax(before, 0) - x[i];
            loss += grid->weight[k] * shape->importance[i] * error * error;
            slope[i] = before > 0 ? 2 * grid->weight[k] * shape->importance[i] * error : 0;
            for (size_t j = 0; j < m; j++) {
                back[j] += w[j * n + i] * slope[i];
            }
        }
        for (size_t i = 0; i < n && gradient; i++) {
            gradient[m * n + i] += slope[i];
            for (size_t j = 0; j < m; j++) {
                gradient[j * n + i] += hidden[j] * slope[i] + back[j] * x[i];
            }
        }
    }
    return loss;
}

/* ---- closed forms ---- */

const char *toy_phase_name(ToyPhase phase)
{
    static const char *const names[N_TOY_PHASES] = {"first", "second", "both", "other"};
    return names[phase];
}

void toy_closed(double loss[3], double p, double r)
{
    loss[TOY_FIRST] = r * (p / 3 - p * p / 4);
    loss[TOY_SECOND] = p / 3 - p * p / 4;
    loss[TOY_BOTH] = p * p * (1 + r) / 6;
}

ToyPhase toy_phase_of(const double *w)
{
    double a = fabs(w[0]), b = fabs(w[1]);
    if (fmin(a, b) > 0.5 * fmax(a, b)) {
        return w[0] * w[1] < 0 ? TOY_BOTH : TOY_OTHER;
    }
    return a > b ? TOY_FIRST : TOY_SECOND;
}

/* ---- fits ---- */

typedef struct ToySearch {
    const ToyShape *shape;
    ToyGrid grid;
} ToySearch;

static int evaluate(void *context, double *f, double *gradient, const double *w)
{
    const ToySearch *search = context;
    *f = toy_loss(gradient, search->shape, &search->grid, w);
    return 0;
}

/* Nodes of a feature, in the fit and where its result is judged. */
static size_t nodes_of(const ToyShape *shape, bool judged)
{
    static const size_t nodes[2][TOY_FEATURES + 1] = {{1, 24, 24, 9, 6, 4}, {1, 64, 64, 16, 9, 6}};
    return nodes[judged][shape->features];
}

static void describe(ToyFit *out, const ToyShape *shape)
{
    size_t n = shape->features, m = shape->dims;
    double rows[TOY_FEATURES * TOY_FEATURES], length[TOY_FEATURES], longest = 0;
    for (size_t i = 0; i < n; i++) {
        double square = 0;
        for (size_t j = 0; j < m; j++) {
            rows[i * m + j] = out->w[j * n + i];
            square += rows[i * m + j] * rows[i * m + j];
        }
        length[i] = sqrt(square);
        longest = fmax(longest, length[i]);
    }
    basis_dimensions(out->dimensions, rows, n, m);
    out->kept = 0;
    out->largest = 0;
    for (size_t i = 0; i < n; i++) {
        out->is_kept[i] = length[i] > 0.5 * longest;
        out->kept += out->is_kept[i];
        for (size_t k = 0; k < i; k++) {
            double dot = 0;
            for (size_t j = 0; j < m; j++) {
                dot += rows[i * m + j] * rows[k * m + j];
            }
            bool both = out->is_kept[i] && out->is_kept[k];
            out->largest =
                both ? fmax(out->largest, fabs(dot) / (length[i] * length[k])) : out->largest;
        }
    }
}

int toy_fit(ToyFit *out, const ToyShape *shape, size_t starts, const Work *work)
{
    ToySearch search = {.shape = shape};
    size_t numbers = toy_numbers(shape);
    int rc = toy_grid_make(&search.grid, shape->features, shape->p, nodes_of(shape, false));
    *out = (ToyFit){.loss = INFINITY};
    for (size_t start = 0; start < starts && rc == 0; start++) {
        double w[TOY_FEATURES * TOY_FEATURES + TOY_FEATURES] = {0};
        const Descent descent = {.context = &search,
                                 .n = numbers,
                                 .evaluate = evaluate,
                                 .tolerance = 1e-12,
                                 .rounds = TOY_ROUNDS};
        DescentReport report;
        Rng rng = rng_at(work->seed, RNG_BASIS, UINT64_C(2) << 32 | start);
        for (size_t i = 0; i < shape->dims * shape->features; i++) {
            w[i] = rng_normal(&rng);
        }
        rc = solve_descent(w, &report, &descent);
        if (rc == 0 && report.f < out->loss) {
            out->loss = report.f;
            out->rounds = report.rounds;
            memcpy(out->w, w, sizeof(w));
        }
    }
    toy_grid_release(&search.grid);
    rc = rc ? rc : toy_grid_make(&search.grid, shape->features, shape->p, nodes_of(shape, true));
    if (rc == 0) {
        out->loss = toy_loss(NULL, shape, &search.grid, out->w);
        describe(out, shape);
    }
    toy_grid_release(&search.grid);
    return rc;
}

int toy_series(ToyRow rows[TOY_SERIES], size_t features, size_t dims, size_t starts,
               const Work *work)
{
    static const double chances[TOY_SERIES] = {1, 0.5, 0.3, 0.1, 0.03, 0.01};
    int rc = 0;
    for (size_t i = 0; i < TOY_SERIES && rc == 0; i++) {
        rows[i].shape = (ToyShape){
            .features = features, .dims = dims, .p = chances[i], .importance = {1, 1, 1, 1, 1}};
        rc = toy_fit(&rows[i].fit, &rows[i].shape, starts, work);
    }
    return rc;
}

/* ---- the diagram ---- */

typedef struct Drawn {
    ToyCell *cells;
    size_t n, starts, first;
    const Work *work;
} Drawn;

static int cell_job(void *context, size_t job, size_t worker)
{
    const Drawn *drawn = context;
    size_t at = drawn->first + job, last = drawn->n - 1;
    ToyCell *cell = &drawn->cells[at];
    cell->p = pow(10, -2 + 2 * (double)(at / drawn->n) / (double)last);
    cell->r = pow(10, -1 + 2 * (double)(at % drawn->n) / (double)last);
    ToyShape shape = {.features = 2, .dims = 1, .p = cell->p, .importance = {1, cell->r}};
    int rc = toy_fit(&cell->fit, &shape, drawn->starts, drawn->work);
    toy_closed(cell->closed, cell->p, cell->r);
    cell->best = TOY_FIRST;
    for (int phase = 1; phase < 3; phase++) {
        cell->best = cell->closed[phase] < cell->closed[cell->best] ? (ToyPhase)phase : cell->best;
    }
    cell->margin = INFINITY;
    for (int phase = 0; phase < 3; phase++) {
        if (phase != (int)cell->best) {
            cell->margin = fmin(cell->margin, cell->closed[phase] / cell->closed[cell->best] - 1);
        }
    }
    cell->found = toy_phase_of(cell->fit.w);
    return rc;
}

int toy_diagram(ToyCell **out, size_t n, size_t starts, const Work *work)
{
    Drawn drawn = {.n = n, .starts = starts, .work = work};
    int rc = 0;
    *out = drawn.cells = mem_calloc(n * n, sizeof(**out), "cells of a phase diagram");
    if (!*out) {
        return OGPT_ENOMEM;
    }
    for (; drawn.first < n * n && rc == 0; drawn.first += TOY_CELLS_A_STEP) {
        size_t left = n * n - drawn.first;
        rc = interrupt_pending()
                 ? err_set(OGPT_EINTR, "interrupted after %zu of %zu cells", drawn.first, n * n)
                 : pool_run(work->pool, left < TOY_CELLS_A_STEP ? left : TOY_CELLS_A_STEP, cell_job,
                            &drawn);
        work_tick(work, "cells", (double)(drawn.first + TOY_CELLS_A_STEP), (double)(n * n));
    }
    return rc;
}
