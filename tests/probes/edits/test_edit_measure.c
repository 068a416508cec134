/* tests/probes/edits/test_edit_measure.c - label: counted - the verdict on edits: predictors made
 * of rules, whose score is known, and edit plans as text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "datasets/vocab.h"
#include "probes/edits/edit_measure.h"
#include "probes/legality/answers.h"
#include "tests/probes/cases/case_fixture.h"
#include "tests/probes/edits/kept_cases.h"
#include "tests/probes/stopped_journal.h"

enum { N_CASES = 150 };

/* ---- predictors made of rules ---- */

typedef struct RulesPredictor {
    uint64_t seed;
    bool edits_work; /* arm edit answers for the edited board */
    bool blunders;   /* takes one square for another, unless a descent mends it */
    bool poisoned;   /* one logit of case 3 is not a number */
    size_t n_asked;  /* queries so far */
} RulesPredictor;

/* 1 plus a little noise (so that ties fall at random) on the legal moves, noise elsewhere. */
static int predict_by_rules(void *context, float *logits, const EditQuery *query, size_t worker)
{
    RulesPredictor *rules = context;
    const Vocab *vocab = vocab_of(query->set->variant);
    rules->n_asked++;
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        bool on_edited = query->arm == ARM_EDIT && rules->edits_work;
        uint64_t legal = answer_tokens(vocab, on_edited ? edit->legal_edited : edit->legal_before);
        Rng rng = rng_at(rules->seed, RNG_TEST, query->order[i] * N_ARMS + query->arm);
        if (rules->blunders && query->arm != ARM_EDIT && query->arm != ARM_REPAIR) {
            /* The first legal move is not known, and an illegal one is held for legal. */
            legal = (legal & (legal - 1)) | 1ULL << __builtin_ctzll(~legal & ~1ULL);
        }
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            logits[i * (size_t)vocab->d_vocab + (size_t)tok] =
                (float)((legal >> tok & 1 ? 40 : 0) + 0.01 * rng_uniform(&rng));
        }
        if (rules->poisoned && query->order[i] == 3) {
            logits[i * (size_t)vocab->d_vocab + 5] = NAN;
        }
    }
    return 0;
}

static const EditMeasureOptions by_topn = {.scoring = {.rule = RULE_TOPN, .stage = "cases"}};

static EditMetrics score_by_rules(const CaseSet *set, RulesPredictor *rules, AnswerRule rule)
{
    const EditPredictor predictor = {
        .context = rules, .d_vocab = vocab_of(set->variant)->d_vocab, .predict = predict_by_rules};
    const EditMeasureOptions options = {.scoring = {.rule = rule, .stage = "cases"}};
    const Work work = {.seed = 1};
    const EditPlan plan = {.layers = 1, .probe_layer = PROBE_LAYER_OWN};
    EditMetrics report;
    assert_int_equal(edit_measure(&report, &predictor, set, &plan, &options, &work), 0);
    return report;
}

static double mean(const EditMetrics *report, Arm arm)
{
    return report->mean[arm][METRIC_ERROR];
}

static void perfect_predictor_has_error_zero(void **state)
{
    for (int size = 6; size <= 8; size += 2) {
        for (int rule = RULE_TOPN; rule <= RULE_THRESHOLD; rule++) {
            CaseSet set = fixture_cases(size, N_CASES, false);
            RulesPredictor rules = {.seed = 1, .edits_work = true};
            EditMetrics report = score_by_rules(&set, &rules, (AnswerRule)rule);
            assert_true(mean(&report, ARM_SELF) == 0 && mean(&report, ARM_EDIT) == 0);
            assert_true(report.mean[ARM_EDIT][METRIC_F1] == 1 &&
                        report.closed[ARM_EDIT].value == 1);
            assert_true(report.mean[ARM_EDIT][METRIC_FALSE_POSITIVES] == 0 &&
                        report.mean[ARM_EDIT][METRIC_FALSE_NEGATIVES] == 0);
            /* Noise of 0.01 nats on the legal moves is worth at most that much KL. */
            assert_true(report.mean[ARM_EDIT][METRIC_KL] >= 0 &&
                        report.mean[ARM_EDIT][METRIC_KL] < 0.01);
            assert_true(report.mean[ARM_EDIT][METRIC_DRIFT] > 0 && mean(&report, ARM_NULL) > 0);
            assert_true(report.gain.low > 0);
            edit_metrics_release(&report);

            /* Negative twin: a predictor that no edit reaches closes nothing. */
            rules.edits_work = false;
            report = score_by_rules(&set, &rules, (AnswerRule)rule);
            assert_true(mean(&report, ARM_EDIT) > 1 && report.mean[ARM_EDIT][METRIC_DRIFT] == 0);
            assert_true(report.closed[ARM_EDIT].low <= 0 && report.closed[ARM_EDIT].high >= 0);
            edit_metrics_release(&report);
            cases_release(&set);
        }
    }
}

