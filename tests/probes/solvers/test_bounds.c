/* tests/probes/solvers/test_bounds.c - every solver ends: on rows outside the range of single
 * precision, at its bound of rounds, at its bound of time, and soon after a signal. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/solvers/internal.h"

enum { N = 300, WIDTH = 6, SQUARES = 3, CLASSES = 2, CELLS = SQUARES * CLASSES };

static const char *const solvers[] = {"newton", "liblinear", "adamw"};

static float x[N * WIDTH];
static uint8_t labels[N * SQUARES];

/* Rows of size `scale`; labels that follow the first columns, with noise. */
static FitProblem problem_at(double scale)
{
    Rng rng = rng_at(3, RNG_TEST, 1);
    for (size_t i = 0; i < N; i++) {
        for (size_t c = 0; c < WIDTH; c++) {
            double value = rng_normal(&rng);
            x[i * WIDTH + c] = (float)(scale * value);
            if (c < SQUARES) {
                labels[i * SQUARES + c] = value + rng_normal(&rng) > 0;
            }
        }
    }
    return (FitProblem){.x = x,
                        .labels = labels,
                        .n = N,
                        .width = WIDTH,
                        .n_squares = SQUARES,
                        .n_classes = CLASSES,
                        .l2 = 1e-3};
}

static float weight[WIDTH * CELLS], bias[CELLS];
static FitReport report;

static int fit(const char *solver, const FitProblem *problem)
{
    FitWeights weights = {.weight = weight, .bias = bias};
    return fit_probe(&weights, &report, solver, problem, WORK_ALONE);
}

static void extreme_rows_are_refused(void **state)
{
    static const double refused[] = {1e-45, 1e-38, 1e-32, 1e31, 3e37};
    static const double taken[] = {1e-28, 1, 1e28};
    for (size_t s = 0; s < sizeof(solvers) / sizeof(solvers[0]); s++) {
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
            FitProblem problem = problem_at(refused[i]);
            assert_int_equal(fit(solvers[s], &problem), OGPT_ENUM);
            assert_non_null(strstr(err_message(), "of the activations varies by"));
        }
        FitProblem problem = problem_at(1);
        x[7] = NAN;
        assert_int_equal(fit(solvers[s], &problem), OGPT_ENUM);
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) { /* negative twin */
        for (size_t s = 0; s < 2; s++) { /* the raw rows of adamw train at ordinary sizes only */
            FitProblem problem = problem_at(taken[i]);
            assert_int_equal(fit(solvers[s], &problem), 0);
            assert_true(report.objective < (s == 1 ? 2 : 1) * 3 * log(2)); /* that of coins */
            assert_true(report.n_unconverged == 0 && report.unconverged == 0);
        }
    }
}

/* Next to columns of ordinary size a denormal one is left out, like a constant. */
static void a_denormal_column_is_left_out(void **state)
{
    for (size_t s = 0; s < 2; s++) {
        FitProblem problem = problem_at(1);
        for (size_t i = 0; i < N; i++) {
            x[i * WIDTH + 4] *= 1e-40f;
        }
        assert_int_equal(fit(solvers[s], &problem), 0);
        for (size_t cell = 0; cell < CELLS; cell++) {
            assert_true(weight[4 * CELLS + cell] == 0);
            assert_true(weight[5 * CELLS + cell] != 0);
        }
    }
}

static void squares_at_the_bound_of_rounds_are_named(void **state)
{
    for (size_t s = 0; s < 2; s++) {
        FitProblem problem = problem_at(1);
        problem.tolerance = 1e-7;
        problem.rounds = 1;
        for (size_t i = 0; i < N; i++) {
            labels[i * SQUARES + 1] = 0; /* square 1 has nothing to fit */
        }
        assert_int_equal(fit(solvers[s], &problem), 0);
        assert_int_equal(report.unconverged & 5, 5);
        assert_int_equal(report.n_unconverged, report.unconverged & 2 ? 3 : 2);
        if (s == 1) {
            assert_int_equal(report.unconverged & 2, 0);
        }
        problem.tolerance = 0;
        problem.rounds = 0; /* negative twin */
        assert_int_equal(fit(solvers[s], &problem), 0);
        assert_int_equal(report.n_unconverged, 0);
    }
}

