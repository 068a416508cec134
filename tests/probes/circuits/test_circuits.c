/* tests/probes/circuits/test_circuits.c - pruning, faithfulness and the whole study on networks
 * whose circuit is known, and on their twins. links: model/planted */
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
#include "circuit_fixture.h"
#include "probes/circuits/circuit_study.h"
#include "tests/probes/stopped_journal.h"

/* Whether the planted edges of the smallest set are the only ones of `kept`. */
static bool is_minimal(const CircuitFixture *f, const uint8_t *kept)
{
    size_t wanted = 0, found = 0, all = 0;
    for (size_t i = 0; i < f->truth.n_edges; i++) {
        wanted += f->truth.edges[i].minimal;
        found += f->truth.edges[i].minimal && kept[fixture_edge(f, &f->truth.edges[i])];
    }
    for (size_t e = 0; e < f->graph.n_edges; e++) {
        all += kept[e];
    }
    assert_true(wanted >= 2);
    return found == wanted && all == wanted;
}

static void prune(AcdcCircuit *out, const CircuitFixture *f, AcdcDistance distance, double tau,
                  AcdcOrder order)
{
    AcdcOptions options = {distance, tau, order};
    EdgeRuns *runs;
    assert_int_equal(edges_new(&runs, &f->question, WORK_ALONE), 0);
    assert_int_equal(acdc_run(out, runs, &f->question, &options, WORK_ALONE), 0);
    edges_free(runs);
}

/* Emptiness, duplicate, backup: ACDC keeps the planted edges and no other, in both orders; on the
 * twin it keeps nothing. */
static void acdc_returns_what_is_planted(void **state)
{
    for (int kind = PLANTED_EMPTINESS; kind <= PLANTED_BACKUP; kind++) {
        for (int order = 0; order < N_ACDC_ORDERS; order++) {
            CircuitFixture f;
            AcdcCircuit circuit;
            fixture_plant(&f, (PlantedKind)kind, false);
            prune(&circuit, &f, ACDC_DELTA, 0.05, (AcdcOrder)order);
            assert_true(is_minimal(&f, circuit.kept));
            assert_true(circuit.distance < 0.01 && circuit.n_tried < f.graph.n_edges);
            acdc_release(&circuit);
            gpt_free(f.gpt);
        }
        CircuitFixture f;
        AcdcCircuit circuit;
        fixture_plant(&f, (PlantedKind)kind, true);
        prune(&circuit, &f, ACDC_KL, 0.001, ACDC_LAST_FIRST);
        assert_int_equal(circuit.n_kept, 0);
        acdc_release(&circuit);
        gpt_free(f.gpt);
    }
    (void)state;
}

/* The first edges by attribution are the planted ones, as many as there are. */
static void the_strongest_edges_are_what_is_planted(void **state)
{
    for (int kind = PLANTED_EMPTINESS; kind <= PLANTED_BACKUP; kind++) {
        CircuitFixture f;
        EstimateSet set;
        EstimateOptions options = {.wanted = 1U << ESTIMATE_ATP, .points = 1};
        fixture_plant(&f, (PlantedKind)kind, false);
        size_t n = f.graph.n_edges, k = 0;
        double *scores = calloc(n, sizeof(*scores));
        uint32_t *order = calloc(n, sizeof(*order));
        uint8_t *kept = calloc(n, 1);
        for (size_t i = 0; i < f.truth.n_edges; i++) {
            k += f.truth.edges[i].minimal;
        }
        assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), 0);
        estimates_scores(scores, &set, ESTIMATE_ATP, ESTIMATE_EDGES, NULL);
        assert_int_equal(grade_order(order, scores, n), 0);
        for (size_t i = 0; i < k; i++) {
            kept[order[i]] = 1;
        }
        assert_true(is_minimal(&f, kept));
        assert_true(fabs(scores[order[k - 1]]) > 0.4); /* and the next one is nothing */
        assert_true(fabs(scores[order[k]]) < 1e-4);
        free(scores);
        free(order);
        free(kept);
        estimates_release(&set);
        gpt_free(f.gpt);
    }
    (void)state;
}

