/* tests/probes/edits/test_edit_methods.c - what each method does to a row: formulas, descent
 * through probes with and without a hidden layer, class means of planted rows, squares of a case.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "datasets/vocab.h"
#include "tests/probes/probe_fixture.h"
#include "probes/activations/activations.h"
#include "probes/edits/edit_means.h"
#include "probes/edits/edit_methods.h"
#include "probes/activations/tasks.h"

enum { WIDTH = 48, SQUARES = 36, CLASSES = 3 };

static void fill(float *out, size_t n, uint64_t index, double deviation)
{
    Rng rng = rng_at(6, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(deviation * rng_normal(&rng));
    }
}

/* One layer, random weights; n_hidden 0: linear. */
static Probe make_probe(int n_hidden)
{
    static const char *const classes[] = {"empty", "theirs", "mine"};
    Probe out = {.site = HOOK_RESID_POST,
                 .size = 6,
                 .n_squares = SQUARES,
                 .d_model = WIDTH,
                 .n_hidden = n_hidden,
                 .n_classes = CLASSES,
                 .n_layers = 1,
                 .fitted = {true}};
    snprintf(out.task, sizeof(out.task), "mine");
    snprintf(out.labels, sizeof(out.labels), "mover");
    for (int k = 0; k < CLASSES; k++) {
        snprintf(out.classes[k], sizeof(out.classes[k]), "%s", classes[k]);
    }
    assert_int_equal(probe_allocate(&out), 0);
    fill(out.weight[0], probe_inputs(&out) * SQUARES * CLASSES, 1, 0.3);
    fill(out.bias[0], (size_t)SQUARES * CLASSES, 2, 0.3);
    if (n_hidden > 0) {
        fill(out.hidden_weight[0], (size_t)(WIDTH * n_hidden), 3, 0.3);
        fill(out.hidden_bias[0], (size_t)n_hidden, 4, 0.3);
    }
    return out;
}

static EditPlan plan_of(EditMethod method, double scale, bool relative)
{
    EditPlan plan = EDIT_PLAN_DEFAULT;
    plan.method = method;
    plan.layers = 1;
    plan.scale = (EditScale){scale, relative};
    return plan;
}

static EditSquares one_square(int square, int from, int to)
{
    return (EditSquares){.n = 1, .squares = {square}, .from = {from}, .to = {to}};
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (int c = 0; c < WIDTH; c++) {
        sum += (double)a[c] * b[c];
    }
    return sum;
}

/* x before and after; out = the change. Returns its length. */
static double change(float out[WIDTH], const float *old, const EditPlan *plan, const Probe *probe,
                     const EditSquares *squares)
{
    float x[WIDTH], scratch[EDIT_ROW_SCRATCH(WIDTH)];
    BoardDirections directions;
    assert_int_equal(direction_board_of_probe(&directions, probe), 0);
    memcpy(x, old, sizeof(x));
    edit_row(x, scratch, plan, &directions, 0, squares);
    direction_board_release(&directions);
    for (int c = 0; c < WIDTH; c++) {
        out[c] = x[c] - old[c];
    }
    return sqrt(dot(out, out));
}

/* edit_plan_check with the directions of a probe. */
static int check(const EditPlan *plan, const Probe *probe, const GptConfig *cfg)
{
    BoardDirections directions;
    assert_int_equal(direction_board_of_probe(&directions, probe), 0);
    int rc = edit_plan_check(plan, &directions, cfg);
    direction_board_release(&directions);
    return rc;
}

/* Rounding of sums of 48 float products of size about 1, in rows about 7 long. */
#define ROW_TOL 2e-5

/* The signed distance of a row from the boundary between two classes. */
static double coordinate(const float *x, const Probe *probe, int square, int from, int to)
{
    double sum = 0, squared = 0;
    for (int c = 0; c < WIDTH; c++) {
        const float *w = probe->weight[0] + (c * SQUARES + square) * CLASSES;
        double difference = (double)w[to] - (double)w[from];
        sum += x[c] * difference;
        squared += difference * difference;
    }
    const float *bias = probe->bias[0] + square * CLASSES;
    return (sum + (double)bias[to] - bias[from]) / sqrt(squared);
}

