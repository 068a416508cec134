/* probes/attribution/writes.h - what a pass wrote at chosen rows: what an attribution is computed
 * from. One worker's memory; filled from inside the hooks of one pass after another.
 *
 * Weights are used as they are on file: nothing is folded into anything.
 */
#ifndef OGPT_PROBES_ATTRIBUTION_WRITES_H
#define OGPT_PROBES_ATTRIBUTION_WRITES_H

#include "probes/attribution/components.h"

typedef struct Writes {
    const Gpt *gpt;
    const ComponentList *list; /* borrowed, as gpt */
    HookSite site;             /* of the stream that is read */
    int layer;
    size_t max_rows, max_games;
    /* The rows: set by writes_begin. */
    size_t n, B, T;
    const uint8_t *tokens; /* (B,T), borrowed */
    const size_t *rows;    /* (n) b*T + t, ascending; borrowed */
    /* Filled by writes_take; L attention layers or MLPs of the list. */
    real *stream;  /* (n,C) what is read */
    real *z;       /* (L,n,C) */
    real *mlp;     /* (L,n,C) */
    real *post;    /* (L,n,M); grain neuron */
    real *pattern; /* (L,n,NH,T); grain source */
    real *v;       /* (L,B*T,C); grain source */
    Arena arena;   /* holds them */
} Writes;

/* Bytes of writes_init. */
size_t writes_bytes(const GptConfig *cfg, const ComponentList *list, size_t max_rows,
                    size_t max_games);
/* Room for max_rows rows of max_games sequences. site, layer: as the list was made for. Returns 0
 * or OGPT_ENOMEM. */
int writes_init(Writes *out, const Gpt *gpt, const ComponentList *list, size_t max_rows,
                size_t max_games);
void writes_release(Writes *writes);
/* Ask for the sites that writes_take has use for; adds to those that are set. */
void writes_want(uint64_t sites[N_HOOK_SITES], const ComponentList *list);
/* The next pass: tokens (B,T), and which n of its rows are kept. */
void writes_begin(Writes *writes, const uint8_t *tokens, size_t B, size_t T, const size_t *rows,
                  size_t n);
/* From inside a hook on the way forward. Sites that are not wanted are passed over. */
void writes_take(Writes *writes, const HookPoint *point);

/* A vector of a block (d_model) that an attention layer writes whatever happens: b_O + b_V W_O. */
void writes_attention_bias(real *out, const Gpt *gpt, int layer);

#endif
