/* tests/probes/features/test_features_handles.c - features as handles of the board: which are
 * chosen, what clamping adds to a row, edits of a network by them and by a probe, vectors of
 * squares. links: probes/edits */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "probes/edits/edit_experiment.h"
#include "probes/edits/edit_network.h"
#include "probes/features/features_handles.h"
#include "tests/probes/edits/kept_cases.h"
#include "tests/probes/cases/case_fixture.h"
#include "tests/probes/small_network.h"
#include "tests/probes/small_probe.h"

/* Rows of a 4x4 board: coordinate c of 0 .. 47 is above 0 where square c % 16 is in class c / 16;
 * one is never on, one always, and one is read by no feature. */
enum {
    SQUARES = 16,
    DEAD = 48,
    ALWAYS,
    FEATURES,
    UNREAD = FEATURES,
    WIDTH,
    GAMES = 20,
    ROWS = 600
};

static Pool *pool;
static float rows_x[ROWS * WIDTH];
static uint8_t own[ROWS * COVERAGE_SQUARES], other[ROWS * COVERAGE_SQUARES];
static uint8_t third[ROWS * COVERAGE_SQUARES]; /* one more game */
static uint32_t first[GAMES + 1];

static CodebookRows planted_rows_of_boards(void)
{
    Rng rng = rng_at(1, RNG_TEST, 7);
    memset(own, COVERAGE_ABSENT, sizeof(own));
    memset(other, COVERAGE_ABSENT, sizeof(other));
    memset(third, COVERAGE_ABSENT, sizeof(third));
    for (size_t i = 0; i < ROWS; i++) {
        float *x = rows_x + i * WIDTH;
        memset(x, 0, WIDTH * sizeof(*x));
        for (size_t s = 0; s < SQUARES; s++) {
            const uint8_t class = (uint8_t)rng_below(&rng, 3);
            own[i * COVERAGE_SQUARES + s] = class;
            other[i * COVERAGE_SQUARES + s] = (uint8_t)rng_below(&rng, 3);
            third[i * COVERAGE_SQUARES + s] = (uint8_t)rng_below(&rng, 3);
            x[class * SQUARES + s] = (float)(1 + rng_uniform(&rng));
        }
        x[ALWAYS] = 2;
        x[UNREAD] = (float)rng_normal(&rng);
    }
    for (size_t g = 0; g <= GAMES; g++) {
        first[g] = (uint32_t)(g * ROWS / GAMES);
    }
    return (CodebookRows){.x = rows_x, .board = {ROWS, GAMES, own, first, SQUARES}, .other = other};
}

/* Feature j is coordinate j. */
static Sae *identity_sae(size_t width, size_t features)
{
    const SaeConfig cfg = {
        .kind = SAE_STANDARD, .d_in = width, .d_out = width, .features = features};
    Sae *sae = NULL;
    assert_int_equal(sae_new(&sae, &cfg), 0);
    for (size_t j = 0; j < features; j++) {
        sae->w_enc[j * width + j] = sae->w_dec[j * width + j] = 1;
    }
    sae_prepare(sae);
    return sae;
}

static FeaturesHandles make(const Sae *sae, const CodebookRows *rows, Pool *by)
{
    FeaturesHandles out;
    assert_int_equal(features_handles_make(&out, sae, rows, &(Work){.pool = by, .seed = 1}), 0);
    return out;
}

