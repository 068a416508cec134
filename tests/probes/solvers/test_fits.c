/* tests/probes/solvers/test_fits.c - the solvers on larger problems: many rows, wide rows,
 * one-vs-rest compared with the referee, the penalty chosen on validation rows, AdamW with and
 * without a hidden layer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/solvers/solver.h"
#include "tests/probes/tick_log.h"

enum { SQUARES = 4, CLASSES = 3, CELLS = SQUARES * CLASSES };

/* Rows with correlated columns; labels from a random linear rule plus noise. */
typedef struct Data {
    float *x;
    uint8_t *labels;
    size_t n, width;
} Data;

static Data data_make(size_t n, size_t width, double signal, uint64_t index)
{
    Data out = {test_malloc(n * width * sizeof(float)), test_malloc(n * SQUARES), n, width};
    float *rule = test_malloc(width * CELLS * sizeof(float));
    Rng rng = rng_at(11, RNG_TEST, 0); /* the same rule for every index */
    for (size_t i = 0; i < width * CELLS; i++) {
        rule[i] = (float)(signal * rng_normal(&rng) / sqrt((double)width));
    }
    rng = rng_at(11, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        float *row = out.x + i * width, common = (float)rng_normal(&rng);
        for (size_t c = 0; c < width; c++) {
            row[c] = (float)rng_normal(&rng) + (c % 2 ? common : 0) + (float)(c % 3);
        }
        for (size_t s = 0; s < SQUARES; s++) {
            double top = -INFINITY;
            for (size_t k = 0; k < CLASSES; k++) {
                double score = rng_normal(&rng);
                for (size_t c = 0; c < width; c++) {
                    score += (double)row[c] * (double)rule[c * CELLS + s * CLASSES + k];
                }
                if (score > top) {
                    top = score;
                    out.labels[i * SQUARES + s] = (uint8_t)k;
                }
            }
        }
    }
    test_free(rule);
    return out;
}

static void data_free(Data *data)
{
    test_free(data->x);
    test_free(data->labels);
}

static FitProblem problem_of(const Data *data)
{
    return (FitProblem){.x = data->x,
                        .labels = data->labels,
                        .n = data->n,
                        .width = data->width,
                        .n_squares = SQUARES,
                        .n_classes = CLASSES,
                        .l2 = 1e-3};
}

typedef struct Fit {
    float weight[512 * CELLS], bias[CELLS], hidden_weight[64 * 32], hidden_bias[32];
    FitReport report;
} Fit;

static uint64_t seed = 1; /* of the fits */

static void fit_with(Fit *out, const char *solver, const FitProblem *problem, size_t threads)
{
    Pool *pool = NULL;
    memset(out, 0, sizeof(*out));
    FitWeights weights = {out->weight, out->bias, out->hidden_weight, out->hidden_bias};
    assert_int_equal(pool_new(&pool, threads), 0);
    TickLog log;
    const Work heard = tick_log_work(&log, (Work){.pool = pool, .seed = seed});
    if (fit_probe(&weights, &out->report, solver, problem, &heard) != 0) {
        fail_msg("%s", err_message());
    }
    assert_int_equal(log.n > 0, strcmp(solver, "adamw") == 0); /* the others report nothing */
    assert_true(log.n == 0 || tick_log_ended(&log, "epochs", log.total));
    pool_free(pool);
}