static void time_is_bounded(void **state)
{
    for (size_t s = 0; s < sizeof(solvers) / sizeof(solvers[0]); s++) {
        FitProblem problem = problem_at(1);
        problem.seconds = 1e-9;
        assert_int_equal(fit(solvers[s], &problem), OGPT_ENUM);
        assert_non_null(strstr(err_message(), "is not done after 1e-09 s"));
        problem.seconds = 0;
        assert_int_equal(fit(solvers[s], &problem), 0);
    }
}

/* A design whose standardised rows hold NaN: version 2.30 of the library goes round for ever. */
static void design_of_nan(Design *out, const FitProblem *problem)
{
    assert_int_equal(design__init(out, problem, WORK_ALONE), 0);
    out->scale[0] = INFINITY;
    out->mean[0] = out->problem->x[0] < 0 ? -1 : 1;
}

static void on_alarm(int number)
{
    interrupt_set(SIGTERM);
}

static void the_library_is_left(void **state)
{
    Design design;
    float w[SQUARES * (WIDTH + 1) * CLASSES] = {0};
    FitProblem problem = problem_at(1);
    double start = clock_seconds();
    x[0] = (float)(x[0] < 0 ? -1 : 1); /* (x - mean) * infinity = NaN in row 0 */
    design_of_nan(&design, &problem);
    report = (FitReport){0};
    assert_int_equal(solve__liblinear(w, &report, &design, WORK_ALONE), 0);
    assert_int_equal(report.n_unconverged, SQUARES); /* by the bound of rounds */
    assert_int_equal(report.unconverged, 7);

    problem.rounds = INT32_MAX;
    problem.seconds = 0.1;
    assert_int_equal(solve__liblinear(w, &report, &design, WORK_ALONE), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "on one square"));

    problem.seconds = 500; /* the whole test takes less */
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 100000}}, NULL);
    assert_int_equal(solve__liblinear(w, &report, &design, WORK_ALONE), OGPT_EINTR);
    interrupt_set(0);
    assert_true(clock_seconds() - start < 60); /* takes 0.3 s; without the watch, for ever */
    design__release(&design);
}

static int setup(void **state)
{
    return blas_init();
}

/* The rows of problem_at, as a file would give them; call number `fails` fails. */
static struct {
    size_t n, fails;
} fetched;

static int fetch_rows(const void *rows, float *out, size_t first, size_t n)
{
    const float *from = rows;
    if (++fetched.n == fetched.fails) {
        return err_set(OGPT_EIO, "the rows are gone");
    }
    memcpy(out, from + first * WIDTH, n * WIDTH * sizeof(*out));
    return 0;
}

/* Rows that are fetched give the bytes of rows in memory, and every fetch may fail. */
static void fetched_rows_give_the_same_bytes(void **state)
{
    float expected[WIDTH * CELLS], expected_bias[CELLS];
    FitProblem problem = problem_at(1);
    assert_int_equal(fit("newton", &problem), 0);
    const FitReport of_memory = report;
    memcpy(expected, weight, sizeof(weight));
    memcpy(expected_bias, bias, sizeof(bias));
    problem.x = NULL;
    problem.fetch = fetch_rows;
    problem.rows = x;
    memset(weight, 0, sizeof(weight));
    fetched.n = fetched.fails = 0;
    assert_int_equal(fit("newton", &problem), 0);
    assert_memory_equal(weight, expected, sizeof(weight));
    assert_memory_equal(bias, expected_bias, sizeof(bias));
    assert_int_equal(report.rounds, of_memory.rounds);
    const size_t n_fetches = fetched.n;
    assert_true(n_fetches > 10);
    for (size_t fails = 1; fails <= n_fetches; fails++) {
        fetched.n = 0;
        fetched.fails = fails;
        assert_int_equal(fit("newton", &problem), OGPT_EIO);
        assert_string_equal(err_message(), "the rows are gone");
    }
    for (size_t s = 1; s < sizeof(solvers) / sizeof(solvers[0]); s++) { /* the others do not ask */
        fetched.n = fetched.fails = 0;
        assert_int_equal(fit(solvers[s], &problem), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), "needs all rows in memory; use newton"));
        assert_int_equal(fetched.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extreme_rows_are_refused),
        cmocka_unit_test(a_denormal_column_is_left_out),
        cmocka_unit_test(squares_at_the_bound_of_rounds_are_named),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(the_library_is_left),
        cmocka_unit_test(fetched_rows_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