static void set_brings_the_coordinate_to_its_scale(void **state)
{
    Probe probe = make_probe(0);
    EditSquares squares = one_square(7, 1, 2);
    float old[WIDTH], delta[WIDTH], x[WIDTH];
    fill(old, WIDTH, 9, 1.0);
    for (int relative = 0; relative <= 1; relative++) {
        EditPlan plan = plan_of(METHOD_SET, 0.4, relative);
        double wanted = 0.4 * (relative ? sqrt(dot(old, old)) : 1.0);
        change(delta, old, &plan, &probe, &squares);
        for (int c = 0; c < WIDTH; c++) {
            x[c] = old[c] + delta[c];
        }
        assert_true(fabs(coordinate(x, &probe, 7, 1, 2) - wanted) < ROW_TOL);
        assert_false(fabs(coordinate(old, &probe, 7, 1, 2) - wanted) < ROW_TOL);
        assert_false(fabs(coordinate(x, &probe, 8, 1, 2) - wanted) < ROW_TOL);
    }
    probe_release(&probe);
}

static void target_is_the_new_states_own_column(void **state)
{
    Probe probe = make_probe(0);
    EditSquares squares = one_square(20, 2, 0);
    EditPlan plan = plan_of(METHOD_ADD, 2.3, false);
    float old[WIDTH], delta[WIDTH], column[WIDTH], difference[WIDTH];
    fill(old, WIDTH, 10, 1.0);
    for (int c = 0; c < WIDTH; c++) {
        column[c] = probe.weight[0][(c * SQUARES + 20) * CLASSES];
    }
    plan.direction = DIRECTION_TARGET;
    assert_true(fabs(change(delta, old, &plan, &probe, &squares) - 2.3) < ROW_TOL);
    assert_true(fabs(dot(delta, column) - 2.3 * sqrt(dot(column, column))) < ROW_TOL);
    /* Negative twin: the difference of the columns is another direction. */
    plan.direction = DIRECTION_DIFFERENCE;
    change(difference, old, &plan, &probe, &squares);
    assert_false(fabs(dot(difference, column) - 2.3 * sqrt(dot(column, column))) < 0.1);
    probe_release(&probe);
}

static void several_squares_are_added_one_after_another(void **state)
{
    Probe probe = make_probe(0);
    EditPlan plan = plan_of(METHOD_ADD, 1.5, false);
    EditSquares both = {.n = 2, .squares = {3, 30}, .from = {1, 2}, .to = {2, 0}};
    EditSquares first = one_square(3, 1, 2), second = one_square(30, 2, 0);
    float old[WIDTH], a[WIDTH], b[WIDTH], sum[WIDTH];
    fill(old, WIDTH, 11, 1.0);
    change(sum, old, &plan, &probe, &both);
    change(a, old, &plan, &probe, &first);
    change(b, old, &plan, &probe, &second);
    for (int c = 0; c < WIDTH; c++) {
        assert_true(fabsf(sum[c] - a[c] - b[c]) < (float)ROW_TOL);
    }
    assert_true(fabs(sqrt(dot(sum, sum)) - sqrt(dot(a, a))) > 0.1);
    probe_release(&probe);
}

/* ---- gradient ---- */

static double loss_at(const float *x, const Probe *probe, const EditSquares *squares)
{
    float gradient[WIDTH], weight[BOARD_SQUARES];
    for (int s = 0; s < BOARD_SQUARES; s++) {
        weight[s] = 0.2f;
    }
    weight[squares->squares[0]] = 1.0f;
    return probe_input_gradient(gradient, probe, 0, x, squares->target, weight);
}

static int read_square(const float *x, const Probe *probe, int square)
{
    uint8_t classes[SQUARES];
    float scores[SQUARES * CLASSES];
    probe_classify(classes, scores, probe, 0, x, 1);
    return classes[square];
}

/* From what the probe reads, one square to another class, at ten rows: read so afterwards, loss
 * lower. 48 numbers can hold the 36 squares of a random probe. */
