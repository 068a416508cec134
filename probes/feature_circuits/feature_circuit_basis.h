/* probes/feature_circuits/feature_circuit_basis.h - a row as a sum of nodes.
 *
 * A basis splits every row x of a site into x = constant + sum over nodes of a_i d_i + error, so
 * that the difference between two runs is a sum over nodes too:
 *   x(other) - x(base) = sum of (a_i(other) - a_i(base)) d_i + error(other) - error(base)
 *
 *   features     a_i and d_i of an autoencoder; the error is what it does not rebuild. Its bias is
 *                the constant, which no pair can differ in
 *   shuffled     the same a_i, each with the column of another feature: the control. Its error
 *                takes up what the columns get wrong
 *   coordinates  the numbers of the row: no error
 *   rotated      the row in a random orthonormal basis: no error. What coordinates say beyond it,
 *                the network's own basis says
 *   neurons      the neurons of the layer's MLP behind their activation, d_i = their row of W_out;
 *                the error is all that the MLP did not write. Where the site holds their writes
 *                (splice_sees_neurons); at mlp_post the coordinates are the neurons
 */
#ifndef OGPT_PROBES_FEATURE_CIRCUITS_BASIS_H
#define OGPT_PROBES_FEATURE_CIRCUITS_BASIS_H

#include "base/enums.h"
#include "model/gpt.h"
#include "probes/sae/sae.h"

/* X(enumerator, name) */
#define FEATURE_BASES(X)                                                                           \
    X(BASIS_FEATURES, "features")                                                                  \
    X(BASIS_SHUFFLED, "shuffled")                                                                  \
    X(BASIS_COORDINATES, "coordinates")                                                            \
    X(BASIS_ROTATED, "rotated")                                                                    \
    X(BASIS_NEURONS, "neurons")
typedef enum FeatureBasisKind { FEATURE_BASES(ENUM_ID) N_FEATURE_BASES } FeatureBasisKind;
const char *feature_circuit_basis_name(FeatureBasisKind kind); /* static */

typedef struct FeatureBasis {
    FeatureBasisKind kind;
    size_t n, width; /* nodes, the error not counted; numbers of a row */
    bool has_error;
    float *columns; /* (n, width) d_i, owned */
    const Sae *sae; /* borrowed */
} FeatureBasis;

/* Those that the site of `sae` has, features first; exchanged columns and the rotation by seed.
 * Returns how many are filled, or OGPT_ENOMEM; feature_circuit_basis_release each in both cases
 * (out has room for N_FEATURE_BASES and is zeroed). */
int feature_circuit_basis_make(FeatureBasis *out, const Gpt *gpt, const Sae *sae, uint64_t seed);
void feature_circuit_basis_release(FeatureBasis *basis);
/* How many feature_circuit_basis_make fills. */
size_t feature_circuit_basis_count(const Sae *sae);

/* a (rows, n) and error (rows, width) of rows x (rows, width); neurons (rows, n) are read for
 * BASIS_NEURONS alone. Thread-safe. */
void feature_circuit_basis_split(const FeatureBasis *basis, const float *x, const float *neurons,
                                 size_t rows, float *a, float *error);

#endif