/* Share of right cells, by plain arithmetic. */
static double accuracy_of(const Fit *fit, const Data *data, size_t n_hidden)
{
    size_t right = 0, inputs = n_hidden > 0 ? n_hidden : data->width;
    for (size_t i = 0; i < data->n; i++) {
        double h[64];
        for (size_t j = 0; j < inputs; j++) {
            h[j] = n_hidden > 0 ? (double)fit->hidden_bias[j] : (double)data->x[i * inputs + j];
            for (size_t c = 0; c < data->width && n_hidden > 0; c++) {
                h[j] += (double)data->x[i * data->width + c] *
                        (double)fit->hidden_weight[c * n_hidden + j];
            }
            h[j] = n_hidden > 0 && h[j] < 0 ? 0 : h[j];
        }
        for (size_t s = 0; s < SQUARES; s++) {
            double score[CLASSES];
            size_t best = 0;
            for (size_t k = 0; k < CLASSES; k++) {
                score[k] = (double)fit->bias[s * CLASSES + k];
                for (size_t j = 0; j < inputs; j++) {
                    score[k] += h[j] * (double)fit->weight[j * CELLS + s * CLASSES + k];
                }
                best = score[k] > score[best] ? k : best;
            }
            right += best == data->labels[i * SQUARES + s];
        }
    }
    return (double)right / (double)(data->n * SQUARES);
}

/* More rows than the subset of the first stage: the tolerance is met on all of them, in few
 * rounds, and any number of threads writes the same bytes. */
static void many_rows_arrive_in_few_rounds(void **state)
{
    static Fit one, other;
    Data data = data_make(15000, 20, 2, 1);
    FitProblem problem = problem_of(&data);
    fit_with(&one, "newton", &problem, 1);
    assert_int_equal(one.report.n_unconverged, 0);
    assert_true(one.report.gradient <= FIT_TOLERANCE);
    assert_true(one.report.rounds <= 30); /* Boehning's bound alone took over 100 */
    fit_with(&other, "newton", &problem, 3);
    assert_memory_equal(&one, &other, sizeof(one));
    data.labels[7] = (uint8_t)((data.labels[7] + 1) % CLASSES); /* negative twin */
    fit_with(&other, "newton", &problem, 3);
    assert_memory_not_equal(&one, &other, sizeof(one));
    data_free(&data);
}

/* 2 * 451 rows of a Hessian are more than CURVATURE_MAX_ROWS: the classes share one. */
static void wide_rows_arrive_too(void **state)
{
    static Fit fit;
    Data data = data_make(1500, 450, 2, 2);
    FitProblem problem = problem_of(&data);
    problem.l2 = 1e-2;
    fit_with(&fit, "newton", &problem, 2);
    assert_int_equal(fit.report.n_unconverged, 0);
    assert_true(fit.report.gradient <= FIT_TOLERANCE);
    data_free(&data);
}

/* ---- the referee ---- */

static void newton_and_liblinear_agree(void **state)
{
    FitCheck check;
    Data data = data_make(3000, 20, 2, 3);
    for (size_t i = 0; i < data.n; i++) {
        data.labels[i * SQUARES] = 1; /* neither solver fits a square of one class */
    }
    FitProblem problem = problem_of(&data);
    assert_int_equal(fit_check(&check, &problem, WORK_ALONE), 0);
    assert_true(check.newton > 0 && check.difference < 1e-4 && check.worst < 1e-4);
    assert_true(check.agreement > 0.999);
    /* Negative twin: a dense solver that stops early is caught. */
    problem.tolerance = 0.2;
    assert_int_equal(fit_check(&check, &problem, WORK_ALONE), 0);
    assert_true(check.worst > 1e-4 && check.newton > check.liblinear);
    data_free(&data);
}

