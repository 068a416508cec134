/* probes/graph/graph.h - a network as a graph: who writes into the residual stream, who reads it.
 *
 *   sender    writes into the stream: the input (token and position embeddings), a head, an MLP
 *   receiver  reads the stream: the query, key or value of a head, an MLP, the logits
 *   edge      a sender and a receiver that reads after it wrote
 *
 * (Elhage et al. 2021; the edges of Syed, Rager and Conmy 2023.) 8 layers of 8 heads make 73
 * senders, 201 receivers and 6,637 edges. The constant parts b_O and b_out are edges of nothing:
 * b_out counts to its MLP, b_O and b_V W_O to the stream, because they are the same in every run.
 *
 * Senders and receivers are numbered in the order in which they write and read, so receiver r sees
 * exactly the first graph_sees(r) senders, and the edges are counted receiver by receiver:
 * edge (s, r) = graph_first_edge(r) + s.
 */
#ifndef OGPT_PROBES_GRAPH_GRAPH_H
#define OGPT_PROBES_GRAPH_GRAPH_H

#include "model/gpt.h"

typedef enum SenderKind { SENDER_INPUT, SENDER_HEAD, SENDER_MLP } SenderKind;
typedef enum ReceiverKind {
    RECEIVER_Q,
    RECEIVER_K,
    RECEIVER_V,
    RECEIVER_MLP,
    RECEIVER_LOGITS
} ReceiverKind;

typedef struct Sender {
    SenderKind kind;
    int layer, head; /* -1 where it has none */
} Sender;

typedef struct Receiver {
    ReceiverKind kind;
    int layer, head; /* -1 where it has none */
} Receiver;

typedef struct Graph {
    int n_layers, n_heads;
    size_t n_senders;   /* 1 + L (H + 1) */
    size_t n_receivers; /* L (3 H + 1) + 1: of a layer q of all heads, k, v, then the MLP */
    size_t n_edges;
} Graph;

#define GRAPH_NAME_MAX 32

Graph graph_of(const GptConfig *cfg);
/* By number, and back; kind, layer and head must exist. */
Sender graph_sender(const Graph *graph, size_t sender);
size_t graph_sender_index(const Graph *graph, Sender sender);
Receiver graph_receiver(const Graph *graph, size_t receiver);
size_t graph_receiver_index(const Graph *graph, Receiver receiver);
/* Senders that a receiver reads: 0 .. graph_sees - 1. */
size_t graph_sees(const Graph *graph, size_t receiver);
/* The same of what a sender reads before it writes; the input reads nothing. */
size_t graph_reads(const Graph *graph, size_t sender);
size_t graph_first_edge(const Graph *graph, size_t receiver);
/* The two ends of an edge. */
void graph_edge(size_t *sender, size_t *receiver, const Graph *graph, size_t edge);

/* "input", "L3H5", "mlp4"; "L3H5.q", "mlp4", "logits"; "L2H1->L3H5.q". */
void graph_sender_name(char out[GRAPH_NAME_MAX], Sender sender);
void graph_receiver_name(char out[GRAPH_NAME_MAX], Receiver receiver);
void graph_edge_name(char out[2 * GRAPH_NAME_MAX], const Graph *graph, size_t edge);
/* The number of a name. Returns 0 or OGPT_EUSAGE: a word that is no name, a layer or head that the
 * network does not have, a receiver that reads before the sender writes; the message says which. */
int graph_sender_parse(size_t *out, const Graph *graph, const char *name);
int graph_receiver_parse(size_t *out, const Graph *graph, const char *name);
int graph_edge_parse(size_t *out, const Graph *graph, const char *name);

#endif
