/* tests/probes/lens/test_lens_fit.c - the fit of a tuned lens: never worse than the logit lens on
 * its rows, its objective by plain loops, its gradient by differences; maps in closed form. */
#include "tests/probes/lens/lens_fixture.h"

#include "base/err.h"
#include "probes/lens/lens_ridge.h"
#include "probes/lens/lens_ref.h"
#include "probes/solvers/solve_descent.h"

/* ---- quasi-Newton steps ---- */

/* Rosenbrock's valley: least value 0 at (1, 1). */
static int valley(void *context, double *f, double *g, const double *w)
{
    double a = 1 - w[0], b = w[1] - w[0] * w[0];
    *f = a * a + 100 * b * b;
    g[0] = -2 * a - 400 * w[0] * b;
    g[1] = 200 * b;
    (*(int *)context)++;
    return 0;
}

static void descent(void **state)
{
    double w[2] = {-1.2, 1};
    int calls = 0;
    DescentReport report;
    Descent how = {
        .context = &calls, .n = 2, .evaluate = valley, .tolerance = 1e-14, .rounds = 200};
    assert_int_equal(solve_descent(w, &report, &how), 0);
    assert_true(report.arrived && report.rounds == calls && calls < 100);
    assert_true(fabs(w[0] - 1) < 1e-5 && fabs(w[1] - 1) < 1e-5);
    /* With too few rounds it says so, and is still below its start. */
    w[0] = -1.2;
    w[1] = 1;
    how.rounds = 5;
    assert_int_equal(solve_descent(w, &report, &how), 0);
    assert_false(report.arrived);
    assert_true(report.f < 24.2 && report.f > 1e-6);
    w[0] = NAN;
    assert_int_equal(solve_descent(w, &report, &how), OGPT_ENUM);
}

/* ---- closed form ---- */

static void planted_map(void **state)
{
    enum { N = 700, C = 6, D = 3 };
    static float x[N * C], y[N * D], out[N * D];
    float truth[C * D], matrix[C * D], bias[D];
    double w[C * D], b[D];
    Rng rng = rng_at(5, RNG_TEST, 0);
    LensDesign design;
    for (size_t i = 0; i < C * D; i++) {
        truth[i] = (float)rng_normal(&rng);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t c = 0; c < C; c++) {
            x[i * C + c] = c == 4 ? 7.0f : (float)(3 + (double)(c + 1) * rng_normal(&rng));
        }
        for (size_t d = 0; d < D; d++) {
            y[i * D + d] = 2;
            for (size_t c = 0; c < C; c++) {
                y[i * D + d] += c == 4 ? 0 : x[i * C + c] * truth[c * D + d];
            }
        }
    }
    assert_int_equal(lens_design_make(&design, x, N, C, 1e-9, &usual), 0);
    assert_true(design.scale[4] == 0); /* a constant column is left out */
    assert_int_equal(lens_ridge(w, b, &design, y, D, &usual), 0);
    lens_fold(matrix, bias, &design, w, b, D);
    for (size_t i = 0; i < C * D; i++) {
        assert_true(i / D == 4 ? matrix[i] == 0 : fabsf(matrix[i] - truth[i]) < 1e-4f);
    }
    assert_int_equal(lens_map_rows(out, x, N, matrix, bias, (const size_t[]){C, D}, &usual), 0);
    for (size_t i = 0; i < N * D; i++) {
        assert_true(fabsf(out[i] - y[i]) < 1e-3f);
    }
    lens_design_release(&design);
    /* The twin: a strong penalty shrinks the map. */
    assert_int_equal(lens_design_make(&design, x, N, C, 1.0, &usual), 0);
    assert_int_equal(lens_ridge(w, b, &design, y, D, &usual), 0);
    lens_fold(matrix, bias, &design, w, b, D);
    assert_true(fabsf(matrix[0]) < 0.7f * fabsf(truth[0]));
    lens_design_release(&design);
    x[9] = INFINITY;
    assert_int_equal(lens_design_make(&design, x, N, C, 1.0, &usual), OGPT_ENUM);
}

