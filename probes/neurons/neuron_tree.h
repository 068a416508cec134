/* probes/neurons/neuron_tree.h - a regression tree on what the rules say of a position.
 *
 * Greedy least squares (Breiman et al. 1984, CART): a node asks for the feature whose answer takes
 * most off the sum of squares; the first one of equal ones. A node is a leaf at the depth asked
 * for, and where no question with at least NEURON_LEAST_ROWS rows on both sides takes off more than
 * NEURON_LEAST_GAIN of the variance at the root.
 *
 * Questions are chosen by values rounded to 2^20 steps of their range, whose sums are whole numbers
 * and so exact in any order: the tree does not depend on how the sums are made. The values of the
 * leaves are means of what was given.
 *
 * neuron_tree_ref is the plain version: every sum of every question is made row by row.
 * neuron_tree_fit makes the sums of all questions of a node in one walk over its rows, packs a sum
 * and a count into one number, and gets the larger of two children by subtraction. Both give the
 * same tree, bit for bit.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_TREE_H
#define OGPT_PROBES_NEURONS_NEURON_TREE_H

#include "probes/neurons/neuron_design.h"

#define NEURON_DEPTH_MAX 8
#define NEURON_NODES_MAX ((2 << NEURON_DEPTH_MAX) - 1)
#define NEURON_LEAST_ROWS 10
#define NEURON_LEAST_GAIN 1e-7

typedef struct NeuronNode {
    int feature; /* -1: a leaf */
    int yes, no; /* indices of the children */
    uint32_t n;  /* fit rows */
    double mean; /* of their values */
} NeuronNode;

typedef struct NeuronTree {
    int n; /* nodes; [0] is the root */
    NeuronNode nodes[NEURON_NODES_MAX];
} NeuronTree;

/* One worker's memory. Borrows the design. */
typedef struct NeuronTreeScratch NeuronTreeScratch;
/* Returns 0 or OGPT_ENOMEM. */
int neuron_tree_scratch_new(NeuronTreeScratch **out, const NeuronDesign *design);
void neuron_tree_scratch_free(NeuronTreeScratch *scratch);
size_t neuron_tree_scratch_bytes(size_t n_fit);

/* values (n_fit) finite; depth 1 to NEURON_DEPTH_MAX; n_fit at least 1. */
void neuron_tree_fit(NeuronTree *out, NeuronTreeScratch *scratch, const float *values, int depth);
void neuron_tree_ref(NeuronTree *out, NeuronTreeScratch *scratch, const float *values, int depth);

/* The leaf of a position, and what the tree says there. */
int neuron_tree_leaf(const NeuronTree *tree, const NeuronFacts *facts);
static inline double neuron_tree_value(const NeuronTree *tree, const NeuronFacts *facts)
{
    return tree->nodes[neuron_tree_leaf(tree, facts)].mean;
}

#endif
