/* probes/neurons/neuron_rule.h - a leaf of a tree as a sentence.
 *
 * A rule is what leads to one leaf. Its questions are brought into one form, so that the same rule
 * always reads the same: what is known of a square is the set of states that it may have ("c4
 * mine", "c4 not empty"); squares come in the order of the board, states first, then the last move,
 * turned discs and legal moves.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_RULE_H
#define OGPT_PROBES_NEURONS_NEURON_RULE_H

#include "probes/neurons/neuron_tree.h"

#define NEURON_RULE_TEXT 224 /* bytes of a rule of NEURON_DEPTH_MAX questions */

typedef struct NeuronRule {
    int leaf;    /* node of the tree */
    uint32_t n;  /* fit rows there */
    double mean; /* of their values */
    char text[NEURON_RULE_TEXT];
} NeuronRule;

/* The rule of a leaf; "always" for a tree without a question. */
void neuron_rule_of_leaf(NeuronRule *out, const NeuronTree *tree, int leaf);
/* The leaf that stands for what the neuron is on for: above the mean, with the largest share of
 * what the tree explains, n (mean of leaf - mean)^2. */
void neuron_rule_best(NeuronRule *out, const NeuronTree *tree);
/* Leaves, highest mean first, into leaves (NEURON_NODES_MAX). Returns how many. */
int neuron_rule_leaves(int *leaves, const NeuronTree *tree);

#endif
