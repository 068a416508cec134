/* tests/probes/board/test_probe_mlp.c - probes with a hidden layer: on disk, their scores, and the
 * gradient of the loss with respect to the row, for both kinds of probe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/probes/probe_fixture.h"
#include "probes/board/probe.h"

enum { WIDTH = 24, HIDDEN = 40, SQUARES = 36, CLASSES = 3, CELLS = SQUARES * CLASSES, ROWS = 1000 };

static ProbeFixture fixture;

static void fill(float *out, size_t n, uint64_t index, double scale)
{
    Rng rng = rng_at(3, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(scale * rng_normal(&rng));
    }
}

/* One layer with random weights; n_hidden 0 makes it linear. */
static void probe_make(Probe *out, int n_hidden)
{
    *out = (Probe){.site = HOOK_RESID_POST,
                   .size = 6,
                   .n_squares = SQUARES,
                   .d_model = WIDTH,
                   .n_hidden = n_hidden,
                   .n_classes = CLASSES,
                   .n_layers = 1,
                   .layers = {1},
                   .l2 = 0.1,
                   .fitted = {true},
                   .task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .solver = "adamw",
                   .labels = "mover"};
    memcpy(out->model_hash, fixture.model.model_hash, HASH_HEX_SIZE);
    snprintf(out->corpus_hash, sizeof(out->corpus_hash), "fresh:6:1");
    assert_int_equal(probe_allocate(out), 0);
    fill(out->weight[0], probe_inputs(out) * CELLS, 1, 0.3);
    fill(out->bias[0], CELLS, 2, 0.3);
    if (n_hidden > 0) {
        fill(out->hidden_weight[0], (size_t)(WIDTH * n_hidden), 3, 0.3);
        fill(out->hidden_bias[0], (size_t)n_hidden, 4, 0.3);
    }
}

static void what_is_written_is_read(void **state)
{
    char path[FILES_PATH_MAX];
    Probe probe, back;
    probe_make(&probe, HIDDEN);
    fixture_path(path, &fixture, "hidden");
    assert_int_equal(probe_save(&probe, path), 0);
    assert_int_equal(probe_load(&back, path), 0);
    assert_int_equal(back.n_hidden, HIDDEN);
    assert_memory_equal(back.weight[0], probe.weight[0], HIDDEN * CELLS * sizeof(float));
    assert_memory_equal(back.bias[0], probe.bias[0], CELLS * sizeof(float));
    assert_memory_equal(back.hidden_weight[0], probe.hidden_weight[0],
                        WIDTH * HIDDEN * sizeof(float));
    assert_memory_equal(back.hidden_bias[0], probe.hidden_bias[0], HIDDEN * sizeof(float));
    assert_int_equal(probe_check_linear(&back, path), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "hidden layer of 40"));
    probe_release(&back);
    probe_release(&probe);
    probe_make(&probe, 0);
    assert_int_equal(probe_check_linear(&probe, path), 0);
    assert_null(probe.hidden_weight[0]);
    probe_release(&probe);
}

/* The probe that fits passes; each member that does not is refused by itself, and named. */
static void a_probe_of_mine_is_asked_for(void **state)
{
    Probe fits = {.site = HOOK_RESID_POST,
                  .n_classes = CLASSES,
                  .n_layers = 1,
                  .layers = {1},
                  .fitted = {true},
                  .task = "mine",
                  .labels = "mover"};
    Probe other[5] = {fits, fits, fits, fits, fits};
    static const char *const named[5] = {"found task colour, labels mover, at resid_post: name",
                                         "found task mine, labels parity,", "at mlp_post: name",
                                         "at resid_post with a hidden layer", "not fitted yet"};
    assert_int_equal(probe_check_mine(&fits, "p"), 0);
    snprintf(other[0].task, sizeof(other[0].task), "colour");
    snprintf(other[1].labels, sizeof(other[1].labels), "parity");
    other[2].site = HOOK_POST;
    other[3].n_hidden = HIDDEN;
    other[4].fitted[0] = false;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(probe_check_mine(&other[i], "p"), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), named[i]));
        assert_int_equal(probe_check_mine_at(&other[i], "p", HOOK_RESID_POST, false),
                         i == 3 ? 0 : OGPT_EUSAGE);
        assert_int_equal(probe_check_mine_at(&other[i], "p", HOOK_POST, true),
                         i == 2 ? 0 : OGPT_EUSAGE);
    }
}

/* Scores by plain arithmetic in double, for more rows than the probe holds hidden values of at a
 * time. Sums of at most 40 products of size 1 round by less than 1e-4 in float. */
