/* tests/probes/solvers/test_solvers.c - both solvers find a planted board, stay at chance on
 * shuffled labels, reach an optimum by independent arithmetic and accept odd inputs; threads change
 * no byte. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/softmax.h"
#include "num/matrices/spd.h"
#include "probes/solvers/solver.h"

enum { WIDTH = 40, SQUARES = 9, CLASSES = 3, N_TRAIN = 4000, N_TEST = 4000 };
enum { CELLS = SQUARES * CLASSES };

/* A board, and rows into which it is written linearly with noise. */
typedef struct PlantedBoard {
    float *x;        /* (n, WIDTH) */
    uint8_t *labels; /* (n, SQUARES) */
    size_t n;
} PlantedBoard;

/* Class k of square s adds `signal` to coordinate 3s+k (27 of 40 coordinates); all coordinates
 * have unit noise, then are scaled and shifted unevenly so that standardising matters. */
static PlantedBoard planted_make(size_t n, double signal, uint64_t index)
{
    PlantedBoard out = {test_malloc(n * WIDTH * sizeof(float)), test_malloc(n * SQUARES), n};
    Rng rng = rng_at(5, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        double row[WIDTH];
        for (size_t c = 0; c < WIDTH; c++) {
            row[c] = rng_normal(&rng);
        }
        for (size_t s = 0; s < SQUARES; s++) {
            uint8_t label = (uint8_t)rng_below(&rng, CLASSES);
            out.labels[i * SQUARES + s] = label;
            row[s * CLASSES + label] += signal;
        }
        for (size_t c = 0; c < WIDTH; c++) {
            out.x[i * WIDTH + c] = (float)((1 + (double)(c % 5)) * row[c] + (double)c - 7);
        }
    }
    return out;
}

static void planted_free(PlantedBoard *planted)
{
    test_free(planted->x);
    test_free(planted->labels);
}

static FitProblem problem_of(const PlantedBoard *data, double l2)
{
    return (FitProblem){.x = data->x,
                        .labels = data->labels,
                        .n = data->n,
                        .width = WIDTH,
                        .n_squares = SQUARES,
                        .n_classes = CLASSES,
                        .l2 = l2};
}

typedef struct Fit {
    float weight[WIDTH * CELLS], bias[CELLS];
    FitReport report;
} Fit;

static void fit_with(Fit *out, const char *solver, const FitProblem *problem, size_t threads)
{
    Pool *pool = NULL;
    memset(out, 0, sizeof(*out));
    assert_int_equal(pool_new(&pool, threads), 0);
    FitWeights weights = {.weight = out->weight, .bias = out->bias};
    int rc = fit_probe(&weights, &out->report, solver, problem, &(Work){.pool = pool});
    pool_free(pool);
    if (rc) {
        fail_msg("%s", err_message());
    }
}

static double score_of(const Fit *fit, const float *x, size_t cell)
{
    double score = (double)fit->bias[cell];
    for (size_t c = 0; c < WIDTH; c++) {
        score += (double)x[c] * (double)fit->weight[c * CELLS + cell];
    }
    return score;
}

static double accuracy_of(const Fit *fit, const PlantedBoard *data)
{
    size_t right = 0;
    for (size_t i = 0; i < data->n; i++) {
        for (size_t s = 0; s < SQUARES; s++) {
            size_t best = 0;
            double score[CLASSES];
            for (size_t k = 0; k < CLASSES; k++) {
                score[k] = score_of(fit, data->x + i * WIDTH, s * CLASSES + k);
                best = score[k] > score[best] ? k : best;
            }
            right += best == data->labels[i * SQUARES + s];
        }
    }
    return (double)right / (double)(data->n * SQUARES);
}

/* Best possible accuracy for three equally likely classes, each with its own coordinate raised
 * by a: the chance that a + z0 is the largest, integral of phi(z - a) Phi(z)^2. */
static double best_accuracy(double a)
{
    double sum = 0, step = 0.001;
    for (int i = 0; i * step < a + 16; i++) {
        double z = i * step - 8;
        double phi = exp(-0.5 * (z - a) * (z - a)) / sqrt(2 * M_PI);
        double below = 0.5 * erfc(-z / sqrt(2));
        sum += phi * below * below * step;
    }
    return sum;
}

