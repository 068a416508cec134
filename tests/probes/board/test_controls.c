/* tests/probes/board/test_controls.c - label: counted - the planted board is as readable as it
 * claims, and a hidden layer reads the raw move history. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "probes/board/controls.h"
#include "tests/probes/probe_fixture.h"

static const Work seed_1 = {.seed = 1};

enum { N = 6000, SQUARES = 16, TEST_STREAM = 2 };

/* Share of cells that the best reader, the largest coordinate of a square, gets right. */
static double best_reader(const float *x, const uint8_t *labels, size_t K)
{
    size_t right = 0;
    for (size_t cell = 0; cell < N * SQUARES; cell++) {
        size_t top = 0;
        for (size_t k = 1; k < K; k++) {
            top = x[cell * K + k] > x[cell * K + top] ? k : top;
        }
        right += top == labels[cell];
    }
    return (double)right / (N * SQUARES);
}

/* 96,000 cells at 99.5 %: a standard deviation of 0.023 points; four of them are allowed. */
#define PLANTED_SPREAD 9e-4

/* The signals that are written down are the solutions: between those of accuracies 1e-12 apart. */
static void usual_signals_are_solutions(void **state)
{
    for (size_t K = 2; K <= 3; K++) {
        double usual = planted_signal(PLANTED_ACCURACY, K);
        assert_true(usual > planted_signal(PLANTED_ACCURACY - 1e-12, K));
        assert_true(usual < planted_signal(PLANTED_ACCURACY + 1e-12, K));
    }
}

static void the_planted_board_holds_what_it_says(void **state)
{
    for (size_t K = 2; K <= 3; K++) {
        size_t count[3] = {0};
        float *x = test_malloc(N * SQUARES * K * sizeof(float));
        float *again = test_malloc(N * SQUARES * K * sizeof(float));
        uint8_t *labels = test_malloc(N * SQUARES), *same = test_malloc(N * SQUARES);
        Pool *pool = NULL;
        assert_int_equal(pool_new(&pool, 3), 0);
        const Work with_pool = {.pool = pool, .seed = 1};
        assert_int_equal(planted_rows(x, labels, N, SQUARES, K, TEST_STREAM, &seed_1), 0);
        assert_true(fabs(best_reader(x, labels, K) - PLANTED_ACCURACY) < PLANTED_SPREAD);
        for (size_t cell = 0; cell < N * SQUARES; cell++) {
            assert_true(labels[cell] < K);
            count[labels[cell]]++;
        }
        for (size_t k = 0; k < K; k++) { /* even: four deviations of at most 0.16 points */
            assert_true(fabs((double)count[k] / (N * SQUARES) - 1 / (double)K) < 0.0064);
        }
        assert_int_equal(planted_rows(again, same, N, SQUARES, K, TEST_STREAM, &with_pool), 0);
        assert_memory_equal(x, again, N * SQUARES * K * sizeof(float));
        assert_int_equal(planted_rows(again, same, N, SQUARES, K, TEST_STREAM - 1, &with_pool), 0);
        assert_memory_not_equal(labels, same, N * SQUARES);
        /* Negative twins: labels of another stream are at chance, a weaker signal is seen. */
        assert_true(fabs(best_reader(x, same, K) - 1 / (double)K) < 0.01);
        double lost = planted_signal(PLANTED_ACCURACY, K) - planted_signal(0.98, K);
        for (size_t cell = 0; cell < N * SQUARES; cell++) {
            x[cell * K + labels[cell]] -= (float)lost;
        }
        assert_true(fabs(best_reader(x, labels, K) - 0.98) < 2e-3);
        pool_free(pool);
        test_free(x);
        test_free(again);
        test_free(labels);
        test_free(same);
    }
}

/* ---- the move history ---- */

enum { WIDTH = 128, HIDDEN = 256 };

static LabelledSet draw(ProbeFixture *fixture, Split split, size_t n_games)
{
    LabelledSet out;
    GameSource *source = NULL;
    assert_int_equal(source_corpus(&source, fixture->corpus, 1U << split, true, 1), 0);
    assert_int_equal(
        labelled_draw(&out, source, task_find("mine"), LABELS_MOVER, n_games, 8, &seed_1), 0);
    source_free(source);
    return out;
}