static void test_planted_states_are_found(void **state)
{
    CodebookRows rows = planted_rows_of_boards();
    Sae *sae = identity_sae(WIDTH, FEATURES);
    FeaturesHandles handles = make(sae, &rows, pool), alone = make(sae, &rows, NULL);
    assert_memory_equal(handles.rank.features, alone.rank.features,
                        COVERAGE_PAIRS * FEATURES_HANDLES_MOST * sizeof(uint32_t));
    assert_memory_equal(handles.mean_on, alone.mean_on, FEATURES * sizeof(float));
    for (int pair = 0; pair < 3 * SQUARES; pair++) {
        size_t n;
        const uint32_t *ranked =
            coverage_ranked(&n, &handles.rank, pair % SQUARES, pair / SQUARES, 1);
        const double *leads =
            handles.rank.leads +
            (size_t)(pair / SQUARES * COVERAGE_SQUARES + pair % SQUARES) * handles.rank.most;
        double sum = 0, on = 0;
        assert_int_equal(n, 1);
        assert_int_equal(ranked[0], pair);
        /* F1 is 1, less about 1/3 on other boards; a feature that says nothing has no such lead. */
        assert_true(leads[0] > 0.5 && leads[0] < 0.8 && leads[1] < 0.2);
        for (size_t i = 0; i < ROWS; i++) {
            sum += (double)rows_x[i * WIDTH + (size_t)pair];
            on += rows_x[i * WIDTH + (size_t)pair] > 0;
        }
        assert_true(fabs((double)handles.mean_on[pair] - sum / on) < 1e-6); /* one rounding */
        coverage_ranked(&n, &handles.rank, pair % SQUARES, pair / SQUARES, FEATURES_HANDLES_MOST);
        for (size_t i = 0; i < n; i++) {
            assert_int_not_equal(ranked[i], DEAD);
            for (int class = 0; class < 3 && class != pair / SQUARES; class ++) {
                size_t m;
                const uint32_t *rival = coverage_ranked(&m, &handles.rank, pair % SQUARES, class,
                                                        FEATURES_HANDLES_MOST);
                for (size_t k = 0; k < m; k++) {
                    assert_int_not_equal(rival[k], ranked[i]); /* one state of a square */
                }
            }
        }
    }
    features_handles_release(&alone);
    features_handles_release(&handles);

    /* Twin: boards of other games are told by no feature. */
    rows.board.labels = other;
    rows.other = third;
    handles = make(sae, &rows, pool);
    size_t right = 0;
    for (size_t pair = 0; pair < (size_t)3 * SQUARES; pair++) {
        const size_t at = (pair / SQUARES * COVERAGE_SQUARES + pair % SQUARES) * handles.rank.most;
        assert_true(handles.rank.leads[at] < 0.25);
        right += handles.rank.features[at] == pair;
    }
    assert_true(right < 6);
    features_handles_release(&handles);
    sae_free(sae);
}

/* Handles of which feature class * 16 + square stands for a state, with these means. */
static FeaturesHandles by_hand(const Sae *sae, size_t n_squares, size_t most, float mean)
{
    static float means[FEATURES];
    static uint32_t features[COVERAGE_PAIRS * 2];
    FeaturesHandles out = {.sae = sae, .rank = {.most = most, .features = features}};
    for (size_t j = 0; j < sae->cfg.features; j++) {
        means[j] = mean;
    }
    out.mean_on = means;
    for (size_t pair = 0; pair < COVERAGE_PAIRS; pair++) {
        const size_t square = pair % COVERAGE_SQUARES;
        out.rank.n[pair] = square < n_squares;
        features[pair * most] = (uint32_t)(pair / COVERAGE_SQUARES * n_squares + square);
    }
    return out;
}

static void moved(float *change, const FeaturesHandles *handles, const float *x,
                  const BoardMoves *moves, int features)
{
    float scratch[2 * FEATURES];
    BoardMover mover;
    BoardDirections directions;
    features_handles_directions(&directions, &mover, handles, game_variant(4));
    assert_int_equal(mover.scratch, 2 * FEATURES);
    mover.move(mover.self, change, scratch, x, moves, features);
}

static void test_clamping_moves_the_reconstruction(void **state)
{
    planted_rows_of_boards();
    Sae *sae = identity_sae(WIDTH, FEATURES);
    FeaturesHandles handles = by_hand(sae, SQUARES, 2, 1.25F);
    float x[WIDTH], change[WIDTH], expected[WIDTH] = {0};
    memset(x, 0, sizeof(x));
    x[SQUARES + 5] = 0.5F;      /* square 5 is theirs */
    x[2 * SQUARES + 9] = 0.75F; /* square 9 is mine */
    x[UNREAD] = 3;              /* what no feature rebuilds */
    const int squares[] = {5, 9}, from[] = {1, 2}, to[] = {2, 1};
    BoardMoves moves = {1, squares, from, to};
    moved(change, &handles, x, &moves, 1);
    expected[SQUARES + 5] = -0.5F;
    expected[2 * SQUARES + 5] = 1.25F;
    assert_memory_equal(change, expected, sizeof(change)); /* 9 and UNREAD stay */

    /* Two squares together; what is on already goes to its mean, and off stays off. */
    moves.n = 2;
    moved(change, &handles, x, &moves, 1);
    expected[2 * SQUARES + 9] = -0.75F;
    expected[SQUARES + 9] = 1.25F;
    assert_memory_equal(change, expected, sizeof(change));
    x[2 * SQUARES + 5] = 2;
    x[SQUARES + 5] = 0;
    moved(change, &handles, x, &moves, 1);
    assert_true(change[2 * SQUARES + 5] == 1.25F - 2 && change[SQUARES + 5] == 0);

    /* A feature of a state that goes and of one that comes stays as it is. */
    handles.rank.n[1 * COVERAGE_SQUARES + 9] = 2;
    handles.rank.features[(1 * COVERAGE_SQUARES + 9) * 2 + 1] = SQUARES + 5;
    x[SQUARES + 5] = 0.5F;
    moved(change, &handles, x, &moves, 1);
    assert_true(change[SQUARES + 5] == -0.5F); /* the second feature is not asked for */
    moved(change, &handles, x, &moves, 2);
    assert_true(change[SQUARES + 5] == 0 && change[SQUARES + 9] == 1.25F);
    sae_free(sae);
}

