/* tests/probes/steering/test_steer_study.c - the whole study on a network whose head is known, the
 * direction of a probe written by hand, and sums over scores. links: model/planted */
#include "probes/steering/steer_fixture.h"

#include "base/err.h"
#include "model/planted/planted.h"

/* ---- a probe written by hand ---- */

static void set_weight(Probe *probe, int at, int square, const char *class, int coordinate,
                       float value)
{
    const int step = probe->n_squares * probe->n_classes;
    probe->weight[at][coordinate * step + square * probe->n_classes + probe_class(probe, class)] =
        value;
}

/* Zero weights of 6x6, of these layers. */
static Probe empty_probe(const GptConfig *cfg, int n_layers, const int *layers)
{
    Probe probe = {.task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .size = 6,
                   .n_squares = 36,
                   .d_model = cfg->d_model,
                   .n_classes = 3,
                   .n_layers = n_layers};
    memcpy(probe.layers, layers, (size_t)n_layers * sizeof(*layers));
    for (int i = 0; i < n_layers; i++) {
        probe.fitted[i] = true;
    }
    assert_int_equal(probe_allocate(&probe), 0);
    return probe;
}

/* out is `wanted` (unit, by coordinate) as long as the means are along it, and nothing else. */
static void check_vector(const SteerBank *out, const SteerBank *means, size_t group,
                         const double *wanted)
{
    double along = 0;
    for (size_t c = 0; c < out->width; c++) {
        along += wanted[c] * (double)steer_bank_at(means, 1, group)[c];
    }
    assert_true(fabs(along) > 0.1);
    for (size_t c = 0; c < out->width; c++) {
        assert_true(fabs((double)steer_bank_at(out, 1, group)[c] - fabs(along) * wanted[c]) < 1e-6);
        assert_true(steer_bank_at(out, 0, group)[c] == 0); /* the probe has no layer 0 */
    }
}

/* The class TO counts upwards, each class by its own coordinate, each square by its length 1. */
static void test_direction_of_a_probe(void **state)
{
    const GameVariant *six = game_variant(6);
    const int layers[] = {LAYER_EMBED, 1};
    Gpt *gpt = noisy_network(6, 64, 5);
    Probe probe = empty_probe(&gpt->cfg, 2, layers);
    SteerBank means, out;
    assert_int_equal(steer_bank_new(&means, HOOK_RESID_POST, &gpt->cfg, 36), 0);
    for (size_t i = 0; i < 2 * 36 * means.width; i++) {
        means.vectors[i] = (float)sin(1.7 * (double)i + 1);
    }
    set_weight(&probe, 1, 8, "mine", 2, 3);
    set_weight(&probe, 1, 8, "theirs", 5, 4);
    set_weight(&probe, 1, 8, "empty", 7, 2);
    double turned[16] = {0}, emptied[16] = {0};
    turned[2] = 0.6; /* (3, -4) / 5 */
    turned[5] = -0.8;
    assert_int_equal(steer_bank_probe(&out, &probe, &means, STEER_MINE, six), 0);
    check_vector(&out, &means, 8, turned);
    assert_true(steer_bank_norm(&out, 1, 9) == 0);
    steer_bank_release(&out);
    const double length = sqrt(4 + 1.5 * 1.5 + 4); /* 2 empty - (4 theirs + 3 mine) / 2 */
    emptied[7] = 2 / length;
    emptied[5] = -2 / length;
    emptied[2] = -1.5 / length;
    assert_int_equal(steer_bank_probe(&out, &probe, &means, STEER_OCCUPIED, six), 0);
    check_vector(&out, &means, 8, emptied);
    steer_bank_release(&out);
    /* Corners a1 and f6, one weight a hundred times the other: both count alike. */
    double corners[16] = {0};
    corners[3] = corners[4] = sqrt(0.5);
    set_weight(&probe, 1, 0, "empty", 3, 0.1F);
    set_weight(&probe, 1, 35, "empty", 4, 10);
    SteerBank two;
    assert_int_equal(steer_bank_new(&two, HOOK_RESID_POST, &gpt->cfg, 2), 0);
    memcpy(two.vectors, means.vectors, (size_t)4 * two.width * sizeof(*two.vectors));
    assert_int_equal(steer_bank_probe(&out, &probe, &two, STEER_NO_CORNER, six), 0);
    check_vector(&out, &two, 0, corners);
    steer_bank_release(&out);
    steer_bank_release(&two);
    steer_bank_release(&means);
    probe_release(&probe);
    gpt_free(gpt);
}

