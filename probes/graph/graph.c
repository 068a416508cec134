/* probes/graph/graph.c - numbering and names of senders, receivers and edges. */
#include "probes/graph/graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char *const receiver_words[] = {"q", "k", "v"};

/* Senders and receivers of one layer. */
static size_t senders_a_layer(const Graph *graph)
{
    return (size_t)graph->n_heads + 1;
}

static size_t receivers_a_layer(const Graph *graph)
{
    return 3 * (size_t)graph->n_heads + 1;
}

Graph graph_of(const GptConfig *cfg)
{
    Graph graph = {.n_layers = cfg->n_layers, .n_heads = cfg->n_heads};
    size_t layers = (size_t)cfg->n_layers;
    graph.n_senders = 1 + layers * senders_a_layer(&graph);
    graph.n_receivers = layers * receivers_a_layer(&graph) + 1;
    graph.n_edges = graph_first_edge(&graph, graph.n_receivers);
    return graph;
}

Sender graph_sender(const Graph *graph, size_t sender)
{
    assert(sender < graph->n_senders);
    if (sender == 0) {
        return (Sender){SENDER_INPUT, -1, -1};
    }
    int layer = (int)((sender - 1) / senders_a_layer(graph));
    int at = (int)((sender - 1) % senders_a_layer(graph));
    return at < graph->n_heads ? (Sender){SENDER_HEAD, layer, at} : (Sender){SENDER_MLP, layer, -1};
}

size_t graph_sender_index(const Graph *graph, Sender sender)
{
    if (sender.kind == SENDER_INPUT) {
        return 0;
    }
    int at = sender.kind == SENDER_HEAD ? sender.head : graph->n_heads;
    assert(sender.layer >= 0 && sender.layer < graph->n_layers && at >= 0 && at <= graph->n_heads);
    return 1 + (size_t)sender.layer * senders_a_layer(graph) + (size_t)at;
}

Receiver graph_receiver(const Graph *graph, size_t receiver)
{
    assert(receiver < graph->n_receivers);
    int layer = (int)(receiver / receivers_a_layer(graph));
    int at = (int)(receiver % receivers_a_layer(graph));
    if (layer == graph->n_layers) {
        return (Receiver){RECEIVER_LOGITS, -1, -1};
    }
    if (at == 3 * graph->n_heads) {
        return (Receiver){RECEIVER_MLP, layer, -1};
    }
    return (Receiver){(ReceiverKind)(at / graph->n_heads), layer, at % graph->n_heads};
}

size_t graph_receiver_index(const Graph *graph, Receiver receiver)
{
    size_t heads = (size_t)graph->n_heads, at = 3 * heads;
    if (receiver.kind == RECEIVER_LOGITS) {
        return graph->n_receivers - 1;
    }
    assert(receiver.layer >= 0 && receiver.layer < graph->n_layers);
    if (receiver.kind != RECEIVER_MLP) {
        assert(receiver.head >= 0 && receiver.head < graph->n_heads);
        at = (size_t)receiver.kind * heads + (size_t)receiver.head;
    }
    return (size_t)receiver.layer * receivers_a_layer(graph) + at;
}

size_t graph_sees(const Graph *graph, size_t receiver)
{
    size_t layer = receiver / receivers_a_layer(graph);
    bool mlp = receiver % receivers_a_layer(graph) == 3 * (size_t)graph->n_heads;
    return 1 + layer * senders_a_layer(graph) + (mlp ? (size_t)graph->n_heads : 0);
}

size_t graph_reads(const Graph *graph, size_t sender)
{
    Sender s = graph_sender(graph, sender);
    ReceiverKind kind = s.kind == SENDER_MLP ? RECEIVER_MLP : RECEIVER_Q; /* as k and v */
    return s.kind == SENDER_INPUT
               ? 0
               : graph_sees(graph, graph_receiver_index(graph, (Receiver){kind, s.layer, s.head}));
}

/* The layers below make a triangle: all 3H heads' inputs and the MLP of layer l see 1 + l (H + 1)
 * senders, the MLP H more. */
size_t graph_first_edge(const Graph *graph, size_t receiver)
{
    size_t layer = receiver / receivers_a_layer(graph), at = receiver % receivers_a_layer(graph);
    size_t below = layer * (layer - (layer > 0)) / 2; /* 0 + 1 + ... + layer - 1 */
    size_t edges = receivers_a_layer(graph) * (layer + below * senders_a_layer(graph)) +
                   layer * (size_t)graph->n_heads;
    return edges + at * (1 + layer * senders_a_layer(graph));
}