/* ---- inside a network ---- */

enum { BOARD = 36, SPOKEN = 3 * BOARD, D = 16 };

/* Every feature is always 1. Its column is the probe's direction from theirs to mine (mine), its
 * opposite (theirs), or noise. */
static Sae *sae_of_directions(const BoardDirections *probe, bool noise)
{
    const SaeConfig cfg = {.kind = SAE_STANDARD,
                           .d_in = D,
                           .d_out = D,
                           .features = SPOKEN,
                           .site = HOOK_RESID_POST,
                           .site_out = HOOK_RESID_POST};
    const DirectionSet *set = &probe->sets[0];
    Sae *sae = NULL;
    assert_int_equal(sae_new(&sae, &cfg), 0);
    for (size_t j = 0; j < SPOKEN; j++) {
        const int square = (int)(j % BOARD);
        const float *unit = set->unit + direction_of_square(set, square, 1, 2) * D;
        Rng rng = rng_at(3, RNG_TEST, j);
        double length = 0;
        for (size_t c = 0; c < D; c++) {
            const float toward = j / BOARD == 2 ? unit[c] : j / BOARD == 1 ? -unit[c] : 0;
            sae->w_dec[j * D + c] = noise ? (float)rng_normal(&rng) : toward;
            length += (double)sae->w_dec[j * D + c] * (double)sae->w_dec[j * D + c];
        }
        for (size_t c = 0; c < D && noise; c++) {
            sae->w_dec[j * D + c] = (float)(sae->w_dec[j * D + c] / sqrt(length));
        }
        sae->b_enc[j] = 1;
    }
    sae_prepare(sae);
    return sae;
}

static EditMetrics measure(const Gpt *gpt, const BoardDirections *probe, const Sae *sae,
                           const CaseSet *cases, Pool *by)
{
    static float means[SPOKEN];
    static uint32_t features[COVERAGE_PAIRS];
    FeaturesHandles handles = {.sae = sae, .rank = {.most = 1, .features = features}};
    const EditMeasureOptions options = {.scoring = {.stage = "cases"}, .reader = probe->probe};
    const EditPlan plan = {.method = METHOD_SAE,
                           .site = HOOK_RESID_POST,
                           .layers = 1,
                           .scale = {4, false},
                           .probe_layer = PROBE_LAYER_OWN,
                           .features = 1};
    BoardMover mover;
    BoardDirections directions;
    EditNetwork *network;
    EditMetrics out;
    handles.mean_on = means;
    for (size_t j = 0; j < SPOKEN; j++) {
        means[j] = 2;
        handles.rank.n[j / BOARD * COVERAGE_SQUARES + j % BOARD] = 1;
        features[j / BOARD * COVERAGE_SQUARES + j % BOARD] = (uint32_t)j;
    }
    features_handles_directions(&directions, &mover, &handles, game_variant(6));
    assert_int_equal(edit_plan_check(&plan, &directions, &gpt->cfg), 0);
    assert_int_equal(edit_network_new(&network, gpt, &directions, 3, 1), 0);
    edit_network_read_with(network, probe->probe);
    edit_network_rival(network, probe);
    const EditPredictor predictor = edit_network_predictor(network);
    assert_int_equal(
        edit_measure(&out, &predictor, cases, &plan, &options, &(Work){.pool = by, .seed = 1}), 0);
    edit_network_free(network);
    return out;
}

