/* model/gpt.c - the network over all positions: embeddings, causal attention, loss, gradients.
 *
 *   x = W_E[token] + W_pos[t];  blocks and head are those of model/block.c
 *
 * One graph for all kernel sets and both number types. Legend in num/kernels.h.
 */
#include "model/gpt.h"

#include <assert.h>
#include <string.h>

#include "model/block.h"
#include "num/kernel_steps.h"

/* ---- attention over the keys of the pass itself ---- */

/* Scores and pattern are made only when somebody looks at them. */
static void causal_forward(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    if (!pass__wants(p, HOOK_SCORES, layer) && !pass__wants(p, HOOK_PATTERN, layer)) {
        p->k->attention_fwd(t->z, t->lse, t->q, t->k, t->v, p->B, p->T, p->NH, p->HS);
        return;
    }
    attention_scores(t->scores, t->q, t->k, p->B, p->T, p->NH, p->HS);
    pass__visit(p, HOOK_SCORES, layer, t->scores, NULL);
    attention_softmax(t->pattern, t->scores, p->B, p->T, p->NH);
    pass__visit(p, HOOK_PATTERN, layer, t->pattern, NULL);
    attention_mix(t->z, t->pattern, t->v, p->B, p->T, p->NH, p->HS);
}

static void causal_backward(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    Tape *s = p->tape;
    bool made = pass__saw(p, HOOK_SCORES, layer) || pass__saw(p, HOOK_PATTERN, layer);
    if (!made && !pass__wants(p, HOOK_SCORES, layer) && !pass__wants(p, HOOK_PATTERN, layer)) {
        const real *z = pass__saw(p, HOOK_Z, layer) ? t->z_made : t->z;
        p->k->attention_bwd(s->dq, s->dk, s->dv, s->dz, z, t->lse, t->q, t->k, t->v, p->B, p->T,
                            p->NH, p->HS);
        return;
    }
    if (!made) {
        attention_scores(t->scores, t->q, t->k, p->B, p->T, p->NH, p->HS);
        attention_softmax(t->pattern, t->scores, p->B, p->T, p->NH);
    }
    attention_mix_bwd(s->dpattern, s->dv, s->dz, t->pattern, t->v, p->B, p->T, p->NH, p->HS);
    pass__visit(p, HOOK_PATTERN, layer, t->pattern, s->dpattern);
    attention_softmax_bwd(s->dpattern, t->scores, p->B, p->T, p->NH);
    pass__visit(p, HOOK_SCORES, layer, t->scores, s->dpattern);
    attention_scores_bwd(s->dq, s->dk, s->dpattern, t->q, t->k, p->B, p->T, p->NH, p->HS);
}

static void causal_forward_last(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    size_t C = p->C, width = p->NH * p->keys;
    for (size_t b = 0; b < p->B; b++) {
        attention_last_scores(t->scores + b * width, t->q + b * C, t->k + b * p->keys * C, p->keys,
                              p->NH, p->HS);
    }
    pass__visit(p, HOOK_SCORES, layer, t->scores, NULL);
    for (size_t b = 0; b < p->B; b++) {
        attention_row_softmax(t->pattern + b * width, t->scores + b * width, p->keys, p->keys,
                              p->NH);
    }
    pass__visit(p, HOOK_PATTERN, layer, t->pattern, NULL);
    for (size_t b = 0; b < p->B; b++) {
        attention_row_mix(t->z + b * C, t->pattern + b * width, t->v + b * p->keys * C, p->keys,
                          p->keys, p->NH, p->HS);
    }
}

static const AttentionStep causal = {
    .forward = causal_forward, .backward = causal_backward, .forward_last = causal_forward_last};

/* ---- the network ---- */

static BlockPass pass_of(const Gpt *gpt, Tape *tape, size_t B, size_t T, const Hooks *hooks)
{
    BlockPass p = pass__make(gpt, tape, B, T, T);
    p.hooks = hooks;
    p.attention = &causal;
    return p;
}

