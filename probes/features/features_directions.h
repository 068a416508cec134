/* probes/features/features_directions.h - directions that the column of a feature is compared with.
 *
 *   probe   for each square and class the probe's weights of the class minus the mean of its three
 *           classes
 *   moves   for each move its column of W_U times the weight of the last LayerNorm, minus its mean
 *           over the coordinates, which the LayerNorm takes away
 *
 * All of length 1. The largest of many cosines is not small for a direction that means nothing:
 * `chance` says how large it is on the mean for random directions.
 */
#ifndef OGPT_PROBES_FEATURES_FEATURES_DIRECTIONS_H
#define OGPT_PROBES_FEATURES_FEATURES_DIRECTIONS_H

#include "datasets/vocab.h"
#include "probes/board/probe.h"

typedef struct FeaturesDirections {
    const Vocab *vocab; /* static */
    size_t width;
    size_t n_probe;                    /* squares * classes; 0: no probe */
    float *probe;                      /* (n_probe, width), at square * classes + class; owned */
    size_t n_moves;                    /* tokens but the pad; 0: the site is not in the stream */
    float *moves;                      /* (n_moves, width), at token - 1; owned */
    double probe_chance, moves_chance; /* NaN: there are no such directions */
} FeaturesDirections;

/* probe: of the site, or NULL. Returns 0 or OGPT_ENOMEM; features_directions_release in both
 * cases. */
int features_directions_make(FeaturesDirections *out, const Gpt *gpt, const Vocab *vocab,
                             HookSite site, int layer, const Probe *probe, uint64_t seed);
void features_directions_release(FeaturesDirections *directions);

/* The direction of largest cosine; -1 and NaN where there is none. */
typedef struct FeaturesNearest {
    int square; /* bit number, a1 is 0 */
    int class;  /* of the probe; -1 of a move */
    double cosine;
} FeaturesNearest;
FeaturesNearest features_nearest_probe(const FeaturesDirections *directions, const float *column);
FeaturesNearest features_nearest_move(const FeaturesDirections *directions, const float *column);
/* Cosines by square (64); NaN where there is none. class -1: moves. */
void features_cosines(double out[BOARD_SQUARES], const FeaturesDirections *directions,
                      const float *column, int class);

#endif
