/* probes/compare/directions.h - the geometry of a linear probe: one direction a square, and the
 * angles between directions across squares, layers, tasks and seeds.
 *
 * The direction of a square is the unit vector along which its last class wins over the one before
 * it, unit(w_last - w_before): theirs to mine, white to black, empty to occupied, kept to flipped.
 * It lives in the coordinates of the residual stream, so it may be compared wherever the stream
 * is the same one: between layers, tasks and fits of one network, not between two networks.
 * A square without a direction (a class that never occurs there) is left out and counted.
 */
#ifndef OGPT_PROBES_COMPARE_DIRECTIONS_H
#define OGPT_PROBES_COMPARE_DIRECTIONS_H

#include "probes/board/direction_set.h"

/* The directions of layer index i of a probe, one a square. Returns 0, OGPT_EUSAGE (a hidden layer
 * has none; path is for the message), OGPT_ENOMEM. Owned: direction_set_release. */
int directions_init(DirectionSet *out, const Probe *probe, int i, const char *path);
/* From any weights laid out like a probe's (d, n_squares, n_classes). */
int directions_of_weights(DirectionSet *out, const float *weight, int size, size_t d,
                          size_t n_classes);

/* Mean |cosine| between the directions of two different squares of a set: those that touch (also
 * by a corner), and those that do not. NaN when there is no such pair. */
typedef struct WithinCosines {
    double neighbours, others;
    size_t n_neighbours, n_others; /* pairs */
} WithinCosines;
WithinCosines directions_within(const DirectionSet *directions);

/* Two sets of one board and width. same: mean cosine (signed) of a square's two directions;
 * same_least: the smallest; others: mean |cosine| between different squares, what chance and the
 * squares' own kinship give. NaN when no square is in both. */
typedef struct BetweenCosines {
    double same, same_least, others;
    size_t n; /* squares in both */
} BetweenCosines;
BetweenCosines directions_between(const DirectionSet *a, const DirectionSet *b);

/* Effective rank of the set (num/symmetric.h): 1 when all squares share one line, n_present when
 * they are orthogonal, at most d. NaN without a direction. Returns 0 or OGPT_ENOMEM. */
int directions_rank(double *out, const DirectionSet *directions);

#endif