/* ---- the translator ---- */

typedef struct FitCase {
    LensRows rows;
    LensTarget target;
    LensDesign design;
    LensBank ridge, tuned;
} FitCase;

static void open_case(FitCase *of, int place)
{
    const Gpt *gpt = fixture.model.gpt;
    of->ridge = of->tuned = lens_bank_empty(&gpt->cfg);
    assert_int_equal(lens_rows_capture(&of->rows, gpt, &train.set, &usual), 0);
    assert_int_equal(
        lens_target_make(&of->target, gpt, of->rows.x[of->rows.n_places - 1], of->rows.n, &usual),
        0);
    assert_int_equal(lens_design_make(&of->design, of->rows.x[place], of->rows.n, of->rows.d_model,
                                      LENS_RIDGE, &usual),
                     0);
    assert_int_equal(lens_bank_add(&of->ridge, place) || lens_bank_add(&of->tuned, place), 0);
}

static void close_case(FitCase *of)
{
    lens_rows_release(&of->rows);
    lens_target_release(&of->target);
    lens_design_release(&of->design);
    lens_bank_release(&of->ridge);
    lens_bank_release(&of->tuned);
}

static int fit_case(FitCase *of, LensFit *report, int place, const Work *work)
{
    const LensFitted to = {of->tuned.matrix[place], of->tuned.bias[place], of->ridge.matrix[place],
                           of->ridge.bias[place]};
    return lens_fit(&to, report, &of->target, &of->design,
                    &(LensFitOptions){.rounds = 40, .tolerance = 1e-6}, work);
}

/* Mean KL of the training rows by the plain lens. */
static double plain_kl(const FitCase *of, int place, const LensBank *bank)
{
    const Gpt *gpt = fixture.model.gpt;
    size_t C = of->rows.d_model, V = (size_t)gpt->cfg.d_vocab;
    double end[64], lens[64], sum = 0;
    for (size_t i = 0; i < of->rows.n; i++) {
        lens_ref_logits(end, gpt, of->target.x + i * C, NULL, NULL);
        lens_ref_logits(lens, gpt, of->rows.x[place] + i * C, bank ? bank->matrix[place] : NULL,
                        bank ? bank->bias[place] : NULL);
        sum += lens_ref_kl(end, lens, V);
    }
    return sum / (double)of->rows.n;
}

static void never_worse(void **state)
{
    for (int place = 0; place < 7; place++) {
        FitCase of;
        LensFit report;
        open_case(&of, place);
        assert_int_equal(fit_case(&of, &report, place, &usual), 0);
        assert_true(report.kl <= report.kl_logit);
        /* Float rows in pieces against double: 1e-5 of KLs of order 1. */
        assert_true(fabs(report.kl_logit - plain_kl(&of, place, NULL)) < 2e-5);
        assert_true(fabs(report.kl_ridge - plain_kl(&of, place, &of.ridge)) < 1e-4);
        assert_true(fabs(report.kl - plain_kl(&of, place, &of.tuned)) < 1e-4);
        if (place < 6) { /* there is something to gain, and refining gains more than ridge */
            assert_true(report.kl < 0.9 * report.kl_logit && report.kl < report.kl_ridge);
        } else { /* nothing to gain: exactly the logit lens */
            assert_true(report.kl_logit < 1e-7 && of.tuned.matrix[6][0] == 0);
        }
        close_case(&of);
    }
}

/* Where the closed-form map is worse than nothing, as at the embedding of the shipped networks, the
 * fit begins at the logit lens: here the map is that to rows of zeros. */