static double signal_for(double accuracy)
{
    double low = 0, high = 10;
    for (int i = 0; i < 40; i++) {
        double middle = 0.5 * (low + high);
        if (best_accuracy(middle) < accuracy) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The positive control: the best possible accuracy is 99.5 %, and the probe must come within
 * 0.5 points of it. One standard deviation of 36,000 cells is 0.04 points. */
static void planted_board_is_found(void **state)
{
    double signal = signal_for(0.995);
    PlantedBoard train = planted_make(N_TRAIN, signal, 1), test = planted_make(N_TEST, signal, 2);
    const char *solvers[] = {"newton", "liblinear"};
    for (size_t i = 0; i < 2; i++) {
        static Fit fit;
        FitProblem problem = problem_of(&train, FIT_L2);
        fit_with(&fit, solvers[i], &problem, 2);
        double accuracy = accuracy_of(&fit, &test);
        assert_true(accuracy >= 0.990 && accuracy <= 0.997);
        assert_int_equal(fit.report.n_absent, 0);
        assert_int_equal(fit.report.n_unconverged, 0);
    }
    planted_free(&train);
    planted_free(&test);
}

/* Each row takes the labels of the next row. */
static void shift_labels(PlantedBoard *data)
{
    uint8_t first[SQUARES];
    size_t rest = (data->n - 1) * SQUARES;
    memcpy(first, data->labels, SQUARES);
    memmove(data->labels, data->labels + SQUARES, rest);
    memcpy(data->labels + rest, first, SQUARES);
}

/* Labels of other rows carry nothing: chance is 1/3, with a standard deviation of 0.25 points
 * over 36,000 cells; four of them. (Test labels are shifted too: a rule fitted to noise meets
 * true labels that the rows hold with an accuracy that is random, square by square, but not
 * binomial.) Negative twin: unshifted labels, above. */
static void shuffled_labels_stay_at_chance(void **state)
{
    static Fit fit;
    double signal = signal_for(0.995);
    PlantedBoard train = planted_make(N_TRAIN, signal, 1), test = planted_make(N_TEST, signal, 2);
    shift_labels(&train);
    shift_labels(&test);
    FitProblem problem = problem_of(&train, FIT_L2);
    fit_with(&fit, "newton", &problem, 2);
    assert_true(fabs(accuracy_of(&fit, &test) - 1.0 / 3) < 0.01);
    planted_free(&train);
    planted_free(&test);
}

/* ---- the optimum by independent arithmetic in double ---- */

/* Column mean and deviation over the rows, as the header defines them. */
static void column_moments(double *mean, double *deviation, const PlantedBoard *data)
{
    for (size_t c = 0; c < WIDTH; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < data->n; i++) {
            sum += (double)data->x[i * WIDTH + c];
        }
        mean[c] = sum / (double)data->n;
        for (size_t i = 0; i < data->n; i++) {
            double d = (double)data->x[i * WIDTH + c] - mean[c];
            squares += d * d;
        }
        deviation[c] = sqrt(squares / (double)data->n);
    }
}

/* The newton objective of solver.h for raw weights. */
static double softmax_objective(const Fit *fit, const PlantedBoard *data, double l2)
{
    double mean[WIDTH], deviation[WIDTH], loss = 0, penalty = 0;
    column_moments(mean, deviation, data);
    for (size_t i = 0; i < data->n; i++) {
        for (size_t s = 0; s < SQUARES; s++) {
            double score[CLASSES], sum = 0;
            for (size_t k = 0; k < CLASSES; k++) {
                score[k] = score_of(fit, data->x + i * WIDTH, s * CLASSES + k);
                sum += exp(score[k]);
            }
            loss += log(sum) - score[data->labels[i * SQUARES + s]];
        }
    }
    for (size_t c = 0; c < WIDTH; c++) {
        for (size_t cell = 0; cell < CELLS; cell++) {
            double w = (double)fit->weight[c * CELLS + cell] * deviation[c];
            penalty += w * w;
        }
    }
    return loss / (double)data->n + 0.5 * l2 * penalty;
}

/* Norm of the gradient in standardised weights of one square, by central differences. */
static double square_gradient(Fit *fit, const PlantedBoard *data, double l2, size_t square)
{
    double mean[WIDTH], deviation[WIDTH], sum = 0;
    column_moments(mean, deviation, data);
    for (size_t k = 0; k < CLASSES; k++) {
        size_t cell = square * CLASSES + k;
        for (size_t c = 0; c <= WIDTH; c++) {
            Fit *moved = test_malloc(sizeof(Fit));
            double f[2], step[2];
            for (int side = 0; side < 2; side++) {
                *moved = *fit;
                double by = side == 0 ? -0.02 : 0.02;
                if (c == WIDTH) {
                    moved->bias[cell] += (float)by;
                    step[side] = (double)moved->bias[cell] - (double)fit->bias[cell];
                } else {
                    float *w = &moved->weight[c * CELLS + cell];
                    *w += (float)(by / deviation[c]);
                    double change = (double)*w - (double)fit->weight[c * CELLS + cell];
                    step[side] = change * deviation[c];
                    moved->bias[cell] -= (float)(change * mean[c]);
                }
                f[side] = softmax_objective(moved, data, l2);
            }
            double slope = (f[1] - f[0]) / (step[1] - step[0]);
            sum += slope * slope;
            test_free(moved);
        }
    }
    return sqrt(sum);
}

static void newton_reaches_the_stated_gradient(void **state)
{
    static Fit fit;
    PlantedBoard data = planted_make(300, 1.0, 3);
    FitProblem problem = problem_of(&data, 1e-2);
    fit_with(&fit, "newton", &problem, 2);
    assert_int_equal(fit.report.n_unconverged, 0);
    assert_true(fit.report.gradient <= FIT_TOLERANCE);
    /* Float scores sum to 1e-6 of the objective of about nine times ln 3. */
    double own = softmax_objective(&fit, &data, 1e-2);
    assert_true(fabs(own - fit.report.objective) < 2e-5);
    /* Central differences with steps of 0.02 leave third derivatives of at most 0.1 * 0.02^2 / 6
     * in each of 123 slopes (7e-5 together), in addition to the tolerance of 1e-4. */
    assert_true(square_gradient(&fit, &data, 1e-2, 4) < 3e-4);
    fit.weight[4 * CLASSES] += 0.02f; /* negative twin: change one weight of square 4 a little */
    assert_true(square_gradient(&fit, &data, 1e-2, 4) > 3e-4);
    planted_free(&data);
}

static void residual_is_the_gradient_of_the_loss(void **state)
{
    enum { N = 3, S = 5, K = 4 };
    float z[N * S * K], moved[N * S * K], base[N * S * K];
    uint8_t labels[N * S];
    uint16_t squares[S] = {0, 1, 2, 3, 4};
    Rng rng = rng_at(5, RNG_TEST, 9);
    for (size_t i = 0; i < N * S * K; i++) {
        base[i] = (float)rng_normal(&rng) * 3;
    }
    for (size_t i = 0; i < N * S; i++) {
        labels[i] = (uint8_t)rng_below(&rng, K);
    }
    memcpy(z, base, sizeof(z));
    double loss[S] = {0};
    softmax_residual(z, loss, labels, S, squares, N, S, K);
    for (size_t i = 0; i < N * S * K; i++) {
        double f[2], total;
        for (int side = 0; side < 2; side++) {
            double part[S] = {0};
            memcpy(moved, base, sizeof(moved));
            moved[i] += side ? 0.01f : -0.01f;
            softmax_residual(moved, part, labels, S, squares, N, S, K);
            total = 0;
            for (size_t s = 0; s < S; s++) {
                total += part[s];
            }
            f[side] = total;
        }
        /* Differences of float losses over 0.02: 1e-6 / 0.02, and 0.1 * 0.01^2 / 6 of curvature. */
        assert_true(fabs((f[1] - f[0]) / 0.02 - (double)z[i]) < 3e-4);
    }
    /* A score far below the largest of its cell has probability exactly 0, and all numbers stay
     * finite. */
    float far[K] = {0, -1e30f, 1, -100};
    uint8_t zero[S] = {0};
    double one[S] = {0};
    softmax_residual(far, one, zero, 1, squares, 1, 1, K);
    assert_true(far[1] == 0 && far[3] == 0 && isfinite(one[0]));
}

/* Two classes: the softmax of (w0, w1) is the logistic of w1 - w0 with half the penalty, so
 * newton at 2*l2 and liblinear at l2 solve one problem, except for liblinear's penalty on the bias.
 * That is small here: the classes are balanced and the inputs centred. */
static void solvers_agree_on_binary_problems(void **state)
{
    PlantedBoard train = planted_make(2000, 1.2, 4);
    for (size_t i = 0; i < 2000 * SQUARES; i++) {
        train.labels[i] = train.labels[i] != 0 && (train.labels[i] == 1 || i % 2);
    }
    double l2 = 1e-3;
    float *weight[2], bias[2][SQUARES * 2];
    double objective[2] = {0};
    size_t same = 0;
    for (int i = 0; i < 2; i++) {
        FitReport report;
        FitProblem problem = problem_of(&train, i == 0 ? 2 * l2 : l2);
        problem.n_classes = 2;
        weight[i] = test_malloc(WIDTH * SQUARES * 2 * sizeof(float));
        FitWeights out = {.weight = weight[i], .bias = bias[i]};
        assert_int_equal(fit_probe(&out, &report, i ? "liblinear" : "newton", &problem, WORK_ALONE),
                         0);
        objective[i] = i ? report.objective / 2 : report.objective; /* both classes of one */
    }
    assert_true(fabs(objective[0] - objective[1]) < 1e-3 * objective[0]);
    for (size_t i = 0; i < 2000; i++) {
        for (size_t s = 0; s < SQUARES; s++) {
            double margin[2];
            for (int v = 0; v < 2; v++) {
                margin[v] = (double)bias[v][2 * s + 1] - (double)bias[v][2 * s];
                for (size_t c = 0; c < WIDTH; c++) {
                    size_t at = (c * SQUARES + s) * 2;
                    margin[v] += (double)train.x[i * WIDTH + c] *
                                 ((double)weight[v][at + 1] - (double)weight[v][at]);
                }
            }
            same += (margin[0] > 0) == (margin[1] > 0);
        }
    }
    /* liblinear stops at a relative gradient of 0.01, so only cells at the boundary differ. */
    assert_true(same > 0.99 * 2000 * SQUARES);
    test_free(weight[0]);
    test_free(weight[1]);
    planted_free(&train);
}

/* ---- odd inputs ---- */

/* Square 0 always empty, square 1 never of class 2, column 3 constant, column 4 twice column 5,
 * and fewer rows than columns. */
static void odd_inputs_are_survived(void **state)
{
    const char *solvers[] = {"newton", "liblinear"};
    static const size_t sizes[] = {30, 700};
    for (size_t v = 0; v < 4; v++) {
        static Fit fit;
        PlantedBoard data = planted_make(sizes[v / 2], 2, 6);
        for (size_t i = 0; i < data.n; i++) {
            data.labels[i * SQUARES] = 0;
            data.labels[i * SQUARES + 1] &= 1;
            data.x[i * WIDTH + 3] = -4.25f;
            data.x[i * WIDTH + 4] = 2 * data.x[i * WIDTH + 5];
        }
        FitProblem problem = problem_of(&data, FIT_L2);
        fit_with(&fit, solvers[v % 2], &problem, 2);
        assert_int_equal(fit.report.n_absent, 3);
        for (size_t i = 0; i < WIDTH * CELLS; i++) {
            assert_true(isfinite(fit.weight[i]));
        }
        for (size_t cell = 0; cell < CELLS; cell++) {
            assert_true(isfinite(fit.bias[cell]));
            assert_true(fit.weight[3 * CELLS + cell] == 0); /* the constant column is left out */
        }
        double prior = log(0.5 / ((double)data.n + 1.5));
        for (size_t c = 0; c < WIDTH; c++) {
            for (size_t k = 0; k < CLASSES; k++) {
                assert_true(fit.weight[c * CELLS + k] == 0);
            }
            assert_true(fit.weight[c * CELLS + CLASSES + 2] == 0);
        }
        assert_true(fabs((double)fit.bias[1] - prior) < 1e-5);
        assert_true(fabs((double)fit.bias[CLASSES + 2] - prior) < 1e-5);
        assert_true(fit.bias[0] > fit.bias[1]);
        planted_free(&data);
    }
}

static void bad_settings_are_refused(void **state)
{
    PlantedBoard data = planted_make(50, 1, 7);
    static Fit fit;
    FitWeights out = {.weight = fit.weight, .bias = fit.bias};
    FitProblem problem = problem_of(&data, FIT_L2_AUTO); /* without validation rows */
    assert_int_equal(fit_probe(&out, &fit.report, "newton", &problem, WORK_ALONE), OGPT_EUSAGE);
    problem.l2 = 1;
    assert_int_equal(fit_probe(&out, &fit.report, "simplex", &problem, WORK_ALONE), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "simplex"));
    data.x[11] = NAN;
    assert_int_equal(fit_probe(&out, &fit.report, "newton", &problem, WORK_ALONE), OGPT_ENUM);
    planted_free(&data);
}