static double accuracy_with(const LabelledSet sets[3], float *const rows[3], const char *solver,
                            int n_hidden)
{
    Probe probe = {
        .d_model = WIDTH, .n_hidden = n_hidden, .n_squares = 36, .n_classes = 3, .n_layers = 1};
    FitReport report;
    ProbeScore score;
    size_t n = sets[2].set.n_positions;
    uint8_t *predicted = test_malloc(n * 36);
    assert_int_equal(probe_allocate(&probe), 0);
    FitWeights weights = {probe.weight[0], probe.bias[0], probe.hidden_weight[0],
                          probe.hidden_bias[0]};
    FitProblem problem = {.x = rows[0],
                          .labels = sets[0].labels,
                          .n = sets[0].set.n_positions,
                          .width = WIDTH,
                          .n_squares = 36,
                          .n_classes = 3,
                          .l2 = FIT_L2,
                          .first = sets[0].set.first,
                          .n_games = sets[0].set.n_games,
                          .n_hidden = (size_t)n_hidden,
                          .valid_x = rows[1],
                          .valid_labels = sets[1].labels,
                          .n_valid = sets[1].set.n_positions};
    assert_int_equal(fit_probe(&weights, &report, solver, &problem, &seed_1), 0);
    assert_int_equal(predict_probe(predicted, &probe, 0, rows[2], n, &seed_1), 0);
    assert_int_equal(score_predictions(&score, &sets[2], predicted, &seed_1), 0);
    probe_release(&probe);
    test_free(predicted);
    return score.accuracy.value;
}

/* A linear fit reads 90 % of these cells from the history, the majority 61 %. A hidden layer that
 * begins at random needs more games than a quick test has to beat the linear fit; here it must come
 * within two points. Negative twin: rows of other positions are useless. */
static void a_hidden_layer_reads_the_history(void **state)
{
    ProbeFixture fixture;
    LabelledSet sets[3];
    float *rows[3];
    static const size_t n_games[3] = {1200, 120, 120};
    assert_int_equal(fixture_open(&fixture, 1600), 0);
    for (int split = 0; split < 3; split++) {
        static const Split split_of[3] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
        sets[split] = draw(&fixture, split_of[split], n_games[split]);
        assert_int_equal(history_width(sets[split].set.vocab), WIDTH);
        rows[split] = test_malloc(sets[split].set.n_positions * WIDTH * sizeof(float));
        assert_int_equal(history_rows(rows[split], &sets[split].set, LABELS_MOVER, &seed_1), 0);
    }
    double line = accuracy_with(sets, rows, "newton", 0);
    double hidden = accuracy_with(sets, rows, "adamw", HIDDEN);
    assert_true(line > 0.88);
    assert_true(hidden > line - 0.02);
    size_t shift = 37 * WIDTH, n = sets[0].set.n_positions * WIDTH;
    memmove(rows[0], rows[0] + shift, (n - shift) * sizeof(float));
    assert_true(accuracy_with(sets, rows, "adamw", HIDDEN) < 0.7);
    for (int split = 0; split < 3; split++) {
        labelled_release(&sets[split]);
        test_free(rows[split]);
    }
    fixture_close(&fixture);
}

/* Share of test cells on which a hidden layer and the linear fit agree if nothing learnt is kept.
 * The validation labels are the reading of the linear fit, so no epoch beats a start at that fit.
 */
static double agreement_with_the_line(LabelledSet sets[3], float *rows[3], bool from_line)
{
    Probe probe[2];
    FitReport report;
    FitWeights weights[2];
    size_t n = sets[2].set.n_positions, n_valid = sets[1].set.n_positions, same = 0;
    uint8_t *read[2] = {test_malloc(n * 36), test_malloc(n * 36)};
    uint8_t *valid = test_malloc(n_valid * 36);
    FitProblem problem = {.x = rows[0],
                          .labels = sets[0].labels,
                          .n = sets[0].set.n_positions,
                          .width = WIDTH,
                          .n_squares = 36,
                          .n_classes = 3,
                          .l2 = FIT_L2,
                          .first = sets[0].set.first,
                          .n_games = sets[0].set.n_games,
                          .valid_x = rows[1],
                          .valid_labels = valid,
                          .n_valid = n_valid};
    for (int i = 0; i < 2; i++) {
        problem.n_hidden = i == 0 ? 0 : WIDTH;
        problem.start = i == 1 && from_line ? &weights[0] : NULL;
        problem.epochs = i;
        probe[i] = (Probe){.d_model = WIDTH,
                           .n_hidden = (int)problem.n_hidden,
                           .n_squares = 36,
                           .n_classes = 3,
                           .n_layers = 1};
        assert_int_equal(probe_allocate(&probe[i]), 0);
        weights[i] = (FitWeights){probe[i].weight[0], probe[i].bias[0], probe[i].hidden_weight[0],
                                  probe[i].hidden_bias[0]};
        assert_int_equal(
            fit_probe(&weights[i], &report, i == 0 ? "newton" : "adamw", &problem, &seed_1), 0);
        assert_int_equal(predict_probe(valid, &probe[i], 0, rows[1], n_valid, &seed_1), 0);
        assert_int_equal(predict_probe(read[i], &probe[i], 0, rows[2], n, &seed_1), 0);
    }
    assert_int_equal(report.kept, from_line ? 0 : 1);
    problem.n_hidden = WIDTH - 1; /* too few units to copy every column */
    problem.start = &weights[0];
    assert_int_equal(fit_probe(&weights[1], &report, "adamw", &problem, &seed_1), OGPT_EUSAGE);
    for (size_t i = 0; i < n * 36; i++) {
        same += read[0][i] == read[1][i];
    }
    for (int i = 0; i < 2; i++) {
        probe_release(&probe[i]);
        test_free(read[i]);
    }
    test_free(valid);
    return (double)same / (double)(n * 36);
}

