/* tests/probes/neurons/test_neuron_tree.c - trees find planted rules, not noise; the fast one is
 * the plain one; leaves read the same however they were found. */
#include "base/arena.h"
#include "tests/probes/neurons/neuron_fixture.h"

/* Held-out R2 of the tree and of the twin, of one neuron. */
static void score(NeuronFit *fit, const NeuronGames *games, const float *values, bool shuffled)
{
    NeuronDesign design;
    NeuronLinear linear;
    assert_int_equal(neuron_design_make(&design, games, false, shuffled), 0);
    assert_int_equal(neuron_linear_open(&linear, &design), 0);
    NeuronFitInputs in = {games, &design, &linear, 5, true};
    assert_int_equal(neuron_fit_run(fit, &in, values, 1, WORK_ALONE), 0);
    neuron_linear_release(&linear);
    neuron_design_release(&design);
}

/* On where b2 is mine, e3 is theirs and c5 is empty. */
static bool planted(const NeuronFacts *facts)
{
    return neuron_facts_has(facts, neuron_feature(FACT_MINE, 9)) &&
           neuron_facts_has(facts, neuron_feature(FACT_THEIRS, 20)) &&
           neuron_facts_has(facts, neuron_feature(FACT_EMPTY, 34));
}

static void a_planted_rule_is_read_word_for_word(void **state)
{
    NeuronGames games;
    NeuronFit fit, twin;
    neuron_games_fresh(&games, 6, 120, 60);
    float *values = malloc(games.n * sizeof(float));
    for (size_t i = 0; i < games.n; i++) {
        values[i] = planted(&games.facts[i]) ? 2.5F : -0.1F;
    }
    score(&fit, &games, values, false);
    assert_string_equal(fit.rules[0].text, "b2 mine & e3 theirs & c5 empty");
    assert_true(fit.r2[NEURON_BY_TREE][0] > 0.999);
    assert_true(fabs(fit.rules[0].mean - 2.5) < 1e-6);
    /* the twins: a weighted sum cannot say it, nor the boards of other games */
    assert_true(fit.r2[NEURON_BY_LINEAR][0] < 0.5);
    score(&twin, &games, values, true);
    assert_true(twin.r2[NEURON_BY_TREE][0] < 0.2);
    NeuronShares shares;
    assert_int_equal(neuron_fit_shares(&shares, &fit, 0.7, NULL, WORK_ALONE), 0);
    assert_true(shares.rules.value == 1 && shares.linear.value == 0 && shares.only.value == 1);
    assert_true(shares.rules.low == 1 && shares.linear.high < 0.5);
    neuron_fit_release(&fit);
    neuron_fit_release(&twin);
    free(values);
    neuron_games_release(&games);
}

static void a_sum_of_facts_is_for_the_linear_twin(void **state)
{
    NeuronGames games;
    NeuronFit fit;
    neuron_games_fresh(&games, 6, 120, 60);
    float *values = malloc(games.n * sizeof(float));
    for (size_t i = 0; i < games.n; i++) {
        values[i] = 0;
        for (int sq = 0; sq < 64; sq++) { /* a weight for every square of mine */
            values[i] += neuron_facts_has(&games.facts[i], sq + 64 * FACT_MINE)
                             ? (float)(sq * 37 % 11) - 5.0F
                             : 0;
        }
    }
    score(&fit, &games, values, false);
    assert_true(fit.r2[NEURON_BY_LINEAR][0] > 0.99);
    assert_true(fit.r2[NEURON_BY_TREE][0] < 0.9);
    neuron_fit_release(&fit);
    free(values);
    neuron_games_release(&games);
}

static void noise_is_no_rule(void **state)
{
    NeuronGames games;
    NeuronFit fit;
    neuron_games_fresh(&games, 8, 120, 60);
    float *values = malloc(games.n * sizeof(float));
    Rng rng = rng_at(3, RNG_TEST, 0);
    for (size_t i = 0; i < games.n; i++) {
        values[i] = (float)rng_normal(&rng);
    }
    score(&fit, &games, values, false);
    assert_true(fit.r2[NEURON_BY_TREE][0] <= 0.02);
    assert_true(fit.r2[NEURON_BY_TREE][0] < 0); /* it fits noise, and pays for it: not cut off */
    assert_true(fit.r2[NEURON_BY_LINEAR][0] <= 0.02);
    for (size_t i = 0; i < games.n; i++) { /* the twin: half of it is said by one square */
        values[i] += neuron_facts_has(&games.facts[i], neuron_feature(FACT_MINE, 18)) ? 2 : 0;
    }
    neuron_fit_release(&fit);
    score(&fit, &games, values, false);
    assert_true(fit.r2[NEURON_BY_TREE][0] > 0.4);
    neuron_fit_release(&fit);
    for (size_t i = 0; i < games.n; i++) {
        values[i] = 4;
    }
    score(&fit, &games, values, false); /* never varies */
    assert_true(isnan(fit.r2[NEURON_BY_TREE][0]));
    assert_string_equal(fit.rules[0].text, "always");
    neuron_fit_release(&fit);
    free(values);
    neuron_games_release(&games);
}

