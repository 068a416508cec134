/* probes/sae/training/sae_kept_rows.h - a stream that keeps its first blocks in memory: of several
 * autoencoders of the same rows the first one makes them, the others read them. */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_KEPT_ROWS_H
#define OGPT_PROBES_SAE_TRAINING_SAE_KEPT_ROWS_H

#include "probes/sae/training/sae_rows.h"

typedef struct SaeKeptBlock {
    float *x, *y; /* y NULL without targets; owned */
    size_t rows;  /* 0: not made yet */
} SaeKeptBlock;

typedef struct SaeKeptRows {
    SaeStream from;       /* its context is borrowed */
    size_t n;             /* blocks that are kept at most; set by the caller */
    SaeKeptBlock *blocks; /* (n); owned */
} SaeKeptRows;
/* `kept` is borrowed by the stream, which has the rows of `from`. One training at a time. */
SaeStream sae_stream_kept(SaeKeptRows *kept);
void sae_kept_release(SaeKeptRows *kept);

#endif