/* Cases in which an arm has the errors of another one. */
static size_t alike(const EditMetrics *metrics, Arm a, Arm b)
{
    size_t n = 0;
    for (size_t i = 0; i < metrics->n; i++) {
        CaseMetrics one;
        assert_int_equal(edit_metrics_case(&one, metrics, i), 0);
        n += memcmp(one.of[a], one.of[b], sizeof(one.of[a][0]) * (METRIC_F1 + 1)) == 0;
    }
    return n;
}

/* Theirs becomes mine: -1 times its column, which points away, and (2 - 1) times that of mine;
 * twice the direction of the probe in all, and scale 4 makes it 8. Arm probe goes as far along
 * the same direction. */
static void test_columns_that_are_directions_edit_as_the_probe_does(void **state)
{
    Gpt *gpt = noisy_network(6, 32, 5);
    Probe probe = random_probe(&gpt->cfg, HOOK_RESID_POST);
    CaseSet cases = fixture_cases(6, 70, false);
    BoardDirections directions;
    assert_non_null(gpt);
    assert_int_equal(direction_board_of_probe(&directions, &probe), 0);
    Sae *sae = sae_of_directions(&directions, false), *noise = sae_of_directions(&directions, true);
    EditMetrics one = measure(gpt, &directions, sae, &cases, NULL);
    EditMetrics many = measure(gpt, &directions, sae, &cases, pool);
    assert_true(cases_are_equal(&one, &many));
    /* Flips to mine go along +u, flips to theirs along the opposite: all cases, to rounding. */
    assert_int_equal(alike(&one, ARM_EDIT, ARM_PROBE), one.n);
    assert_true(one.closed[ARM_EDIT].value == one.closed[ARM_PROBE].value);
    assert_true(one.edit_less_probe[METRIC_ERROR].low == 0 &&
                one.edit_less_probe[METRIC_ERROR].high == 0);
    /* Not because nothing moves, and no control does the same. */
    assert_true(alike(&one, ARM_EDIT, ARM_NULL) < 3 * one.n / 4);
    assert_true(alike(&one, ARM_EDIT, ARM_RANDOM) < 3 * one.n / 4);
    assert_true(alike(&one, ARM_EDIT, ARM_WRONG_SQUARE) < 3 * one.n / 4);
    assert_true(one.mean[ARM_EDIT][METRIC_TURNED] > 0.9);
    edit_metrics_release(&many);
    edit_metrics_release(&one);

    /* Twin: columns that are no directions of the board. */
    one = measure(gpt, &directions, noise, &cases, NULL);
    assert_true(alike(&one, ARM_EDIT, ARM_PROBE) < 3 * one.n / 4);
    assert_true(one.mean[ARM_EDIT][METRIC_TURNED] < 0.7);
    assert_true(one.mean[ARM_PROBE][METRIC_TURNED] > 0.9);
    edit_metrics_release(&one);
    sae_free(sae);
    sae_free(noise);
    direction_board_release(&directions);
    probe_release(&probe);
    cases_release(&cases);
    gpt_free(gpt);
}

