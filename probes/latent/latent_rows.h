/* probes/latent/latent_rows.h - the rows of both members of contrast pairs, standardised.
 *
 * Each member of the pairs has its own mean and deviation (Burns et al. 2023), taken on training
 * pairs. That takes away what is the same in all first members. It does not take away ply parity:
 * first members are of both parities, and within a pair parity flips as a statement and its
 * negation do. So parity satisfies whatever is asked of a pair, and has to be projected out: with
 * `by_ply` the mean of every ply over training games is subtracted first.
 */
#ifndef OGPT_PROBES_LATENT_LATENT_ROWS_H
#define OGPT_PROBES_LATENT_LATENT_ROWS_H

#include "base/work.h"
#include "probes/latent/latent_pairs.h"

/* What is subtracted and divided by; one array. */
typedef struct LatentScale {
    size_t width;
    bool by_ply;
    double *ply;          /* (GAME_MAX_MOVES, width), zeros unless by_ply; owned */
    double *mean, *scale; /* (2, width) of the members; 1 / deviation, 0 of a constant; in `ply` */
} LatentScale;

typedef struct LatentRows {
    size_t n, width;
    float *first, *second; /* (n, width); owned */
} LatentRows;

/* x (n_positions, width) of the set that the training pairs were made of. Returns 0 or OGPT_ENOMEM.
 * latent_scale_release. */
int latent_scale_fit(LatentScale *out, const LatentPairs *pairs, const LabelledSet *set,
                     const float *x, size_t width, bool by_ply);
void latent_scale_release(LatentScale *scale);
/* The pairs of any set. Returns 0 or OGPT_ENOMEM. latent_rows_release. */
int latent_rows_make(LatentRows *out, const LatentScale *scale, const LatentPairs *pairs,
                     const LabelledSet *set, const float *x);
void latent_rows_release(LatentRows *rows);

/* The planted twin: rows whose board and parity are known directions.
 *   x = sum over squares of y e_s + parity * LATENT_PARITY * e + LATENT_NOISE * normal
 * y = 1 for mine, -1 for theirs, 0 for empty; e are orthonormal by (seed, RNG_LATENT). Without
 * `board` or `parity` that part is left out; without both there is noise alone. */
#define LATENT_PARITY 4.0
#define LATENT_NOISE 0.3
typedef struct LatentPlant {
    bool board, parity;
    int square;      /* the only one that is planted; -1: all */
    uint64_t stream; /* of the noise: one for each set */
} LatentPlant;
/* The width of a planted row: twice the squares. */
size_t latent_planted_width(const LabelledSet *set);
/* x (n_positions, width). Returns 0 or OGPT_ENOMEM. */
int latent_planted_rows(float *x, const LabelledSet *set, const LatentPlant *plant, uint64_t seed);

#endif