/* A descent that is told the whole board also mends what the predictor had wrong, and so closes
 * more than a perfect edit would: the repair control shows how much of it is mending. */
static void repair_tells_mending_from_editing(void **state)
{
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true, .blunders = true};
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    const Work work = {.seed = 1};
    EditPlan plan = {.method = METHOD_GRADIENT, .layers = 1, .probe_layer = PROBE_LAYER_OWN};
    size_t n_chunks = (set.n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    EditMetrics report;
    assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), 0);
    assert_int_equal(rules.n_asked, 5 * n_chunks);
    assert_true(mean(&report, ARM_SELF) == 2 && report.mean[ARM_REPAIR][METRIC_DRIFT] == 0);
    assert_true(report.closed[ARM_EDIT].low > 1);
    assert_true(report.closed_repaired.value == 1);
    assert_true(mean(&report, ARM_REPAIR) > 1 && report.closed[ARM_REPAIR].low > 0);
    edit_metrics_release(&report);

    /* Negative twin: nothing to mend, and the descent alone closes nothing. */
    rules.blunders = false;
    assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), 0);
    assert_true(report.closed[ARM_EDIT].value == 1 && report.closed_repaired.value == 1);
    assert_true(report.closed[ARM_REPAIR].low <= 0 && report.closed[ARM_REPAIR].high >= 0);
    edit_metrics_release(&report);

    /* Other methods have no descent. */
    rules.n_asked = 0;
    plan.method = METHOD_ADD;
    assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), 0);
    assert_int_equal(rules.n_asked, 4 * n_chunks);
    assert_true(isnan(mean(&report, ARM_REPAIR)) && isnan(report.closed_repaired.value));
    assert_true(report.value[ARM_WRONG_SQUARE][METRIC_ERROR].low <
                    report.value[ARM_WRONG_SQUARE][METRIC_ERROR].value &&
                report.value[ARM_WRONG_SQUARE][METRIC_ERROR].value <
                    report.value[ARM_WRONG_SQUARE][METRIC_ERROR].high);
    edit_metrics_release(&report);
    cases_release(&set);
}

/* The plain way, beside which edit_measure is tested: one case and one arm at a time, the error by
 * the judging board and by the board before the edit. */
static void ask_plainly(SetScore *judged, SetScore *before, const EditPredictor *predictor,
                        const CaseSet *set, size_t index, Arm arm, const EditPlan *plan)
{
    const Vocab *vocab = vocab_of(set->variant);
    const EditCase *edit = &set->cases[index];
    float logits[EDIT_MAX_VOCAB];
    double norms[EDIT_MAX_LAYERS] = {0};
    EditQuery query = {
        .set = set, .order = &index, .n = 1, .arm = arm, .plan = plan, .norms = norms};
    query.arm = arm == ARM_SELF ? ARM_NULL : arm;
    assert_int_equal(predictor->predict(predictor->context, logits, &query, 0), 0);
    *before =
        answer_score(logits, vocab->d_vocab, answer_tokens(vocab, edit->legal_before), RULE_TOPN);
    *judged = answer_score(
        logits, vocab->d_vocab,
        answer_tokens(vocab, arm == ARM_SELF ? edit->legal_before : edit->legal_edited), RULE_TOPN);
}

static void measured_cases_are_those_of_plain_asking(void **state)
{
    static const EditMethod methods[] = {METHOD_ADD, METHOD_GRADIENT};
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true, .blunders = true};
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    const Work work = {.seed = 1};
    for (int m = 0; m < 2; m++) {
        const EditPlan plan = {.method = methods[m], .layers = 1, .probe_layer = PROBE_LAYER_OWN};
        double sums[N_ARMS] = {0}, repaired = 0, other = 0;
        EditMetrics report;
        assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), 0);
        for (size_t i = 0; i < set.n; i++) {
            for (int arm = 0; arm < N_ARMS; arm++) {
                const CaseMetrics one = case_at(&report, i);
                const Share *of = one.of[arm];
                SetScore judged, before;
                if (!arm_is_asked((Arm)arm, &plan)) {
                    assert_true(arm == ARM_IDEAL_NULL || of[METRIC_ERROR].whole == 0);
                    continue;
                }
                ask_plainly(&judged, &before, &predictor, &set, i, (Arm)arm, &plan);
                assert_true(of[METRIC_ERROR].part == judged.error && of[METRIC_ERROR].whole == 1);
                assert_true(of[METRIC_F1].part == judged.f1 && of[METRIC_KL].part == judged.kl);
                assert_true(of[METRIC_DRIFT].part == before.error);
                sums[arm] += judged.error;
                repaired += arm == ARM_REPAIR ? before.error : 0;
                /* The twin: another arm of the same case has another error, on the whole. */
                other += fabs(judged.error - one.of[ARM_EDIT][METRIC_ERROR].part);
            }
        }
        assert_true(other > (double)set.n);
        for (int arm = ARM_EDIT; arm <= ARM_REPAIR; arm++) {
            double share = (sums[ARM_NULL] - sums[arm]) / (sums[ARM_NULL] - sums[ARM_SELF]);
            if (arm_is_asked((Arm)arm, &plan)) {
                assert_true(report.closed[arm].value == share);
                assert_true(fabs(report.removed[arm].value - (1 - sums[arm] / sums[ARM_NULL])) <
                            1e-12);
                assert_true(report.removed[arm].low <= report.removed[arm].value &&
                            report.removed[arm].value <= report.removed[arm].high);
            } else {
                assert_true(isnan(report.closed[arm].value));
            }
        }
        assert_true(fabs(report.gain.value - (sums[ARM_NULL] - sums[ARM_EDIT]) / N_CASES) < 1e-12);
        if (methods[m] == METHOD_GRADIENT) {
            assert_true(report.closed_repaired.value ==
                        (sums[ARM_REPAIR] - sums[ARM_EDIT]) / (sums[ARM_REPAIR] - repaired));
        } else {
            assert_true(isnan(report.closed_repaired.value));
        }
        edit_metrics_release(&report);
    }
    cases_release(&set);
}

