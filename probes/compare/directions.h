/* probes/compare/directions.h - the geometry of a linear probe: one direction for each square, and
 * the angles between directions of several squares, layers, tasks and seeds.
 *
 * Edits need a direction for each two states of a square: those sets are made by
 * direction_set_of_weights (probes/board/direction_set.h). Angles are measured here, on one
 * direction a square.
 *
 * The direction of a square is the unit vector along which its last class wins over the one before
 * it, unit(w_last - w_before): theirs to mine, white to black, empty to occupied, kept to flipped.
 * It is a vector of the residual stream, so directions may be compared wherever the stream is the
 * same one: between layers, tasks and fits of one network, not between two networks. A square
 * without a direction (a class that never occurs there) is left out and counted.
 */
#ifndef OGPT_PROBES_COMPARE_DIRECTIONS_H
#define OGPT_PROBES_COMPARE_DIRECTIONS_H

#include "probes/board/direction_set.h"

/* The directions of layer index i of a probe, one for each square. Owned: direction_set_release.
 * Returns 0, OGPT_EUSAGE (a hidden layer has no directions; `path` is for the message),
 * OGPT_ENOMEM. */
int directions_init(DirectionSet *out, const Probe *probe, int i, const char *path);
/* The same from weights (d, n_squares, n_classes) in the order of a probe's. */
int directions_of_weights(DirectionSet *out, const float *weight, int size, size_t d,
                          size_t n_classes);

/* Mean |cosine| between the directions of two different squares of a set, for squares that touch
 * (also by a corner) and for others. NaN if there is no such pair. */
typedef struct WithinCosines {
    double neighbours, others;
    size_t n_neighbours, n_others; /* pairs */
} WithinCosines;
WithinCosines directions_within(const DirectionSet *directions);

/* Two sets of one board and width. same: mean signed cosine between the two directions of a square;
 * same_least: the smallest of these; others: mean |cosine| between different squares, which shows
 * what chance and similar squares give. NaN if no square is in both. */
typedef struct BetweenCosines {
    double same, same_least, others;
    size_t n; /* squares in both */
} BetweenCosines;
BetweenCosines directions_between(const DirectionSet *a, const DirectionSet *b);

/* Effective rank of the set (num/matrices/symmetric.h): 1 if all squares share one line, n_present
 * if they are orthogonal, at most d. NaN without a direction. Returns 0 or OGPT_ENOMEM. */
int directions_rank(double *out, const DirectionSet *directions);

#endif
