/* num/optimisers/optim.c - AdamW, Muon and learning-rate schedules; mathematics in
 * num/optimisers/optim.h. */
#include "num/optimisers/optim.h"

#include <math.h>
#include <string.h>

#include "num/blas.h"
#include "num/gemm_bf16.h"

void adamw_step(float *w, float *m, float *v, const float *g, size_t n, float gradient_scale,
                const AdamWStep *s)
{
    float c1 = (float)(1 / (1 - pow((double)s->beta1, (double)s->step)));
    float c2 = (float)(1 / (1 - pow((double)s->beta2, (double)s->step)));
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * gradient_scale;
        m[i] = s->beta1 * m[i] + (1 - s->beta1) * gi;
        v[i] = s->beta2 * v[i] + (1 - s->beta2) * gi * gi;
        float update = m[i] * c1 / (sqrtf(v[i] * c2) + s->eps) + s->weight_decay * w[i];
        w[i] -= s->lr * update;
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t round_up_16(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* Bytes that the largest of the three bfloat16 products needs. */
static size_t product_bytes(size_t rows, size_t cols)
{
    size_t d = smaller(rows, cols), n = rows + cols - d;
    size_t gram = gemm_bf16_scratch(d, d, n), apply = gemm_bf16_scratch(rows, cols, d);
    return gram > apply ? gram : apply;
}

/* Room for X and its successor, A = X X^T and its square, and the scratch of one product. */
size_t muon_scratch(size_t rows, size_t cols)
{
    size_t d = smaller(rows, cols);
    return 2 * round_up_16(rows * cols) + 2 * round_up_16(d * d) +
           round_up_16(product_bytes(rows, cols) / sizeof(float) + 1);
}

typedef struct Product {
    bool bf16;
    void *scratch;
} Product;

/* c (M,M) = op(a) . op(b), symmetric, all without gaps between rows. */
static void multiply_symmetric(const Product *product, bool ta, bool tb, size_t M, size_t K,
                               const float *a, const float *b, float *c)
{
    if (product->bf16) {
        gemm_bf16_symmetric(ta, tb, M, K, a, b, c, product->scratch);
    } else {
        gemm(ta, tb, M, M, K, 1, a, ta ? M : K, b, tb ? K : M, 0, c, M);
    }
}

/* c (M,N) = op(a) . op(b). */
static void multiply(const Product *product, bool ta, bool tb, size_t M, size_t N, size_t K,
                     const float *a, const float *b, float *c)
{
    size_t lda = ta ? M : K, ldb = tb ? K : N;
    if (product->bf16) {
        gemm_bf16_fast(ta, tb, M, N, K, a, lda, b, ldb, NULL, NULL, c, N, product->scratch);
    } else {
        gemm(ta, tb, M, N, K, 1, a, lda, b, ldb, 0, c, N);
    }
}

/* into = x * into + y * other */
static void mix(float *into, float x, const float *other, float y, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        into[i] = x * into[i] + y * other[i];
    }
}

/* In a fixed number of partial sums, which the processor adds side by side. */
static double square_sum(const float *x, size_t n)
{
    enum { PARTS = 16 };
    double part[PARTS] = {0}, sum = 0;
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS) {
#pragma omp simd
        for (size_t j = 0; j < PARTS; j++) {
            part[j] += (double)x[i + j] * (double)x[i + j];
        }
    }
    for (; i < n; i++) {
        part[i % PARTS] += (double)x[i] * (double)x[i];
    }
    for (size_t j = 0; j < PARTS; j++) {
        sum += part[j];
    }
    return sum;
}

/* Scales X and its A = X X^T alike. The square root of A's norm is the fourth root of the sum of
 * all fourth powers of singular values: no singular value is larger, and a flat spectrum of d is
 * only the fourth root of d below it, where X's own norm would leave it the square root below. */
static void bound_singular_values(float *X, size_t n, float *A, size_t n_gram)
{
    float factor = (float)(1 / (sqrt(sqrt(square_sum(A, n_gram))) + 1e-7));
    for (size_t i = 0; i < n; i++) {
        X[i] *= factor;
    }
    for (size_t i = 0; i < n_gram; i++) {
        A[i] *= factor * factor;
    }
}

/* a, b, c of each round: the odd polynomial of fifth degree that is nearest to 1 on the interval
 * that the round before leaves; the first begins with 0.003 to 1. All but the last are taken of X /
 * 1.01: behind the interval they rise steeply, and roundings of bfloat16 lead there. */
static const float ROUNDS[][3] = {{8.3007f, -24.0375f, 17.4662f},
                                  {4.0034f, -2.9228f, 0.5419f},
                                  {3.4709f, -2.5494f, 0.5002f},
                                  {2.4901f, -1.8343f, 0.4368f}};

/* With d = min(rows, cols), A is (d,d): X X^T for wide matrices, X^T X for tall ones, so that
 * the small product is always the one that is squared. */
void newton_schulz(float *X, size_t rows, size_t cols, bool bf16, float *scratch)
{
    size_t n = rows * cols, d = smaller(rows, cols);
    bool wide = rows <= cols;
    float *next = scratch, *A = next + round_up_16(n), *P = A + round_up_16(d * d);
    Product product = {.bf16 = bf16, .scratch = P + round_up_16(d * d)};
    for (size_t round = 0; round < sizeof(ROUNDS) / sizeof(ROUNDS[0]); round++) {
        const float a = ROUNDS[round][0], b = ROUNDS[round][1], c = ROUNDS[round][2];
        multiply_symmetric(&product, !wide, wide, d, wide ? cols : rows, X, X, A);
        if (round == 0) {
            bound_singular_values(X, n, A, d * d);
        }
        multiply_symmetric(&product, false, false, d, d, A, A, P);
        mix(P, c, A, b, d * d);
        if (wide) {
            multiply(&product, false, false, rows, cols, rows, P, X, next);
        } else {
            multiply(&product, false, false, rows, cols, cols, X, P, next);
        }
        mix(X, a, next, 1, n);
    }
}

void muon_step(float *w, float *M, const float *g, size_t rows, size_t cols, float gradient_scale,
               const MuonStep *s, float *scratch)
{
    size_t n = rows * cols;
    float *U = scratch;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * gradient_scale;
        M[i] = s->momentum * M[i] + gi;
        U[i] = gi + s->momentum * M[i];
    }
    newton_schulz(U, rows, cols, s->bf16, scratch + round_up_16(n));
    float scale = cols > rows ? sqrtf((float)cols / (float)rows) : 1;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        w[i] -= s->lr * (scale * U[i] + s->weight_decay * w[i]);
    }
}

int schedule_parse(const char *name)
{
    static const char *const names[] = {"constant", "cosine", "trapezoid"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

double schedule_factor(Schedule schedule, int64_t step, int64_t steps, double warmup,
                       double cooldown)
{
    double rise = warmup * (double)steps, left = (double)(steps - step);
    double factor = 1;
    if ((double)step < rise) {
        factor = ((double)step + 1) / (rise + 1);
    }
    if (schedule == SCHEDULE_COSINE && (double)step >= rise) {
        double share = ((double)step - rise) / fmax((double)steps - rise, 1);
        factor = 0.1 + 0.45 * (1 + cos(M_PI * share));
    }
    if (schedule == SCHEDULE_TRAPEZOID && left < cooldown * (double)steps) {
        factor = fmin(factor, left / (cooldown * (double)steps));
    }
    return factor;
}
