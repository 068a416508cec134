/* tests/probes/graph/test_graph.c - the numbering of the graph, its names, what senders write, and
 * the metric of a pair. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "probes/graph/outputs.h"
#include "probes/graph/pair_metric.h"

enum { B = 2, T = 5 };

static GptConfig config_of(int layers)
{
    GptConfig cfg;
    assert_int_equal(gpt_config_preset(&cfg, "nano"), 0);
    cfg.n_layers = layers;
    cfg.n_ctx = 11;
    cfg.d_vocab = 13;
    cfg.seed = 3;
    return cfg;
}

static void numbers_count_every_edge_once(void **state)
{
    GptConfig tiny;
    assert_int_equal(gpt_config_preset(&tiny, "tiny"), 0);
    Graph graph = graph_of(&tiny);
    size_t edge = 0;
    assert_int_equal(graph.n_senders, 73);
    assert_int_equal(graph.n_receivers, 201);
    assert_int_equal(graph.n_edges, 6637); /* counted by hand from the layers' sums */
    for (size_t r = 0; r < graph.n_receivers; r++) {
        Receiver receiver = graph_receiver(&graph, r);
        assert_int_equal(graph_receiver_index(&graph, receiver), r);
        assert_int_equal(graph_first_edge(&graph, r), edge);
        for (size_t s = 0; s < graph.n_senders; s++) {
            Sender sender = graph_sender(&graph, s);
            /* The plain rule: who writes before r reads. */
            bool before = receiver.kind == RECEIVER_LOGITS || sender.kind == SENDER_INPUT ||
                          sender.layer < receiver.layer ||
                          (sender.layer == receiver.layer && sender.kind == SENDER_HEAD &&
                           receiver.kind == RECEIVER_MLP);
            assert_int_equal(before, s < graph_sees(&graph, r));
            if (receiver.kind == RECEIVER_MLP || receiver.kind == RECEIVER_Q) {
                Sender reader = {receiver.kind == RECEIVER_MLP ? SENDER_MLP : SENDER_HEAD,
                                 receiver.layer, receiver.head};
                assert_int_equal(before,
                                 s < graph_reads(&graph, graph_sender_index(&graph, reader)));
            }
            if (before) {
                size_t from, to;
                graph_edge(&from, &to, &graph, edge);
                assert_int_equal(from, s);
                assert_int_equal(to, r);
                edge++;
            }
        }
    }
    assert_int_equal(edge, graph.n_edges);
    assert_int_equal(graph_reads(&graph, 0), 0); /* the input */
    (void)state;
}

static void names_are_read_back(void **state)
{
    GptConfig cfg = config_of(3);
    Graph graph = graph_of(&cfg);
    char name[2 * GRAPH_NAME_MAX];
    size_t found;
    for (size_t e = 0; e < graph.n_edges; e++) {
        graph_edge_name(name, &graph, e);
        assert_int_equal(graph_edge_parse(&found, &graph, name), 0);
        assert_int_equal(found, e);
    }
    graph_edge_name(name, &graph, graph.n_edges - 1);
    assert_string_equal(name, "mlp2->logits");
    static const char *const wrong[] = {"L0H1",       "L0H1->mlp9",   "L3H0->logits",
                                        "L0H4->mlp1", "mlp1->L1H0.q", "L2H0->mlp1",
                                        "l0h1->mlp1", "->",           "input->L0H0"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(graph_edge_parse(&found, &graph, wrong[i]), OGPT_EUSAGE);
        assert_true(err_message()[0] != '\0');
    }
    (void)state;
}

typedef struct Taken {
    const Graph *graph;
    const Gpt *gpt;
    real *out, *last;
} Taken;

static void take(void *context, const HookPoint *point)
{
    Taken *taken = context;
    outputs_take(taken->out, (size_t)B * T, taken->graph, taken->gpt, point);
    if (point->site == HOOK_RESID_POST) {
        memcpy(taken->last, point->value, (size_t)B * T * point->width * sizeof(real));
    }
}

