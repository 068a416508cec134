/* tests/probes/feature_circuits/test_feature_circuit_study.c - all pairs together: sums, grades,
 * curves and controls; the same for any number of workers and from a journal. links: model/planted
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "feature_fixture.h"
#include "probes/feature_circuits/feature_circuit_study.h"
#include "tests/probes/stopped_journal.h"

enum { PAIRS = 12 };

static FeatureFixture fixture;
static PairSet flips, same;

static int setup(void **state)
{
    const PairMakeOptions options = {
        .n = PAIRS, .kind = PAIR_FLIP, .min_moves = 5, .before_end = 10};
    PairMakeOptions transposed = options;
    const GameVariant *variant = game_variant(6);
    Gpt *gpt = noisy_network(6, 20, 3);
    transposed.kind = PAIR_TRANSPOSITION;
    fixture_ask(&fixture, gpt, fixture_sae(16, FIXTURE_FEATURES, HOOK_RESID_POST, 0), PATCH_LAST,
                1);
    return pairs_make(&flips, variant, &options, WORK_ALONE) ||
           pairs_make(&same, variant, &transposed, WORK_ALONE);
}

static int teardown(void **state)
{
    pairs_release(&flips);
    pairs_release(&same);
    fixture_close(&fixture);
    return 0;
}

static void study_of(FeatureStudy *out, PatchScope scope, const Work *work)
{
    FeatureQuestion question = fixture.question;
    question.pairs = flips.pairs;
    question.n_pairs = flips.n;
    question.scope = scope;
    question.points = 3;
    assert_int_equal(feature_circuit_study_run(out, &question, same.pairs, same.n, work), 0);
}

/* Shares are ratios of sums of what feature_circuit_pair_measure gives. */
static void shares_are_ratios_of_sums(void **state)
{
    FeatureStudy study;
    double whole = 0, all = 0, runs = 0, error = 0;
    study_of(&study, PATCH_LAST, &(Work){.seed = 1});
    for (size_t p = 0; p < flips.n; p++) {
        fixture.pair = flips.pairs[p];
        fixture_measure(&fixture);
        whole += fixture.values[FEATURE_HEAD_WHOLE] - fixture.values[FEATURE_HEAD_BASE];
        runs += fixture.values[FEATURE_HEAD_RUNS + 1] - fixture.values[FEATURE_HEAD_RUNS];
        all += fixture.values[feature_circuit_pair_all(&fixture.layout, 0)];
        error += plane(&fixture, 0, FEATURE_EXACT)[FIXTURE_FEATURES];
    }
    const FeatureBasisResult *features = &study.bases[0];
    /* The same numbers added in the same order, divided. */
    assert_true(fabs(features->all.value - all / whole) < 1e-9);
    assert_true(fabs(features->error.value - error / whole) < 1e-9);
    assert_true(fabs(study.of_run.value - whole / runs) < 1e-9);
    assert_true(fabs(study.flips.whole.value + whole / PAIRS) < 1e-9);
    assert_true(fabs(features->all.value - features->error.value) > 0.01);
    assert_true(features->all.low < features->all.value &&
                features->all.value < features->all.high);
    feature_circuit_study_release(&study);
    (void)state;
}

/* With k of all nodes or more a curve is that of all nodes; coordinates then carry everything. */
static void curves_end_where_all_nodes_are(void **state)
{
    FeatureStudy study;
    study_of(&study, PATCH_ALL, &(Work){.seed = 1});
    assert_int_equal(study.n_bases, N_FEATURE_BASES);
    for (size_t b = 0; b < study.n_bases; b++) {
        const FeatureBasisResult *basis = &study.bases[b];
        for (int order = 0; order < N_FEATURE_ORDERS; order++) {
            assert_true(basis->curve[order][N_FEATURE_COUNTS - 1].value == basis->all.value);
            assert_true(basis->curve[order][0].value != basis->all.value);
        }
        assert_true(basis->has_error || fabs(basis->all.value - 1) < 1e-12);
        /* What the exact order puts first does more than what comes by chance. */
        assert_true(fabs(basis->curve[FEATURE_EXACT][0].value) >
                    fabs(basis->curve[FEATURE_RANDOM][0].value));
        /* Estimates find it better than chance: the twin is a random order. */
        assert_true(basis->agree[FEATURE_ATP].spearman.value > 0.3);
        assert_true(fabs(basis->agree[FEATURE_RANDOM].spearman.value) < 0.2);
        assert_true(basis->agree[FEATURE_ATP].recall.value >
                        basis->agree[FEATURE_RANDOM].recall.value &&
                    basis->agree[FEATURE_ATP].cost.value < basis->agree[FEATURE_RANDOM].cost.value);
        assert_true(basis->agree[FEATURE_IG].pearson.value > 0.3 &&
                    basis->agree[FEATURE_IG].pearson.value <= 1);
    }
    assert_true(study.other_error ==
                0); /* all positions of the stream: the other run, bit for bit */
    /* Rows are float32, a hundred times their changes: plain kernels reach 1.5e-5. */
    assert_true(study.identity < 5e-5 && study.split < 1e-5);
    feature_circuit_study_release(&study);
    study_of(&study, PATCH_LAST, &(Work){.seed = 1});
    assert_true(study.other_error > 1e-3); /* twin: the last position alone */
    feature_circuit_study_release(&study);
    (void)state;
}