static void gradient_makes_the_probe_read_the_target(void **state)
{
    for (int n_hidden = 0; n_hidden <= 64; n_hidden += 64) {
        Probe probe = make_probe(n_hidden);
        EditPlan plan = plan_of(METHOD_GRADIENT, 1, false);
        int n_unchanged = 0;
        plan.steps = 300;
        plan.rate = (EditScale){0.02, false};
        for (uint64_t i = 0; i < 10; i++) {
            EditSquares squares = one_square(14, 0, 0), own;
            float old[WIDTH], delta[WIDTH], x[WIDTH], scores[SQUARES * CLASSES];
            fill(old, WIDTH, 100 + i, 1.0);
            probe_classify(squares.target, scores, &probe, 0, old, 1);
            own = squares;
            squares.to[0] = (squares.target[14] + 1) % CLASSES;
            squares.target[14] = (uint8_t)squares.to[0];
            change(delta, old, &plan, &probe, &squares);
            for (int c = 0; c < WIDTH; c++) {
                x[c] = old[c] + delta[c];
            }
            assert_int_equal(read_square(x, &probe, 14), squares.to[0]);
            assert_true(loss_at(x, &probe, &squares) < 0.5 * loss_at(old, &probe, &squares));
            /* Negative twins: the board as it is read already asks for no other class; a rate too
             * small to get there does not. */
            change(delta, old, &plan, &probe, &own);
            for (int c = 0; c < WIDTH; c++) {
                x[c] = old[c] + delta[c];
            }
            assert_int_not_equal(read_square(x, &probe, 14), squares.to[0]);
            EditPlan slow = plan;
            slow.rate.value = 1e-7;
            change(delta, old, &slow, &probe, &squares);
            for (int c = 0; c < WIDTH; c++) {
                x[c] = old[c] + delta[c];
            }
            n_unchanged += read_square(x, &probe, 14) == own.target[14];
        }
        assert_int_equal(n_unchanged, 10);
        probe_release(&probe);
    }
}

static void rates_in_r_are_shares_of_the_row(void **state)
{
    Probe probe = make_probe(0);
    EditPlan plan = plan_of(METHOD_GRADIENT, 1, false), absolute = plan, twice = plan;
    EditSquares squares = one_square(5, 1, 2);
    float old[WIDTH], a[WIDTH], b[WIDTH], c2[WIDTH];
    fill(old, WIDTH, 12, 3.0);
    squares.target[5] = 2;
    plan.rate = (EditScale){0.01, true};
    absolute.rate = (EditScale){0.01 * sqrt(dot(old, old) / WIDTH), false};
    change(a, old, &plan, &probe, &squares);
    change(b, old, &absolute, &probe, &squares);
    assert_memory_equal(a, b, sizeof(a));
    /* A scale multiplies what was found. */
    twice.rate = plan.rate;
    twice.scale.value = 2;
    change(c2, old, &twice, &probe, &squares);
    for (int c = 0; c < WIDTH; c++) {
        assert_true(fabsf(c2[c] - 2 * a[c]) < (float)ROW_TOL);
    }
    plan.rate.relative = false;
    change(b, old, &plan, &probe, &squares);
    assert_memory_not_equal(a, b, sizeof(a)); /* negative twin */
    probe_release(&probe);
}

/* ---- class means ---- */

