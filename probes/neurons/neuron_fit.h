/* probes/neurons/neuron_fit.h - rules and their linear twins for all neurons of a layer, scored on
 * held-out games.
 *
 * R2 = 1 - sum (value - said)^2 / sum (value - mean value)^2 over the held-out positions. It is
 * below 0 where the mean would have said it better, and not cut off there. NaN for a neuron that
 * never varies there.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_FIT_H
#define OGPT_PROBES_NEURONS_NEURON_FIT_H

#include "num/statistics/stats.h"
#include "probes/neurons/neuron_linear.h"
#include "probes/neurons/neuron_rule.h"

typedef enum NeuronModel { NEURON_BY_TREE, NEURON_BY_LINEAR, N_NEURON_MODELS } NeuronModel;

typedef struct NeuronFit {
    size_t M, G;                    /* neurons; held-out games */
    double *count;                  /* (G) positions */
    double *sum;                    /* (G, M) of value - its mean over the fit positions */
    double *square;                 /* (G, M) of the square of that */
    double *wrong[N_NEURON_MODELS]; /* (G, M) sum of (value - said)^2 */
    double *r2[N_NEURON_MODELS];    /* (M) */
    NeuronRule *rules;              /* (M) the best node of each tree */
    NeuronTree *trees;              /* (M) if they are kept, or NULL */
} NeuronFit;

/* What is fitted; borrowed. */
typedef struct NeuronFitInputs {
    const NeuronGames *games;
    const NeuronDesign *design;
    const NeuronLinear *linear; /* of the design */
    int depth;
    bool keep_trees;
} NeuronFitInputs;

/* values (M, n). The same bits for any number of workers. work: pool. Returns 0, OGPT_EINTR,
 * OGPT_ENOMEM; neuron_fit_release in both cases. */
int neuron_fit_run(NeuronFit *out, const NeuronFitInputs *in, const float *values, size_t M,
                   const Work *work);
void neuron_fit_release(NeuronFit *fit);
size_t neuron_fit_bytes(size_t M, size_t test_games, size_t n, const Work *work);

/* Shares of the M neurons, with intervals: held-out games are drawn anew, the rules stay. */
typedef struct NeuronShares {
    Interval rules;  /* R2 of the tree above `threshold` */
    Interval linear; /* R2 of the twin above it */
    Interval only;   /* the tree above it and the twin not */
} NeuronShares;
/* rules: NULL, or (BOOTSTRAP_REPLICATES), to which the share of rules in each replicate is added.
 * All layers of one run draw the same games, so sums over layers are replicates of the whole.
 * Returns 0 or OGPT_ENOMEM, OGPT_EINTR. */
int neuron_fit_shares(NeuronShares *out, const NeuronFit *fit, double threshold, double *rules,
                      const Work *work);
/* The middle one of n numbers; NaN are left out, and NaN if none is left. Returns 0 or
 * OGPT_ENOMEM. */
int neuron_fit_median(double *out, const double *values, size_t n);

#endif
