/* probes/illusion/illusion_pass.h - one worker of the room: pairs that are held, and their rows.
 * Private to the room. */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_PASS_H
#define OGPT_PROBES_ILLUSION_ILLUSION_PASS_H

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
/* Row of pair i. */
static inline float *illusion_pass_row(const IllusionPass *pass, float *rows, int layer, size_t i)
{
    return rows + ((size_t)layer * ILLUSION_CHUNK + i) * pass->width;
}

#endif