static double jaccard_of_orders(const CircuitFixture *f, double tau, size_t *n_kept)
{
    AcdcCircuit circuits[N_ACDC_ORDERS];
    for (int order = 0; order < N_ACDC_ORDERS; order++) {
        prune(&circuits[order], f, ACDC_DELTA, tau, (AcdcOrder)order);
    }
    double found = acdc_jaccard(circuits[0].kept, circuits[1].kept, f->graph.n_edges);
    *n_kept = circuits[0].n_kept;
    acdc_release(&circuits[0]);
    acdc_release(&circuits[1]);
    return found;
}

/* In a linear network what an edge adds does not depend on which others are there; in a curved one
 * it does. */
static void order_matters_only_where_the_network_is_curved(void **state)
{
    CircuitFixture f;
    size_t n_kept;
    fixture_plant(&f, PLANTED_LINEAR, false);
    assert_true(jaccard_of_orders(&f, 0.05, &n_kept) == 1.0);
    assert_int_equal(n_kept, 9); /* all planted edges: the weakest is worth 0.1 */
    gpt_free(f.gpt);
    fixture_random(&f, 0.25);
    assert_true(jaccard_of_orders(&f, 0.02, &n_kept) < 0.95);
    assert_true(n_kept > 10);
    gpt_free(f.gpt);
    (void)state;
}

/* The first edge that an order tries is tried alone, so its growth is its exact effect; and an edge
 * stays exactly if the distance would have grown by tau or more. */
static void growth_decides_and_the_order_says_who_is_first(void **state)
{
    CircuitFixture f;
    EdgeRuns *runs;
    double whole;
    fixture_random(&f, 0.25);
    size_t n = f.graph.n_edges, first = graph_first_edge(&f.graph, f.graph.n_receivers - 1);
    /* The input wrote the same at the last position in both runs: its edge goes without a trace. */
    size_t tried_first[N_ACDC_ORDERS] = {first + f.graph.n_senders - 1, first + 1};
    double *exact = calloc(n, sizeof(*exact));
    assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
    assert_int_equal(edges_exact(exact, &whole, runs, WORK_ALONE), 0);
    edges_free(runs);
    for (int order = 0; order < N_ACDC_ORDERS; order++) {
        AcdcCircuit circuit;
        size_t after_a_drop = 0;
        prune(&circuit, &f, ACDC_DELTA, 0.3, (AcdcOrder)order);
        double alone = fabs(exact[tried_first[order]] / whole);
        assert_true(alone > 1e-3);
        assert_true(fabs(circuit.growth[tried_first[order]] - alone) < 1e-4);
        /* Twin: the other order's first edge comes behind all others here, not alone. */
        double other = fabs(exact[tried_first[1 - order]] / whole);
        assert_true(fabs(circuit.growth[tried_first[1 - order]] - other) > 1e-4);
        for (size_t e = 0; e < n; e++) {
            bool tried = !isnan(circuit.growth[e]);
            assert_int_equal(circuit.kept[e], tried && !(circuit.growth[e] < 0.3));
            after_a_drop += tried && circuit.growth[e] < 0;
        }
        assert_true(after_a_drop > 0); /* some edges bring the circuit nearer when they go */
        acdc_release(&circuit);
    }
    free(exact);
    gpt_free(f.gpt);
    (void)state;
}

static void jaccard_is_both_over_either(void **state)
{
    const uint8_t a[] = {1, 1, 0, 0}, b[] = {1, 0, 1, 0}, none[] = {0, 0, 0, 0};
    assert_true(fabs(acdc_jaccard(a, b, 4) - 1.0 / 3) < 1e-12);
    assert_true(isnan(acdc_jaccard(none, none, 4)));
    (void)state;
}

