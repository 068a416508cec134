/* probes/neurons/neuron_linear.h - the linear twin of the trees: ridge regression on the same
 * features. What a weighted sum of facts explains needs no rule.
 *
 * Minimises sum over fit rows of (value - weights . features - constant)^2 + NEURON_RIDGE
 * |weights|^2. The products are made in float over blocks of rows and added up in double.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_LINEAR_H
#define OGPT_PROBES_NEURONS_NEURON_LINEAR_H

#include "probes/neurons/neuron_design.h"

#define NEURON_RIDGE 10.0  /* squares; of a feature that holds in 400 rows it takes 2.5 % off */
#define NEURON_TOGETHER 64 /* neurons that are fitted at a time */

typedef struct NeuronLinear {
    const NeuronDesign *design; /* borrowed */
    size_t n_columns;           /* features that are offered, and the constant behind them */
    int16_t *column;            /* (NEURON_FEATURES) of a feature, or -1; owned */
    double *inverse;            /* (n_columns, n_columns); owned */
} NeuronLinear;

/* The inverse that all neurons share. Returns 0, OGPT_ENUM, OGPT_ENOMEM. */
int neuron_linear_open(NeuronLinear *out, const NeuronDesign *design);
void neuron_linear_release(NeuronLinear *linear);

/* One worker's memory. */
typedef struct NeuronLinearScratch {
    float *rows;     /* a block of rows, (1024, n_columns) */
    float *values;   /* of these rows less the mean of each neuron, (NEURON_TOGETHER, 1024) */
    float *products; /* (NEURON_TOGETHER, max of the two) */
    double *sums;    /* (NEURON_TOGETHER, n_columns) */
    float *weights;  /* (NEURON_TOGETHER, n_columns) */
} NeuronLinearScratch;
int neuron_linear_scratch_new(NeuronLinearScratch *out, const NeuronLinear *linear);
void neuron_linear_scratch_free(NeuronLinearScratch *scratch);
size_t neuron_linear_bytes(void);

/* said (n_neurons, n - n_fit) = what the twins of up to NEURON_TOGETHER neurons say at the held-out
 * rows; values (n_neurons, n), of which the first n_fit of each are read. */
void neuron_linear_fit(float *said, const NeuronLinear *linear, NeuronLinearScratch *scratch,
                       const float *values, size_t n_neurons);

#endif
