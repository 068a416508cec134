/* model/tape.h - the activations of one pass, as the graph sees them. Private to model/.
 *
 * N rows: B*T positions in a full pass, one a sequence in a pass of last positions; K keys that a
 * query can see. Other shapes as in num/kernels.h.
 */
#ifndef OGPT_MODEL_TAPE_H
#define OGPT_MODEL_TAPE_H

#include "model/gpt.h"

/* What one block leaves behind. A training tape has no arrays for hooks. A forward tape has one of
 * each for all blocks, and keeps scores and pattern in the same place. */
typedef struct BlockTape {
    real *pre;                 /* (N,C) residual stream coming in */
    real *ln1, *mean1, *rstd1; /* (N,C), (N), (N) */
    real *q, *k, *v, *z;       /* (N,C) */
    real *lse;                 /* (B,NH,T) */
    real *mid;                 /* (N,C) residual stream after attention */
    real *ln2, *mean2, *rstd2; /* (N,C), (N), (N) */
    real *act;                 /* (N,M) gelu */
    real *slope;               /* (N,M) gelu'; NULL on a forward tape */
    real *post;                /* (N,C) residual stream going out */
    real *scale1, *scale2;     /* (N) for hooks: 1 / rstd, or what a hook left */
    real *scores, *pattern;    /* (N,NH,K) for hooks */
    real *attn_out, *mlp_out;  /* (N,C) for hooks */
    real *z_made;              /* (N,C) z before a hook changed it; gradient tapes only */
} BlockTape;

struct Tape {
    GptConfig cfg;
    TapeMode mode;
    const Kernels *kernels;
    size_t max_rows, keys; /* N and K at most */
    size_t B, T;           /* of the last forward pass */
    BlockTape *blocks;
    real *lnf, *meanf, *rstdf, *scalef; /* (N,C), (N), (N), (N) for hooks */
    real *logits;                       /* (N,V); after gpt_loss their gradient */
    uint64_t seen[N_HOOK_SITES];        /* the layers at which hooks saw each site going forward */
    real *dx, *dh, *dz, *dq, *dk, *dv;  /* (N,C); training and gradient tapes */
    real *dact;                         /* (N,M); training and gradient tapes */
    real *dbranch;                      /* (N,C); gradient tapes, as all below */
    real *dpattern;                     /* (N,NH,K) */
    real *dscale;                       /* (N) */
    real *sink;                         /* (C or M) gradients of parameters that nobody wants */
    void *scratch;                      /* of the kernels' products */
    Arena arena;
};

/* Counts bytes (arena NULL) or carves pieces: one function describes a layout for both. */
typedef struct Carver {
    Arena *arena;
    size_t n_bytes;
} Carver;
void *tape__take(Carver *carver, size_t count, size_t size);

/* A tape of so many rows and keys a query; tape_new's has max_games * n_ctx and n_ctx. */
size_t tape__bytes(const GptConfig *cfg, size_t max_rows, size_t keys, TapeMode mode,
                   const Kernels *kernels);
int tape__new(Tape **out, const GptConfig *cfg, size_t max_rows, size_t keys, TapeMode mode,
              const Kernels *kernels);
/* The fast set for NULL; in a double-precision build the plain one. */
const Kernels *tape__kernels(const Kernels *kernels);

#endif
