/* probes/compare/geometry.h - the directions of several probes of one network: angles within a
 * layer, between layers and between probes, their stability, and what the board explains.
 *
 * The explained variance of a layer does not depend on the probe: the first probe of a site has it.
 */
#ifndef OGPT_PROBES_COMPARE_GEOMETRY_H
#define OGPT_PROBES_COMPARE_GEOMETRY_H

#include "probes/compare/stability.h"

#define GEOMETRY_MAX 8     /* probes at once */
#define GEOMETRY_NUMBERS 8 /* of one layer, at most */

typedef struct GeometryProbe {
    const char *path; /* borrowed */
    Probe probe;
    DirectionSet directions[LAYERS_MAX];
    double rank[LAYERS_MAX];           /* effective */
    BetweenCosines halves[LAYERS_MAX]; /* of fits on disjoint halves */
    Explained explained[LAYERS_MAX];
    bool has_halves, has_explained;
} GeometryProbe;

/* Start from zero, with the subject opened. */
typedef struct Geometry {
    Subject subject;
    size_t n;
    GeometryProbe probe[GEOMETRY_MAX];
} Geometry;

/* Load one more probe and its directions. Returns 0, OGPT_EUSAGE (unfinished, or with a hidden
 * layer), OGPT_EFORMAT (damaged, or of another network), OGPT_EIO, OGPT_ENOMEM. */
int geometry_load(Geometry *geometry, const char *path);
/* Explained variance, and with `halves` the stability. work: as for explained_variance and
 * stability_measure, and so are the errors. */
int geometry_measure(Geometry *geometry, Corpus *corpus, const ExplainedOptions *options,
                     bool halves, const Work *work);
/* The subject and all probes, also after an error. */
void geometry_release(Geometry *geometry);

/* A measured number. n: how many it is the mean of; -1: it has an interval instead. */
typedef struct GeometryNumber {
    const char *key; /* "neighbour_cosine" */
    Interval value;
    int64_t n;
} GeometryNumber;

/* neighbour_cosine, other_cosine, random_cosine, effective_rank of layer index l and, if measured,
 * halves_cosine, ply_r2, board_r2, shuffled_r2. Returns how many. */
size_t geometry_numbers(GeometryNumber out[GEOMETRY_NUMBERS], const GeometryProbe *one, int l);
/* layer_cosine of two layers of a probe. */
GeometryNumber geometry_layer_cosine(const GeometryProbe *one, int l, int m);
/* same_square_cosine, least_cosine, other_square_cosine of two probes at layer index l of the
 * first. False if the second lacks that layer, or has another board or width. */
bool geometry_pair(GeometryNumber out[3], const GeometryProbe *a, const GeometryProbe *b, int l);

#endif
