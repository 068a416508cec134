/* probes/circuits/circuit_nodes.h - nodes beside edges: what every sender writes, and the query,
 * key and value of every head.
 *
 * Node i < n_senders is sender i; then come the q of all heads of layer 0, their k, their v, those
 * of layer 1, ... A sender is patched with all edges out of it, a q, k or v with all edges into it:
 * activation patching of that node.
 */
#ifndef OGPT_PROBES_CIRCUITS_CIRCUIT_NODES_H
#define OGPT_PROBES_CIRCUITS_CIRCUIT_NODES_H

#include "probes/patching/edges.h"

size_t circuit_nodes(const Graph *graph);
/* The node of a q, k or v. */
size_t circuit_node_of(const Graph *graph, Receiver receiver);
/* "mlp3", "L2H1" or "L2H1.q". */
void circuit_node_name(char out[GRAPH_NAME_MAX], const Graph *graph, size_t node);
/* The block whose writes GradDrop stops together with the node's own gradient; -1: the input. */
int circuit_node_layer(const Graph *graph, size_t node);
/* effect (n_pairs, nodes): Delta with the node patched minus Delta of the base run. Uses
 * work->journal (stage "nodes"), ticks "nodes". Returns 0, OGPT_EINTR, OGPT_ENOMEM or an error of
 * the journal. */
int circuit_nodes_exact(double *effect, EdgeRuns *runs, const EdgeQuestion *question,
                        const Work *work);

#endif
