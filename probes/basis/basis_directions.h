/* probes/basis/basis_directions.h - the sets of directions of a network whose angles are measured.
 * Private. */
#ifndef OGPT_PROBES_BASIS_BASIS_DIRECTIONS_H
#define OGPT_PROBES_BASIS_BASIS_DIRECTIONS_H

#include "probes/basis/basis_study.h"

/* Unit directions (n, d) with the group of each; zero vectors are left out. */
typedef struct BasisDirections {
    size_t n, d, n_groups;
    float *unit; /* owned, as group */
    uint32_t *group;
} BasisDirections;
void basis_directions_release(BasisDirections *directions);

/* Which of a probe's directions: those of turned squares, those of empty ones, or both. */
typedef enum BasisKind {
    BASIS_TURN,
    BASIS_EMPTY,
    BASIS_BOARD,
    BASIS_NEURONS_IN,
    BASIS_NEURONS_OUT,
    BASIS_EMBED,
    BASIS_UNEMBED,
    N_BASIS_KINDS
} BasisKind;
const char *basis_kind_name(BasisKind kind);
/* Those of layer index i of a probe. Returns 0 or OGPT_ENOMEM. */
int basis_directions_of_probe(BasisDirections *out, const Probe *probe, int i, BasisKind kind);
/* Those of the weights of a network; layer: of the neurons. */
int basis_directions_of_weights(BasisDirections *out, const Gpt *gpt, BasisKind kind, int layer);

#endif