static void test_lengths_are_taken_over(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    SteerBank a, b;
    assert_int_equal(steer_bank_new(&a, HOOK_RESID_POST, &gpt->cfg, 2), 0);
    assert_int_equal(steer_bank_new(&b, HOOK_RESID_POST, &gpt->cfg, 2), 0);
    steer_bank_at(&a, 1, 0)[3] = -2;
    steer_bank_at(&a, 1, 1)[3] = 5;
    steer_bank_at(&b, 1, 0)[7] = 6;
    steer_bank_at(&b, 0, 0)[0] = 1;
    steer_bank_scale(&a, &b);
    assert_true(steer_bank_at(&a, 1, 0)[3] == -6); /* as long as b, its own way */
    assert_true(steer_bank_norm(&a, 1, 1) == 0);   /* where b has no length */
    assert_true(steer_bank_norm(&a, 0, 0) == 0);   /* nor can nothing be made longer */
    assert_true(steer_bank_at(&b, 1, 0)[7] == 6.0F);
    steer_bank_release(&a);
    steer_bank_release(&b);
    gpt_free(gpt);
}

/* ---- sums ---- */

/* Two games; three cases that care and one that does not. */
static void test_sums_of_hand_scores(void **state)
{
    SteerCase at[4] = {{.game = 0, .cares = true},
                       {.game = 0, .cares = true},
                       {.game = 1, .cares = true},
                       {.game = 1, .cares = false}};
    double sums[8];
    const SteerCases cases = {.at = at, .n = 4, .n_games = 2, .n_caring = 3, .sums = sums};
    const SteerScore arm[4] = {{.edited = 2, .before = 5, .metric = 1, .kl = 9},
                               {.edited = 3, .before = 5, .metric = 2, .kl = 9},
                               {.edited = 1, .before = 5, .metric = 6, .kl = 9},
                               {.edited = 50, .before = 5, .metric = 70, .kl = 0.25}};
    const SteerScore null[4] = {{.edited = 6, .before = 1},
                                {.edited = 6, .before = 2},
                                {.edited = 6, .before = 0},
                                {.edited = 90, .before = 80}};
    const Interval mean = steer_mean(&cases, STEER_OF_EDITED, STEER_CARING, arm, 1);
    assert_true(mean.value == 2 && mean.low == 1 && mean.high == 2.5); /* the means of the games */
    assert_true(steer_mean(&cases, STEER_OF_METRIC, STEER_CARING, arm, 1).value == 3);
    assert_true(steer_mean(&cases, STEER_OF_KL, STEER_OTHERS, arm, 1).value == 0.25);
    const Interval gain = steer_paired(&cases, STEER_OF_EDITED, STEER_CARING, null, arm, 1);
    assert_true(gain.value == 4 && gain.low == 3.5 && gain.high == 5); /* null minus the arm */
    assert_true(steer_paired(&cases, STEER_OF_BEFORE, STEER_OTHERS, arm, null, 1).value == -75);
    /* null 18, self 3, the arm 6: 12 of 15. By game 7 of 9, and 5 of 6. */
    const Interval closed = steer_closed(&cases, arm, null, 1);
    assert_true(fabs(closed.value - 12.0 / 15) < 1e-12);
    assert_true(fabs(closed.low - 7.0 / 9) < 1e-12 && fabs(closed.high - 5.0 / 6) < 1e-12);
    at[3].cares = true;
    assert_true(isnan(steer_mean(&cases, STEER_OF_KL, STEER_OTHERS, arm, 1).value));
}

/* ---- the whole study ---- */

static SteerCases cases_of(RngPurpose purpose, size_t games)
{
    GameSource *source = fresh_games(4, purpose);
    SteerCases cases;
    assert_int_equal(
        steer_cases_draw(&cases, source, STEER_OCCUPIED, STEER_ANY_GROUPS, games, 3, WORK_ALONE),
        0);
    source_free(source);
    return cases;
}

/* What is taken out, and from which network, arm by arm: every `more` is the arm's errors minus
 * those of null, which is not changed at all and is right by its own board as often as `self` says.
 */