static void bad_ridge_is_no_start(void **state)
{
    FitCase of;
    LensFit report;
    open_case(&of, 5);
    float *zeros = calloc(of.rows.n * of.rows.d_model, sizeof(float));
    of.target.x = zeros;
    assert_int_equal(fit_case(&of, &report, 5, &usual), 0);
    assert_true(report.kl_ridge > 1.5 * report.kl_logit && !report.from_ridge);
    assert_true(report.kl <= report.kl_logit);
    const LensFitted to = {of.tuned.matrix[5], of.tuned.bias[5], of.ridge.matrix[5],
                           of.ridge.bias[5]};
    assert_int_equal(
        lens_fit(&to, &report, &of.target, &of.design, &(LensFitOptions){.rounds = 1}, &usual), 0);
    assert_true(report.kl == report.kl_logit && of.tuned.matrix[5][0] == 0);
    free(zeros);
    close_case(&of);
}

static void gradient(void **state)
{
    FitCase of;
    open_case(&of, 3);
    size_t C = of.rows.d_model, numbers = (C + 1) * C;
    double *w = calloc(3 * numbers, sizeof(double)), *g = w + numbers, *unused = g + numbers, f[3];
    Rng rng = rng_at(6, RNG_TEST, 0);
    for (size_t i = 0; i < numbers; i++) {
        w[i] = 0.05 * rng_normal(&rng);
    }
    assert_int_equal(lens_fit_evaluate(&f[0], g, &of.target, &of.design, w, &usual), 0);
    for (size_t i = 7; i < numbers; i += numbers / 9) {
        const double step = 2e-2, was = w[i];
        w[i] = was + step;
        assert_int_equal(lens_fit_evaluate(&f[1], unused, &of.target, &of.design, w, &usual), 0);
        w[i] = was - step;
        assert_int_equal(lens_fit_evaluate(&f[2], unused, &of.target, &of.design, w, &usual), 0);
        w[i] = was;
        double by_steps = (f[1] - f[2]) / (2 * step);
        /* Curvature of the third order at this step, and float sums: measured 1e-4. */
        assert_true(fabs(by_steps - g[i]) < 5e-4 + 0.02 * fabs(g[i]));
    }
    assert_true(fabs(g[7]) > 1e-4 || fabs(g[7 + numbers / 9]) > 1e-4);
    free(w);
    close_case(&of);
}

static void same_bits_of_workers(void **state)
{
    FitCase of;
    LensFit two, one;
    open_case(&of, 2);
    size_t C = of.rows.d_model;
    float *kept = malloc(C * C * sizeof(float));
    assert_int_equal(fit_case(&of, &two, 2, &usual), 0);
    memcpy(kept, of.tuned.matrix[2], C * C * sizeof(float));
    assert_int_equal(fit_case(&of, &one, 2, &(Work){.seed = 9}), 0);
    assert_memory_equal(kept, of.tuned.matrix[2], C * C * sizeof(float));
    assert_true(two.kl == one.kl && two.rounds == one.rounds);
    free(kept);
    close_case(&of);
}

/* Chunks are all of the rows once, none of them small unless the rows are few. */
static void chunks_are_not_small(void **state)
{
    static const size_t sizes[] = {1, 255, 257, 511, 513, 4000, 16383, 16385, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t n = sizes[i], chunks = lens_chunks(n), end = 0;
        assert_true(chunks >= 1 && chunks <= LENS_CHUNKS);
        for (size_t k = 0; k < chunks; k++) {
            size_t first, rows = lens_chunk(&first, n, k);
            assert_int_equal(first, end);
            assert_true(rows >= 256 || (chunks == 1 && rows == n));
            end += rows;
        }
        assert_int_equal(end, n);
    }
    assert_int_equal(lens_chunks(511), 1);
    assert_int_equal(lens_chunks(512), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_not_small),  cmocka_unit_test(descent),
        cmocka_unit_test(planted_map),           cmocka_unit_test(never_worse),
        cmocka_unit_test(bad_ridge_is_no_start), cmocka_unit_test(gradient),
        cmocka_unit_test(same_bits_of_workers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
