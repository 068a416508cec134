/* probes/basis/basis_study.h - one network, and another one beside it: is its basis special, and do
 * its directions interfere?
 *
 * Kurtosis (basis_kurtosis.h) of resid_post at the embedding and behind every block, and of
 * mlp_post: neurons have a nonlinearity each, so their basis is special by construction (the
 * positive control). The control of the other side is a network of random weights, in whose stream
 * no coordinate is special. All networks see the same positions and, where they are as wide, the
 * same rotations.
 */
#ifndef OGPT_PROBES_BASIS_BASIS_STUDY_H
#define OGPT_PROBES_BASIS_BASIS_STUDY_H

#include "base/hash.h"
#include "probes/activations/positions.h"
#include "probes/basis/basis_angles.h"
#include "probes/basis/basis_kurtosis.h"
#include "probes/board/probe.h"

typedef enum BasisNetwork { BASIS_OWN, BASIS_BESIDE, BASIS_RANDOM, N_BASIS_NETWORKS } BasisNetwork;
/* "this", "beside", "random". */
const char *basis_network_name(BasisNetwork network);

/* What is studied; all borrowed. */
typedef struct BasisInputs {
    const Gpt *gpt[BASIS_RANDOM]; /* the one beside it may be NULL */
    const Probe *probe;           /* of this network, or NULL: the one beside it has none */
    const PositionSet *set;
    size_t rotations; /* 2 to BASIS_ROTATIONS */
} BasisInputs;

typedef struct BasisPlace {
    BasisNetwork network;
    HookSite site;
    int layer;
    size_t width;
    BasisKurtosis kurtosis;
} BasisPlace;

/* `beyond` of this network minus that of the other, at one place, over the same games. */
typedef struct BasisDifference {
    HookSite site;
    int layer;
    Interval beyond;
} BasisDifference;

/* Directions of a network: "turn" (unit(w_mine - w_theirs) of every square, of its probe), "empty"
 * (unit(w_empty - (w_mine + w_theirs) / 2)), "board" (both), "neurons_in", "neurons_out", "embed",
 * "unembed". */
typedef struct BasisSet {
    BasisNetwork network;
    const char *name;
    int layer; /* of the probe, of the neurons; embeddings: where the stream begins or ends */
    BasisAngles angles;
    BasisChance chance;
} BasisSet;

typedef struct BasisStudy {
    size_t n_places, n_differences, n_sets;
    BasisPlace *places; /* owned, as all of these */
    BasisDifference *differences;
    BasisSet *sets;
    Interval turn_empty; /* mean over squares of |cos| of its two directions, at the middle layer of
                          * the probe; interval over squares. NaN without a probe */
} BasisStudy;

/* Any number of workers gives the same bits. work: pool, seed, journal, tick("rotations"). Returns
 * 0, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. Owned: basis_study_release, also after an error. */
int basis_study_run(BasisStudy *out, const BasisInputs *in, const Work *work);
void basis_study_release(BasisStudy *study);
size_t basis_study_bytes(const BasisInputs *in, const Work *work);
/* What the kurtosis depends on, but the networks and the seed, into the key of a journal. */
void basis_study_hash(Sha256 *hash, const BasisInputs *in);

#endif
