/* tests/probes/patching/test_planted_edges.c - exact edges of planted networks: the planted ones
 * and no others. links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/planted/planted.h"
#include "num/blas.h"
#include "probes/patching/edges.h"

typedef struct PlantedFixture {
    PlantedTruth truth;
    Gpt *gpt;
    Graph graph;
    GamePair pair;
    real weights[BOARD_SQUARES + 1];
    double *effect; /* (n_edges) m(clean) - m(clean, the edge from the corrupt run) */
    double difference;
} PlantedFixture;

static PlantedFixture planted_open(PlantedKind kind, bool twin)
{
    PlantedOptions options = {.kind = kind, .size = 6, .seed = 5, .twin = twin};
    const Vocab *vocab = vocab_of(game_variant(6));
    PlantedFixture f = {0};
    EdgeRuns *runs;
    double denominator;
    assert_int_equal(blas_init(), 0);
    assert_int_equal(planted_make(&f.gpt, &options), 0);
    assert_int_equal(planted_truth(&f.truth, &options), 0);
    f.graph = graph_of(&f.gpt->cfg);
    f.pair.n_moves = (int)f.truth.n_tokens;
    for (size_t t = 0; t < f.truth.n_tokens; t++) {
        f.pair.clean[t] = vocab->sq_of_tok[f.truth.clean[t]];
        f.pair.corrupt[t] = vocab->sq_of_tok[f.truth.corrupt[t]];
    }
    f.weights[f.truth.target] = 1;
    f.weights[f.truth.other] = -1;
    EdgeQuestion question = {.gpt = f.gpt,
                             .graph = &f.graph,
                             .vocab = vocab,
                             .pairs = &f.pair,
                             .n_pairs = 1,
                             .scope = PATCH_ALL,
                             .weights = f.weights};
    f.effect = calloc(f.graph.n_edges, sizeof(*f.effect));
    assert_non_null(f.effect);
    assert_int_equal(edges_new(&runs, &question, WORK_ALONE), 0);
    assert_int_equal(edges_exact(f.effect, &denominator, runs, WORK_ALONE), 0);
    edges_free(runs);
    f.difference = -denominator;
    for (size_t e = 0; e < f.graph.n_edges; e++) {
        f.effect[e] = -f.effect[e];
    }
    return f;
}

static void planted_close(PlantedFixture *f)
{
    gpt_free(f->gpt);
    free(f->effect);
}

/* The number of a planted edge. */
static size_t edge_of(const PlantedFixture *f, const PlantedEdge *edge)
{
    const PlantedPart *from = &f->truth.parts[edge->from], *to = &f->truth.parts[edge->to];
    Sender sender = {from->node == PLANTED_INPUT  ? SENDER_INPUT
                     : from->node == PLANTED_HEAD ? SENDER_HEAD
                                                  : SENDER_MLP,
                     from->layer, from->index};
    Receiver receiver = {to->node == PLANTED_LOGITS   ? RECEIVER_LOGITS
                         : to->node == PLANTED_MLP    ? RECEIVER_MLP
                         : edge->channel == PLANTED_Q ? RECEIVER_Q
                         : edge->channel == PLANTED_K ? RECEIVER_K
                                                      : RECEIVER_V,
                         to->layer, to->index};
    return graph_first_edge(&f->graph, graph_receiver_index(&f->graph, receiver)) +
           graph_sender_index(&f->graph, sender);
}

/* Every planted edge has its planted effect, every other edge none; in the twin all have none. */
static void check_kind(PlantedKind kind)
{
    PlantedFixture f = planted_open(kind, false), twin = planted_open(kind, true);
    double tolerance = PLANTED_TOLERANCE * f.truth.strength, largest = 0.0;
    assert_true(fabs(f.difference - f.truth.difference) < tolerance);
    for (size_t i = 0; i < f.truth.n_edges; i++) {
        size_t e = edge_of(&f, &f.truth.edges[i]);
        largest = fmax(largest, fabs(f.truth.edges[i].effect));
        assert_true(fabs(f.effect[e] - f.truth.edges[i].effect) < tolerance);
        f.effect[e] = 0.0;
    }
    assert_true(largest > 0.4 * f.truth.strength); /* the truth is not zero */
    for (size_t e = 0; e < f.graph.n_edges; e++) {
        assert_true(fabs(f.effect[e]) < tolerance);
        assert_true(fabs(twin.effect[e]) < tolerance);
    }
    assert_true(fabs(twin.difference) < tolerance);
    planted_close(&f);
    planted_close(&twin);
}

static void emptiness(void **state)
{
    check_kind(PLANTED_EMPTINESS);
    (void)state;
}

static void duplicate(void **state)
{
    check_kind(PLANTED_DUPLICATE);
    (void)state;
}

static void backup(void **state)
{
    check_kind(PLANTED_BACKUP);
    (void)state;
}

static void saturated(void **state)
{
    check_kind(PLANTED_SATURATED);
    (void)state;
}

static void cancel(void **state)
{
    check_kind(PLANTED_CANCEL);
    (void)state;
}

static void dormant(void **state)
{
    check_kind(PLANTED_DORMANT);
    (void)state;
}

/* In a linear network the effects of the edges into the logits add up to m(clean) - m(corrupt), and
 * so do those out of the input; those of all edges do not, because a path has several. */
static void linear(void **state)
{
    PlantedFixture f = planted_open(PLANTED_LINEAR, false),
                   twin = planted_open(PLANTED_LINEAR, true);
    const Graph *graph = &f.graph;
    double tolerance = PLANTED_TOLERANCE * f.truth.strength, out = 0.0, in = 0.0, size = 0.0;
    for (size_t e = 0; e < graph->n_edges; e++) {
        size_t sender, receiver;
        graph_edge(&sender, &receiver, graph, e);
        out += receiver == graph->n_receivers - 1 ? f.effect[e] : 0.0;
        in += sender == 0 ? f.effect[e] : 0.0;
        size += fabs(f.effect[e]);
        assert_true(fabs(twin.effect[e]) < tolerance);
    }
    assert_true(fabs(f.difference) > 0.5 * f.truth.strength);
    assert_true(fabs(out - f.difference) < tolerance);
    assert_true(fabs(in - f.difference) < tolerance);
    assert_true(size > fabs(f.difference) + 0.1);
    planted_close(&f);
    planted_close(&twin);
    check_kind(PLANTED_LINEAR);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emptiness), cmocka_unit_test(duplicate), cmocka_unit_test(backup),
        cmocka_unit_test(saturated), cmocka_unit_test(cancel),    cmocka_unit_test(dormant),
        cmocka_unit_test(linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