/* Where estimates are exact they rank as the truth does, and cost no more than what is found. */
static void exact_estimates_have_perfect_grades(void **state)
{
    FeatureFixture f;
    FeatureStudy study;
    fixture_linear(&f, PATCH_ALL);
    f.question.pairs = &f.pair;
    assert_int_equal(feature_circuit_study_run(&study, &f.question, NULL, 0, WORK_ALONE), 0);
    for (size_t b = 0; b < study.n_bases; b++) {
        const FeatureAgreement *agree = study.bases[b].agree;
        for (int score = FEATURE_ATP; score < N_FEATURE_SCORES; score++) {
            assert_true(agree[score].pearson.value > 0.999);
            if (b != BASIS_NEURONS) { /* of which nearly all have an effect below rounding */
                /* Effects are exact to PLANTED_TOLERANCE: only small ones change places. */
                assert_true(agree[score].spearman.value > 0.9);
                assert_true(agree[score].recall.value == 1);
                assert_true(agree[score].cost.value == FEATURE_WANTED);
            }
            assert_true(fabs(agree[score].sum.value - 1) < 1e-3);
        }
        /* Twin: a random order. */
        assert_true(agree[FEATURE_RANDOM].recall.value < 1);
        assert_true(agree[FEATURE_RANDOM].cost.value > 2 * FEATURE_WANTED);
    }
    assert_int_equal(study.transpositions.n_pairs, 0);
    feature_circuit_study_release(&study);
    fixture_close(&f);
    (void)state;
}

static void features_are_listed_by_size(void **state)
{
    FeatureStudy study;
    bool error = false;
    study_of(&study, PATCH_LAST, &(Work){.seed = 1});
    assert_true(study.n_scores > 3 && study.n_scores <= FIXTURE_FEATURES + 1);
    for (size_t i = 0; i < study.n_scores; i++) {
        const FeatureScore *score = &study.scores[i];
        assert_true(i == 0 || fabs(score->share[FEATURE_EXACT].value) <=
                                  fabs(score[-1].share[FEATURE_EXACT].value));
        assert_true(score->pairs >= 1 && score->pairs <= PAIRS && score->size > 0);
        error |= score->node == FIXTURE_FEATURES && score->pairs == PAIRS &&
                 score->share[FEATURE_EXACT].value == study.bases[0].error.value;
    }
    assert_true(error);
    assert_int_equal(study.transpositions.n_pairs, PAIRS);
    assert_true(study.transpositions.whole.value != study.flips.whole.value);
    feature_circuit_study_release(&study);
    (void)state;
}

static bool equal(const FeatureStudy *a, const FeatureStudy *b)
{
    FeatureStudy left = *a, right = *b;
    left.scores = right.scores = NULL;
    return memcmp(&left, &right, sizeof(left)) == 0 &&
           memcmp(a->scores, b->scores, a->n_scores * sizeof(*a->scores)) == 0;
}

static void workers_and_journals_change_no_bit(void **state)
{
    FeatureStudy alone, many, again, other;
    StoppedJournal journal;
    Pool *pool;
    assert_int_equal(pool_new(&pool, 3), 0);
    journal_begin(&journal, SIZE_MAX);
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        study_of(&alone, (PatchScope)scope, &(Work){.seed = 1});
        study_of(&many, (PatchScope)scope, &(Work){.seed = 1, .pool = pool});
        assert_true(equal(&alone, &many));
        feature_circuit_study_release(&many);
        if (scope == PATCH_LAST) {
            study_of(&many, PATCH_LAST,
                     &(Work){.seed = 1, .pool = pool, .journal = &journal.callbacks});
            assert_int_equal(journal.n_recalled, 0);
            journal_forget(&journal, NULL, 3); /* one block is done again */
            study_of(&again, PATCH_LAST, &(Work){.seed = 1, .journal = &journal.callbacks});
            assert_int_equal(journal.n_recalled, 2 * PAIRS - 1);
            assert_true(equal(&alone, &many) && equal(&alone, &again));
            journal_values(&journal, NULL, 3)[0] += 1; /* twin: what is kept is used */
            study_of(&other, PATCH_LAST, &(Work){.seed = 1, .journal = &journal.callbacks});
            assert_false(equal(&alone, &other));
            feature_circuit_study_release(&many);
            feature_circuit_study_release(&again);
            feature_circuit_study_release(&other);
        }
        study_of(&other, (PatchScope)scope, &(Work){.seed = 2}); /* twin: another seed */
        assert_false(equal(&alone, &other));
        feature_circuit_study_release(&other);
        feature_circuit_study_release(&alone);
    }
    journal_end(&journal);
    pool_free(pool);
    (void)state;
}

static void what_cannot_be_asked(void **state)
{
    FeatureStudy study;
    FeatureQuestion question = fixture.question;
    question.pairs = flips.pairs;
    question.n_pairs = 0;
    assert_int_equal(feature_circuit_study_run(&study, &question, NULL, 0, WORK_ALONE),
                     OGPT_EUSAGE);
    question.n_pairs = 1;
    question.vocab = vocab_of(game_variant(8));
    assert_int_equal(feature_circuit_study_run(&study, &question, NULL, 0, WORK_ALONE),
                     OGPT_EFORMAT);
    question.vocab = fixture.question.vocab;
    assert_true(feature_circuit_study_bytes(&question, WORK_ALONE) > 10000);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_ratios_of_sums),
        cmocka_unit_test(curves_end_where_all_nodes_are),
        cmocka_unit_test(exact_estimates_have_perfect_grades),
        cmocka_unit_test(features_are_listed_by_size),
        cmocka_unit_test(workers_and_journals_change_no_bit),
        cmocka_unit_test(what_cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
