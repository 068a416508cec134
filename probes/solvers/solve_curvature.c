/* probes/solvers/solve_curvature.c - the exact Hessian of every problem of a fit, inverted. See
 * probes/solvers/internal.h.
 *
 * Q (classes, n_bases) is a basis over the classes with examples: orthonormal directions, each of
 * which adds up to zero (Helmert's). Vector v (rows, classes) becomes v Q (n_bases, rows), one
 * block of rows a basis direction; block (a, b) of the Hessian is
 *   (1/n) sum_i omega_i,ab u_i u_i^T,   omega_ab = sum_k Q_ka Q_kb p_k - (Q_a . p)(Q_b . p)
 * One job is one problem, so the number of threads changes nothing.
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/softmax.h"
#include "num/matrices/spd.h"
#include "probes/solvers/internal.h"

#define CHUNK 512 /* rows at a time */

/* Added to the curvature of the unpenalised biases, which is zero where the rows hold one class
 * only. */
#define BIAS_RIDGE 1e-6

struct Curvature {
    const Design *design;
    Shape shape;
    size_t most;    /* bases of a problem at most */
    bool shared;    /* one block stands for all bases */
    size_t *n;      /* (shape.n) rows of each inverse; 0: nothing to fit */
    float *basis;   /* (shape.n, classes, most) */
    float *inverse; /* (shape.n, largest, largest), largest = rows * (shared ? 1 : most) */
    size_t largest;
    const float *w;
    /* Scratch of each worker: u and weighted u (CHUNK, rows), scores (CHUNK, classes), block
     * (rows, rows), and the matrix in double. */
    float *scratch;
    double *matrix;
    size_t scratch_floats;
};

static size_t bases_of(const Shape *shape)
{
    return shape->classes > 1 ? shape->classes - 1 : 1;
}

/* Helmert's basis over the present classes: direction a compares the first a+1 of them with the
 * next. Returns the number of directions. */
static size_t make_basis(float *basis, const Curvature *curvature, size_t p)
{
    size_t K = curvature->shape.classes, most = curvature->most, n_present = 0;
    size_t present[FIT_MAX_CLASSES];
    memset(basis, 0, K * most * sizeof(float));
    for (size_t k = 0; k < K; k++) {
        if (shape__present(curvature->design, p, k)) {
            present[n_present++] = k;
        }
    }
    if (K == 1) {
        basis[0] = 1;
        return n_present;
    }
    for (size_t a = 0; a + 1 < n_present; a++) {
        double norm = sqrt((double)((a + 1) * (a + 2)));
        for (size_t j = 0; j <= a; j++) {
            basis[present[j] * most + a] = (float)(1 / norm);
        }
        basis[present[a + 1] * most + a] = (float)(-(double)(a + 1) / norm);
    }
    return n_present > 0 ? n_present - 1 : 0;
}

/* p (n, K) from scores. Absent classes get exactly 0. */
static void probabilities(float *z, const Curvature *curvature, size_t p, size_t n)
{
    size_t K = curvature->shape.classes;
    if (K == 1) {
        for (size_t i = 0; i < n; i++) {
            z[i] = 1.0f / (1.0f + expf(-z[i]));
        }
        return;
    }
    for (size_t k = 0; k < K; k++) {
        if (!shape__present(curvature->design, p, k)) {
            for (size_t i = 0; i < n; i++) {
                z[i * K + k] = -1e30f;
            }
        }
    }
    softmax_probability(z, n, 1, K);
}

static float weight_of(const float *p, const float *basis, size_t K, size_t most, size_t a,
                       size_t b)
{
    float both = 0, mean_a = 0, mean_b = 0;
    if (K == 1) {
        return p[0] * (1 - p[0]);
    }
    for (size_t k = 0; k < K; k++) {
        float qa = basis[k * most + a], qb = basis[k * most + b];
        both += qa * qb * p[k];
        mean_a += qa * p[k];
        mean_b += qb * p[k];
    }
    return both - mean_a * mean_b;
}