/* The means again by their definition: rows captured, labels made, averaged one by one. */
static void means_are_those_of_the_rows(void **state)
{
    ProbeFixture fixture;
    EditMeansOptions options = EDIT_MEANS_OPTIONS_DEFAULT;
    PositionSet set;
    GameSource *source;
    BoardDirections means, again;
    EditMeansReport report, report_again;
    Work work = {.seed = 1};
    size_t least_again;
    int layer = 1, square = 20;
    size_t S = SQUARES;
    options.n_games = 60;
    assert_int_equal(fixture_open(&fixture, 100), 0);
    const Gpt *gpt = fixture.model.gpt;
    size_t width = (size_t)gpt->cfg.d_model;
    assert_int_equal(edit_means_fit(&means, &report, gpt, fixture.corpus, &options, &work), 0);
    /* Layer by layer, because there is no room for two: the same bytes, and less announced. */
    size_t n_bytes = edit_means_bytes(&gpt->cfg, &options, &work);
    work.memory_bytes = 1;
    assert_true(edit_means_bytes(&gpt->cfg, &options, &work) < n_bytes);
    assert_int_equal(edit_means_fit(&again, &report_again, gpt, fixture.corpus, &options, &work),
                     0);
    for (int i = 0; i < means.n_layers; i++) {
        assert_true(again.fitted[i]);
        const DirectionSet *a = &means.sets[i], *b = &again.sets[i];
        assert_true(a->layer == i && a->n == S * CLASSES * CLASSES && a->width == width);
        assert_memory_equal(a->unit, b->unit, a->n * width * sizeof(*a->unit));
        assert_memory_equal(a->length, b->length, a->n * sizeof(*a->length));
    }
    assert_int_equal(report.least, report_again.least);
    assert_string_equal(report.corpus_hash, corpus_info(fixture.corpus)->content_hash);
    direction_board_release(&again);
    assert_int_equal(means.n_layers, 3);
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    assert_int_equal(source_corpus(&source, fixture.corpus, 1U << SPLIT_TRAIN, true, work.seed), 0);
    assert_int_equal(positions_draw(&set, source, 60, options.plies, &work), 0);
    source_free(source);
    float *rows = malloc(set.n_positions * width * sizeof(*rows));
    uint8_t *labels = malloc(set.n_positions * S);
    assert_int_equal(activations_capture(&rows, &set, gpt, &where, &work), 0);
    assert_int_equal(positions_label(labels, &set, task_find("mine"), LABELS_MOVER, &work), 0);
    least_again = set.n_positions;
    for (size_t cell = 0; cell < S * CLASSES; cell++) {
        size_t n = 0;
        for (size_t i = 0; i < set.n_positions; i++) {
            n += labels[i * S + cell / CLASSES] == cell % CLASSES;
        }
        least_again = n > 0 && n < least_again ? n : least_again;
    }
    assert_int_equal(report.least, least_again);
    for (int k = 0; k < CLASSES; k++) {
        double apart = 0;
        for (size_t c = 0; c < width; c++) {
            double sum = 0, other = 0;
            size_t n = 0, n_other = 0;
            for (size_t i = 0; i < set.n_positions; i++) {
                sum += labels[i * S + (size_t)square] == k ? rows[i * width + c] : 0;
                n += labels[i * S + (size_t)square] == k;
                other += labels[i * S] == k ? rows[i * width + c] : 0;
                n_other += labels[i * S] == k;
            }
            size_t at = direction_of_square(&means.sets[1], square, k, k);
            double found = means.sets[1].unit[at * width + c] * means.sets[1].length[at];
            if (n > 0) {
                /* Float sums of blocks of at most 1,024 rows. */
                assert_true(fabs(found - sum / (double)n) < 1e-4);
            }
            apart += fabs(found - other / (double)(n_other ? n_other : 1));
        }
        assert_true(apart > 0.1); /* negative twin: another square has other means */
    }
    free(rows);
    free(labels);
    positions_release(&set);
    direction_board_release(&means);
    fixture_close(&fixture);
}

