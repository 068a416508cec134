/* probes/attribution/attributor_internal.h - one worker's scratch; for the files of this room. */
#ifndef OGPT_PROBES_ATTRIBUTION_ATTRIBUTOR_INTERNAL_H
#define OGPT_PROBES_ATTRIBUTION_ATTRIBUTOR_INTERNAL_H

#include "probes/attribution/attribution.h"

/* The vectors that components are multiplied with. */
typedef enum Query { QUERY_TARGET, QUERY_RANDOM, QUERY_SHUFFLED, QUERY_STREAM, N_QUERIES } Query;

struct Attributor {
    const Gpt *gpt;
    const ComponentList *list;
    const Readout *readout;
    const Kernels *kernels;
    size_t C, K, J, T, m_max; /* m_max: most vectors of a block */
    size_t n_coarse;          /* components with a vector of their own at every row */
    size_t n_parts;           /* grain neuron: whole attention layers and MLPs, for erasure */
    size_t *coarse;           /* (n_coarse) their numbers */
    real *vectors;            /* (ROWS, n_coarse, C) */
    real *parts;              /* (ROWS, n_parts, C) */
    real *query[N_QUERIES];   /* (ROWS, C) */
    real *dot[N_QUERIES];     /* (ROWS, m_max) */
    real *columns;            /* (m_max, K) vectors . directions */
    real *random_columns;     /* (m_max, K) */
    double *norm;             /* (m_max) of a vector: |v - mean v|^2 */
    double *magnitude, *random_magnitude; /* (m_max) */
    real *coefficient;                    /* (ROWS, m_max) */
    real *rows;                           /* (max(ROWS, T), C) */
    real *sums;                           /* (ROWS, K) */
    double scale[ATTRIBUTION_ROWS];       /* s of the row */
    double number[ATTRIBUTION_ROWS];      /* x . r */
    double square[ATTRIBUTION_ROWS];      /* |x - mean x|^2 */
    size_t first, n;                      /* the rows of the last call */
    bool has_shuffled;
    AttributionValues values;
    Arena arena;
    void *scratch;
};

/* m vectors that n_rows rows have in common, each row with a coefficient for each vector. */
typedef struct WriteBlock {
    const real *vectors; /* (m, C) */
    size_t m, row, n_rows;
    const real *coefficient; /* (n_rows, m); NULL: 1 */
    const size_t *index;     /* (m) their components; NULL: first, first + 1, ... */
    size_t first;
    const size_t *ply; /* (n_rows) vector j is of position j <= ply: component first + j, or first +
                        * ply - j where the list counts back. NULL: no positions */
} WriteBlock;

/* attributor_vectors.c: the vectors of the coarse components at rows first .. first+n-1. */
void attributor__vectors(Attributor *a, const Writes *writes);
void attributor__parts(Attributor *a, const Writes *writes);
/* Hand each block of the grain to `add`. */
void attributor__blocks(Attributor *a, const Writes *writes,
                        void (*add)(Attributor *a, const WriteBlock *block));
/* Whether a component has a vector of its own at every row. */
bool attributor__is_coarse(ComponentKind kind);

#endif
