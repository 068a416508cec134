/* tests/probes/edits/test_edit_experiment.c - honest tuning: the plan is chosen on the tuning cases
 * alone, and the reported cases meet that plan and no other. The predictor is made of rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "datasets/vocab.h"
#include "probes/edits/edit_experiment.h"
#include "probes/legality/answers.h"
#include "tests/probes/cases/case_fixture.h"

/* Edits work in block `right_layer` alone, at any scale, and only on cases of this set where one
 * is named. Counts what it was asked for. */
typedef struct Rules {
    int right_layer;
    const CaseSet *tuning; /* where it works in another layer, to mislead */
    int tuning_layer;
    size_t n_edits_tuning, n_edits_reported;
    uint64_t layers_reported; /* every set of layers that reported cases were edited in */
} Rules;

static int predict(void *context, float *logits, const EditQuery *query, size_t worker)
{
    Rules *rules = context;
    const Vocab *vocab = vocab_of(query->set->variant);
    bool is_tuning = query->set == rules->tuning;
    int layer = is_tuning ? rules->tuning_layer : rules->right_layer;
    bool works = query->arm == ARM_EDIT && query->plan->layers == 1ULL << layer;
    if (query->arm == ARM_EDIT) {
        *(is_tuning ? &rules->n_edits_tuning : &rules->n_edits_reported) += query->n;
        rules->layers_reported |= is_tuning ? 0 : query->plan->layers;
    }
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        uint64_t legal = answer_tokens(vocab, works ? edit->legal_edited : edit->legal_before);
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            logits[i * (size_t)vocab->d_vocab + (size_t)tok] = legal >> tok & 1 ? 4 : 0;
        }
    }
    return 0;
}

static int run(EditExperiment *out, Rules *rules, const CaseSet *cases, const CaseSet *tuning,
               bool any, bool by_layer)
{
    const Probe probe = {0};
    const BoardDirections directions = {.probe = &probe,
                                        .terms = {.task = "mine",
                                                  .labels = "mover",
                                                  .classes = {"empty", "theirs", "mine"},
                                                  .n_classes = 3,
                                                  .size = 6,
                                                  .n_squares = 36},
                                        .width = 24,
                                        .n_layers = 3,
                                        .layers = {0, 1, 2},
                                        .fitted = {true, true, true}};
    const GptConfig cfg = {.n_layers = 3,
                           .d_model = 24,
                           .n_heads = 3,
                           .d_head = 8,
                           .d_mlp = 96,
                           .n_ctx = 31,
                           .d_vocab = 33};
    const EditPredictor predictor = {.context = rules, .d_vocab = 33, .predict = predict};
    const Work work = {.seed = 1};
    ExperimentOptions options = {.base = EDIT_PLAN_DEFAULT,
                                 .any_layers = any,
                                 .any_scale = any,
                                 .by_layer = by_layer,
                                 .directions = &directions,
                                 .cfg = &cfg,
                                 .measure = {.scoring = {.name = "test"}}};
    options.base.layers = 1;
    return experiment_run(out, &predictor, cases, tuning, &options, &work);
}

static double error_of(const EditExperiment *experiment)
{
    return experiment->metrics.value[ARM_EDIT][METRIC_ERROR].value;
}

static void the_plan_is_chosen_on_tuning_cases_alone(void **state)
{
    CaseSet cases = fixture_cases(6, 60, false), tuning = fixture_cases(6, 30, true);
    Rules rules = {.right_layer = 1, .tuning = &tuning, .tuning_layer = 1};
    EditExperiment experiment;
    assert_int_equal(run(&experiment, &rules, &cases, &tuning, true, false), 0);
    assert_true(experiment.tuned && experiment.n_sweep >= 3);
    assert_int_equal(experiment.plan.layers, 2);
    assert_true(error_of(&experiment) == 0 && experiment.metrics.closed[ARM_EDIT].value == 1);
    assert_true(experiment.metrics.value[ARM_EDIT][METRIC_ENTERED].value == 1);
    assert_int_equal(rules.n_edits_tuning, experiment.n_sweep * tuning.n);
    assert_int_equal(rules.n_edits_reported, cases.n); /* one answer is measured and scored */
    assert_int_equal(rules.layers_reported, 2);
    experiment_release(&experiment);

    /* Negative twin: tuning cases that mislead do mislead, because nothing else is looked at. */
    rules = (Rules){.right_layer = 1, .tuning = &tuning, .tuning_layer = 2};
    assert_int_equal(run(&experiment, &rules, &cases, &tuning, true, false), 0);
    assert_int_equal(experiment.plan.layers, 4);
    assert_true(error_of(&experiment) > 0.5);
    assert_int_equal(rules.layers_reported, 4);
    experiment_release(&experiment);
    cases_release(&tuning);
    cases_release(&cases);
}

static void single_layers_are_scored_and_choose_nothing(void **state)
{
    CaseSet cases = fixture_cases(6, 40, false);
    Rules rules = {.right_layer = 2};
    EditExperiment experiment;
    assert_int_equal(run(&experiment, &rules, &cases, NULL, false, true), 0);
    assert_false(experiment.tuned);
    assert_int_equal(experiment.plan.layers, 1); /* as given, although layer 2 is better */
    assert_int_equal(experiment.n_by_layer, 3);
    assert_true(experiment.by_layer[2].error == 0 && experiment.by_layer[1].error > 0.5);
    assert_true(error_of(&experiment) > 0.5);
    experiment_release(&experiment);
    cases_release(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_chosen_on_tuning_cases_alone),
        cmocka_unit_test(single_layers_are_scored_and_choose_nothing),
    };
    return cmocka_run_group_tests_name("edit experiment", tests, NULL, NULL);
}