static void the_fast_tree_is_the_plain_one(void **state)
{
    enum { SIZES = 3, KINDS = 4 };
    static const int sizes[SIZES] = {4, 6, 8};
    NeuronTree *fast = malloc(sizeof(*fast)), *plain = malloc(sizeof(*plain));
    for (int s = 0; s < SIZES; s++) {
        NeuronGames games;
        NeuronDesign design;
        NeuronTreeScratch *scratch = NULL;
        neuron_games_fresh(&games, sizes[s], 24, 4);
        float *values = malloc(games.n * sizeof(float));
        assert_int_equal(neuron_design_make(&design, &games, s == 1, false), 0);
        assert_int_equal(neuron_tree_scratch_new(&scratch, &design), 0);
        for (int kind = 0; kind < KINDS; kind++) {
            Rng rng = rng_at((uint64_t)kind, RNG_TEST, 1);
            for (size_t i = 0; i < games.n; i++) {
                uint64_t mine = games.facts[i].squares[FACT_MINE];
                values[i] = (float)(kind == 0   ? rng_normal(&rng)
                                    : kind == 1 ? 1e6 + (double)(mine % 7)
                                    : kind == 2 ? -(double)(mine % 5 == 0)
                                                : 1e-8 * (double)__builtin_popcountll(mine));
            }
            for (int depth = 1; depth <= NEURON_DEPTH_MAX; depth += 7 - 3 * (depth > 1)) {
                memset(fast, 0, sizeof(*fast));
                memset(plain, 0, sizeof(*plain));
                neuron_tree_fit(fast, scratch, values, depth);
                neuron_tree_ref(plain, scratch, values, depth);
                assert_true(fast->n > 1);
                assert_memory_equal(fast, plain, sizeof(*fast));
            }
        }
        neuron_tree_scratch_free(scratch);
        neuron_design_release(&design);
        free(values);
        neuron_games_release(&games);
    }
    free(fast);
    free(plain);
}

/* A leaf reads the same in whatever order its questions were asked, and what follows from others is
 * not said. */
static void rules_have_one_form(void **state)
{
    NeuronTree tree = {.n = 7};
    int c4 = 26, leaves[NEURON_NODES_MAX];
    NeuronRule rule;
    tree.nodes[0] = (NeuronNode){neuron_feature(FACT_LAST, 8), 1, 2, 100, 1};
    tree.nodes[1] = (NeuronNode){-1, -1, -1, 10, 3};
    tree.nodes[2] = (NeuronNode){neuron_feature(FACT_EMPTY, c4), 3, 4, 90, 0.5};
    tree.nodes[3] = (NeuronNode){-1, -1, -1, 30, -2};
    tree.nodes[4] = (NeuronNode){neuron_feature(FACT_MINE, c4), 5, 6, 60, 1.5};
    tree.nodes[5] = (NeuronNode){-1, -1, -1, 20, 0};
    tree.nodes[6] = (NeuronNode){-1, -1, -1, 40, 4};
    neuron_rule_of_node(&rule, &tree, 6);
    assert_string_equal(rule.text, "c4 theirs & not last move a2");
    neuron_rule_of_node(&rule, &tree, 5);
    assert_string_equal(rule.text, "c4 mine & not last move a2");
    neuron_rule_of_node(&rule, &tree, 1);
    assert_string_equal(rule.text, "last move a2");
    neuron_rule_best(&rule, &tree);
    assert_int_equal(rule.node, 6);
    tree.nodes[5].mean = 3.9; /* then both leaves below say the same, and the node above says it */
    tree.nodes[4].mean = 4;
    neuron_rule_best(&rule, &tree);
    assert_string_equal(rule.text, "c4 not empty & not last move a2");
    assert_int_equal(neuron_rule_leaves(leaves, &tree), 4);
    assert_int_equal(leaves[0], 6);
    assert_int_equal(leaves[3], 3);
    NeuronTree turned = {.n = 5}; /* two squares may be turned at once, but one is the last move */
    turned.nodes[0] = (NeuronNode){neuron_feature(FACT_TURNED, 8), 1, 2, 100, 1};
    turned.nodes[1] = (NeuronNode){neuron_feature(FACT_TURNED, c4), 3, 4, 60, 2};
    turned.nodes[2] = turned.nodes[3] = turned.nodes[4] = (NeuronNode){-1, -1, -1, 30, 1};
    neuron_rule_of_node(&rule, &turned, 4);
    assert_string_equal(rule.text, "a2 just turned & c4 not just turned");
    turned.nodes[0].feature = neuron_feature(FACT_LEGAL, 8);
    turned.nodes[1].feature = neuron_feature(FACT_LEGAL, c4);
    neuron_rule_of_node(&rule, &turned, 4);
    assert_string_equal(rule.text, "a2 legal & c4 not legal");
    turned.nodes[0].feature = neuron_feature(FACT_LAST, 8);
    turned.nodes[1].feature = neuron_feature(FACT_LAST, c4);
    neuron_rule_of_node(&rule, &turned, 4);
    assert_string_equal(rule.text, "last move a2");
    NeuronTree two = {.n = 3};
    two.nodes[0] = (NeuronNode){neuron_feature(FACT_MINE, c4), 1, 2, 10, 1};
    two.nodes[1] = two.nodes[2] = (NeuronNode){-1, -1, -1, 5, 1};
    neuron_rule_of_node(&rule, &two, 2);
    assert_string_equal(rule.text, "c4 not mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_rule_is_read_word_for_word),
        cmocka_unit_test(a_sum_of_facts_is_for_the_linear_twin),
        cmocka_unit_test(noise_is_no_rule),
        cmocka_unit_test(the_fast_tree_is_the_plain_one),
        cmocka_unit_test(rules_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
