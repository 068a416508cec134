/* probes/neurons/neuron_weights.h - what a neuron reads and writes, by its weights alone, as
 * boards.
 *
 * reads   w = W_in[:,k] times the weight of the LayerNorm in front, minus its mean: what the neuron
 *         reads of the stream. Its cosine with the probe of the stream in front of the block: for
 *         each square and state, the class's weights minus the mean of all classes
 * writes  W_out[k]: the same cosines with the probe of the stream behind the block
 * logits  what it adds to the logit of each move while it is 1 and the final LayerNorm's scale is
 * 1: W_out[k] minus its mean, times the LayerNorm's weight, times W_U; minus the mean over the
 *         moves, which softmax does not see
 *
 * Geva et al. 2021 (arXiv:2012.14913) call the first the key and the last the value of a memory.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_WEIGHTS_H
#define OGPT_PROBES_NEURONS_NEURON_WEIGHTS_H

#include "datasets/vocab.h"
#include "probes/board/probe.h"

enum { NEURON_STATES = 3 }; /* empty, theirs, mine: as facts and labels are counted */

typedef struct NeuronWeights {
    /* Cosines by square; NaN off the board, and all of them without a probe of that layer. */
    double reads[NEURON_STATES][BOARD_SQUARES], writes[NEURON_STATES][BOARD_SQUARES];
    double logits[BOARD_SQUARES]; /* NaN where no move can be */
    double read_norm, write_norm; /* lengths of w and of W_out[k] */
    int top;                      /* the move whose logit is raised most */
} NeuronWeights;

/* Neuron k of a layer. probe: NULL, or one that can be used. scratch: (d_model). */
void neuron_weights_of(NeuronWeights *out, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                       int layer, size_t k, double *scratch);

#endif