/* Largest difference between the stream after the last block and senders + constant. */
static double gap(const Taken *taken, bool with_constant)
{
    size_t C = (size_t)taken->gpt->cfg.d_model, rows = (size_t)B * T;
    real constant[1024];
    double worst = 0.0;
    outputs_constant(constant, taken->gpt, taken->gpt->cfg.n_layers);
    for (size_t i = 0; i < rows * C; i++) {
        double sum = with_constant ? constant[i % C] : 0.0;
        for (size_t s = 0; s < taken->graph->n_senders; s++) {
            sum += taken->out[s * rows * C + i];
        }
        worst = fmax(worst, fabs(sum - taken->last[i]));
    }
    return worst;
}

static void senders_and_the_constant_part_are_the_stream(void **state)
{
    GptConfig cfg = config_of(3);
    Graph graph = graph_of(&cfg);
    Gpt *gpt;
    Tape *tape;
    uint8_t tokens[B * T] = {3, 1, 7, 2, 9, 4, 12, 5, 6, 8};
    size_t numbers = (size_t)B * T * (size_t)cfg.d_model;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    Rng rng = rng_at(5, RNG_TEST, 1);
    for (size_t i = 0; i < gpt->n_numbers; i++) { /* every bias too */
        gpt->params[i] = (real)(0.2 * rng_normal(&rng));
    }
    assert_int_equal(tape_new(&tape, &cfg, B, TAPE_FORWARD, NULL), 0);
    Taken taken = {.graph = &graph,
                   .gpt = gpt,
                   .out = calloc(graph.n_senders * numbers, sizeof(real)),
                   .last = calloc(numbers, sizeof(real))};
    assert_non_null(taken.out);
    assert_non_null(taken.last);
    Hooks hooks = {.fn = take, .context = &taken};
    outputs_want(&hooks, &graph);
    hooks.sites[HOOK_RESID_POST] = 1ULL << (cfg.n_layers - 1);
    gpt_forward(gpt, tape, tokens, B, T, &hooks);
    /* The stream is about 5 in size; 13 + 3 float sums of it: 16 * 5 * 6e-8 = 5e-6. */
    assert_true(gap(&taken, true) < 2e-5);
    assert_true(gap(&taken, false) > 0.1); /* twin: the biases count */
    memset(taken.out + numbers, 0, numbers * sizeof(real));
    assert_true(gap(&taken, true) > 0.1); /* twin: a head is missing */
    free(taken.last);
    free(taken.out);
    tape_free(tape);
    gpt_free(gpt);
    (void)state;
}

static void delta_is_the_mean_over_each_side(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    GamePair pair = {.n_moves = 1};
    uint64_t squares = vocab->variant->squares & ~vocab->variant->centre;
    int n = 0, sq[16];
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        sq[n++] = __builtin_ctzll(rest);
    }
    real weights[13], logits[13];
    for (int v = 0; v < 13; v++) {
        logits[v] = (real)(v * v);
    }
    pair.legal_clean = 1ULL << sq[0] | 1ULL << sq[1] | 1ULL << sq[2];
    pair.legal_corrupt = 1ULL << sq[2] | 1ULL << sq[5];
    pair_weights(weights, vocab, &pair);
    /* Tokens 1 and 2 against token 6: (1 + 4) / 2 - 36. */
    assert_true(fabs(pair_delta(weights, logits, 13) - (-33.5)) < 1e-6);
    pair.legal_corrupt = 1ULL << sq[2]; /* nothing is legal there alone: common moves, token 3 */
    pair_weights(weights, vocab, &pair);
    assert_true(fabs(pair_delta(weights, logits, 13) - (2.5 - 9)) < 1e-6);
    pair.legal_corrupt = pair.legal_clean; /* transposition: legal against other empty squares */
    pair.clean_board.mine = squares & ~(pair.legal_clean | 1ULL << sq[7]);
    pair.clean_board.theirs = vocab->variant->centre;
    pair_weights(weights, vocab, &pair);
    assert_true(fabs(pair_delta(weights, logits, 13) - (14.0 / 3 - 64)) < 1e-5);
    pair.target = 1ULL << sq[4]; /* chosen: token 5 against token 3, whatever is legal */
    pair.other = 1ULL << sq[2];
    pair_weights(weights, vocab, &pair);
    assert_true(fabs(pair_delta(weights, logits, 13) - (25 - 9)) < 1e-6);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_count_every_edge_once),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(senders_and_the_constant_part_are_the_stream),
        cmocka_unit_test(delta_is_the_mean_over_each_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