void graph_edge(size_t *sender, size_t *receiver, const Graph *graph, size_t edge)
{
    size_t low = 0, high = graph->n_receivers;
    assert(edge < graph->n_edges);
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (graph_first_edge(graph, middle) <= edge) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *receiver = low;
    *sender = edge - graph_first_edge(graph, low);
}

/* ---- names ---- */

void graph_sender_name(char out[GRAPH_NAME_MAX], Sender sender)
{
    if (sender.kind == SENDER_HEAD) {
        snprintf(out, GRAPH_NAME_MAX, "L%dH%d", sender.layer, sender.head);
    } else if (sender.kind == SENDER_MLP) {
        snprintf(out, GRAPH_NAME_MAX, "mlp%d", sender.layer);
    } else {
        snprintf(out, GRAPH_NAME_MAX, "input");
    }
}

void graph_receiver_name(char out[GRAPH_NAME_MAX], Receiver receiver)
{
    if (receiver.kind == RECEIVER_LOGITS) {
        snprintf(out, GRAPH_NAME_MAX, "logits");
    } else if (receiver.kind == RECEIVER_MLP) {
        snprintf(out, GRAPH_NAME_MAX, "mlp%d", receiver.layer);
    } else {
        snprintf(out, GRAPH_NAME_MAX, "L%dH%d.%s", receiver.layer, receiver.head,
                 receiver_words[receiver.kind]);
    }
}

void graph_edge_name(char out[2 * GRAPH_NAME_MAX], const Graph *graph, size_t edge)
{
    char from[GRAPH_NAME_MAX], to[GRAPH_NAME_MAX];
    size_t sender, receiver;
    graph_edge(&sender, &receiver, graph, edge);
    graph_sender_name(from, graph_sender(graph, sender));
    graph_receiver_name(to, graph_receiver(graph, receiver));
    snprintf(out, 2 * (size_t)GRAPH_NAME_MAX, "%.30s->%.30s", from, to);
}

/* Names are few, so a name is found by making all of them: one spelling, no second grammar. */
int graph_sender_parse(size_t *out, const Graph *graph, const char *name)
{
    char own[GRAPH_NAME_MAX];
    for (size_t s = 0; s < graph->n_senders; s++) {
        graph_sender_name(own, graph_sender(graph, s));
        if (strcmp(own, name) == 0) {
            *out = s;
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE,
                   "\"%.31s\" writes nothing here; expected input, L0H0 to L%dH%d or mlp0 to mlp%d",
                   name, graph->n_layers - 1, graph->n_heads - 1, graph->n_layers - 1);
}

int graph_receiver_parse(size_t *out, const Graph *graph, const char *name)
{
    char own[GRAPH_NAME_MAX];
    for (size_t r = 0; r < graph->n_receivers; r++) {
        graph_receiver_name(own, graph_receiver(graph, r));
        if (strcmp(own, name) == 0) {
            *out = r;
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE,
                   "\"%.31s\" reads nothing here; expected L0H0.q to L%dH%d.v (q, k or v), mlp0 to "
                   "mlp%d, or logits",
                   name, graph->n_layers - 1, graph->n_heads - 1, graph->n_layers - 1);
}

int graph_edge_parse(size_t *out, const Graph *graph, const char *name)
{
    const char *arrow = strstr(name, "->");
    char from[GRAPH_NAME_MAX];
    size_t sender, receiver;
    if (!arrow) {
        return err_set(OGPT_EUSAGE, "edge \"%.63s\": expected a name such as L0H1->mlp2", name);
    }
    snprintf(from, sizeof(from), "%.*s", (int)(arrow - name < 31 ? arrow - name : 31), name);
    int rc = graph_sender_parse(&sender, graph, from);
    rc = rc ? rc : graph_receiver_parse(&receiver, graph, arrow + 2);
    if (rc == 0 && sender >= graph_sees(graph, receiver)) {
        rc = err_set(OGPT_EUSAGE, "edge \"%.63s\": %s reads before %s writes", name, arrow + 2,
                     from);
    }
    *out = rc == 0 ? graph_first_edge(graph, receiver) + sender : 0;
    return rc;
}