static void scores_are_those_of_the_network(void **state)
{
    Probe probe;
    probe_make(&probe, HIDDEN);
    static float x[ROWS * WIDTH], scores[ROWS * CELLS];
    double h[HIDDEN], sum;
    size_t n_negative = 0;
    fill(x, ROWS * WIDTH, 5, 1);
    probe_scores(scores, &probe, 0, x, ROWS);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t j = 0; j < HIDDEN; j++) {
            h[j] = (double)probe.hidden_bias[0][j];
            for (size_t c = 0; c < WIDTH; c++) {
                h[j] += (double)x[row * WIDTH + c] * (double)probe.hidden_weight[0][c * HIDDEN + j];
            }
            n_negative += h[j] < 0;
            h[j] = fmax(h[j], 0);
        }
        for (size_t cell = 0; cell < CELLS; cell++) {
            sum = (double)probe.bias[0][cell];
            for (size_t j = 0; j < HIDDEN; j++) {
                sum += h[j] * (double)probe.weight[0][j * CELLS + cell];
            }
            assert_true(fabs(sum - (double)scores[row * CELLS + cell]) < 1e-4);
        }
    }
    assert_true(n_negative > ROWS && n_negative < ROWS * (HIDDEN - 1)); /* the bend was seen */
    probe_release(&probe);
}

/* The loss by its definition, in double. */
static double loss_of(const Probe *probe, const float *x, const uint8_t *target,
                      const float *weight)
{
    float scores[CELLS];
    double loss = 0;
    probe_scores(scores, probe, 0, x, 1);
    for (size_t s = 0; s < SQUARES; s++) {
        const float *score = scores + s * CLASSES;
        double sum = 0;
        for (size_t k = 0; k < CLASSES; k++) {
            sum += exp((double)score[k]);
        }
        loss += (double)weight[s] * (log(sum) - (double)score[target[s]]);
    }
    return loss;
}

/* Central differences: the scores round by some 1e-7, the loss (about 10) by some 1e-6, hence
 * 1e-3 in a difference quotient, where the curvature adds less than that; gradients are
 * about 1. A unit of the hidden layer whose bend lies inside the step may be off by more: the
 * row was drawn so that none is. */
#define STEP 0.002f
#define GRADIENT_TOLERANCE 2e-3

static double worst_difference(const Probe *probe, const float *x, const uint8_t *target,
                               const float *weight, const float *gradient)
{
    double worst = 0;
    for (size_t c = 0; c < WIDTH; c++) {
        float moved[WIDTH];
        memcpy(moved, x, sizeof(moved));
        moved[c] = x[c] + STEP;
        double above = loss_of(probe, moved, target, weight);
        moved[c] = x[c] - STEP;
        double below = loss_of(probe, moved, target, weight);
        double slope = (above - below) / (2 * (double)STEP);
        worst = fmax(worst, fabs(slope - (double)gradient[c]));
    }
    return worst;
}

static void gradients_are_central_differences(void **state)
{
    for (int kind = 0; kind < 2; kind++) {
        Probe probe;
        float x[WIDTH], gradient[WIDTH], weight[SQUARES];
        uint8_t target[SQUARES];
        probe_make(&probe, kind == 0 ? 0 : HIDDEN);
        fill(x, WIDTH, 6, 1);
        for (size_t s = 0; s < SQUARES; s++) {
            target[s] = (uint8_t)(s % CLASSES);
            weight[s] = s == 7 ? 1.0f : s == 9 ? 0.0f : 0.2f;
        }
        double loss = probe_input_gradient(gradient, &probe, 0, x, target, weight);
        assert_true(fabs(loss - loss_of(&probe, x, target, weight)) < 1e-4);
        assert_true(worst_difference(&probe, x, target, weight, gradient) < GRADIENT_TOLERANCE);
        /* Negative twins: another target, another weight of a square, one changed number. */
        target[7] = (uint8_t)((target[7] + 1) % CLASSES);
        assert_true(worst_difference(&probe, x, target, weight, gradient) > GRADIENT_TOLERANCE);
        target[7] = (uint8_t)((target[7] + CLASSES - 1) % CLASSES);
        weight[9] = 0.2f;
        assert_true(worst_difference(&probe, x, target, weight, gradient) > GRADIENT_TOLERANCE);
        weight[9] = 0;
        gradient[3] += 0.02f;
        assert_true(worst_difference(&probe, x, target, weight, gradient) > GRADIENT_TOLERANCE);
        probe_release(&probe);
    }
}

static int setup(void **state)
{
    return fixture_open(&fixture, 10);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_probe_of_mine_is_asked_for),
        cmocka_unit_test(scores_are_those_of_the_network),
        cmocka_unit_test(gradients_are_central_differences),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
