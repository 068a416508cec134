/* probes/sae/training/sae_sweep.h - one training for each of several sparsities. */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_SWEEP_H
#define OGPT_PROBES_SAE_TRAINING_SAE_SWEEP_H

#include "probes/sae/training/sae_train.h"

#define SAE_SWEEP_MAX 32 /* values */

typedef struct SaeSweep {
    const char *swept; /* "k", "l0" or "l1"; static */
    double values[SAE_SWEEP_MAX];
    int n;
} SaeSweep;

/* One of the lists "8,16,32" of --k, --l0, --l1 (NULL: not given; all NULL: 32 of what the kind
 * takes). Returns 0 or OGPT_EUSAGE: a list that the kind has no use for, two of them, no number. */
int sae_sweep_parse(SaeSweep *out, SaeKind kind, const char *k, const char *l0, const char *l1);
/* Set k, l0 and l1 to the value with this index. */
void sae_sweep_set(SaeTrainOptions *out, const SaeSweep *sweep, int index);
/* The value that was set. */
double sae_sweep_value(const SaeTrainOptions *options);
/* What an autoencoder is made from, to be stored with it: one that is there is taken if this is the
 * same. buffer: games of the shuffle buffer. Owned. */
Js *sae_sweep_about(const SaeTrainOptions *options, const SaeConfig *about, const SaeSweep *sweep,
                    int64_t buffer);

#endif