/* A perfect model of the original board with random ties: its null is the ideal null, averaged
 * over tie orders. 40 orders of 150 cases: the standard error of the mean difference is about
 * sd 1.0 / sqrt(6000) = 0.013; 4.6 of them are 0.06. Under the sanitizers there are 8 orders. */
static void unedited_rules_score_the_ideal_null(void **state)
{
    CaseSet set = fixture_cases(8, N_CASES, false);
    double null = 0, ideal = 0, swapped = 0;
    const char *sanitized = getenv("OGPT_SANITIZED");
    const uint64_t n_orders = sanitized && strcmp(sanitized, "1") == 0 ? 8 : 40;
    for (uint64_t seed = 0; seed < n_orders; seed++) {
        RulesPredictor rules = {.seed = seed};
        EditMetrics report = score_by_rules(&set, &rules, RULE_TOPN);
        null += mean(&report, ARM_NULL) / (double)n_orders;
        ideal += mean(&report, ARM_IDEAL_NULL) / (double)n_orders;
        edit_metrics_release(&report);
    }
    assert_true(fabs(null - ideal) < 4.6 / sqrt((double)n_orders * N_CASES));
    /* Negative twin: the boards the wrong way round have another ideal null, case by case. */
    for (size_t i = 0; i < set.n; i++) {
        EditCase turned = set.cases[i];
        turned.legal_before = set.cases[i].legal_edited;
        turned.legal_edited = set.cases[i].legal_before;
        swapped += fabs(ideal_null_error(&turned, 61, RULE_TOPN) -
                        ideal_null_error(&set.cases[i], 61, RULE_TOPN));
    }
    assert_true(swapped / (double)set.n > 0.1);
    cases_release(&set);
}

/* Small enough to enumerate by hand. */
static void ideal_null_is_the_hypergeometric_mean(void **state)
{
    /* Four moves before, two of them legal after: 2 draws of 4 hit 1 on average, error 2. */
    EditCase fewer = {.legal_before = 0xf, .legal_edited = 0x3};
    /* Two before, of which one stays, three after: 1 hit and one of 61 - 2 with 2 to be hit. */
    EditCase more = {.legal_before = 0x3, .legal_edited = 0xe};
    assert_true(fabs(ideal_null_error(&fewer, 61, RULE_TOPN) - 2.0) < 1e-12);
    assert_true(fabs(ideal_null_error(&more, 61, RULE_TOPN) - 2.0 * (2.0 - 2.0 / 59)) < 1e-12);
    /* p = 1/4 against 1/(2*2): not above it, so nothing is predicted and both moves are missed. */
    assert_true(ideal_null_error(&fewer, 61, RULE_THRESHOLD) == 2.0);
    assert_true(ideal_null_error(&more, 61, RULE_THRESHOLD) == 3.0);
}

static void numbers_that_are_none_stop_the_score(void **state)
{
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.poisoned = true};
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    const EditPredictor other_board = {
        .context = &rules, .d_vocab = 61, .predict = predict_by_rules};
    const Work work = {.seed = 1};
    const EditPlan plan = {.layers = 1};
    EditMetrics report;
    assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "case 3: the logit of token 5"));
    assert_int_equal(edit_measure(&report, &other_board, &set, &plan, &by_topn, &work),
                     OGPT_EFORMAT);
    rules.poisoned = false;
    interrupt_set(2);
    assert_int_equal(edit_measure(&report, &predictor, &set, &plan, &by_topn, &work), OGPT_EINTR);
    interrupt_set(0);
    assert_null(report.cases);
    cases_release(&set);
}