/* Scale 1 adds the difference of the means, as long as it is. */
static void mean_difference_adds_the_difference(void **state)
{
    Probe means = make_probe(0);
    EditPlan plan = plan_of(METHOD_MEAN_DIFFERENCE, 1, false);
    EditSquares squares = one_square(9, 2, 1);
    GptConfig cfg = {.n_layers = 1, .d_model = WIDTH, .n_ctx = 31, .d_mlp = 4 * WIDTH};
    float old[WIDTH], delta[WIDTH];
    double apart = 0;
    fill(old, WIDTH, 13, 1.0);
    change(delta, old, &plan, &means, &squares);
    for (int c = 0; c < WIDTH; c++) {
        const float *w = means.weight[0] + (c * SQUARES + 9) * CLASSES;
        assert_true(fabsf(delta[c] - (w[1] - w[2])) < (float)ROW_TOL);
        apart += fabs((double)delta[c] - ((double)w[2] - w[1]));
    }
    assert_true(apart > 0.1); /* negative twin: the way back is another vector */
    plan.scale = (EditScale){0.5, true};
    assert_true(fabs(change(delta, old, &plan, &means, &squares) - 0.5 * sqrt(dot(old, old))) <
                ROW_TOL);

    /* Means and probes are not taken for each other. */
    BoardDirections directions;
    assert_int_equal(direction_board_of_probe(&directions, &means), 0);
    assert_int_equal(edit_plan_check(&plan, &directions, &cfg), OGPT_EUSAGE);
    directions.probe = NULL;
    assert_int_equal(edit_plan_check(&plan, &directions, &cfg), 0);
    plan.method = METHOD_ADD;
    assert_int_equal(edit_plan_check(&plan, &directions, &cfg), OGPT_EUSAGE);
    direction_board_release(&directions);
    probe_release(&means);
}

/* ---- a case in the words of a board ---- */

/* Squares in a state, but for those that are edited. */
static int n_alike(const uint8_t *labels, const EditSquares *squares, int state)
{
    int n = 0;
    for (int i = 0; i < SQUARES; i++) {
        n += labels[i] == state && i != squares->squares[0] && i != squares->squares[1];
    }
    return n;
}

static void squares_of_a_case_are_those_of_its_board(void **state)
{
    for (int kind = CASE_FLIP; kind <= CASE_PLACE; kind++) {
        CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
        const GameVariant *variant = game_variant(6);
        Probe probe = make_probe(0);
        BoardTerms terms = direction_terms(&probe);
        CaseSet set;
        int n_checked = 0;
        options.n = 30;
        options.natural = false;
        options.edit = (CaseEdit)kind;
        options.n_squares = 2;
        assert_int_equal(cases_make(&set, variant, &options, &(Work){.seed = 1}), 0);
        for (size_t i = 0; i < set.n; i++) {
            const EditCase *edit = &set.cases[i];
            EditSquares squares = edit_squares(&terms, edit);
            EditSquares wrong = edit_wrong_squares(&terms, edit, variant, 1, i);
            EditSquares kept = edit_kept_squares(&terms, edit);
            uint8_t labels[SQUARES];
            labels_mine(labels, variant, &edit->before, edit->n_moves - 1, LABELS_MOVER);
            assert_int_equal(squares.n, 2);
            /* The repair control: the squares of the edit, and the board as it is. */
            assert_memory_equal(kept.squares, squares.squares, sizeof(kept.squares));
            assert_memory_equal(kept.to, squares.from, sizeof(kept.to));
            assert_memory_equal(kept.target, labels, sizeof(labels));
            for (int s = 0; s < 2; s++) {
                assert_int_equal(labels[squares.squares[s]], squares.from[s]);
                assert_int_equal(squares.target[squares.squares[s]], squares.to[s]);
                assert_int_not_equal(squares.from[s], squares.to[s]);
                /* The control: other squares in the same state, changed the same way. */
                if (n_alike(labels, &squares, squares.from[s]) >= 2) {
                    assert_int_equal(labels[wrong.squares[s]], squares.from[s]);
                    n_checked++;
                }
                assert_int_equal(wrong.to[s], squares.to[s]);
                assert_int_equal(wrong.target[squares.squares[s]], squares.from[s]);
                assert_int_not_equal(wrong.squares[s], squares.squares[0]);
                assert_int_not_equal(wrong.squares[s], squares.squares[1]);
                labels[squares.squares[s]] = (uint8_t)squares.to[s];
            }
            assert_memory_equal(squares.target, labels, sizeof(labels));
            assert_memory_not_equal(wrong.target, labels, sizeof(labels));
        }
        assert_true(n_checked > 40); /* of 60: few boards have less than four such squares */
        cases_release(&set);
        probe_release(&probe);
    }
}

/* ---- plans ---- */

