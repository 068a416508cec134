/* tests/probes/edits/test_intervene.c - the verdict on edits: predictors made of rules, whose score
 * is known, and edit plans as text. */
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
#include "probes/edits/edit_metrics.h"
#include "probes/edits/intervene.h"
#include "probes/legality/answers.h"
#include "tests/probes/cases/case_fixture.h"

enum { N_CASES = 150 };

/* ---- predictors made of rules ---- */

typedef struct RulesPredictor {
    uint64_t seed;
    bool edits_work; /* edited versions answer for the edited board */
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
        bool on_edited = query->version == VERSION_EDIT && rules->edits_work;
        uint64_t legal = answer_tokens(vocab, on_edited ? edit->legal_edited : edit->legal_before);
        Rng rng = rng_at(rules->seed, RNG_TEST, query->order[i] * 4 + query->version);
        if (rules->blunders && query->version != VERSION_EDIT && query->version != VERSION_REPAIR) {
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

static EditReport score_by_rules(const CaseSet *set, RulesPredictor *rules, AnswerRule rule)
{
    const EditPredictor predictor = {
        .context = rules, .d_vocab = vocab_of(set->variant)->d_vocab, .predict = predict_by_rules};
    const EditSettings settings = {.rule = rule, .seed = 1};
    const EditPlan plan = {.layers = 1, .probe_layer = PROBE_LAYER_OWN};
    EditReport report;
    assert_int_equal(intervene_score(&report, &predictor, set, &plan, &settings), 0);
    return report;
}

static void perfect_predictor_has_error_zero(void **state)
{
    for (int size = 6; size <= 8; size += 2) {
        for (int rule = RULE_TOPN; rule <= RULE_THRESHOLD; rule++) {
            CaseSet set = fixture_cases(size, N_CASES, false);
            RulesPredictor rules = {.seed = 1, .edits_work = true};
            EditReport report = score_by_rules(&set, &rules, (AnswerRule)rule);
            assert_true(report.mean.self_error == 0 && report.mean.edit_error == 0);
            assert_true(report.mean.f1 == 1 && report.closed.value == 1);
            assert_true(report.mean.false_positives == 0 && report.mean.false_negatives == 0);
            /* Noise of 0.01 nats on the legal moves is worth at most that much KL. */
            assert_true(report.mean.kl >= 0 && report.mean.kl < 0.01);
            assert_true(report.mean.drift > 0 && report.mean.null_error > 0);
            assert_true(report.gain.low > 0);
            intervene_release(&report);

            /* Negative twin: a predictor that no edit reaches closes nothing. */
            rules.edits_work = false;
            report = score_by_rules(&set, &rules, (AnswerRule)rule);
            assert_true(report.mean.edit_error > 1 && report.mean.drift == 0);
            assert_true(report.closed.low <= 0 && report.closed.high >= 0);
            intervene_release(&report);
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
    const EditSettings settings = {.seed = 1};
    EditPlan plan = {.method = METHOD_GRADIENT, .layers = 1, .probe_layer = PROBE_LAYER_OWN};
    size_t n_chunks = (set.n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    EditReport report;
    assert_int_equal(intervene_score(&report, &predictor, &set, &plan, &settings), 0);
    assert_int_equal(rules.n_asked, 5 * n_chunks);
    assert_true(report.mean.self_error == 2 && report.repair_self_error.value == 0);
    assert_true(report.closed.low > 1);
    assert_true(report.closed_repaired.value == 1);
    assert_true(report.repair_error.value > 1 && report.repair_closed.low > 0);
    intervene_release(&report);

    /* Negative twin: nothing to mend, and the descent alone closes nothing. */
    rules.blunders = false;
    assert_int_equal(intervene_score(&report, &predictor, &set, &plan, &settings), 0);
    assert_true(report.closed.value == 1 && report.closed_repaired.value == 1);
    assert_true(report.repair_closed.low <= 0 && report.repair_closed.high >= 0);
    intervene_release(&report);

    /* Other methods have no descent. */
    rules.n_asked = 0;
    plan.method = METHOD_ADD;
    assert_int_equal(intervene_score(&report, &predictor, &set, &plan, &settings), 0);
    assert_int_equal(rules.n_asked, 4 * n_chunks);
    assert_true(isnan(report.mean.repair_error) && isnan(report.closed_repaired.value));
    assert_true(report.wrong_square_error.low < report.wrong_square_error.value &&
                report.wrong_square_error.value < report.wrong_square_error.high);
    intervene_release(&report);
    cases_release(&set);
}

/* What was measured needs no second answer: the report completed from it is the one of scoring, and
 * only the control of a descent is asked for. */
static void measured_cases_complete_to_the_report_of_scoring(void **state)
{
    static const EditMethod methods[] = {METHOD_ADD, METHOD_GRADIENT};
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true, .blunders = true};
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    const EditSettings settings = {.seed = 1};
    const EditMetricsOptions options = {0};
    size_t n_chunks = (set.n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    CaseScore known[N_CASES];
    for (int m = 0; m < 2; m++) {
        EditPlan plan = {.method = methods[m], .layers = 1, .probe_layer = PROBE_LAYER_OWN};
        EditReport scored, completed;
        EditMetrics metrics;
        assert_int_equal(intervene_score(&scored, &predictor, &set, &plan, &settings), 0);
        assert_int_equal(edit_metrics_score(&metrics, &predictor, &set, &plan, &options, &settings),
                         0);
        for (size_t i = 0; i < set.n; i++) {
            known[i] = edit_metrics_case_score(&metrics.cases[i]);
        }
        rules.n_asked = 0;
        assert_int_equal(intervene_complete(&completed, &predictor, &set, &plan, known, &settings),
                         0);
        assert_int_equal(rules.n_asked, m == 0 ? 0 : n_chunks);
        assert_memory_equal(completed.cases, scored.cases, sizeof(known));
        assert_memory_equal(&completed.mean, &scored.mean, sizeof(scored.mean));
        assert_memory_equal(&completed.closed, &scored.closed, sizeof(scored.closed));
        intervene_release(&completed);
        /* The twin: a case that came to something else is seen. */
        known[3].edit_error += 1;
        assert_int_equal(intervene_complete(&completed, &predictor, &set, &plan, known, &settings),
                         0);
        assert_true(completed.cases[3].edit_error == scored.cases[3].edit_error + 1);
        assert_true(completed.closed.value < scored.closed.value);
        intervene_release(&completed);
        intervene_release(&scored);
        edit_metrics_release(&metrics);
    }
    cases_release(&set);
}

/* A perfect model of the original board with random ties: its null is the ideal null, averaged
 * over tie orders. 40 orders of 150 cases: the standard error of the mean difference is about
 * sd 1.0 / sqrt(6000) = 0.013; 0.06 is more than four of them. */
static void unedited_rules_score_the_ideal_null(void **state)
{
    CaseSet set = fixture_cases(8, N_CASES, false);
    double null = 0, ideal = 0, swapped = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        RulesPredictor rules = {.seed = seed};
        EditReport report = score_by_rules(&set, &rules, RULE_TOPN);
        null += report.mean.null_error / 40;
        ideal += report.mean.ideal_null / 40;
        intervene_release(&report);
    }
    assert_true(fabs(null - ideal) < 0.06);
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
    const EditSettings settings = {.seed = 1};
    const EditPlan plan = {.layers = 1};
    EditReport report;
    assert_int_equal(intervene_score(&report, &predictor, &set, &plan, &settings), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "case 3: the logit of token 5"));
    assert_int_equal(intervene_score(&report, &other_board, &set, &plan, &settings), OGPT_EFORMAT);
    rules.poisoned = false;
    interrupt_set(2);
    assert_int_equal(intervene_score(&report, &predictor, &set, &plan, &settings), OGPT_EINTR);
    interrupt_set(0);
    assert_null(report.cases);
    cases_release(&set);
}

/* ---- what is finished is kept ---- */

enum { MAX_BLOCKS = 16 };

typedef struct MemoryJournal {
    size_t n_kept, n_recalled;
    size_t refuse; /* keep fails at this one, as a kill would; 0: never */
    double *blocks[MAX_BLOCKS];
} MemoryJournal;

static int journal_recall(void *context, double *values, size_t n, const char *stage, size_t block)
{
    MemoryJournal *journal = context;
    assert_string_equal(stage, "cases");
    if (!journal->blocks[block]) {
        return 0;
    }
    memcpy(values, journal->blocks[block], n * sizeof(*values));
    journal->n_recalled++;
    return 1;
}

static int journal_keep(void *context, const double *values, size_t n, const char *stage,
                        size_t block)
{
    MemoryJournal *journal = context;
    assert_null(journal->blocks[block]); /* nothing is done twice */
    if (journal->refuse > 0 && journal->n_kept + 1 == journal->refuse) {
        return err_set(OGPT_EIO, "the journal is full");
    }
    journal->n_kept++;
    journal->blocks[block] = malloc(n * sizeof(*values));
    memcpy(journal->blocks[block], values, n * sizeof(*values));
    return 0;
}

static void finished_chunks_are_not_asked_again(void **state)
{
    CaseSet set = fixture_cases(6, N_CASES, false);
    RulesPredictor rules = {.seed = 1, .edits_work = true};
    MemoryJournal memory = {.refuse = 2};
    const EditJournal journal = {&memory, journal_recall, journal_keep};
    const EditPredictor predictor = {.context = &rules, .d_vocab = 33, .predict = predict_by_rules};
    EditSettings settings = {.seed = 1, .journal = &journal, .stage = "cases"};
    const EditPlan plan = {.layers = 1};
    EditReport whole = score_by_rules(&set, &rules, RULE_TOPN), again;
    size_t n_chunks = (set.n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    assert_int_equal(intervene_score(&again, &predictor, &set, &plan, &settings), OGPT_EIO);
    assert_int_equal(memory.n_kept, 1);
    memory.refuse = 0;
    rules.n_asked = 0;
    assert_int_equal(intervene_score(&again, &predictor, &set, &plan, &settings), 0);
    assert_int_equal(memory.n_recalled, 1);
    assert_int_equal(rules.n_asked, 4 * (n_chunks - 1)); /* four versions a chunk */
    assert_memory_equal(whole.cases, again.cases, set.n * sizeof(*whole.cases));
    assert_memory_equal(&whole.closed, &again.closed, sizeof(whole.closed));
    intervene_release(&again);

    /* Negative twin: what was kept is what is reported. */
    memory.blocks[0][0] += 1;
    assert_int_equal(intervene_score(&again, &predictor, &set, &plan, &settings), 0);
    assert_memory_not_equal(whole.cases, again.cases, set.n * sizeof(*whole.cases));
    intervene_release(&again);
    intervene_release(&whole);
    for (size_t i = 0; i < MAX_BLOCKS; i++) {
        free(memory.blocks[i]);
    }
    cases_release(&set);
}

static void plans_are_read_strictly(void **state)
{
    static const char *const bad_layers[] = {"", "8", "5-2", "1,", "a", "-1", "1--2", "2 ", "1;2"};
    static const char *const bad_scales[] = {"", "r", "-1", "1e9", "nan", "inf", "2x", "0.5rr"};
    uint64_t layers;
    EditScale scale;
    char text[192];
    assert_int_equal(edit_layers_parse(&layers, "1,3-5,7", 8), 0);
    assert_int_equal(layers, 0xba);
    edit_layers_print(text, layers);
    assert_string_equal(text, "1,3-5,7");
    for (size_t i = 0; i < sizeof(bad_layers) / sizeof(bad_layers[0]); i++) {
        assert_int_equal(edit_layers_parse(&layers, bad_layers[i], 8), OGPT_EUSAGE);
    }
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
        cmocka_unit_test(measured_cases_complete_to_the_report_of_scoring),
        cmocka_unit_test(unedited_rules_score_the_ideal_null),
        cmocka_unit_test(ideal_null_is_the_hypergeometric_mean),
        cmocka_unit_test(numbers_that_are_none_stop_the_score),
        cmocka_unit_test(finished_chunks_are_not_asked_again),
        cmocka_unit_test(plans_are_read_strictly),
    };
    return cmocka_run_group_tests_name("intervene", tests, NULL, NULL);
}
