/* probes/neurons/neuron_values.h - activations of the neurons of one layer, and what is said of one
 * neuron without any rule. */
#ifndef OGPT_PROBES_NEURONS_NEURON_VALUES_H
#define OGPT_PROBES_NEURONS_NEURON_VALUES_H

#include "model/gpt.h"
#include "probes/neurons/neuron_games.h"

/* values (d_mlp, n): mlp_post of every neuron of a layer at every position. The same bits for any
 * number of workers. work: pool. Returns 0, OGPT_EFORMAT (network and games are of different
 * boards), OGPT_ENUM (an activation is not finite), OGPT_EINTR, OGPT_ENOMEM. */
int neuron_values_read(float *values, const Gpt *gpt, const NeuronGames *games, int layer,
                       const Work *work);
/* The network of the control: drawn weights, never trained. gpt_free. */
int neuron_values_random_network(Gpt **out, const GptConfig *cfg, uint64_t seed);
/* out (M, n) = rotation (M, M) . values (M, n): activations along M random directions, orthogonal
 * to each other, drawn by (seed, layer). Returns 0, OGPT_ENOMEM, OGPT_EINTR. */
int neuron_values_rotate(float *out, const float *values, size_t M, size_t n, int layer,
                         const Work *work);

#define NEURON_ON 0.1 /* of its largest activation: from here on a neuron is on */

typedef struct NeuronShape {
    double least, largest, mean, deviation;
    double on;       /* share of positions where it is above NEURON_ON of its largest; NaN if it is
                      * never above 0 */
    double kurtosis; /* excess: 0 for a normal distribution; NaN if it never varies */
} NeuronShape;
NeuronShape neuron_shape_of(const float *values, size_t n);

#endif