/* The one-vs-rest objective of solver.h for raw weights, with a penalised bias, in double. */
static double binary_objective(const Fit *fit, const Data *data, double l2)
{
    double total = 0;
    double *mean = test_calloc(data->width, sizeof(double));
    double *deviation = test_calloc(data->width, sizeof(double));
    for (size_t c = 0; c < data->width; c++) {
        for (size_t i = 0; i < data->n; i++) {
            mean[c] += (double)data->x[i * data->width + c] / (double)data->n;
        }
        for (size_t i = 0; i < data->n; i++) {
            double d = (double)data->x[i * data->width + c] - mean[c];
            deviation[c] += d * d / (double)data->n;
        }
        deviation[c] = sqrt(deviation[c]);
    }
    for (size_t cell = 0; cell < CELLS; cell++) {
        double b = (double)fit->bias[cell], penalty = 0, loss = 0;
        for (size_t c = 0; c < data->width; c++) {
            double w = (double)fit->weight[c * CELLS + cell];
            b += w * mean[c];
            penalty += w * w * deviation[c] * deviation[c];
        }
        for (size_t i = 0; i < data->n; i++) {
            double score = (double)fit->bias[cell];
            for (size_t c = 0; c < data->width; c++) {
                score +=
                    (double)data->x[i * data->width + c] * (double)fit->weight[c * CELLS + cell];
            }
            bool is = data->labels[i * SQUARES + cell / CLASSES] == cell % CLASSES;
            loss += log1p(exp(is ? -score : score));
        }
        total += loss / (double)data->n + 0.5 * l2 * (penalty + b * b);
    }
    test_free(mean);
    test_free(deviation);
    return total;
}

/* newton reports the objective of solver.h, at a minimum also in the bias, which a solver that does
 * not penalise the bias would miss. Float scores round the sum by 1e-6 of it. */
static void one_vs_rest_penalises_the_bias(void **state)
{
    static Fit fit;
    Data data = data_make(2000, 12, 2, 4);
    FitProblem problem = problem_of(&data);
    problem.one_vs_rest = true;
    problem.l2 = 0.1;
    fit_with(&fit, "newton", &problem, 2);
    double at = binary_objective(&fit, &data, problem.l2);
    assert_true(fabs(at - fit.report.objective) < 2e-5);
    for (int side = -1; side <= 1; side += 2) {
        fit.bias[5] += 0.05f * (float)side;
        assert_true(binary_objective(&fit, &data, problem.l2) > at);
        fit.bias[5] -= 0.05f * (float)side;
    }
    problem.one_vs_rest = false; /* negative twin: the multinomial optimum differs */
    fit_with(&fit, "newton", &problem, 2);
    assert_true(binary_objective(&fit, &data, problem.l2) > at + 1e-3);
    data_free(&data);
}

/* ---- the penalty chosen on validation rows ---- */

static double chosen(size_t n_rows, double signal)
{
    static Fit fit;
    Data data = data_make(n_rows, 40, signal, 5), valid = data_make(1000, 40, signal, 6);
    FitProblem problem = problem_of(&data);
    problem.l2 = FIT_L2_AUTO;
    problem.valid_x = valid.x;
    problem.valid_labels = valid.labels;
    problem.n_valid = valid.n;
    fit_with(&fit, "newton", &problem, 2);
    data_free(&data);
    data_free(&valid);
    return fit.report.l2;
}

/* 120 noisy rows of 40 columns need a strong penalty, 6,000 clear rows a weak one. */
static void the_penalty_fits_the_data(void **state)
{
    double few = chosen(120, 1), many = chosen(6000, 8);
    assert_true(few == 1e-2);
    assert_true(many <= 1e-4);
}

static void a_choice_needs_validation_rows(void **state)
{
    static Fit fit;
    Data data = data_make(200, 12, 2, 4);
    FitProblem problem = problem_of(&data);
    FitWeights out = {fit.weight, fit.bias, fit.hidden_weight, fit.hidden_bias};
    problem.l2 = FIT_L2_AUTO;
    assert_int_equal(fit_probe(&out, &fit.report, "newton", &problem, WORK_ALONE), OGPT_EUSAGE);
    problem.l2 = 1;
    problem.n_hidden = 8;
    assert_int_equal(fit_probe(&out, &fit.report, "newton", &problem, WORK_ALONE), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "adamw"));
    data_free(&data);
}

/* ---- AdamW ---- */

/* The published recipe: no bias, and nearly the accuracy of the optimum. 24,000 rows in games of 8
 * are 24 steps an epoch. The single epoch of the recipe is meant for more rows, so sixteen are
 * made. */
