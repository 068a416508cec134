/* probes/neurons/neuron_use.h - what neurons do for the answer: attribution of all of them,
 * ablation of some.
 *
 * Attribution (probes/attribution/, grain neuron) of Delta, the mean logit of the legal moves minus
 * that of the other empty squares. Ablation (probes/ablation/): the loss of the same number if a
 * neuron is replaced by its mean at that ply, or by its value in another game, at the last
 * position. It takes a pass for each neuron and position, so only the neurons with the largest mean
 * |attribution| are ablated, and as many drawn from the others as a control.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_USE_H
#define OGPT_PROBES_NEURONS_NEURON_USE_H

#include "model/gpt.h"
#include "num/statistics/stats.h"
#include "probes/ablation/ablation_units.h"
#include "probes/activations/subject.h"
#include "datasets/batch.h"
#include "base/work.h"

typedef struct NeuronUseOptions {
    size_t games;      /* whose positions are attributed and ablated; 0: neither */
    int plies;         /* positions of each; 0: all */
    size_t ablated;    /* neurons; 0: none */
    AblationKind kind; /* ABLATION_MEAN or ABLATION_RESAMPLE */
    size_t mean_games; /* of the means, or that lend values */
    int neuron;        /* the only one that is ablated, if any, counted layer by layer; -1 */
} NeuronUseOptions;

typedef enum NeuronAblated { NEURON_KEPT, NEURON_LARGEST, NEURON_DRAWN_ANEW } NeuronAblated;

typedef struct NeuronUse {
    size_t n;          /* neurons of all layers; 0: nothing was asked for */
    double *value;     /* (n) mean attribution to Delta; owned */
    double *magnitude; /* (n) mean |attribution| over the moves; owned */
    double *random;    /* (n) the same to random directions as long as those of the moves; owned */
    uint8_t *ablated;  /* (n) NeuronAblated; owned */
    Interval *loss;    /* (n) of Delta, where it is ablated; owned */
    size_t positions, n_ablated;
    double identity_error;           /* of the attribution: largest |sum - logit| */
    double ablation_error;           /* of the ablation: probes/ablation/ablation.h */
    double largest_loss, drawn_loss; /* mean |loss| of both groups; NaN: nothing is ablated */
    double correlation; /* rank correlation of attribution and loss over the ablated; NaN: fewer
                         * than three */
} NeuronUse;

/* games: of the positions; training: of means and lenders. Returns as attribution_run and
 * ablation_run. neuron_use_release in both cases. */
int neuron_use_run(NeuronUse *out, const Gpt *gpt, GameSource *games, GameSource *training,
                   const NeuronUseOptions *options, const Work *work);
size_t neuron_use_bytes(const Gpt *gpt, const Vocab *vocab, const NeuronUseOptions *options,
                        const Work *work);
void neuron_use_release(NeuronUse *use);

#endif
