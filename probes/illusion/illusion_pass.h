/* probes/illusion/illusion_pass.h - one worker of the room: pairs that are held, and their rows.
 * Private to the room. */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_PASS_H
#define OGPT_PROBES_ILLUSION_ILLUSION_PASS_H

#include "base/work.h"
#include "datasets/vocab.h"
#include "model/prefix.h"
#include "probes/cases/pairs.h"

enum { ILLUSION_CHUNK = 64 };

typedef struct IllusionPass {
    const Gpt *gpt;
    const Vocab *vocab;
    const GamePair *pairs; /* (n) those that are held */
    size_t n, width;
    HookSite site;
    Prefix *base, *source;
    float *x, *other; /* (n_layers, ILLUSION_CHUNK, width) rows of both at the site */
    real *dlogits;    /* (ILLUSION_CHUNK, d_vocab) for gradients */
} IllusionPass;

/* mode of the first prefix: TAPE_GRADIENT for gradients. Returns 0 or OGPT_ENOMEM. */
int illusion_pass_init(IllusionPass *out, const Gpt *gpt, const Vocab *vocab, HookSite site,
                       TapeMode mode);
void illusion_pass_release(IllusionPass *pass);
/* Hold n pairs: fill both prefixes and rows. Logits (n, d_vocab) of both are copied, unless NULL.
 * Returns 0 or OGPT_EFORMAT. */
int illusion_pass_hold(IllusionPass *pass, const GamePair *pairs, size_t n, float *base,
                       float *source);
/* fn(context, chunk, worker) for every chunk of n pairs, a slice of chunks at a time; after each
 * slice tick(stage), in pairs. Returns the first error. */
int illusion_pass_chunks(const Work *work, const char *stage, size_t n,
                         int (*fn)(void *context, size_t chunk, size_t worker), void *context);
/* Row of pair i. */
static inline float *illusion_pass_row(const IllusionPass *pass, float *rows, int layer, size_t i)
{
    return rows + ((size_t)layer * ILLUSION_CHUNK + i) * pass->width;
}

#endif