/* Stopped in the middle and begun again: the same circuit, and no edge is tried twice. */
static void pruning_goes_on_where_it_stopped(void **state)
{
    CircuitFixture f;
    EdgeRuns *runs;
    AcdcCircuit whole, resumed;
    AcdcOptions options = {ACDC_KL, 0.001, ACDC_LAST_FIRST};
    StoppedJournal journal;
    const Work work = {.journal = &journal.callbacks};
    fixture_random(&f, 0.25);
    assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
    assert_int_equal(acdc_run(&whole, runs, &f.question, &options, WORK_ALONE), 0);
    journal_begin(&journal, 9);
    assert_int_equal(acdc_run(&resumed, runs, &f.question, &options, &work), OGPT_EINTR);
    journal.stop_after = SIZE_MAX;
    journal.n_recalled = 0;
    assert_int_equal(acdc_run(&resumed, runs, &f.question, &options, &work), 0);
    assert_int_equal(journal.n_recalled, 9);
    assert_true(whole.n_kept > 0 && whole.n_kept < f.graph.n_edges);
    assert_memory_equal(whole.kept, resumed.kept, f.graph.n_edges);
    assert_memory_equal(whole.growth, resumed.growth, f.graph.n_edges * sizeof(double));
    assert_true(whole.distance == resumed.distance && whole.n_tried == resumed.n_tried);
    options.tau = 0;
    acdc_release(&resumed);
    assert_int_equal(acdc_run(&resumed, runs, &f.question, &options, &work), OGPT_EUSAGE);
    acdc_release(&whole);
    edges_free(runs);
    journal_end(&journal);
    gpt_free(f.gpt);
    (void)state;
}

/* The planted edges keep the whole answer and the rest keeps none of it. */
static void faithfulness_is_one_for_the_circuit_and_zero_without(void **state)
{
    CircuitFixture f;
    EdgeRuns *runs;
    FaithPoint with, without;
    FaithCurve best, random;
    fixture_plant(&f, PLANTED_DUPLICATE, false);
    size_t n = f.graph.n_edges, at = 0;
    uint8_t *kept = calloc(n, 1);
    uint32_t *order = calloc(n, sizeof(*order));
    assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
    for (size_t i = 0; i < f.truth.n_edges; i++) {
        order[at] = (uint32_t)fixture_edge(&f, &f.truth.edges[i]);
        kept[order[at++]] = 1;
    }
    for (size_t e = 0; e < n; e++) {
        if (!kept[e]) {
            order[at++] = (uint32_t)e;
        }
    }
    assert_int_equal(at, n);
    assert_int_equal(faith_circuit(&with, runs, &f.question, kept, WORK_ALONE), 0);
    for (size_t e = 0; e < n; e++) {
        kept[e] = !kept[e];
    }
    assert_int_equal(faith_circuit(&without, runs, &f.question, kept, WORK_ALONE), 0);
    assert_true(fabs(with.f.value - 1) < 1e-4 && with.n_edges == 4);
    assert_true(fabs(without.f.value) < 1e-4 && without.n_edges == n - 4);
    assert_int_equal(faith_curve(&best, runs, &f.question, order, "best", WORK_ALONE), 0);
    assert_int_equal(faith_random(&random, runs, &f.question, 10, WORK_ALONE), 0);
    /* 262 edges: 2 % are 5, all four planted ones; 1 % are 3: half of them works. */
    assert_true(fabs(best.points[5].f.value - 1) < 1e-4 && best.points[5].n_edges >= 4);
    assert_true(fabs(best.points[0].f.value) < 1e-4 && best.points[10].f.value == 1);
    assert_true(best.cpr.value > 0.97 && best.cmd.value < 0.03);
    assert_true(random.cpr.value < 0.5 && random.cmd.value > 0.4);
    assert_true(fabs(random.cpr.value + random.cmd.value - 1) < 0.05); /* f stays in 0..1 */
    free(kept);
    free(order);
    edges_free(runs);
    gpt_free(f.gpt);
    (void)state;
}

static void study(CircuitStudy *out, CircuitFixture *f, const Work *work)
{
    CircuitOptions options = {.exact = true,
                              .acdc = true,
                              .estimates = {.wanted = (1U << N_ESTIMATES) - 1, .points = 2},
                              .top = 4,
                              .tau = 0.05,
                              .distance = ACDC_DELTA};
    assert_int_equal(circuit_study_run(out, &f->question, &options, work), 0);
}