/* The Hessian of one problem, to which its rows are added in chunks. */
typedef struct Hessian {
    size_t p;       /* problem */
    double *matrix; /* (n, n) */
    size_t n, n_bases;
    float *u, *weighted; /* (CHUNK, rows) */
    float *z;            /* (CHUNK, classes) probabilities */
    float *block;        /* (rows, rows) */
} Hessian;

/* Add a chunk to matrix block (a, b). If the classes share one block, it is the mean of the blocks
 * (a, a). */
static void add_block(const Hessian *hessian, const Curvature *curvature, size_t chunk, size_t a,
                      size_t b)
{
    const Shape *shape = &curvature->shape;
    const float *u = hessian->u, *z = hessian->z;
    float *weighted = hessian->weighted, *block = hessian->block;
    const float *basis = curvature->basis + hessian->p * shape->classes * curvature->most;
    size_t n = hessian->n, n_bases = hessian->n_bases;
    size_t rows = shape->rows, K = shape->classes;
    for (size_t i = 0; i < chunk; i++) {
        float omega = 0;
        if (curvature->shared) {
            for (size_t c = 0; c < n_bases; c++) {
                omega += weight_of(z + i * K, basis, K, curvature->most, c, c) / (float)n_bases;
            }
        } else {
            omega = weight_of(z + i * K, basis, K, curvature->most, a, b);
        }
        for (size_t r = 0; r < rows; r++) {
            weighted[i * rows + r] = omega * u[i * rows + r];
        }
    }
    gemm(true, false, rows, rows, chunk, 1.0f / (float)curvature->design->problem->n, u, rows,
         weighted, rows, 0.0f, block, rows);
    for (size_t r = 0; r < rows; r++) {
        double *out = hessian->matrix + (a * rows + r) * n + b * rows;
        for (size_t c = 0; c < rows; c++) {
            out[c] += (double)block[r * rows + c];
        }
    }
}

