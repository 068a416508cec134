/* Optimisers against arithmetic done by hand, and properties that Muon must have. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/blas.h"
#include "num/optimisers/optim.h"

static void test_adamw_by_hand(void **state)
{
    (void)state;
    /* First step from zero moments: m/(1-b1) = g and v/(1-b2) = g^2, so the update is
     * g/|g| = sign(g), plus decay. */
    float w[2] = {1, -2}, m[2] = {0}, v[2] = {0};
    const float g[2] = {0.5f, -4};
    AdamWStep step = {
        .lr = 0.1f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .weight_decay = 0.5f, .step = 1};
    adamw_step(w, m, v, g, 2, 1, &step);
    /* Tolerance: a handful of float roundings on numbers of order one. */
    assert_true(fabs((double)w[0] - (1 - 0.1 * (1 + 0.5))) < 1e-6);
    assert_true(fabs((double)w[1] - (-2 - 0.1 * (-1 - 1.0))) < 1e-6);
    assert_true(fabs((double)m[0] - 0.05) < 1e-7 && fabs((double)v[1] - 0.8) < 1e-6);
    step.step = 2;
    adamw_step(w, m, v, g, 2, 0.5f, &step); /* a clipped gradient counts half */
    assert_true(fabs((double)m[0] - (0.9 * 0.05 + 0.1 * 0.25)) < 1e-7);
}

/* Gram matrix of the short side: the identity for orthogonal rows or columns. */
static double distance_from_orthogonal(const float *X, size_t rows, size_t cols)
{
    size_t d = rows < cols ? rows : cols, n = rows < cols ? cols : rows;
    double worst = 0;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) {
                double a = (double)(rows < cols ? X[i * cols + k] : X[k * cols + i]);
                double b = (double)(rows < cols ? X[j * cols + k] : X[k * cols + j]);
                sum += a * b;
            }
            worst = fmax(worst, fabs(sum - (i == j ? 1 : 0)));
        }
    }
    return worst;
}

/* Aligned as the products ask. */
static float *new_scratch(size_t rows, size_t cols)
{
    return aligned_alloc(64, muon_scratch(rows, cols) * sizeof(float));
}

static void test_newton_schulz_orthogonalises(void **state)
{
    (void)state;
    const size_t shapes[][2] = {{8, 8}, {8, 32}, {32, 8}, {17, 40}};
    for (size_t s = 0; s < 4; s++) {
        size_t rows = shapes[s][0], cols = shapes[s][1], n = rows * cols;
        float *X = calloc(n, sizeof(float));
        float *scratch = new_scratch(rows, cols);
        Rng rng = rng_at(5, RNG_TEST, s);
        for (size_t i = 0; i < n; i++) {
            X[i] = (float)rng_normal(&rng);
        }
        double before = distance_from_orthogonal(X, rows, cols);
        newton_schulz(X, rows, cols, false, scratch);
        double after = distance_from_orthogonal(X, rows, cols);
        /* Singular values end in 0.78..1.20, so those of the Gram matrix of a well-conditioned
         * input are within 1.20^2 - 1 = 0.44 of 1, and so is each of its numbers of the identity;
         * the square one has small singular values that need not have risen yet. */
        assert_true(after < (rows == cols ? 1.0 : 0.45));
        assert_true(before > 2); /* and was not before */
        free(scratch);
        free(X);
    }
}

/* A diagonal matrix stays one, and its numbers are its singular values: each ends where the header
 * says, whatever the scale of all. */
static void test_newton_schulz_spectrum(void **state)
{
    (void)state;
    enum { D = 16, SMALL = 12 }; /* the last four are smaller than what is promised */
    const float scales[] = {1, 1e-5f, 1e6f};
    float X[D * D], *scratch = new_scratch(D, D);
    for (size_t s = 0; s < 3; s++) {
        double norm = 0, start[D];
        memset(X, 0, sizeof(X));
        for (size_t i = 0; i < D; i++) {
            start[i] = i < SMALL ? pow(0.7, (double)i) : 1e-3 / (double)i;
            norm += pow(start[i], 4);
            X[i * D + i] = (float)start[i] * scales[s];
        }
        norm = pow(norm, 0.25);
        newton_schulz(X, D, D, false, scratch);
        for (size_t i = 0; i < D; i++) {
            double end = (double)X[i * D + i];
            assert_true((start[i] / norm < 0.003) == (i >= SMALL));
            if (i < SMALL) {
                assert_true(end > 0.77 && end < 1.21);
            } else {
                /* 287 times, less what the higher powers take of numbers up to 1e-4: nothing. The
                 * 1e-7 beside the norm takes a hundredth from the smallest scale. */
                assert_true(end > 283 * start[i] / norm && end < 288 * start[i] / norm);
            }
        }
        assert_true(X[1] == 0);
    }
    /* Nothing comes of nothing. */
    memset(X, 0, sizeof(X));
    newton_schulz(X, D, D, false, scratch);
    for (size_t i = 0; i < (size_t)D * D; i++) {
        assert_true(X[i] == 0);
    }
    free(scratch);
}

