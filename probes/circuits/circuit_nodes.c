/* probes/circuits/circuit_nodes.c - contract in probes/circuits/circuit_nodes.h. */
#include "probes/circuits/circuit_nodes.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

size_t circuit_nodes(const Graph *graph)
{
    return graph->n_senders + 3 * (size_t)graph->n_layers * (size_t)graph->n_heads;
}

size_t circuit_node_of(const Graph *graph, Receiver receiver)
{
    size_t heads = (size_t)graph->n_heads;
    return graph->n_senders + (3 * (size_t)receiver.layer + (size_t)receiver.kind) * heads +
           (size_t)receiver.head;
}

static Receiver receiver_of(const Graph *graph, size_t node)
{
    size_t at = node - graph->n_senders, heads = (size_t)graph->n_heads;
    return (Receiver){(ReceiverKind)(at / heads % 3), (int)(at / (3 * heads)), (int)(at % heads)};
}

void circuit_node_name(char out[GRAPH_NAME_MAX], const Graph *graph, size_t node)
{
    if (node < graph->n_senders) {
        graph_sender_name(out, graph_sender(graph, node));
    } else {
        graph_receiver_name(out, receiver_of(graph, node));
    }
}

int circuit_node_layer(const Graph *graph, size_t node)
{
    return node < graph->n_senders ? graph_sender(graph, node).layer
                                   : receiver_of(graph, node).layer;
}

/* The edges that patch a node. */
static void choose_edges(uint8_t *patched, const Graph *graph, size_t node)
{
    memset(patched, 0, graph->n_edges);
    if (node >= graph->n_senders) {
        size_t r = graph_receiver_index(graph, receiver_of(graph, node));
        memset(patched + graph_first_edge(graph, r), 1, graph_sees(graph, r));
        return;
    }
    for (size_t r = 0; r < graph->n_receivers; r++) {
        if (node < graph_sees(graph, r)) {
            patched[graph_first_edge(graph, r) + node] = 1;
        }
    }
}

static int patch_node(double *delta, EdgeRuns *runs, const uint8_t *patched, size_t node,
                      size_t n_pairs, const Work *work)
{
    const Work quiet = work_quiet(work);
    int recalled = work_recall(delta, work, n_pairs, "nodes", node);
    int rc = recalled < 0    ? recalled
             : recalled == 0 ? edges_patched(delta, NULL, runs, patched, &quiet)
                             : 0;
    if (rc == 0 && recalled == 0) {
        rc = work_keep(work, delta, n_pairs, "nodes", node);
    }
    if (rc == 0 && interrupt_pending() != 0) {
        rc = err_set(OGPT_EINTR, "interrupted while nodes were patched; type the command again");
    }
    return rc;
}

int circuit_nodes_exact(double *effect, EdgeRuns *runs, const EdgeQuestion *question,
                        const Work *work)
{
    const Graph *graph = question->graph;
    size_t n = circuit_nodes(graph), n_pairs = question->n_pairs;
    const double *base = edges_delta(runs, false);
    uint8_t *patched = mem_alloc(graph->n_edges, 1, "edges of a node");
    double *delta = mem_alloc(n_pairs, sizeof(*delta), "effects of pairs");
    int rc = patched && delta ? 0 : OGPT_ENOMEM;
    for (size_t node = 0; node < n && rc == 0; node++) {
        choose_edges(patched, graph, node);
        rc = patch_node(delta, runs, patched, node, n_pairs, work);
        for (size_t p = 0; p < n_pairs && rc == 0; p++) {
            effect[p * n + node] = delta[p] - base[p];
        }
        work_tick(work, "nodes", (double)node + 1, (double)n);
    }
    mem_free(patched);
    mem_free(delta);
    return rc;
}
