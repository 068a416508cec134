/* probes/feature_circuits/feature_circuit_agree.h - estimates of one basis against exact effects.
 * Private to the room. */
#ifndef OGPT_PROBES_FEATURE_CIRCUITS_AGREE_H
#define OGPT_PROBES_FEATURE_CIRCUITS_AGREE_H

#include "probes/feature_circuits/feature_circuit_study.h"

/* The numbers of all pairs. */
typedef struct FeatureNumbers {
    FeatureLayout layout;
    size_t n_pairs;
    double *values; /* (n_pairs, layout.n) owned by the study */
    double *whole;  /* (n_pairs) */
} FeatureNumbers;

/* used (n_used): the nodes of a basis that differ in some pair, by number; room for all. */
size_t feature_circuit__used(uint32_t *used, const FeatureNumbers *numbers, size_t basis);
/* Fill agree[] of a basis; random orders by seed. Returns 0 or OGPT_ENOMEM. */
int feature_circuit__agree(FeatureBasisResult *out, const FeatureNumbers *numbers, size_t basis,
                           uint64_t seed);
/* The share of pair numbers at `place`, summed over `n` places from there on. */
int feature_circuit__share(Interval *out, const FeatureNumbers *numbers, size_t place, size_t n,
                           uint64_t seed);

#endif
