/* probes/sae/training/sae_sweep.h - the autoencoders that one command makes: kinds, values of k or
 * L0, seeds. */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_SWEEP_H
#define OGPT_PROBES_SAE_TRAINING_SAE_SWEEP_H

#include "base/js.h"
#include "probes/sae/training/sae_train.h"

enum { SWEEP_MAX = 32, SWEEP_NAME = 64 };

/* What is typed; texts may be NULL. */
typedef struct SweepWords {
    const char *kind, *k, *l0, *l1;
    const char *values; /* of k or L0 if none is typed: "32" */
    int seeds;
} SweepWords;

typedef struct SaeSweep {
    SaeKind kinds[N_SAE_KINDS];
    int n_kinds, n_values, n_seeds, n; /* n: autoencoders */
    double values[SWEEP_MAX];
    bool by_l1; /* values are penalties */
} SaeSweep;

/* One of them. The first seed comes first: what was interrupted is a smaller sweep. */
typedef struct SaeSweepItem {
    SaeKind kind;
    double value;
    const char *swept;     /* what the value is of this kind: "k", "l0" or "l1" */
    int seed;              /* added to that of the command */
    char name[SWEEP_NAME]; /* its folder in the folder of the sweep: "gated-l0-16-s2" */
} SaeSweepItem;

/* 0 or OGPT_EUSAGE, naming the option. */
int sae_sweep_read(SaeSweep *out, const SweepWords *words);
SaeSweepItem sae_sweep_item(const SaeSweep *sweep, int index);
/* What all of them have in common (seed: of the first), with its kind, its value and its seed,
 * complete. */
void sae_sweep_options(SaeTrainOptions *out, const SaeSweep *sweep, int index,
                       const SaeTrainOptions *common);
/* What it is made from, to tell it from another; about: site, layer, network, games. Owned. */
Js *sae_sweep_about(const SaeTrainOptions *options, const SaeConfig *about,
                    const SaeSweepItem *item, int64_t buffer);

/* Whether an autoencoder is at `path` that was made from the same (sae_sweep_about). Another one,
 * or anything else, is refused: OGPT_EUSAGE, or as manifest_verify where it is damaged. */
int sae_sweep_find(bool *there, const char *path, const Js *about);
/* Refuse a folder in which there is anything but the autoencoders of a sweep, their checkpoints and
 * locks: OGPT_EUSAGE naming it. A sweep of one has no folder of its own. */
int sae_sweep_check_folder(const SaeSweep *sweep, const char *path);

#endif