/* A tall matrix and its transpose get transposed updates. */
static void test_newton_schulz_transposes(void **state)
{
    (void)state;
    enum { R = 12, K = 5 };
    float X[R * K], Y[K * R], *scratch = new_scratch(R, K);
    Rng rng = rng_at(6, RNG_TEST, 0);
    for (size_t i = 0; i < R; i++) {
        for (size_t j = 0; j < K; j++) {
            X[i * K + j] = Y[j * R + i] = (float)rng_normal(&rng);
        }
    }
    newton_schulz(X, R, K, false, scratch);
    newton_schulz(Y, K, R, false, scratch);
    for (size_t i = 0; i < R; i++) {
        for (size_t j = 0; j < K; j++) {
            /* Four rounds of products of order one in float. */
            assert_true(fabs((double)(X[i * K + j] - Y[j * R + i])) < 1e-4);
        }
    }
    free(scratch);
}

/* Factors rounded to bfloat16 give the update of float32 but for roundings; the numbers
 * of neighbouring places do not. */
static void test_newton_schulz_bf16(void **state)
{
    (void)state;
    enum { R = 40, K = 130 };
    float X[R * K], Y[R * K], *scratch = new_scratch(R, K);
    double difference = 0, norm = 0, twin = 0;
    Rng rng = rng_at(7, RNG_TEST, 0);
    for (size_t i = 0; i < (size_t)R * K; i++) {
        X[i] = Y[i] = (float)rng_normal(&rng);
    }
    newton_schulz(X, R, K, false, scratch);
    newton_schulz(Y, R, K, true, scratch);
    for (size_t i = 0; i < (size_t)R * K; i++) {
        double d = (double)X[i] - (double)Y[i], other = (double)X[i] - (double)Y[(i + 1) % (R * K)];
        difference += d * d;
        twin += other * other;
        norm += (double)X[i] * (double)X[i];
    }
    /* Both end in 0.78..1.20. Where in that band, a rounding decides: the slope of the four rounds
     * together is up to 287, a factor's relative error 2^-9. So they differ by about the band's
     * half width (0.20 here), and rounded singular values leave it by little. Without a processor
     * for it the plain loops round as well. */
    assert_true(sqrt(difference / norm) < 0.3);
    assert_true(distance_from_orthogonal(Y, R, K) < 0.5);
    assert_true(difference > 0);
    assert_true(sqrt(twin / norm) > 0.5);
    free(scratch);
}

static void test_muon_descends(void **state)
{
    (void)state;
    /* min ||W - A||^2 / 2: the gradient is W - A. Steps of length lr * sqrt(rank) near the goal
     * leave a distance of that order; the start is ten times farther. */
    enum { R = 6, K = 9 };
    float W[R * K] = {0}, M[R * K] = {0}, A[R * K], g[R * K];
    float *scratch = new_scratch(R, K);
    Rng rng = rng_at(8, RNG_TEST, 0);
    double start = 0, end = 0;
    for (size_t i = 0; i < R * K; i++) {
        A[i] = (float)rng_normal(&rng);
        start += (double)A[i] * (double)A[i];
    }
    MuonStep step = {.lr = 0.02f, .momentum = 0.9f};
    for (int k = 0; k < 400; k++) {
        for (size_t i = 0; i < R * K; i++) {
            g[i] = W[i] - A[i];
        }
        muon_step(W, M, g, R, K, 1, &step, scratch);
    }
    for (size_t i = 0; i < R * K; i++) {
        double d = (double)W[i] - (double)A[i];
        end += d * d;
    }
    assert_true(sqrt(end) < 0.1 * sqrt(start));
    free(scratch);
}

static void test_schedules(void **state)
{
    (void)state;
    assert_true(schedule_factor(SCHEDULE_CONSTANT, 50, 100, 0.1, 0) == 1);
    assert_true(schedule_factor(SCHEDULE_CONSTANT, 0, 100, 0.1, 0) < 0.1);
    assert_true(fabs(schedule_factor(SCHEDULE_COSINE, 100, 100, 0, 0) - 0.1) < 1e-12);
    assert_true(fabs(schedule_factor(SCHEDULE_COSINE, 50, 100, 0, 0) - 0.55) < 1e-12);
    assert_true(schedule_factor(SCHEDULE_TRAPEZOID, 79, 100, 0, 0.2) == 1);
    assert_true(fabs(schedule_factor(SCHEDULE_TRAPEZOID, 90, 100, 0, 0.2) - 0.5) < 1e-12);
    assert_int_equal(schedule_parse("trapezoid"), SCHEDULE_TRAPEZOID);
    assert_int_equal(schedule_parse("linear"), -1);
}

static int set_up(void **state)
{
    (void)state;
    return blas_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adamw_by_hand),
        cmocka_unit_test(test_newton_schulz_orthogonalises),
        cmocka_unit_test(test_newton_schulz_spectrum),
        cmocka_unit_test(test_newton_schulz_transposes),
        cmocka_unit_test(test_newton_schulz_bf16),
        cmocka_unit_test(test_muon_descends),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