static int invert_problem(void *context, size_t p, size_t worker)
{
    Curvature *curvature = context;
    const FitProblem *problem = curvature->design->problem;
    const Shape *shape = &curvature->shape;
    size_t rows = shape->rows, K = shape->classes;
    float *base = curvature->scratch + worker * curvature->scratch_floats;
    double *matrix = curvature->matrix + worker * curvature->largest * curvature->largest;
    size_t n_bases = make_basis(curvature->basis + p * K * curvature->most, curvature, p);
    size_t n_blocks = curvature->shared && n_bases > 0 ? 1 : n_bases, n = rows * n_blocks;
    int stop = design__stop(curvature->design);
    if (stop) {
        return stop;
    }
    const Hessian hessian = {.p = p,
                             .matrix = matrix,
                             .n = n,
                             .n_bases = n_bases,
                             .u = base,
                             .weighted = base + CHUNK * rows,
                             .z = base + 2 * CHUNK * rows,
                             .block = base + 2 * CHUNK * rows + CHUNK * K};
    curvature->n[p] = n;
    memset(matrix, 0, n * n * sizeof(double));
    for (size_t first = 0; first < problem->n && n > 0; first += CHUNK) {
        size_t chunk = problem->n - first < CHUNK ? problem->n - first : CHUNK;
        stop = design__rows(hessian.u, curvature->design, first, chunk);
        if (stop) {
            return stop;
        }
        gemm(false, false, chunk, K, rows, 1.0f, hessian.u, rows, curvature->w + p * shape->length,
             K, 0.0f, hessian.z, K);
        probabilities(hessian.z, curvature, p, chunk);
        for (size_t a = 0; a < n_blocks; a++) {
            for (size_t b = 0; b <= a; b++) {
                add_block(&hessian, curvature, chunk, a, b);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        double penalty = shape__penalty(problem, i % rows);
        matrix[i * n + i] += penalty > 0 ? penalty : BIAS_RIDGE;
    }
    int rc = spd_invert(matrix, n);
    float *inverse = curvature->inverse + p * curvature->largest * curvature->largest;
    for (size_t i = 0; i < n * n && rc == 0; i++) {
        inverse[i] = (float)matrix[i];
    }
    return rc;
}

int curvature__new(Curvature **out, const Design *rows, const float *w, const Work *work)
{
    Curvature *made = mem_calloc(1, sizeof(*made), "curvature");
    *out = NULL;
    if (!made) {
        return OGPT_ENOMEM;
    }
    Shape shape = shape__of(rows->problem);
    size_t n_workers = work_workers(work);
    made->design = rows;
    made->shape = shape;
    made->w = w;
    made->most = bases_of(&shape);
    made->shared = shape.rows * made->most > CURVATURE_MAX_ROWS;
    made->largest = shape.rows * (made->shared ? 1 : made->most);
    made->scratch_floats = 2 * CHUNK * shape.rows + CHUNK * shape.classes + shape.rows * shape.rows;
    made->n = mem_calloc(shape.n, sizeof(size_t), "curvature");
    made->basis = mem_alloc(shape.n * shape.classes, made->most * sizeof(float), "class bases");
    made->inverse =
        mem_alloc(shape.n * made->largest, made->largest * sizeof(float), "inverse Hessians");
    made->scratch = mem_alloc(n_workers * made->scratch_floats, sizeof(float), "curvature");
    made->matrix =
        mem_alloc(n_workers * made->largest, made->largest * sizeof(double), "curvature");
    bool whole = made->n && made->basis && made->inverse && made->scratch && made->matrix;
    int rc = whole ? pool_run(work->pool, shape.n, invert_problem, made) : OGPT_ENOMEM;
    mem_free(made->scratch);
    mem_free(made->matrix);
    made->scratch = NULL;
    made->matrix = NULL;
    made->w = NULL;
    if (rc) {
        curvature__free(made);
        return rc;
    }
    *out = made;
    return 0;
}

void curvature__free(Curvature *curvature)
{
    if (curvature) {
        mem_free(curvature->n);
        mem_free(curvature->basis);
        mem_free(curvature->inverse);
        mem_free(curvature->scratch);
        mem_free(curvature->matrix);
        mem_free(curvature);
    }
}

void curvature__apply(float *out, const Curvature *curvature, size_t p, double scale,
                      const float *v)
{
    const Shape *shape = &curvature->shape;
    size_t rows = shape->rows, K = shape->classes, most = curvature->most, n = curvature->n[p];
    const float *basis = curvature->basis + p * K * most;
    const float *inverse = curvature->inverse + p * curvature->largest * curvature->largest;
    float turned[CURVATURE_MAX_ROWS], image[CURVATURE_MAX_ROWS] = {0};
    if (curvature->shared) {
        gemm(false, false, rows, K, n, (float)scale, inverse, n, v, K, 0.0f, out, K);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        turned[i] = 0;
        for (size_t k = 0; k < K; k++) {
            turned[i] += (float)scale * basis[k * most + i / rows] * v[i % rows * K + k];
        }
    }
    for (size_t i = 0; i < n; i++) {
        const float *line = inverse + i * n; /* symmetric: a row is a column */
        for (size_t j = 0; j < n; j++) {
            image[j] += turned[i] * line[j];
        }
    }
    memset(out, 0, shape->length * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < K; k++) {
            out[i % rows * K + k] += basis[k * most + i / rows] * image[i];
        }
    }
}

size_t curvature__bytes(size_t width, size_t n_squares, size_t n_classes, size_t n_workers)
{
    FitProblem problem = {.width = width, .n_squares = n_squares, .n_classes = n_classes};
    Shape shape = shape__of(&problem);
    size_t most = bases_of(&shape);
    size_t largest = shape.rows * (shape.rows * most > CURVATURE_MAX_ROWS ? 1 : most);
    size_t scratch = 2 * CHUNK * shape.rows + CHUNK * shape.classes + shape.rows * shape.rows;
    return shape.n * (largest * largest + shape.classes * most) * sizeof(float) +
           n_workers * (scratch * sizeof(float) + largest * largest * sizeof(double));
}
