/* probes/neurons/neuron_rule.h - a node of a tree as a sentence.
 *
 * A rule is what leads to one node. Its questions are brought into one form, so that the same rule
 * always reads the same: what is known of a square is the set of states that it may have ("c4
 * mine", "c4 not empty"); squares come in the order of the board, states first, then the last move,
 * turned discs and legal moves.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_RULE_H
#define OGPT_PROBES_NEURONS_NEURON_RULE_H

#include "probes/neurons/neuron_tree.h"

#define NEURON_RULE_TEXT 224 /* bytes of a rule of NEURON_DEPTH_MAX questions */

typedef struct NeuronRule {
    int node;    /* of the tree */
    uint32_t n;  /* fit rows there */
    double mean; /* of their values */
    char text[NEURON_RULE_TEXT];
} NeuronRule;

/* The rule of a node; "always" for the root. */
void neuron_rule_of_node(NeuronRule *out, const NeuronTree *tree, int node);
/* What the neuron is on for, said as shortly as it can be: of the nodes above the mean, inner ones
 * too, the one with the largest n (mean of node - mean)^2, n its rows. The root where there is no
 * other. */
void neuron_rule_best(NeuronRule *out, const NeuronTree *tree);
/* Leaves, highest mean first, into leaves (NEURON_NODES_MAX). Returns how many. */
int neuron_rule_leaves(int *leaves, const NeuronTree *tree);

#endif