static void check_ablations(const SteerStudy *study)
{
    const SteerAblation *null = &study->ablations[STEER_ARM_NULL];
    assert_memory_equal(&null->caring, &study->self, sizeof(null->caring));
    assert_true(null->caring.value > 0);
    for (int arm = 0; arm < STEER_ARM_PROBE; arm++) { /* that one is of features */
        const SteerAblation *at = &study->ablations[arm];
        const double more = at->caring.value - null->caring.value;
        const double others = at->others.value - null->others.value;
        assert_true(fabs(at->more_caring.value - more) < 1e-9);
        assert_true(fabs(at->more_others.value - others) < 1e-9);
        assert_true((at->kl_caring.value > 0) == (arm != STEER_ARM_NULL));
        assert_true((at->kl_others.value > 0) == (arm != STEER_ARM_NULL));
    }
    const Interval same = null->more_caring, others = null->more_others;
    assert_true(same.value == 0 && same.low == 0 && same.high == 0);
    assert_true(others.value == 0 && others.low == 0 && others.high == 0);
}

/* Means over the cases that care, and over the others, of what a run says. */
static void check_share(const SteerAblation *at, const SteerCases *cases, const SteerScore *scores)
{
    double wrong[2] = {0}, strict[2] = {0}, kl[2] = {0}, n[2] = {0};
    for (size_t i = 0; i < cases->n; i++) {
        const int cares = cases->at[i].cares;
        wrong[cares] += scores[i].before;
        strict[cares] += scores[i].strict_before;
        kl[cares] += scores[i].kl;
        n[cares]++;
    }
    assert_true(fabs(at->caring.value - wrong[1] / n[1]) < 1e-9);
    assert_true(fabs(at->others.value - wrong[0] / n[0]) < 1e-9);
    assert_true(fabs(at->strict_caring.value - strict[1] / n[1]) < 1e-9);
    assert_true(fabs(at->strict_others.value - strict[0] / n[0]) < 1e-9);
    assert_true(fabs(at->kl_caring.value - kl[1] / n[1]) < 1e-9);
    assert_true(fabs(at->kl_others.value - kl[0] / n[0]) < 1e-9);
}

/* The rows of null, steer and wrong are those of runs done here. */
static void check_ablated_pass(const SteerStudy *study, const SteerInputs *in)
{
    const SteerCases *cases = in->test;
    const SteerChange nothing = STEER_NO_CHANGE;
    SteerChange change = {
        .kind = STEER_ABLATE, .bank = &study->bank, .group = -1, .layer = study->ablation_layer};
    SteerScore *scores = mem_alloc(cases->n, sizeof(*scores), "scores");
    float *clean = mem_alloc(cases->n * (size_t)cases->vocab->d_vocab, sizeof(*clean), "answers");
    assert_int_equal(steer_run(scores, clean, in->gpt, cases, &nothing, NULL, WORK_ALONE), 0);
    check_share(&study->ablations[STEER_ARM_NULL], cases, scores);
    assert_int_equal(steer_run(scores, NULL, in->gpt, cases, &change, clean, WORK_ALONE), 0);
    check_share(&study->ablations[STEER_ARM_STEER], cases, scores);
    change.wrong = true;
    assert_int_equal(steer_run(scores, NULL, in->gpt, cases, &change, clean, WORK_ALONE), 0);
    check_share(&study->ablations[STEER_ARM_WRONG], cases, scores);
    mem_free(scores);
    mem_free(clean);
}

/* The planted head lowers the logits of squares that were played. Steering to "empty" raises one
 * again, where the edited board allows the move; the other squares' vectors do not. The twin has no
 * such head: no arm moves a legal move. */