static void a_study_joins_all_parts(void **state)
{
    CircuitFixture f;
    CircuitStudy one, three;
    Pool *pool;
    assert_int_equal(pool_new(&pool, 3), 0);
    Work work = {.pool = pool};
    fixture_plant(&f, PLANTED_DUPLICATE, false);
    GamePair pairs[2] = {f.pair, f.pair}; /* labels can only be swapped between two */
    f.question.pairs = pairs;
    f.question.n_pairs = 2;
    study(&one, &f, WORK_ALONE);
    assert_int_equal(one.n_methods, 2 + N_ESTIMATES);
    assert_string_equal(one.methods[0].name, "exact");
    assert_string_equal(one.methods[one.n_methods - 1].name, "random");
    for (size_t i = 0; i < f.truth.n_edges; i++) {
        size_t e = fixture_edge(&f, &f.truth.edges[i]);
        assert_true(fabs(one.methods[0].scores[e] - 0.5) < 1e-4);
        assert_true(one.edges[0] == e || one.edges[1] == e || one.edges[2] == e ||
                    one.edges[3] == e);
    }
    assert_true(fabs(one.total.value - f.truth.difference) < 1e-3);
    assert_true(one.jaccard == 1.0 && one.acdc[0].n_kept == 4);
    assert_true(fabs(one.acdc_faith[1].f.value - 1) < 1e-4);
    for (size_t i = 1; i <= N_ESTIMATES; i++) {
        assert_true(one.methods[i].graded && one.methods[i].passes >= 3);
        assert_true(one.methods[i].grade.number[GRADE_WORST_MISS].value < 1e-4);
    }
    assert_true(one.methods[one.n_methods - 1].grade.number[GRADE_WORST_MISS].value > 0.3);
    assert_true(one.controlled[CONTROL_FLIP] && one.controlled[CONTROL_SWAPPED]);
    assert_false(one.controlled[CONTROL_TRANSPOSITION]);
    assert_true(fabs(one.controls[CONTROL_FLIP].edges.value - f.truth.difference / 2) < 1e-3);
    study(&three, &f, &work);
    for (size_t i = 0; i + 1 < one.n_methods; i++) {
        assert_memory_equal(one.methods[i].scores, three.methods[i].scores,
                            one.n_edges * sizeof(double));
        assert_memory_equal(&one.methods[i].grade, &three.methods[i].grade, sizeof(Grade));
        assert_memory_equal(&one.methods[i].curve.cpr, &three.methods[i].curve.cpr,
                            sizeof(Interval));
    }
    circuit_study_release(&one);
    circuit_study_release(&three);
    gpt_free(f.gpt);
    pool_free(pool);
    (void)state;
}

static double node_score(const CircuitFixture *f, const EstimateSet *set, Estimate estimate,
                         size_t node)
{
    double *scores = calloc(circuit_nodes(&f->graph), sizeof(*scores));
    estimates_scores(scores, set, estimate, ESTIMATE_NODES, NULL);
    double score = scores[node];
    free(scores);
    return score;
}

/* Heads and MLPs of every kind: patched as a whole they do what the truth says, and their estimates
 * say what a gradient says. */
static void nodes_do_what_is_planted(void **state)
{
    size_t checked = 0;
    for (int kind = 0; kind < N_PLANTED; kind++) {
        CircuitFixture f;
        EdgeRuns *runs;
        EstimateSet set;
        EstimateOptions options = {.wanted = 1U << ESTIMATE_ATP, .points = 1};
        fixture_plant(&f, (PlantedKind)kind, false);
        double *effect = calloc(circuit_nodes(&f.graph), sizeof(*effect));
        assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
        assert_int_equal(circuit_nodes_exact(effect, runs, &f.question, WORK_ALONE), 0);
        assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), 0);
        for (size_t i = 1; i + 1 < f.truth.n_parts; i++) {
            const PlantedPart *part = &f.truth.parts[i];
            if (part->node == PLANTED_NEURON) {
                continue;
            }
            Sender sender = {part->node == PLANTED_HEAD ? SENDER_HEAD : SENDER_MLP, part->layer,
                             part->node == PLANTED_HEAD ? part->index : -1};
            size_t node = graph_sender_index(&f.graph, sender);
            double atp = node_score(&f, &set, ESTIMATE_ATP, node);
            assert_true(fabs(effect[node] + part->effect) < 1e-3);
            assert_true(fabs(atp - part->estimate / f.truth.difference) < 1e-4);
            checked += part->effect != 0;
        }
        free(effect);
        edges_free(runs);
        estimates_release(&set);
        gpt_free(f.gpt);
    }
    assert_true(checked >= 12);
    (void)state;
}

