/* tests/probes/edits/test_edit_network.c - edits inside a network: the arithmetic of add and
 * project, lengths and places of the controls, and one result at any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "datasets/vocab.h"
#include "probes/edits/edit_methods.h"
#include "probes/edits/edit_measure.h"
#include "probes/edits/edit_network.h"
#include "probes/edits/edit_sweep.h"
#include "tests/probes/edits/kept_cases.h"
#include "tests/probes/cases/case_fixture.h"

enum { N_CASES = 70 };

#define PLAN(how, where, which, amount, in_r, whose, ...)                                          \
    {                                                                                              \
        .method = how, .site = where, .layers = which, .scale = {amount, in_r},                    \
        .probe_layer = whose __VA_OPT__(, ) __VA_ARGS__                                            \
    }

typedef struct Fixture {
    Gpt *gpt;
    Probe probe;
    BoardDirections directions; /* of the probe of another Fixture: see fixture_directions */
    CaseSet cases;
} Fixture;

static void fill(float *out, size_t n, uint64_t index, double deviation)
{
    Rng rng = rng_at(5, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(deviation * rng_normal(&rng));
    }
}

static Fixture fixture_make(void)
{
    static const char *const classes[] = {"empty", "theirs", "mine"};
    const Vocab *vocab = vocab_of(game_variant(6));
    Fixture out = {.cases = fixture_cases(6, N_CASES, false)};
    GptConfig cfg;
    assert_int_equal(gpt_config_preset(&cfg, "nano"), 0);
    cfg.n_layers = 3;
    cfg.n_ctx = vocab->n_ctx;
    cfg.d_vocab = vocab->d_vocab;
    cfg.seed = 3;
    assert_int_equal(gpt_new(&out.gpt, &cfg), 0);
    /* Large weights, so that an edit of the stream moves the answer. */
    for (size_t i = 0; i < out.gpt->n_specs; i++) {
        fill(out.gpt->params + out.gpt->specs[i].offset, out.gpt->specs[i].count, 1000 + i, 0.2);
    }

    out.probe.site = HOOK_RESID_POST;
    out.probe.size = 6;
    out.probe.n_squares = 36;
    out.probe.d_model = cfg.d_model;
    out.probe.n_classes = 3;
    out.probe.n_layers = 3;
    snprintf(out.probe.task, sizeof(out.probe.task), "mine");
    snprintf(out.probe.labels, sizeof(out.probe.labels), "mover");
    for (int i = 0; i < 3; i++) {
        out.probe.layers[i] = i;
        out.probe.fitted[i] = true;
        snprintf(out.probe.classes[i], sizeof(out.probe.classes[i]), "%s", classes[i]);
    }
    assert_int_equal(probe_allocate(&out.probe), 0);
    for (uint64_t i = 0; i < 3; i++) {
        fill(out.probe.weight[i], 64 * 36 * 3, 10 + i, 1.0);
        fill(out.probe.bias[i], 36 * 3, 20 + i, 1.0);
    }
    assert_int_equal(direction_board_of_probe(&out.directions, &out.probe), 0);
    return out;
}

/* The directions, owned by the probe where it lies now: a Fixture is copied when it is made. */
static BoardDirections fixture_directions(const Fixture *fixture)
{
    BoardDirections out = fixture->directions;
    out.probe = &fixture->probe;
    return out;
}

static void fixture_release(Fixture *fixture)
{
    direction_board_release(&fixture->directions);
    gpt_free(fixture->gpt);
    probe_release(&fixture->probe);
    cases_release(&fixture->cases);
}

static double margin(const Probe *probe, int layer, const float *x, int square, int from, int to)
{
    float scores[36 * 3];
    probe_scores(scores, probe, layer, x, 1);
    return (double)scores[square * 3 + to] - (double)scores[square * 3 + from];
}

/* Rounding: rows of 64 numbers near 1 and margins near 10, in float. */
#define ROW_TOL 2e-5
#define MARGIN_TOL 2e-4

static double distance(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return sqrt(sum);
}

static void edit_one(float *x, const EditPlan *plan, const Probe *probe, int layer, int square,
                     int from, int to)
{
    EditSquares squares = {.n = 1, .squares = {square}, .from = {from}, .to = {to}};
    float scratch[EDIT_ROW_SCRATCH(64)];
    BoardDirections directions;
    assert_int_equal(direction_board_of_probe(&directions, probe), 0);
    edit_row(x, scratch, plan, &directions, layer, &squares);
    direction_board_release(&directions);
}

