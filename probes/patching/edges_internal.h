/* probes/patching/edges_internal.h - both runs of many pairs, kept in blocks. Private to the room.
 *
 * Pairs are sorted by their length and cut into blocks: of one length where all positions are
 * patched, so that the games of a block are one batch without padding. Blocks do not hang on the
 * number of workers, so no bit of a result does. In a block with n pairs a `row` is a position of a
 * pair: n rows for scope last, n * T for scope all, pair by pair.
 */
#ifndef OGPT_PROBES_PATCHING_EDGES_INTERNAL_H
#define OGPT_PROBES_PATCHING_EDGES_INTERNAL_H

#include "model/prefix.h"
#include "probes/graph/outputs.h"
#include "probes/patching/edges.h"
#include "probes/patching/pair_blocks.h"

/* Rows that go through the network together in edges_exact: about half a megabyte in the widest
 * layer of a small network, which stays in the cache of a core. */
enum { EDGE_CHUNK_ROWS = 256 };

typedef struct EdgeBlock {
    size_t first, n, T; /* runs->order[first] ... + n; T = 1 for scope last */
    size_t rows;        /* n * T */
    real *other;        /* (n_senders, rows, C) what each sender wrote in the other run */
    real *diff;         /* (n_senders, rows, C) the same minus what it wrote in the base run */
    real *pre;          /* (L + 1, rows, C) base: in front of each block, and behind the last */
    real *mid;          /* (L, rows, C) base: between attention and MLP */
    real *scale;        /* (2 L + 1, rows) base: ln1 of each layer, ln2 of each, the final one */
    Prefix *prefix;     /* scope last: keys and values of the base run; sealed */
    Arena arena;
} EdgeBlock;

/* What one worker computes in. E: the rows of a pass of edges_exact, at most. */
typedef struct EdgeWorker {
    Tape *tape;     /* scope all */
    Prefix *prefix; /* scope last: for the other runs, and for edges_exact */
    size_t held;    /* the block whose base histories are in `prefix`; n_blocks: none */
    real *x, *out;  /* (E or n_heads * block rows, C) */
    real *mean, *rstd;
    real *scale;              /* (block rows) */
    real *q, *k, *v, *stream; /* (E, C) */
    real *base[3];            /* (block rows, C) queries, keys, values of the base run */
    real *head[3];            /* (E, d_head) those of one head, once for each sender */
    real *head_patched;       /* (E, d_head) */
    real *lse;                /* (E) */
    real *here;               /* (n_senders, block rows, C) other minus what was written just now */
    real *mask;               /* (n_heads, n_senders) */
    real *z, *z_base;         /* (E, d_head) */
    uint16_t *owner;          /* (E) the pair of each row */
    Arena arena;
} EdgeWorker;

struct EdgeRuns {
    EdgeQuestion question;
    size_t *order; /* (n_pairs) longest first */
    real *weights; /* (n_pairs, V) of Delta */
    double *delta; /* (2, n_pairs) base, other */
    real *logits;  /* (2, n_pairs, V) */
    real *patched; /* (n_pairs, V) logits of edges_patched, by `order`: a block's in one piece */
    size_t widest; /* rows of the largest block */
    size_t n_blocks, n_workers;
    EdgeBlock *blocks;
    EdgeWorker *workers;
    const Kernels *kernels;
};

/* Make workers for this work, if there are fewer. Returns 0 or OGPT_ENOMEM. */
int edges__hire(EdgeRuns *runs, const Work *work);
/* The histories of one run of a block. */
void edges__tokens(EdgeTokens *out, const EdgeRuns *runs, const EdgeBlock *block, bool other);
/* Delta of pair number `i` of the block. */
double edges__delta(const EdgeRuns *runs, const EdgeBlock *block, size_t i, const real *logits);

/* Where a LayerNorm is. */
typedef struct EdgeNorm {
    const real *w, *b;
    const real *scale; /* (rows) of the base run */
} EdgeNorm;
EdgeNorm edges__norm_of(const EdgeRuns *runs, const EdgeBlock *block, const Receiver *receiver);
/* worker->out (copies * rows, C) = LayerNorm of worker->x, as the question says; the norm has the
 * scales of `rows` rows. */
void edges__normalise(const EdgeRuns *runs, EdgeWorker *worker, const EdgeNorm *norm, size_t rows,
                      size_t copies);
/* The parameters of a field of a block (or of the network, layer 0 and a field outside). */
const real *edges__tensor(const EdgeRuns *runs, size_t field, int layer);

#endif