static void a_hidden_layer_begins_as_the_line(void **state)
{
    ProbeFixture fixture;
    LabelledSet sets[3];
    float *rows[3];
    assert_int_equal(fixture_open(&fixture, 400), 0);
    for (int split = 0; split < 3; split++) {
        static const Split split_of[3] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
        sets[split] = draw(&fixture, split_of[split], split == 0 ? 200 : 15);
        rows[split] = test_malloc(sets[split].set.n_positions * WIDTH * sizeof(float));
        assert_int_equal(history_rows(rows[split], &sets[split].set, LABELS_MOVER, &seed_1), 0);
    }
    /* They may differ where two classes tie within the rounding of 128 float products, and on a
     * test row below all training rows: at most a few of 10,000 cells. */
    assert_true(agreement_with_the_line(sets, rows, true) > 0.999);
    assert_true(agreement_with_the_line(sets, rows, false) < 0.99);
    for (int split = 0; split < 3; split++) {
        labelled_release(&sets[split]);
        test_free(rows[split]);
    }
    fixture_close(&fixture);
}

/* From rows of pure noise a probe can learn only the majority of each square: it stays at or below
 * the majority by square and ply, up to its interval. Negative twin: the history does better. */
static void noise_stays_at_chance(void **state)
{
    ProbeFixture fixture;
    LabelledSet sets[3];
    float *rows[3], *history[3];
    assert_int_equal(fixture_open(&fixture, 1000), 0);
    for (int split = 0; split < 3; split++) {
        static const Split split_of[3] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
        sets[split] = draw(&fixture, split_of[split], split == 0 ? 800 : 100);
        size_t n = sets[split].set.n_positions;
        rows[split] = test_malloc(n * WIDTH * sizeof(float));
        history[split] = test_malloc(n * WIDTH * sizeof(float));
        assert_int_equal(history_rows(history[split], &sets[split].set, LABELS_MOVER, &seed_1), 0);
        Rng rng = rng_at(1, RNG_TEST, (uint64_t)split);
        for (size_t i = 0; i < n * WIDTH; i++) {
            rows[split][i] = (float)rng_normal(&rng);
        }
    }
    size_t n_test = sets[2].set.n_positions;
    uint8_t *predicted = test_malloc(n_test * 36);
    ProbeScore majority;
    assert_int_equal(majority_predict(predicted, &sets[0], &sets[2], 3), 0);
    assert_int_equal(score_predictions(&majority, &sets[2], predicted, &seed_1), 0);
    double noise = accuracy_with(sets, rows, "newton", 0);
    assert_true(noise <= majority.accuracy.high);
    assert_true(noise > 0.4); /* three classes: and not below blind guessing */
    assert_true(accuracy_with(sets, history, "newton", 0) > majority.accuracy.high + 0.1);
    test_free(predicted);
    for (int split = 0; split < 3; split++) {
        labelled_release(&sets[split]);
        test_free(rows[split]);
        test_free(history[split]);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_signals_are_solutions),
        cmocka_unit_test(the_planted_board_holds_what_it_says),
        cmocka_unit_test(a_hidden_layer_reads_the_history),
        cmocka_unit_test(a_hidden_layer_begins_as_the_line),
        cmocka_unit_test(noise_stays_at_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