/* ---- what is finished is kept ---- */

/* More cases than a spill has in memory, and nowhere to put them. */
static void a_disk_that_is_not_there_is_said(void **state)
{
    CaseSet set = fixture_cases(6, 2100, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true};
    const EditPredictor predictor = {
        .context = &rules, .d_vocab = vocab_of(set.variant)->d_vocab, .predict = predict_by_rules};
    const EditPlan plan = {.layers = 1, .probe_layer = PROBE_LAYER_OWN};
    const char *before = getenv("TMPDIR");
    char kept[FILES_PATH_MAX];
    EditMetrics out;
    snprintf(kept, sizeof(kept), "%s", before ? before : "");
    setenv("TMPDIR", "/nowhere", 1);
    assert_int_equal(edit_measure(&out, &predictor, &set, &plan, &by_topn, WORK_ALONE), OGPT_EIO);
    assert_non_null(strstr(err_message(), "/nowhere: no temporary file can be made for metrics"));
    assert_null(out.cases);
    if (before) {
        setenv("TMPDIR", kept, 1);
    } else {
        unsetenv("TMPDIR");
    }
    assert_int_equal(edit_measure(&out, &predictor, &set, &plan, &by_topn, WORK_ALONE), 0);
    assert_int_equal(out.n, set.n);
    assert_true(spill_bytes(out.cases) > SPILL_MEMORY);
    const CaseMetrics last = case_at(&out, set.n - 1);
    assert_true(last.of[ARM_NULL][METRIC_ERROR].whole == 1);
    edit_metrics_release(&out);
    cases_release(&set);
}

static void finished_chunks_are_not_asked_again(void **state)
{
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true};
    StoppedJournal journal;
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    const Work work = {.seed = 1, .journal = &journal.callbacks};
    const EditPlan plan = {.layers = 1};
    EditMetrics whole = score_by_rules(&set, &rules, RULE_TOPN), again;
    size_t n_chunks = (set.n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    journal_begin(&journal, 1);
    assert_int_equal(edit_measure(&again, &predictor, &set, &plan, &by_topn, &work), OGPT_EINTR);
    assert_int_equal(journal.n_kept, 1);
    journal.stop_after = SIZE_MAX;
    rules.n_asked = 0;
    assert_int_equal(edit_measure(&again, &predictor, &set, &plan, &by_topn, &work), 0);
    assert_int_equal(journal.n_recalled, 1);
    assert_int_equal(rules.n_asked, 4 * (n_chunks - 1)); /* four arms a chunk */
    assert_true(cases_are_equal(&whole, &again));
    assert_memory_equal(&whole.closed, &again.closed, sizeof(whole.closed));
    edit_metrics_release(&again);

    /* Negative twin: what was kept is what is reported. */
    journal_values(&journal, "cases", 0)[0] += 1;
    assert_int_equal(edit_measure(&again, &predictor, &set, &plan, &by_topn, &work), 0);
    assert_false(cases_are_equal(&whole, &again));
    edit_metrics_release(&again);
    edit_metrics_release(&whole);
    journal_end(&journal);
    cases_release(&set);
}

static void plans_are_read_strictly(void **state)
{
    static const char *const bad_scales[] = {"", "r", "-1", "1e9", "nan", "inf", "2x", "0.5rr"};
    EditScale scale;
    char text[192];
    edit_layers_print(text, 0xba);
    assert_string_equal(text, "1,3-5,7");
    edit_layers_print(text, 0xbb);
    assert_string_equal(text, "0-1,3-5,7");
    assert_int_equal(edit_scale_parse(&scale, "0.5r"), 0);
    assert_true(scale.value == 0.5 && scale.relative);
    assert_int_equal(edit_scale_parse(&scale, "2.3"), 0);
    assert_true(scale.value == 2.3 && !scale.relative);
    for (size_t i = 0; i < sizeof(bad_scales) / sizeof(bad_scales[0]); i++) {
        assert_int_equal(edit_scale_parse(&scale, bad_scales[i]), OGPT_EUSAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_predictor_has_error_zero),
        cmocka_unit_test(repair_tells_mending_from_editing),
        cmocka_unit_test(measured_cases_are_those_of_plain_asking),
        cmocka_unit_test(unedited_rules_score_the_ideal_null),
        cmocka_unit_test(ideal_null_is_the_hypergeometric_mean),
        cmocka_unit_test(numbers_that_are_none_stop_the_score),
        cmocka_unit_test(a_disk_that_is_not_there_is_said),
        cmocka_unit_test(finished_chunks_are_not_asked_again),
        cmocka_unit_test(plans_are_read_strictly),
    };
    return cmocka_run_group_tests_name("edit measure", tests, NULL, NULL);
}
