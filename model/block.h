/* model/block.h - the one graph: a block forward and back, for every kind of pass. Private to
 * model/.
 *
 *   each block:  x += W_O attention(LN1 x);  x += W_out gelu(W_in LN2 x)
 *   logits = W_U LN_final(x)
 *
 * A pass over all positions (model/gpt.c) and a pass over the last position of kept sequences
 * (model/prefix.c) differ in where a query finds its keys and values, and so in one step only:
 * the AttentionStep that the BlockPass names.
 */
#ifndef OGPT_MODEL_BLOCK_H
#define OGPT_MODEL_BLOCK_H

#include "model/tape.h"

typedef struct BlockPass BlockPass;

/* The step between q, k, v and z of a block, with its sites attn_scores and pattern. */
typedef struct AttentionStep {
    void (*forward)(const BlockPass *p, int layer);  /* z from q, k, v */
    void (*backward)(const BlockPass *p, int layer); /* tape->dq, dk, dv from tape->dz */
    /* z of one query a sequence, the last: q (B,C), p->T = 1, k and v (B,keys,C). NULL: never. */
    void (*forward_last)(const BlockPass *p, int layer);
} AttentionStep;

/* Sizes of the pass and where everything begins, unpacked once. */
struct BlockPass {
    const Gpt *gpt;
    Tape *tape;
    const Kernels *k;
    void *scratch;
    const Hooks *hooks; /* of this direction; NULL: none */
    const AttentionStep *attention;
    void *cache; /* of the attention step */
    real *grads; /* where gradients of parameters are added; NULL: nowhere */
    int keep;    /* 0: those that products make are written there instead */
    size_t B, T, N, keys, C, M, V, NH, HS;
};

/* B sequences of T positions, each of which can see `keys` keys. */
BlockPass pass__make(const Gpt *gpt, Tape *tape, size_t B, size_t T, size_t keys);
/* Show the hooks N rows of a site, if they want it. gradient is NULL on the way forward. */
void pass__visit(const BlockPass *p, HookSite site, int layer, real *value, real *gradient);
/* Whether hooks want a site now; whether those of the forward pass saw it. */
bool pass__wants(const BlockPass *p, HookSite site, int layer);
bool pass__saw(const BlockPass *p, HookSite site, int layer);

/* Blocks `first` to the last on blocks[first].pre (first = L: on the last block's post), and the
 * head. Returns the logits (N,V), borrowed from the tape. */
const real *pass__forward(const BlockPass *p, int first);
/* The same for a part of the pass (model/gpt.h), on that block's pre or mid. */
const real *pass__forward_part(const BlockPass *p, const PassPart *part);
/* From dlogits (N,V) (NULL: zeros) back to the input of block 0; its gradient is left in
 * tape->dx. */
void pass__backward(const BlockPass *p, const real *dlogits);

#endif
