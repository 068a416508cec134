/* probes/dictionaries/twins.h - dictionaries that nobody trained, to be measured beside one that
 * was.
 *
 *   neurons  the neurons of the block behind their activation, f = max(n, 0): what a dictionary has
 *            to beat to be worth its training
 *   basis    the coordinates of the rows, minus their mean on the fit rows, each of both signs
 *   pca      the same of the principal components of the fit rows
 *   probe    a linear probe of mine, theirs, empty: for every square and class the direction
 *            unit(w - mean of the other two classes' w), from the boundary that its biases draw.
 *            Labels were used: with all features a ceiling
 *   random   as many random unit directions as the autoencoder has features, through the mean
 *   mean     no feature: every row is rebuilt as the mean of the fit rows
 */
#ifndef OGPT_PROBES_DICTIONARIES_TWINS_H
#define OGPT_PROBES_DICTIONARIES_TWINS_H

#include "base/enums.h"
#include "probes/board/probe.h"
#include "probes/dictionaries/codebook.h"

/* X(enumerator, name) */
#define TWINS(X)                                                                                   \
    X(TWIN_NEURONS, "neurons")                                                                     \
    X(TWIN_BASIS, "basis")                                                                         \
    X(TWIN_PCA, "pca")                                                                             \
    X(TWIN_PROBE, "probe")                                                                         \
    X(TWIN_RANDOM, "random")                                                                       \
    X(TWIN_MEAN, "mean")
typedef enum Twin { TWINS(ENUM_ID) N_TWINS } Twin;
const char *twin_name(Twin twin);

/* What twins are made of; borrowed. */
typedef struct TwinSource {
    const float *x; /* (n, width) fit rows */
    size_t n, width;
    const float *neurons; /* (n, n_neurons) of the same positions; NULL: there are none */
    size_t n_neurons;
    const Probe *probe; /* NULL: none */
    int probe_index;    /* of its layer */
    uint64_t seed;
} TwinSource;

/* Whether the source has what a twin needs. */
bool twin_exists(Twin twin, const TwinSource *source);
/* Make a twin and fit its decoder; keep as in Codebook, features of TWIN_RANDOM. Returns 0,
 * OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM. Owned: codebook_release. */
int twin_make(Codebook *out, Twin twin, const TwinSource *source, size_t keep, size_t features,
              const Work *work);

#endif