static void test_study_of_a_planted_network(void **state)
{
    const SteerOrigin origins[] = {STEER_MEANS, STEER_CONTRAST};
    for (int run = 0; run < 4; run++) {
        const bool twin = run % 2 == 1;
        const PlantedOptions options = {
            .kind = PLANTED_EMPTINESS, .size = 4, .seed = 2, .twin = twin};
        Gpt *gpt;
        assert_int_equal(planted_make(&gpt, &options), 0);
        SteerFit fit = some_fit(4, STEER_OCCUPIED, 100);
        SteerCases tuning = cases_of(RNG_HELDOUT, 30), test = cases_of(RNG_EVAL, 60);
        const SteerInputs in = {.gpt = gpt,
                                .fit = &fit,
                                .tuning = &tuning,
                                .test = &test,
                                .options = {.target = STEER_OCCUPIED,
                                            .origin = origins[run / 2],
                                            .site = HOOK_RESID_POST,
                                            .alphas = {1, 2},
                                            .n_alphas = 2,
                                            .n_heads = 1}};
        SteerStudy study;
        assert_int_equal(steer_study_run(&study, &in, WORK_ALONE), 0);
        const SteerArmResult *steer = &study.arms[STEER_ARM_STEER];
        const SteerArmResult *wrong = &study.arms[STEER_ARM_WRONG];
        const SteerAblation *taken = &study.ablations[STEER_ARM_STEER];
        const SteerAblation *ply = &study.ablations[STEER_ARM_SHUFFLED];
        if (twin) {
            assert_true(steer->closed.low <= 0 && steer->closed.high >= 0);
            assert_true(wrong->closed.low <= 0 && wrong->closed.high >= 0);
            /* a hundredth of the strength: what is left is the ply, of the means */
            assert_true(fabs(steer->metric.value) < PLANTED_STRENGTH / 100);
        } else {
            assert_true(steer->closed.low > 0 && wrong->closed.high < 0);
            assert_true(steer->gain.low > 0);
            assert_true(steer->metric.low > PLANTED_STRENGTH / 6);
            assert_true(study.arms[STEER_ARM_RANDOM].metric.high < steer->metric.low);
        }
        check_ablations(&study);
        check_ablated_pass(&study, &in);
        if (twin) {
            assert_true(taken->kl_caring.high < 0.005);
            assert_true(ply->more_others.low < 0 && ply->more_others.high > 0);
        } else { /* ten times as much; what the ply tells is needed where the edit is of no moment
                  */
            assert_true(taken->kl_caring.low > 0.02);
            assert_true(ply->more_others.low > 0);
        }
        /* 24 bits of a float, 6e-8 of the largest logit, through three layers */
        assert_true(study.identity_error < 1e-5);
        assert_int_equal(study.n_identity, 64);
        steer_study_release(&study);
        steer_cases_release(&tuning);
        steer_cases_release(&test);
        steer_fit_release(&fit);
        gpt_free(gpt);
    }
}

/* A probe of the embedding alone has no direction that could be added. */
static void test_probe_without_blocks(void **state)
{
    const int layers[] = {LAYER_EMBED};
    Gpt *gpt = noisy_network(6, 64, 5);
    Probe probe = empty_probe(&gpt->cfg, 1, layers);
    SteerFit fit = some_fit(6, STEER_MINE, 80);
    SteerCases cases = some_cases(6, STEER_MINE, 6);
    SteerInputs in = {.gpt = gpt,
                      .fit = &fit,
                      .tuning = &cases,
                      .test = &cases,
                      .options = {.target = STEER_MINE,
                                  .origin = STEER_PROBE,
                                  .site = HOOK_RESID_POST,
                                  .alphas = {1},
                                  .n_alphas = 1,
                                  .probe = &probe}};
    SteerStudy study;
    set_weight(&probe, 0, 8, "mine", 2, 3);
    assert_int_equal(steer_study_run(&study, &in, WORK_ALONE), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "no direction in any block"));
    assert_int_equal(steer_bank_check_probe(&probe, "p", HOOK_RESID_POST), OGPT_EUSAGE);
    in.options.layers = 2;
    assert_int_equal(steer_study_run(&study, &in, WORK_ALONE), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "layer 1"));
    in.options.origin = STEER_MEANS; /* with means there is one */
    assert_int_equal(steer_study_run(&study, &in, WORK_ALONE), 0);
    assert_true(study.ablated && study.identity_error < 1e-5);
    assert_int_equal(study.n_identity, cases.n);
    steer_study_release(&study);
    in.options.site = HOOK_Z; /* as wide as the stream, but not of it */
    assert_int_equal(steer_study_run(&study, &in, WORK_ALONE), 0);
    assert_false(study.ablated);
    steer_study_release(&study);
    probe_release(&probe);
    steer_cases_release(&cases);
    steer_fit_release(&fit);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direction_of_a_probe),
        cmocka_unit_test(test_lengths_are_taken_over),
        cmocka_unit_test(test_sums_of_hand_scores),
        cmocka_unit_test(test_study_of_a_planted_network),
        cmocka_unit_test(test_probe_without_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