/* Saturated: the whole query of the second head moves everything and its gradient nothing. */
static void a_saturated_query_needs_the_qk_fix(void **state)
{
    CircuitFixture f;
    EdgeRuns *runs;
    EstimateSet set;
    EstimateOptions options = {.wanted = (1U << N_ESTIMATES) - 1, .points = 1};
    char name[GRAPH_NAME_MAX];
    fixture_plant(&f, PLANTED_SATURATED, false);
    double *effect = calloc(circuit_nodes(&f.graph), sizeof(*effect));
    size_t node = circuit_node_of(&f.graph, (Receiver){RECEIVER_Q, 1, f.truth.parts[2].index});
    circuit_node_name(name, &f.graph, node);
    assert_true(strncmp(name, "L1H", 3) == 0 && strcmp(name + 4, ".q") == 0);
    assert_int_equal(circuit_node_layer(&f.graph, node), 1);
    assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
    assert_int_equal(circuit_nodes_exact(effect, runs, &f.question, WORK_ALONE), 0);
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), 0);
    assert_true(fabs(effect[node] + f.truth.difference) < 1e-3);
    assert_true(fabs(node_score(&f, &set, ESTIMATE_ATP, node)) < 1e-3);
    assert_true(fabs(node_score(&f, &set, ESTIMATE_ATP_QK, node) - 1) < 1e-4);
    free(effect);
    edges_free(runs);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

/* Cancelling: a head whose write is taken away has no gradient; GradDrop sees it. */
static void a_cancelled_head_needs_graddrop(void **state)
{
    CircuitFixture f;
    EstimateSet set;
    EstimateOptions options = {.wanted = (1U << N_ESTIMATES) - 1, .points = 1};
    fixture_plant(&f, PLANTED_CANCEL, false);
    size_t node = graph_sender_index(&f.graph, (Sender){SENDER_HEAD, 0, f.truth.parts[1].index});
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), 0);
    assert_true(fabs(node_score(&f, &set, ESTIMATE_ATP, node)) < 1e-4);
    /* Dropping its own block says nothing, dropping the MLP's says 1, the third 0; divisor 2. */
    assert_true(fabs(node_score(&f, &set, ESTIMATE_ATP_DROP, node) - 0.5) < 1e-4);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

/* A control keeps the runs and asks for other moves: the planted head does nothing for those. */
static void swapped_labels_ask_for_another_pair(void **state)
{
    CircuitFixture f;
    CircuitControl flip, swapped;
    GamePair pairs[2], turned[2];
    fixture_plant(&f, PLANTED_EMPTINESS, false);
    uint32_t edge = (uint32_t)fixture_edge(&f, &f.truth.edges[0]);
    double up = 1;
    pairs[0] = pairs[1] = f.pair;
    pairs[1].legal_clean = f.pair.legal_corrupt; /* the second asks the other way round */
    pairs[1].legal_corrupt = f.pair.legal_clean;
    circuit_control_swap(turned, pairs, 2);
    assert_true(turned[0].legal_clean == pairs[1].legal_clean &&
                turned[1].n_moves == pairs[1].n_moves &&
                turned[1].legal_clean == pairs[0].legal_clean);
    f.question.n_pairs = 1;
    f.question.pairs = pairs;
    assert_int_equal(circuit_control_measure(&flip, &f.question, NULL, &edge, &up, 1, WORK_ALONE),
                     0);
    f.question.pairs = turned;
    assert_int_equal(
        circuit_control_measure(&swapped, &f.question, NULL, &edge, &up, 1, WORK_ALONE), 0);
    assert_true(fabs(flip.total.value - f.truth.difference) < 1e-3);
    assert_true(fabs(flip.edges.value - f.truth.edges[0].effect) < 1e-3);
    assert_true(fabs(swapped.edges.value + f.truth.edges[0].effect) < 1e-3);
    assert_true(fabs(swapped.edges_size - flip.edges_size) < 1e-3);
    /* A direction that is not known is the one found. */
    up = NAN;
    assert_int_equal(
        circuit_control_measure(&swapped, &f.question, NULL, &edge, &up, 1, WORK_ALONE), 0);
    assert_true(up < 0 && fabs(swapped.edges.value - flip.edges.value) < 1e-3);
    gpt_free(f.gpt);
    (void)state;
}

