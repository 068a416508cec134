/* probes/circuits/qk_fix.h - edges into queries and keys without linearising the softmax. Private
 * to probes/circuits/.
 *
 * The patched query, or the patched keys, are computed exactly (LayerNorm as the question says),
 * and so is the pattern that they give; only what is behind the pattern is linear: sum over queries
 * t and keys k of (A'[t,k] - A[t,k]) d metric / d A[t,k]. A key is seen by every query at or after
 * it (Kramar et al. 2024, section 3.1.1).
 */
#ifndef OGPT_PROBES_CIRCUITS_QK_FIX_H
#define OGPT_PROBES_CIRCUITS_QK_FIX_H

#include "probes/patching/edges.h"

/* Rows of a chunk of pairs. Kept rows are the positions that the question patches, pair after pair:
 * the last of each pair, or all. */
typedef struct KeptRows {
    size_t n_pairs, T; /* sequences of T positions, padded */
    size_t n;          /* kept rows */
    size_t *row;       /* (n) row = sequence * T + position */
    size_t *first;     /* (n_pairs + 1) kept rows of pair p: first[p] .. first[p + 1] - 1 */
    size_t *length;    /* (n_pairs) positions of the pair */
} KeptRows;

typedef struct QkFix {
    const EdgeQuestion *question;
    const KeptRows *kept;
    const real *pre;       /* (L, n, C) the base run's stream in front of attention, kept rows */
    const real *q, *k;     /* (L, n_pairs * T, C) of the base run */
    const real *delta;     /* (senders, n, C) what a patch adds to the stream */
    const real *change[2]; /* (L, n, C) q and k of the other run minus those of the base run */
    const real *dpattern;  /* (n_passes, L, n, NH * T) */
    size_t n_passes;
    float *const *out; /* (n_passes, n_pairs) rows of n_edges: edges into q and k are
                        * overwritten, and their nodes behind the edges */
    void *memory;      /* qk_fix_bytes */
} QkFix;

size_t qk_fix_bytes(const GptConfig *cfg, size_t max_rows);
void qk_fix_run(const QkFix *fix);

#endif