static void the_published_recipe_learns(void **state)
{
    static Fit fit, other, optimum;
    Data data = data_make(24000, 20, 4, 7), test = data_make(4000, 20, 4, 8);
    uint32_t *first = test_malloc(3001 * sizeof(uint32_t));
    for (uint32_t g = 0; g <= 3000; g++) {
        first[g] = 8 * g;
    }
    FitProblem problem = problem_of(&data);
    problem.first = first;
    problem.n_games = 3000;
    fit_with(&optimum, "newton", &problem, 2);
    problem.epochs = 16;
    fit_with(&fit, "adamw", &problem, 1);
    for (size_t cell = 0; cell < CELLS; cell++) {
        assert_true(fit.bias[cell] == 0);
    }
    assert_int_equal(fit.report.rounds, 16);
    assert_true(accuracy_of(&fit, &test, 0) > accuracy_of(&optimum, &test, 0) - 0.03);
    fit_with(&other, "adamw", &problem, 3);
    assert_memory_equal(fit.weight, other.weight, sizeof(fit.weight));
    assert_true(fit.report.objective == other.report.objective);
    seed = 2; /* negative twin: another order of games and another beginning */
    fit_with(&other, "adamw", &problem, 3);
    seed = 1;
    assert_memory_not_equal(fit.weight, other.weight, sizeof(fit.weight));
    test_free(first);
    data_free(&data);
    data_free(&test);
}

/* Labels that no linear rule can read: whether two columns have the same sign. */
static Data same_sign_make(size_t n, uint64_t index)
{
    Data out = data_make(n, 12, 1, index);
    for (size_t i = 0; i < n; i++) {
        const float *row = out.x + i * 12;
        for (size_t s = 0; s < SQUARES; s++) {
            float a = row[2 * s] - (float)(2 * s % 3), b = row[(2 * s + 4) % 12];
            b -= (float)((2 * s + 4) % 12 % 3);
            out.labels[i * SQUARES + s] = (uint8_t)((a > 0) == (b > 0));
        }
    }
    return out;
}

/* Even columns have mean c % 3 and no common part, so half the signs agree: a linear rule gets
 * half the cells (0.8 points of standard deviation over 16,000), a hidden layer nearly all. */
static void a_hidden_layer_reads_what_no_line_does(void **state)
{
    static Fit fit, other;
    enum { HIDDEN = 32 };
    Data data = same_sign_make(12000, 9), test = same_sign_make(4000, 10);
    FitProblem problem = problem_of(&data);
    problem.valid_x = test.x;
    problem.valid_labels = test.labels;
    problem.n_valid = 1000;
    fit_with(&fit, "newton", &problem, 2);
    assert_true(accuracy_of(&fit, &test, 0) < 0.54);
    problem.n_hidden = HIDDEN;
    fit_with(&fit, "adamw", &problem, 1);
    assert_true(accuracy_of(&fit, &test, HIDDEN) > 0.9);
    assert_true(fit.report.rounds <= HIDDEN_EPOCHS && isnan(fit.report.l2));
    fit_with(&other, "adamw", &problem, 3);
    assert_memory_equal(fit.weight, other.weight, sizeof(fit.weight));
    assert_memory_equal(fit.hidden_weight, other.hidden_weight, sizeof(fit.hidden_weight));
    data_free(&data);
    data_free(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rows_arrive_in_few_rounds),
        cmocka_unit_test(wide_rows_arrive_too),
        cmocka_unit_test(newton_and_liblinear_agree),
        cmocka_unit_test(one_vs_rest_penalises_the_bias),
        cmocka_unit_test(the_penalty_fits_the_data),
        cmocka_unit_test(a_choice_needs_validation_rows),
        cmocka_unit_test(the_published_recipe_learns),
        cmocka_unit_test(a_hidden_layer_reads_what_no_line_does),
    };
    return blas_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