/* ---- threads ---- */

static void threads_change_no_byte(void **state)
{
    const char *solvers[] = {"newton", "liblinear"};
    PlantedBoard data = planted_make(1600, 1.5, 8); /* four blocks of rows */
    for (size_t v = 0; v < 2; v++) {
        static Fit one, other;
        FitProblem problem = problem_of(&data, FIT_L2);
        fit_with(&one, solvers[v], &problem, 1);
        for (size_t threads = 2; threads <= 3; threads++) {
            fit_with(&other, solvers[v], &problem, threads);
            assert_memory_equal(one.weight, other.weight, sizeof(one.weight));
            assert_memory_equal(one.bias, other.bias, sizeof(one.bias));
            assert_true(one.report.objective == other.report.objective);
        }
        data.labels[3] = (uint8_t)((data.labels[3] + 1) % CLASSES); /* negative twin */
        fit_with(&other, solvers[v], &problem, 1);
        assert_memory_not_equal(one.weight, other.weight, sizeof(one.weight));
        data.labels[3] = (uint8_t)((data.labels[3] + CLASSES - 1) % CLASSES);
    }
    planted_free(&data);
}

static void matrices_are_inverted(void **state)
{
    enum { N = 7 };
    double factor[N][N], a[N * N], inverse[N * N];
    Rng rng = rng_at(5, RNG_TEST, 12);
    for (size_t i = 0; i < N * N; i++) {
        factor[i / N][i % N] = rng_normal(&rng);
    }
    for (size_t i = 0; i < N * N; i++) {
        a[i] = i / N == i % N ? 0.5 : 0;
        for (size_t k = 0; k < N; k++) {
            a[i] += factor[i / N][k] * factor[i % N][k];
        }
    }
    memcpy(inverse, a, sizeof(a));
    assert_int_equal(spd_invert(inverse, N), 0);
    for (size_t i = 0; i < N * N; i++) {
        double sum = i / N == i % N ? -1 : 0;
        for (size_t k = 0; k < N; k++) {
            sum += a[i / N * N + k] * inverse[k * N + i % N];
        }
        assert_true(fabs(sum) < 1e-12); /* eigenvalues lie between 0.5 and about 30 */
    }
    a[3 * N + 3] = -1; /* no longer positive definite */
    assert_int_equal(spd_invert(a, N), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "pivot 3"));
}

static int setup(void **state)
{
    return blas_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_board_is_found),
        cmocka_unit_test(shuffled_labels_stay_at_chance),
        cmocka_unit_test(newton_reaches_the_stated_gradient),
        cmocka_unit_test(residual_is_the_gradient_of_the_loss),
        cmocka_unit_test(solvers_agree_on_binary_problems),
        cmocka_unit_test(odd_inputs_are_survived),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(matrices_are_inverted),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
