/* model/tape.h - the activations of one worker, as the graph sees them. Private to model/. */
#ifndef OGPT_MODEL_TAPE_H
#define OGPT_MODEL_TAPE_H

#include "model/gpt.h"

/* What one block leaves behind. N = B*T rows; shapes as in num/kernels.h. */
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
} BlockTape;

struct Tape {
    GptConfig cfg;
    TapeMode mode;
    const Kernels *kernels;
    size_t max_games;
    size_t B, T; /* of the last forward pass */
    BlockTape *blocks;
    real *lnf, *meanf, *rstdf; /* (N,C), (N), (N) */
    real *logits;              /* (N,V); after gpt_loss their gradient */
    real *out;                 /* (N,C) output of attention or MLP, for hooks; forward tapes */
    real *pattern;             /* (N,NH,T) for hooks; forward tapes */
    real *dx, *dh, *dz, *dq, *dk, *dv; /* (N,C); training tapes */
    real *dact;                        /* (N,M); training tapes */
    void *scratch;                     /* of the kernels' products */
    Arena arena;
};

#endif