static void project_is_a_reflection(void **state)
{
    Fixture fixture = fixture_make();
    EditPlan plan = {.method = METHOD_PROJECT, .layers = 2, .probe_layer = PROBE_LAYER_OWN};
    int square = 14, from = 1, to = 2;
    float x[64], old[64];
    double before, offset;
    fill(old, 64, 30, 1.0);
    before = margin(&fixture.probe, 1, old, square, from, to);
    offset = (double)fixture.probe.bias[1][square * 3 + to] -
             (double)fixture.probe.bias[1][square * 3 + from];

    for (int ignore = 0; ignore <= 1; ignore++) {
        plan.ignore_bias = ignore;
        plan.scale.value = 1;
        memcpy(x, old, sizeof(x));
        edit_one(x, &plan, &fixture.probe, 1, square, from, to);
        /* c -> -c; without the bias the reflection is about the origin of the row. */
        assert_true(fabs(margin(&fixture.probe, 1, x, square, from, to) + before -
                         (ignore ? 2 * offset : 0)) < MARGIN_TOL);
        assert_true(distance(x, old, 64) > 0.1);
        edit_one(x, &plan, &fixture.probe, 1, square, from, to);
        assert_true(distance(x, old, 64) < ROW_TOL); /* twice with scale 1 restores */

        plan.scale.value = 3;
        edit_one(x, &plan, &fixture.probe, 1, square, from, to);
        assert_true(fabs(margin(&fixture.probe, 1, x, square, from, to) + 3 * before -
                         (ignore ? 4 * offset : 0)) < MARGIN_TOL);
        edit_one(x, &plan, &fixture.probe, 1, square, from, to);
        assert_false(distance(x, old, 64) < ROW_TOL); /* twice with scale 3 does not */
    }
    fixture_release(&fixture);
}

static void add_moves_by_its_scale(void **state)
{
    Fixture fixture = fixture_make();
    EditPlan plan = {.layers = 2, .scale = {2.5, false}, .probe_layer = PROBE_LAYER_OWN};
    int square = 7, from = 2, to = 0;
    float x[64], old[64], zero[64] = {0};
    double norm;
    fill(old, 64, 31, 1.0);
    norm = distance(old, zero, 64);
    memcpy(x, old, sizeof(x));
    edit_one(x, &plan, &fixture.probe, 1, square, from, to);
    assert_true(fabs(distance(x, old, 64) - 2.5) < ROW_TOL);
    assert_true(margin(&fixture.probe, 1, x, square, from, to) >
                margin(&fixture.probe, 1, old, square, from, to) + 1);

    plan.scale = (EditScale){0.5, true};
    memcpy(x, old, sizeof(x));
    edit_one(x, &plan, &fixture.probe, 1, square, from, to);
    assert_true(fabs(distance(x, old, 64) - 0.5 * norm) < ROW_TOL);

    /* Another layer's probe is another direction; a fixed probe layer is the same again. */
    float other[64], fixed[64];
    memcpy(other, old, sizeof(other));
    edit_one(other, &plan, &fixture.probe, 2, square, from, to);
    assert_true(distance(x, other, 64) > 0.1);
    plan.probe_layer = 1;
    memcpy(fixed, old, sizeof(fixed));
    edit_one(fixed, &plan, &fixture.probe, 2, square, from, to);
    assert_true(distance(x, fixed, 64) == 0);
    fixture_release(&fixture);
}

static EditMetrics score_network(const Fixture *fixture, const EditPlan *plan, size_t n_threads,
                                 uint64_t seed)
{
    const EditMeasureOptions options = {.scoring = {.stage = "cases"}};
    Work work = {.seed = 1};
    EditNetwork *network;
    EditPredictor predictor;
    EditMetrics report;
    BoardDirections directions = fixture_directions(fixture);
    assert_int_equal(edit_plan_check(plan, &directions, &fixture->gpt->cfg), 0);
    assert_int_equal(pool_new(&work.pool, n_threads), 0);
    assert_int_equal(edit_network_new(&network, fixture->gpt, &directions, n_threads, seed), 0);
    predictor = edit_network_predictor(network);
    assert_int_equal(edit_measure(&report, &predictor, &fixture->cases, plan, &options, &work), 0);
    edit_network_free(network);
    pool_free(work.pool);
    return report;
}