static void presets_are_the_published_edits(void **state)
{
    GptConfig cfg = {.n_layers = 8, .d_model = WIDTH, .n_ctx = 31, .d_mlp = 4 * WIDTH};
    Probe probe = make_probe(0), nonlinear = make_probe(8);
    EditPlan plan;
    assert_int_equal(edit_preset_parse(&plan, "nanda-flip"), 0);
    assert_true(plan.method == METHOD_ADD && plan.site == HOOK_ATTN_OUT && plan.layers == 0xfc);
    assert_true(plan.scale.value == 2.3 && !plan.scale.relative && plan.probe_layer == 5);
    assert_true(plan.direction == DIRECTION_TARGET && plan.positions == POSITIONS_LAST);
    probe.layers[0] = 5;
    assert_int_equal(check(&plan, &probe, &cfg), 0);
    assert_int_equal(check(&plan, &nonlinear, &cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "8 hidden units"));
    cfg.n_layers = 4;
    assert_int_equal(check(&plan, &probe, &cfg), OGPT_EUSAGE);
    assert_int_equal(edit_preset_parse(&plan, "li-gradient"), 0);
    assert_true(plan.steps == 1000 && plan.rate.value == 1e-3 && !plan.rate.relative);
    assert_int_equal(plan.layers, 0xf8);
    assert_int_equal(edit_preset_parse(&plan, "nobody"), OGPT_EUSAGE);
    /* An option that offers these names reads method m as number m. */
    const char *at = EDIT_METHOD_NAMES;
    for (int m = 0; m < N_EDIT_METHODS; m++) {
        size_t length = strlen(edit_method_name((EditMethod)m));
        assert_int_equal(strcspn(at, "|"), length);
        assert_memory_equal(at, edit_method_name((EditMethod)m), length);
        at += length + (at[length] == '|');
    }
    assert_int_equal(*at, '\0');
    probe_release(&probe);
    probe_release(&nonlinear);
}

static void plans_out_of_range_are_refused(void **state)
{
    GptConfig cfg = {.n_layers = 1, .d_model = WIDTH, .n_ctx = 31, .d_mlp = 4 * WIDTH};
    Probe probe = make_probe(0);
    EditPlan plan = plan_of(METHOD_GRADIENT, 1, false);
    EditScale rate;
    assert_int_equal(check(&plan, &probe, &cfg), 0);
    plan.steps = 0;
    assert_int_equal(check(&plan, &probe, &cfg), OGPT_EUSAGE);
    plan.steps = 1;
    plan.rate.value = 0;
    assert_int_equal(check(&plan, &probe, &cfg), OGPT_EUSAGE);
    plan = plan_of(METHOD_GRADIENT, 1, true);
    assert_int_equal(check(&plan, &probe, &cfg), OGPT_EUSAGE);
    plan = plan_of(METHOD_SET, 1, true);
    assert_int_equal(check(&plan, &probe, &cfg), 0);
    plan.direction = DIRECTION_TARGET;
    assert_int_equal(check(&plan, &probe, &cfg), OGPT_EUSAGE);
    assert_int_equal(edit_rate_parse(&rate, EDIT_RATE), 0);
    assert_true(rate.value == 0.004 && rate.relative);
    assert_int_equal(edit_rate_parse(&rate, "0"), OGPT_EUSAGE);
    assert_int_equal(edit_rate_parse(&rate, "2"), OGPT_EUSAGE);
    assert_int_equal(edit_rate_parse(&rate, "0.1x"), OGPT_EUSAGE);
    probe_release(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_brings_the_coordinate_to_its_scale),
        cmocka_unit_test(target_is_the_new_states_own_column),
        cmocka_unit_test(several_squares_are_added_one_after_another),
        cmocka_unit_test(gradient_makes_the_probe_read_the_target),
        cmocka_unit_test(rates_in_r_are_shares_of_the_row),
        cmocka_unit_test(means_are_those_of_the_rows),
        cmocka_unit_test(mean_difference_adds_the_difference),
        cmocka_unit_test(squares_of_a_case_are_those_of_its_board),
        cmocka_unit_test(presets_are_the_published_edits),
        cmocka_unit_test(plans_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("edit methods", tests, NULL, NULL);
}