static void test_plans_of_other_owners_are_refused(void **state)
{
    Gpt *gpt = noisy_network(6, 32, 5);
    Probe probe = random_probe(&gpt->cfg, HOOK_RESID_POST);
    Sae *sae = identity_sae(D, D);
    FeaturesHandles handles = by_hand(sae, SQUARES, 1, 1);
    EditPlan plan = {.method = METHOD_SAE,
                     .site = HOOK_RESID_POST,
                     .layers = 1,
                     .scale = {1, false},
                     .probe_layer = PROBE_LAYER_OWN,
                     .features = 1};
    BoardMover mover;
    BoardDirections features, of_probe;
    sae->cfg.site = HOOK_RESID_POST;
    features_handles_directions(&features, &mover, &handles, game_variant(6));
    assert_int_equal(direction_board_of_probe(&of_probe, &probe), 0);
    assert_int_equal(edit_plan_check(&plan, &features, &gpt->cfg), 0);
    assert_int_equal(edit_plan_check(&plan, &of_probe, &gpt->cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "features of an autoencoder"));
    plan.features = FEATURES_HANDLES_MOST + 1;
    assert_int_equal(edit_plan_check(&plan, &features, &gpt->cfg), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--per-state 65"));
    plan.features = 1;
    plan.scale.relative = true;
    assert_int_equal(edit_plan_check(&plan, &features, &gpt->cfg), OGPT_EUSAGE);
    plan.scale.relative = false;
    plan.method = METHOD_ADD;
    assert_int_equal(edit_plan_check(&plan, &features, &gpt->cfg), OGPT_EUSAGE);
    assert_int_equal(edit_plan_check(&plan, &of_probe, &gpt->cfg), 0);

    /* With no number of features, five are tried at each scale; a given one is kept. */
    EditPlan *plans = NULL;
    size_t n = 0;
    plan.method = METHOD_SAE;
    plan.features = 0;
    assert_true(edit_plan_lacks_features(&plan));
    assert_int_equal(edit_plans_to_try(&plans, &n, &plan, false, true, 1), 0);
    assert_int_equal(n, 40);
    assert_true(plans[0].features == 1 && plans[39].features == 16 && plans[39].layers == 1);
    mem_free(plans);
    plan.features = 3;
    assert_int_equal(edit_plans_to_try(&plans, &n, &plan, false, false, 1), 0);
    assert_true(n == 1 && plans[0].features == 3);
    mem_free(plans);
    direction_board_release(&of_probe);
    sae_free(sae);
    probe_release(&probe);
    gpt_free(gpt);
}

/* ---- vectors ---- */

static void test_vectors_of_squares(void **state)
{
    Sae *sae = identity_sae(WIDTH, FEATURES);
    FeaturesHandles handles = by_hand(sae, SQUARES, 1, 1.5F);
    GptConfig cfg = small_config(4, 2, 8);
    FeaturesSteering steering = {
        .groups = UINT64_MAX, .target = STEER_MINE, .variant = game_variant(4), .per_state = 1};
    SteerBank bank;
    uint64_t groups;
    bool chosen[FEATURES] = {false};
    cfg.d_model = WIDTH;
    sae->cfg.site = HOOK_RESID_POST;
    sae->cfg.layer = 1;
    assert_int_equal(features_handles_bank(&bank, &groups, &handles, &cfg, &steering), 0);
    assert_true(groups == 0xffff);
    for (size_t g = 0; g < SQUARES; g++) {
        const float *v = steer_bank_at(&bank, 1, g);
        for (size_t c = 0; c < WIDTH; c++) {
            const float expected = c == 2 * SQUARES + g ? 1.5F : c == SQUARES + g ? -1.5F : 0;
            assert_true(v[c] == expected);
        }
        assert_true(steer_bank_norm(&bank, 0, g) == 0); /* another layer */
    }
    steer_bank_release(&bank);

    /* By a list alone: square 3 by the feature of theirs, and no other square. */
    chosen[SQUARES + 3] = true;
    steering.chosen = chosen;
    assert_int_equal(features_handles_bank(&bank, &groups, &handles, &cfg, &steering), 0);
    assert_true(groups == 1 << 3 && steer_bank_at(&bank, 1, 3)[SQUARES + 3] == -1.5F);
    assert_true(steer_bank_norm(&bank, 1, 3) == 1.5 && steer_bank_norm(&bank, 1, 4) == 0);
    steer_bank_release(&bank);

    steering.groups = 1 << 4;
    assert_int_equal(features_handles_bank(&bank, &groups, &handles, &cfg, &steering), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "none of the features"));
    steer_bank_release(&bank);
    steering.groups = UINT64_MAX;

    /* Emptied: empty comes, both colours go by halves. */
    steering.chosen = NULL;
    steering.target = STEER_OCCUPIED;
    assert_int_equal(features_handles_bank(&bank, &groups, &handles, &cfg, &steering), 0);
    const float *v = steer_bank_at(&bank, 1, 2);
    assert_true(v[2] == 1.5F && v[SQUARES + 2] == -0.75F && v[2 * SQUARES + 2] == -0.75F);
    assert_true(steer_bank_norm(&bank, 1, 5) == 0); /* the centre is not asked about */
    steer_bank_release(&bank);
    sae_free(sae);
}

static int setup(void **state)
{
    return blas_init() || pool_new(&pool, 3);
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_states_are_found),
        cmocka_unit_test(test_clamping_moves_the_reconstruction),
        cmocka_unit_test(test_columns_that_are_directions_edit_as_the_probe_does),
        cmocka_unit_test(test_plans_of_other_owners_are_refused),
        cmocka_unit_test(test_vectors_of_squares),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
