/* tests/probes/circuits/circuit_fixture.h - a planted network and its pair as an EdgeQuestion, and
 * every edge patched by the plain graph in double precision (tests/model/planted/plain_graph.h). */
#ifndef OGPT_TESTS_CIRCUIT_FIXTURE_H
#define OGPT_TESTS_CIRCUIT_FIXTURE_H

#include "../../model/planted/plain_graph.h"
#include "base/rng.h"
#include "datasets/vocab.h"
#include "probes/patching/edges.h"

typedef struct CircuitFixture {
    PlantedTruth truth;
    Gpt *gpt;
    Graph graph;
    GamePair pair;
    EdgeQuestion question;
} CircuitFixture;

/* Tokens to moves; Delta = logit[target] - logit[other]. */
static void fixture_ask(CircuitFixture *f, PatchScope scope)
{
    const Vocab *vocab = vocab_by_size(f->gpt->cfg.d_vocab, RULES_CLASSIC);
    f->graph = graph_of(&f->gpt->cfg);
    f->pair = (GamePair){.n_moves = (int)f->truth.n_tokens};
    for (size_t t = 0; t < f->truth.n_tokens; t++) {
        f->pair.clean[t] = vocab->sq_of_tok[f->truth.clean[t]];
        f->pair.corrupt[t] = vocab->sq_of_tok[f->truth.corrupt[t]];
    }
    f->pair.legal_clean = 1ULL << vocab->sq_of_tok[f->truth.target];
    f->pair.legal_corrupt = 1ULL << vocab->sq_of_tok[f->truth.other];
    f->question = (EdgeQuestion){.gpt = f->gpt,
                                 .graph = &f->graph,
                                 .vocab = vocab,
                                 .pairs = &f->pair,
                                 .n_pairs = 1,
                                 .scope = scope};
}

static void fixture_plant(CircuitFixture *f, PlantedKind kind, bool twin)
{
    PlantedOptions options = {.kind = kind, .size = 4, .seed = 1, .twin = twin};
    assert_int_equal(planted_truth(&f->truth, &options), 0);
    assert_int_equal(planted_make(&f->gpt, &options), 0);
    fixture_ask(f, PATCH_ALL);
}

/* A network of the same shape with ordinary random weights, on the pair of the emptiness plant. */
__attribute__((unused)) static void fixture_random(CircuitFixture *f, double size)
{
    fixture_plant(f, PLANTED_EMPTINESS, false);
    f->gpt->cfg.eps = 1e-5f;
    Rng rng = rng_at(11, RNG_TEST, 2);
    for (size_t i = 0; i < f->gpt->n_numbers; i++) {
        f->gpt->params[i] = (real)(size * rng_normal(&rng));
    }
    for (int l = 0; l < PLANTED_LAYERS; l++) { /* LayerNorm weights near one */
        real *block = f->gpt->params + (size_t)l * f->gpt->map.block_stride;
        for (int c = 0; c < f->gpt->cfg.d_model; c++) {
            block[f->gpt->map.ln1_w + (size_t)c] += 1;
            block[f->gpt->map.ln2_w + (size_t)c] += 1;
            f->gpt->params[f->gpt->map.lnf_w + (size_t)c] += l == 0;
        }
    }
}

/* The number in the graph of an edge between parts of the truth. */
__attribute__((unused)) static size_t fixture_edge(const CircuitFixture *f, const PlantedEdge *edge)
{
    const PlantedPart *from = &f->truth.parts[edge->from], *to = &f->truth.parts[edge->to];
    Sender sender = {from->node == PLANTED_INPUT  ? SENDER_INPUT
                     : from->node == PLANTED_HEAD ? SENDER_HEAD
                                                  : SENDER_MLP,
                     from->layer, from->node == PLANTED_HEAD ? from->index : -1};
    Receiver receiver = {to->node == PLANTED_LOGITS ? RECEIVER_LOGITS
                         : to->node == PLANTED_HEAD
                             ? (ReceiverKind)(RECEIVER_Q + (int)edge->channel)
                             : RECEIVER_MLP,
                         to->layer, to->node == PLANTED_HEAD ? to->index : -1};
    return graph_first_edge(&f->graph, graph_receiver_index(&f->graph, receiver)) +
           graph_sender_index(&f->graph, sender);
}

static double fixture_metric(const CircuitFixture *f, const PlainRun *run)
{
    return run->logits[f->truth.target] - run->logits[f->truth.other];
}

/* The run whose outputs at the positions of the question are base + share * (other - base). */
static PlainRun *fixture_between(const CircuitFixture *f, const PlainRun *base,
                                 const PlainRun *other, double share)
{
    size_t C = (size_t)f->gpt->cfg.d_model, numbers = f->truth.n_tokens * C;
    size_t first = f->question.scope == PATCH_LAST ? numbers - C : 0;
    PlainRun *run = calloc(1, sizeof(*run));
    for (int u = 0; u < N_SENDERS; u++) {
        run->out[u] = malloc(numbers * sizeof(double));
        for (size_t i = 0; i < numbers; i++) {
            double change = i < first ? 0 : other->out[u][i] - base->out[u][i];
            run->out[u][i] = base->out[u][i] + share * change;
        }
    }
    return run;
}

/* The effect of every edge e with e % every = 0, noising: m(edge carries base + share * (corrupt -
 * clean)) - m(clean). (n_edges), owned. */
__attribute__((unused)) static double *fixture_exact(const CircuitFixture *f, double share,
                                                     size_t every)
{
    const Graph *graph = &f->graph;
    PlainRun *base = plain_run(f->gpt, f->truth.clean, f->truth.n_tokens, NULL);
    PlainRun *other = plain_run(f->gpt, f->truth.corrupt, f->truth.n_tokens, NULL);
    PlainRun *between = fixture_between(f, base, other, share);
    PlainEdit *edit = calloc(1, sizeof(*edit));
    double *exact = calloc(graph->n_edges, sizeof(*exact));
    edit->other = between;
    for (size_t e = 0; e < graph->n_edges; e += every) {
        size_t s, r;
        graph_edge(&s, &r, graph, e); /* senders are numbered alike */
        Receiver to = graph_receiver(graph, r);
        int node = to.kind == RECEIVER_LOGITS ? PLAIN_LOGITS
                   : to.kind == RECEIVER_MLP  ? 1 + to.layer * PER_BLOCK + PLANTED_HEADS
                                              : 1 + to.layer * PER_BLOCK + to.head;
        int channel = to.kind == RECEIVER_LOGITS || to.kind == RECEIVER_MLP ? (int)PLANTED_WHOLE
                                                                            : (int)to.kind;
        edit->carries[node][channel][s] = true;
        PlainRun *run = plain_run(f->gpt, f->truth.clean, f->truth.n_tokens, edit);
        exact[e] = fixture_metric(f, run) - fixture_metric(f, base);
        plain_free(run);
        edit->carries[node][channel][s] = false;
    }
    free(edit);
    plain_free(between);
    plain_free(base);
    plain_free(other);
    return exact;
}

#endif