/* Sizes have no sign: the direction of an edge is what it does on the flips, be it up or down. */
static void a_method_without_signs_asks_the_flips(void **state)
{
    CircuitFixture f;
    CircuitStudy star;
    fixture_plant(&f, PLANTED_CANCEL, false); /* a direct effect and a path that takes it away */
    CircuitOptions options = {.estimates = {.wanted = 1U << ESTIMATE_ATP_STAR, .points = 1},
                              .top = f.graph.n_edges};
    assert_int_equal(circuit_study_run(&star, &f.question, &options, WORK_ALONE), 0);
    const CircuitControl *flip = &star.controls[CONTROL_FLIP];
    assert_true(star.methods[0].no_sign && flip->edges_size > 1e-3);
    assert_true(fabs(flip->edges.value - flip->edges_size) < 1e-9);
    /* Twin: with every size taken for an effect that goes up, those that go down are lost. */
    CircuitControl plain;
    double *up = malloc(star.top * sizeof(*up));
    assert_non_null(up);
    for (size_t i = 0; i < star.top; i++) {
        up[i] = 1;
    }
    assert_int_equal(
        circuit_control_measure(&plain, &f.question, NULL, star.edges, up, star.top, WORK_ALONE),
        0);
    assert_true(fabs(plain.edges_size - flip->edges_size) < 1e-9);
    assert_true(plain.edges_size - fabs(plain.edges.value) > 1e-3);
    free(up);
    circuit_study_release(&star);
    gpt_free(f.gpt);
    (void)state;
}

/* Nothing is planted: no number may pretend otherwise. */
static void a_twin_has_no_circuit(void **state)
{
    CircuitFixture f;
    CircuitStudy twin;
    fixture_plant(&f, PLANTED_EMPTINESS, true);
    study(&twin, &f, WORK_ALONE);
    assert_true(fabs(twin.total.value) < 1e-4 * f.truth.strength);
    assert_true(fabs(twin.controls[CONTROL_FLIP].edges.value) < 1e-4 * f.truth.strength);
    circuit_study_release(&twin);
    CircuitOptions none = {.top = 4};
    assert_int_equal(circuit_study_run(&twin, &f.question, &none, WORK_ALONE), OGPT_EUSAGE);
    gpt_free(f.gpt);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acdc_returns_what_is_planted),
        cmocka_unit_test(the_strongest_edges_are_what_is_planted),
        cmocka_unit_test(order_matters_only_where_the_network_is_curved),
        cmocka_unit_test(growth_decides_and_the_order_says_who_is_first),
        cmocka_unit_test(jaccard_is_both_over_either),
        cmocka_unit_test(pruning_goes_on_where_it_stopped),
        cmocka_unit_test(faithfulness_is_one_for_the_circuit_and_zero_without),
        cmocka_unit_test(a_study_joins_all_parts),
        cmocka_unit_test(nodes_do_what_is_planted),
        cmocka_unit_test(a_saturated_query_needs_the_qk_fix),
        cmocka_unit_test(a_cancelled_head_needs_graddrop),
        cmocka_unit_test(swapped_labels_ask_for_another_pair),
        cmocka_unit_test(a_method_without_signs_asks_the_flips),
        cmocka_unit_test(a_twin_has_no_circuit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