const real *gpt_forward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, size_t B, size_t T,
                        const Hooks *hooks)
{
    assert(B >= 1 && T >= 1 && T <= tape->keys && B * T <= tape->max_rows);
    assert(!hooks || tape->mode != TAPE_TRAIN);
    assert(gpt_config_same_shape(&tape->cfg, &gpt->cfg));
    BlockPass p = pass_of(gpt, tape, B, T, hooks);
    size_t C = p.C;
    real *x = tape->blocks[0].pre;
    for (size_t n = 0; n < p.N; n++) {
        const real *e = gpt->params + gpt->map.W_E + tokens[n] * C;
        const real *pos = gpt->params + gpt->map.W_pos + n % T * C;
        for (size_t c = 0; c < C; c++) {
            x[n * C + c] = e[c] + pos[c];
        }
    }
    return pass__forward(&p, 0);
}

const real *gpt_forward_part(const Gpt *gpt, Tape *tape, const PassPart *part, const real *stream,
                             size_t B, size_t T, const Hooks *hooks)
{
    int L = gpt->cfg.n_layers;
    BlockPass p = pass_of(gpt, tape, B, T, hooks);
    assert(B >= 1 && T >= 1 && T <= tape->keys && B * T <= tape->max_rows);
    assert(part->first >= 0 && part->first + part->middle <= L && tape->mode == TAPE_FORWARD);
    assert(!part->last || T == 1 || part->first + part->middle < L);
    assert(gpt_config_same_shape(&tape->cfg, &gpt->cfg));
    real *x = part->first == L ? tape->blocks[L - 1].post
              : part->middle   ? tape->blocks[part->first].mid
                               : tape->blocks[part->first].pre;
    memcpy(x, stream, p.N * p.C * sizeof(*stream));
    return pass__forward_part(&p, part);
}

double gpt_loss(Tape *tape, const uint8_t *targets, real scale)
{
    return tape->kernels->cross_entropy(tape->logits, targets, scale, tape->B * tape->T,
                                        (size_t)tape->cfg.d_vocab);
}

/* tape->dx, the gradient of the sums of embeddings, to each of them. */
static void embeddings_backward(const BlockPass *p, const uint8_t *tokens)
{
    const TensorMap *map = &p->gpt->map;
    size_t C = p->C;
    for (size_t n = 0; n < p->N; n++) {
        real *e = p->grads + map->W_E + tokens[n] * C;
        real *pos = p->grads + map->W_pos + n % p->T * C;
        for (size_t c = 0; c < C; c++) {
            e[c] += p->tape->dx[n * C + c];
            pos[c] += p->tape->dx[n * C + c];
        }
    }
}

/* Zeros for what a pass adds up: all but the matrices that it uses, which are products. */
static void clear_sums(const Gpt *gpt, real *grads)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        bool product =
            (spec->group == GROUP_MATRIX || spec->group == GROUP_HEAD) && spec->layer < gpt->in_use;
        size_t begin = spec->offset + (product ? spec->count : 0);
        size_t end = i + 1 < gpt->n_specs ? spec[1].offset : gpt->n_numbers;
        memset(grads + begin, 0, (end - begin) * sizeof(*grads)); /* the gap behind it, too */
    }
}

void gpt_backward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, int keep, real *grads)
{
    assert(tape->mode != TAPE_FORWARD);
    BlockPass p = pass_of(gpt, tape, tape->B, tape->T, NULL);
    p.grads = grads;
    p.keep = keep;
    if (!keep) {
        clear_sums(gpt, grads);
    }
    pass__backward(&p, tape->logits);
    embeddings_backward(&p, tokens);
}

void gpt_gradient(const Gpt *gpt, Tape *tape, const uint8_t *tokens, const real *dlogits,
                  const Hooks *hooks, real *grads)
{
    assert(tape->mode == TAPE_GRADIENT || (tape->mode == TAPE_TRAIN && !hooks && grads));
    BlockPass p = pass_of(gpt, tape, tape->B, tape->T, hooks);
    p.grads = grads;
    p.keep = 1;
    pass__backward(&p, dlogits);
    if (grads) {
        embeddings_backward(&p, tokens);
    }
}