static void workers_change_nothing_and_seeds_do(void **state)
{
    Fixture fixture = fixture_make();
    const EditPlan plans[] = {
        PLAN(METHOD_ADD, HOOK_RESID_POST, 6, 0.5, true, PROBE_LAYER_OWN),
        PLAN(METHOD_PROJECT, HOOK_RESID_POST, 2, 2, false, PROBE_LAYER_OWN),
        PLAN(METHOD_ADD, HOOK_ATTN_OUT, 7, 2.3, false, 1, .direction = DIRECTION_TARGET,
             .positions = POSITIONS_ALL),
        PLAN(METHOD_GRADIENT, HOOK_RESID_POST, 6, 1, false, PROBE_LAYER_OWN, .steps = 5,
             .rate = {0.1, true}),
    };
    for (size_t p = 0; p < sizeof(plans) / sizeof(plans[0]); p++) {
        EditMetrics one = score_network(&fixture, &plans[p], 1, 1);
        size_t changed = 0;
        for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
            EditMetrics many = score_network(&fixture, &plans[p], n_threads, 1);
            assert_true(cases_are_equal(&one, &many));
            assert_memory_equal(&one.closed, &many.closed, sizeof(one.closed));
            edit_metrics_release(&many);
        }
        EditMetrics other = score_network(&fixture, &plans[p], 1, 2);
        for (size_t i = 0; i < one.n; i++) {
            const CaseMetrics a = case_at(&one, i), b = case_at(&other, i);
            changed += a.of[ARM_RANDOM][METRIC_ERROR].part != b.of[ARM_RANDOM][METRIC_ERROR].part;
            assert_true(a.of[ARM_EDIT][METRIC_ERROR].part == b.of[ARM_EDIT][METRIC_ERROR].part);
        }
        assert_true(changed > 0); /* another seed, other random directions */
        edit_metrics_release(&other);
        edit_metrics_release(&one);
    }
    fixture_release(&fixture);
}

/* One query of the first n cases, one arm. */
static void answer(float *logits, const EditPredictor *predictor, const CaseSet *set,
                   const size_t *order, size_t n, Arm arm, const EditPlan *plan)
{
    double norms[EDIT_CHUNK_CASES * EDIT_MAX_LAYERS] = {0};
    EditQuery query = {
        .set = set, .order = order, .n = n, .arm = ARM_EDIT, .plan = plan, .norms = norms};
    assert_int_equal(predictor->predict(predictor->context, logits, &query, 0), 0);
    if (arm != ARM_EDIT) {
        query.arm = arm;
        assert_int_equal(predictor->predict(predictor->context, logits, &query, 0), 0);
    }
}

/* Padding to the longest case of a chunk, and the company of other cases, change an answer only
 * by the rounding of other matrix shapes: logits near 10 in float. */
#define LOGIT_TOL 1e-3

static void a_case_answers_alone_as_in_company(void **state)
{
    Fixture fixture = fixture_make();
    const EditPlan plan = PLAN(METHOD_ADD, HOOK_RESID_POST, 2, 0.5, true, PROBE_LAYER_OWN);
    EditNetwork *network;
    EditPredictor predictor;
    size_t order[EDIT_CHUNK_CASES];
    static float all[EDIT_CHUNK_CASES * 33], alone[33];
    double largest[N_ARMS] = {0}, edit_effect = 0, random_effect = 0;
    assert_int_equal(edit_network_new(&network, fixture.gpt, &fixture.directions, 1, 1), 0);
    predictor = edit_network_predictor(network);
    for (size_t i = 0; i < EDIT_CHUNK_CASES; i++) {
        order[i] = i;
    }
    for (int arm = ARM_NULL; arm <= ARM_WRONG_SQUARE; arm++) {
        answer(all, &predictor, &fixture.cases, order, EDIT_CHUNK_CASES, (Arm)arm, &plan);
        for (size_t i = 0; i < EDIT_CHUNK_CASES; i++) {
            answer(alone, &predictor, &fixture.cases, &order[i], 1, (Arm)arm, &plan);
            for (size_t tok = 0; tok < 33; tok++) {
                double gap = fabs((double)all[i * 33 + tok] - alone[tok]);
                largest[arm] = gap > largest[arm] ? gap : largest[arm];
            }
        }
        assert_true(largest[arm] < LOGIT_TOL);
    }
    /* Negative twin: the arms themselves are much further apart than that. */
    for (size_t i = 0; i < EDIT_CHUNK_CASES; i++) {
        float none[33], edited[33], random[33];
        answer(none, &predictor, &fixture.cases, &order[i], 1, ARM_NULL, &plan);
        answer(edited, &predictor, &fixture.cases, &order[i], 1, ARM_EDIT, &plan);
        answer(random, &predictor, &fixture.cases, &order[i], 1, ARM_RANDOM, &plan);
        edit_effect += distance(none, edited, 33) / EDIT_CHUNK_CASES;
        random_effect += distance(none, random, 33) / EDIT_CHUNK_CASES;
    }
    assert_true(edit_effect > 100 * LOGIT_TOL && random_effect > 100 * LOGIT_TOL);
    /* An arm that a network has no function for is refused; its neighbour is not. */
    EditQuery query = {.set = &fixture.cases, .order = order, .n = 1, .arm = ARM_IDEAL_NULL};
    query.plan = &plan;
    assert_int_equal(predictor.predict(predictor.context, all, &query, 0), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "ideal_null"));
    query.arm = ARM_NULL;
    assert_int_equal(predictor.predict(predictor.context, all, &query, 0), 0);
    edit_network_free(network);
    fixture_release(&fixture);
}

