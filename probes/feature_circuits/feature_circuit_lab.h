/* probes/feature_circuits/feature_circuit_lab.h - both runs of a pair at one site, passes in which
 * the rows of that site are others, and the gradient of the metric there. One worker's.
 *
 *   noising    base = the clean history, other = the corrupt one
 *   denoising  base = the corrupt history, other = the clean one
 *
 * The rows that change are those of the last position alone, or of all positions. The metric is
 * Delta (probes/graph/pair_metric.h) at the last position. At all positions a site of the residual
 * stream cuts the network in two: with the rows of the other run the answer is that of the other
 * run, bit for bit (a pass has always as many sequences as both runs had). At the last position
 * alone, earlier positions stay as in the base run.
 */
#ifndef OGPT_PROBES_FEATURE_CIRCUITS_LAB_H
#define OGPT_PROBES_FEATURE_CIRCUITS_LAB_H

#include "probes/patching/edges.h"
#include "probes/sae/sae.h"

typedef struct FeatureQuestion {
    const Gpt *gpt;
    const Vocab *vocab;
    const GamePair *pairs;
    size_t n_pairs;
    PatchDirection direction;
    PatchScope scope;
    const Sae *sae; /* of this network, no transcoder; says site and layer */
    int points;     /* of integrated gradients, at least 1 */
} FeatureQuestion;

enum { FEATURE_RUN_BASE, FEATURE_RUN_OTHER, N_FEATURE_RUNS };

/* What both runs of a pair hold, the rows that may change alone. */
typedef struct FeatureRuns {
    size_t n_rows, width;
    double delta[N_FEATURE_RUNS];
    float *rows[N_FEATURE_RUNS]; /* (n_rows, width) */
    float
        *neurons[N_FEATURE_RUNS]; /* (n_rows, d_mlp) of the layer; zeros where the site has none */
} FeatureRuns;

typedef struct FeatureLab FeatureLab;

/* The most rows of a pair that change. */
size_t feature_circuit_lab_rows(const FeatureQuestion *question);
size_t feature_circuit_lab_bytes(const FeatureQuestion *question);
/* Owned: feature_circuit_lab_free. Returns 0 or OGPT_ENOMEM. */
int feature_circuit_lab_new(FeatureLab **out, const FeatureQuestion *question);
void feature_circuit_lab_free(FeatureLab *lab);

/* Do both runs of a pair, which all that follows is about. Borrowed until the next call. */
const FeatureRuns *feature_circuit_lab_set(FeatureLab *lab, const GamePair *pair);

/* Passes go several at a time: fill the rows (n_rows, width) of pass i < feature_circuit_lab_room,
 * then run the first n. delta (n): the metric of each. A pass does not see the others, and the bits
 * of its answer do not depend on how many there are. */
size_t feature_circuit_lab_room(const FeatureLab *lab);
float *feature_circuit_lab_edit(FeatureLab *lab, size_t i);
void feature_circuit_lab_run(double *delta, FeatureLab *lab, size_t n);

/* gradient (n_rows, width) of the metric at the rows `at` of the site, in the base run. */
void feature_circuit_lab_gradient(float *gradient, FeatureLab *lab, const float *at);

#endif