/* A plain forward pass of one case with a hook of the test's own, that adds `change` to the row
 * of the last move. */
typedef struct Shift {
    const float *change;
    size_t row;
} Shift;

static void shift_hook(void *context, const HookPoint *point)
{
    const Shift *shift = context;
    for (size_t c = 0; c < point->width; c++) {
        point->value[shift->row * point->width + c] += shift->change[c];
    }
}

static void answer_shifted(float logits[33], const Fixture *fixture, size_t index, int layer,
                           const float *change)
{
    const EditCase *edit = &fixture->cases.cases[index];
    const Vocab *vocab = vocab_of(fixture->cases.variant);
    size_t T = (size_t)edit->n_moves;
    Shift shift = {change, T - 1};
    Hooks hooks = {.fn = shift_hook, .context = &shift};
    uint8_t tokens[GAME_MAX_MOVES];
    const real *all;
    Tape *tape;
    for (size_t t = 0; t < T; t++) {
        tokens[t] = vocab->tok_of_sq[edit->moves[t]];
    }
    hooks.sites[HOOK_RESID_POST] = 1ULL << layer;
    assert_int_equal(tape_new(&tape, &fixture->gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    all = gpt_forward(fixture->gpt, tape, tokens, 1, T, &hooks);
    memcpy(logits, all + (T - 1) * 33, 33 * sizeof(*logits));
    tape_free(tape);
}

typedef struct ShiftAll {
    const float *change;
    size_t n;
} ShiftAll;

static void shift_all_hook(void *context, const HookPoint *point)
{
    const ShiftAll *shift = context;
    for (size_t i = 0; i < shift->n * point->width; i++) {
        point->value[i] += shift->change[i % point->width];
    }
}

/* Positions "all": the change at the last position is added at every one; what the probe reads
 * there is what it reads of the last position's changed row. */
static void all_positions_take_the_change_of_the_last(void **state)
{
    Fixture fixture = fixture_make();
    EditPlan plan = PLAN(METHOD_ADD, HOOK_RESID_POST, 2, 3, false, PROBE_LAYER_OWN);
    EditNetwork *network;
    EditPredictor predictor;
    double last_differs = 0;
    assert_int_equal(edit_network_new(&network, fixture.gpt, &fixture.directions, 1, 1), 0);
    predictor = edit_network_predictor(network);
    for (size_t index = 0; index < 20; index++) {
        const EditCase *edit = &fixture.cases.cases[index];
        EditSquares squares = edit_squares(&fixture.directions.terms, edit);
        float all[33], last[33], again[33], zero[64] = {0}, scratch[EDIT_ROW_SCRATCH(64)];
        ShiftAll shift = {zero, (size_t)edit->n_moves};
        Hooks hooks = {.fn = shift_all_hook, .context = &shift};
        uint8_t tokens[GAME_MAX_MOVES];
        Tape *tape;
        plan.positions = POSITIONS_LAST;
        answer(last, &predictor, &fixture.cases, &index, 1, ARM_EDIT, &plan);
        plan.positions = POSITIONS_ALL;
        answer(all, &predictor, &fixture.cases, &index, 1, ARM_EDIT, &plan);
        edit_row(zero, scratch, &plan, &fixture.directions, 1, &squares); /* an absolute add */
        for (int t = 0; t < edit->n_moves; t++) {
            tokens[t] = vocab_of(fixture.cases.variant)->tok_of_sq[edit->moves[t]];
        }
        hooks.sites[HOOK_RESID_POST] = 2;
        assert_int_equal(tape_new(&tape, &fixture.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
        memcpy(again,
               gpt_forward(fixture.gpt, tape, tokens, 1, shift.n, &hooks) + (shift.n - 1) * 33,
               sizeof(again));
        tape_free(tape);
        assert_true(distance(all, again, 33) < LOGIT_TOL);
        last_differs += distance(last, again, 33) / 20;
    }
    assert_true(last_differs > 10 * LOGIT_TOL); /* negative twin */
    edit_network_free(network);
    fixture_release(&fixture);
}

/* The random control, made again from its definition: the edit's length along the unit vector of
 * (seed, RNG_DIRECTION, case), added at the edited layer and the last position. */
static void random_control_has_the_length_of_the_edit(void **state)
{
    Fixture fixture = fixture_make();
    const EditPlan plan = PLAN(METHOD_PROJECT, HOOK_RESID_POST, 2, 1, false, PROBE_LAYER_OWN);
    EditNetwork *network;
    EditPredictor predictor;
    size_t index;
    assert_int_equal(edit_network_new(&network, fixture.gpt, &fixture.directions, 1, 9), 0);
    predictor = edit_network_predictor(network);
    for (index = 0; index < 20; index++) {
        double norms[EDIT_MAX_LAYERS] = {0}, length = 0;
        EditQuery query = {.set = &fixture.cases,
                           .order = &index,
                           .n = 1,
                           .arm = ARM_EDIT,
                           .plan = &plan,
                           .norms = norms};
        float logits[33], again[33], change[64];
        Rng rng = rng_at(9, RNG_DIRECTION, index);
        assert_int_equal(predictor.predict(predictor.context, logits, &query, 0), 0);
        assert_true(norms[1] > 0 && norms[0] == 0 && norms[2] == 0);
        query.arm = ARM_RANDOM;
        assert_int_equal(predictor.predict(predictor.context, logits, &query, 0), 0);
        for (int c = 0; c < 64; c++) {
            change[c] = (float)rng_normal(&rng);
            length += (double)change[c] * change[c];
        }
        for (int c = 0; c < 64; c++) {
            change[c] *= (float)(norms[1] / sqrt(length));
        }
        answer_shifted(again, &fixture, index, 1, change);
        assert_true(distance(logits, again, 33) < LOGIT_TOL);
        /* Negative twins: another layer, twice the length. */
        answer_shifted(again, &fixture, index, 0, change);
        assert_true(distance(logits, again, 33) > LOGIT_TOL);
        for (int c = 0; c < 64; c++) {
            change[c] *= 2;
        }
        answer_shifted(again, &fixture, index, 1, change);
        assert_true(distance(logits, again, 33) > LOGIT_TOL);
    }
    edit_network_free(network);
    fixture_release(&fixture);
}

/* Whose disc is whose: the side to move after the last move turns the case's colours into mine
 * and theirs. The edit of a case by a probe of colours, whose classes are permuted to match, is
 * the same edit. */
static void colours_become_mine_and_theirs_by_the_mover(void **state)
{
    Fixture fixture = fixture_make();
    const EditPlan plan = PLAN(METHOD_ADD, HOOK_RESID_POST, 2, 3, false, PROBE_LAYER_OWN);
    EditNetwork *mine, *colour;
    BoardDirections other = fixture.directions; /* the sets are the fixture's */
    EditPredictor by_mine, by_colour;
    int n_same[2] = {0, 0}, n_different[2] = {0, 0};
    snprintf(other.terms.task, sizeof(other.terms.task), "colour");
    snprintf(other.terms.classes[1], sizeof(other.terms.classes[1]), "white");
    snprintf(other.terms.classes[2], sizeof(other.terms.classes[2]), "black");
    assert_int_equal(edit_network_new(&mine, fixture.gpt, &fixture.directions, 1, 1), 0);
    assert_int_equal(edit_network_new(&colour, fixture.gpt, &other, 1, 1), 0);
    by_mine = edit_network_predictor(mine);
    by_colour = edit_network_predictor(colour);
    for (size_t index = 0; index < fixture.cases.n; index++) {
        Colour mover = fixture.cases.cases[index].before.to_move;
        float a[33], b[33];
        answer(a, &by_mine, &fixture.cases, &index, 1, ARM_EDIT, &plan);
        answer(b, &by_colour, &fixture.cases, &index, 1, ARM_EDIT, &plan);
        *(distance(a, b, 33) == 0 ? &n_same[mover] : &n_different[mover]) += 1;
    }
    /* Weights of "theirs" serve as "white": right for Black to move, the reverse for White. */
    assert_true(n_same[BLACK] > 0 && n_different[BLACK] == 0);
    assert_true(n_same[WHITE] == 0 && n_different[WHITE] > 0);
    edit_network_free(mine);
    edit_network_free(colour);
    fixture_release(&fixture);
}

static void sweep_rows_are_those_of_single_scores(void **state)
{
    Fixture fixture = fixture_make();
    const EditPlan base = {.site = HOOK_RESID_POST, .probe_layer = PROBE_LAYER_OWN};
    const EditScoring scoring = {.stage = "sweep"};
    const Work work = {.seed = 1};
    EditNetwork *network;
    EditPredictor predictor;
    EditPlan *plans;
    SweepRow *rows;
    size_t n, best;
    assert_int_equal(
        edit_plans_to_try(&plans, &n, &base, true, true,
                          edit_layers_possible(&fixture.directions, &fixture.gpt->cfg)),
        0);
    assert_int_equal(n, 6 * 8); /* 0, 0-1, 0-2, 1, 1-2, 2, eight scales each */
    rows = calloc(n, sizeof(*rows));
    assert_int_equal(edit_network_new(&network, fixture.gpt, &fixture.directions, 1, 1), 0);
    predictor = edit_network_predictor(network);
    assert_int_equal(edit_sweep(rows, &predictor, &fixture.cases, plans, n, &scoring, &work), 0);
    best = sweep_best(rows, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(rows[i].error >= rows[best].error);
        assert_true(i >= best || rows[i].error > rows[best].error);
    }
    EditMetrics report = score_network(&fixture, &rows[best].plan, 2, 1);
    assert_true(report.mean[ARM_EDIT][METRIC_ERROR] == rows[best].error);
    assert_true(fabs(report.closed[ARM_EDIT].value - rows[best].closed) < 1e-9);
    edit_metrics_release(&report);
    edit_network_free(network);
    free(rows);
    mem_free(plans);
    fixture_release(&fixture);
}

static void plans_that_cannot_be_done_are_refused(void **state)
{
    Fixture fixture = fixture_make();
    const GptConfig *cfg = &fixture.gpt->cfg;
    EditPlan plan = {.site = HOOK_RESID_POST, .layers = 7, .probe_layer = PROBE_LAYER_OWN};
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), 0);
    plan.site = HOOK_POST;
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "256 wide"));
    /* As wide as the stream, but outside the blocks: no layer of a plan would ever be edited. */
    plan.site = HOOK_FINAL;
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "final_normalized cannot be edited"));
    plan.site = HOOK_RESID_POST;
    plan.layers = 8;
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    plan.layers = 7;
    fixture.directions.fitted[1] = false;
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "no layer 1"));
    plan.layers = 1;
    plan.scale = (EditScale){0.5, true};
    plan.method = METHOD_PROJECT;
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    plan.method = METHOD_ADD;
    snprintf(fixture.directions.terms.task, sizeof(fixture.directions.terms.task), "flipped");
    assert_int_equal(edit_plan_check(&plan, &fixture.directions, cfg), OGPT_EUSAGE);
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(project_is_a_reflection),
        cmocka_unit_test(add_moves_by_its_scale),
        cmocka_unit_test(workers_change_nothing_and_seeds_do),
        cmocka_unit_test(a_case_answers_alone_as_in_company),
        cmocka_unit_test(random_control_has_the_length_of_the_edit),
        cmocka_unit_test(all_positions_take_the_change_of_the_last),
        cmocka_unit_test(colours_become_mine_and_theirs_by_the_mover),
        cmocka_unit_test(sweep_rows_are_those_of_single_scores),
        cmocka_unit_test(plans_that_cannot_be_done_are_refused),
    };
    return cmocka_run_group_tests_name("edit_network", tests, NULL, NULL);
}
