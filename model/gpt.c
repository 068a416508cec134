/* model/gpt.c - the network as a graph of kernels: forward, loss, backward.
 *
 *   x = W_E[token] + W_pos[t]
 *   each block:  x += W_O attention(LN1 x);  x += W_out gelu(W_in LN2 x)
 *   logits = W_U LN_final(x)
 *
 * One graph for both kernel sets and both number types. Legend in num/kernels.h.
 */
#include "model/gpt.h"

#include <assert.h>
#include <string.h>

#include "model/tape.h"

/* Sizes of the pass and where parameters begin, unpacked once. */
typedef struct Pass {
    const Gpt *gpt;
    Tape *tape;
    const Kernels *k;
    void *scratch;
    size_t B, T, N, C, M, V, NH, HS;
} Pass;

static Pass pass_of(const Gpt *gpt, Tape *tape)
{
    const GptConfig *cfg = &gpt->cfg;
    return (Pass){.gpt = gpt,
                  .tape = tape,
                  .k = tape->kernels,
                  .scratch = tape->scratch,
                  .B = tape->B,
                  .T = tape->T,
                  .N = tape->B * tape->T,
                  .C = (size_t)cfg->d_model,
                  .M = (size_t)cfg->d_mlp,
                  .V = (size_t)cfg->d_vocab,
                  .NH = (size_t)cfg->n_heads,
                  .HS = (size_t)cfg->d_head};
}

static bool wanted(const Hooks *hooks, HookSite site, int layer)
{
    return hooks && (hooks->sites[site] >> layer & 1) != 0;
}

static void visit(const Pass *p, const Hooks *hooks, HookSite site, int layer, real *value)
{
    if (wanted(hooks, site, layer)) {
        HookPoint point = {.site = site,
                           .layer = layer,
                           .value = value,
                           .B = p->B,
                           .T = p->T,
                           .width = hook_width(&p->gpt->cfg, site, p->T)};
        hooks->fn(hooks->context, &point);
    }
}

/* out = base + inp . w + bias; when somebody looks at the product itself it is made apart. */
static void add_to_stream(const Pass *p, const Hooks *hooks, HookSite site, int layer, real *out,
                          const real *base, const real *inp, const real *w, const real *bias,
                          size_t width)
{
    if (!wanted(hooks, site, layer)) {
        p->k->linear_residual(out, base, inp, w, bias, p->N, width, p->C, p->scratch);
        return;
    }
    real *product = p->tape->out;
    p->k->linear_fwd(product, inp, w, bias, p->N, width, p->C, p->scratch);
    visit(p, hooks, site, layer, product);
    for (size_t i = 0; i < p->N * p->C; i++) {
        out[i] = base[i] + product[i];
    }
}

static void block_forward(const Pass *p, int layer, const Hooks *hooks)
{
    const TensorMap *map = &p->gpt->map;
    const real *w = p->gpt->params + (size_t)layer * map->block_stride;
    BlockTape *t = &p->tape->blocks[layer];
    size_t N = p->N, C = p->C, M = p->M;
    real eps = (real)p->gpt->cfg.eps;
    visit(p, hooks, HOOK_RESID_PRE, layer, t->pre);
    p->k->layernorm_fwd(t->ln1, t->mean1, t->rstd1, t->pre, w + map->ln1_w, w + map->ln1_b, N, C,
                        eps);
    p->k->linear_fwd(t->q, t->ln1, w + map->W_Q, w + map->b_Q, N, C, C, p->scratch);
    p->k->linear_fwd(t->k, t->ln1, w + map->W_K, w + map->b_K, N, C, C, p->scratch);
    p->k->linear_fwd(t->v, t->ln1, w + map->W_V, w + map->b_V, N, C, C, p->scratch);
    if (wanted(hooks, HOOK_PATTERN, layer)) {
        attention_pattern(p->tape->pattern, t->q, t->k, p->B, p->T, p->NH, p->HS);
        visit(p, hooks, HOOK_PATTERN, layer, p->tape->pattern);
        attention_mix(t->z, p->tape->pattern, t->v, p->B, p->T, p->NH, p->HS);
    } else {
        p->k->attention_fwd(t->z, t->lse, t->q, t->k, t->v, p->B, p->T, p->NH, p->HS);
    }
    visit(p, hooks, HOOK_Z, layer, t->z);
    add_to_stream(p, hooks, HOOK_ATTN_OUT, layer, t->mid, t->pre, t->z, w + map->W_O, w + map->b_O,
                  C);
    visit(p, hooks, HOOK_RESID_MID, layer, t->mid);

    p->k->layernorm_fwd(t->ln2, t->mean2, t->rstd2, t->mid, w + map->ln2_w, w + map->ln2_b, N, C,
                        eps);
    p->k->linear_fwd(t->act, t->ln2, w + map->W_in, NULL, N, C, M, p->scratch);
    p->k->gelu_fwd(t->act, t->slope, t->act, w + map->b_in, N, M);
    visit(p, hooks, HOOK_POST, layer, t->act);
    add_to_stream(p, hooks, HOOK_MLP_OUT, layer, t->post, t->mid, t->act, w + map->W_out,
                  w + map->b_out, M);
    visit(p, hooks, HOOK_RESID_POST, layer, t->post);
}

const real *gpt_forward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, size_t B, size_t T,
                        const Hooks *hooks)
{
    assert(B >= 1 && B <= tape->max_games && T >= 1 && T <= (size_t)gpt->cfg.n_ctx);
    assert(!hooks || tape->mode == TAPE_FORWARD);
    assert(gpt_config_same_shape(&tape->cfg, &gpt->cfg));
    tape->B = B;
    tape->T = T;
    Pass p = pass_of(gpt, tape);
    size_t C = p.C;
    real *x = tape->blocks[0].pre;
    for (size_t n = 0; n < p.N; n++) {
        const real *e = gpt->params + gpt->map.W_E + tokens[n] * C;
        const real *pos = gpt->params + gpt->map.W_pos + n % T * C;
        for (size_t c = 0; c < C; c++) {
            x[n * C + c] = e[c] + pos[c];
        }
    }
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        block_forward(&p, layer, hooks);
    }
    const real *last = tape->blocks[gpt->cfg.n_layers - 1].post;
    p.k->layernorm_fwd(tape->lnf, tape->meanf, tape->rstdf, last, gpt->params + gpt->map.lnf_w,
                       gpt->params + gpt->map.lnf_b, p.N, C, (real)gpt->cfg.eps);
    p.k->linear_fwd(tape->logits, tape->lnf, gpt->params + gpt->map.W_U, gpt->params + gpt->map.b_U,
                    p.N, C, p.V, p.scratch);
    return tape->logits;
}

double gpt_loss(Tape *tape, const uint8_t *targets, real scale)
{
    return tape->kernels->cross_entropy(tape->logits, targets, scale, tape->B * tape->T,
                                        (size_t)tape->cfg.d_vocab);
}

/* On entry tape->dx is the gradient of the block's output, on return that of its input. */
static void block_backward(const Pass *p, int layer, real *grads)
{
    const TensorMap *map = &p->gpt->map;
    const real *w = p->gpt->params + (size_t)layer * map->block_stride;
    real *g = grads + (size_t)layer * map->block_stride;
    const BlockTape *t = &p->tape->blocks[layer];
    Tape *s = p->tape;
    size_t N = p->N, C = p->C, M = p->M;
    p->k->linear_bwd_inp(s->dact, s->dx, w + map->W_out, 0, N, M, C, p->scratch);
    p->k->linear_bwd_w(g + map->W_out, g + map->b_out, t->act, s->dx, N, M, C, p->scratch);
    p->k->gelu_bwd(s->dact, g + map->b_in, t->slope, N, M);
    p->k->linear_bwd_inp(s->dh, s->dact, w + map->W_in, 0, N, C, M, p->scratch);
    p->k->linear_bwd_w(g + map->W_in, NULL, t->ln2, s->dact, N, C, M, p->scratch);
    p->k->layernorm_bwd(s->dx, g + map->ln2_w, g + map->ln2_b, s->dh, t->mid, w + map->ln2_w,
                        t->mean2, t->rstd2, N, C);

    p->k->linear_bwd_inp(s->dz, s->dx, w + map->W_O, 0, N, C, C, p->scratch);
    p->k->linear_bwd_w(g + map->W_O, g + map->b_O, t->z, s->dx, N, C, C, p->scratch);
    p->k->attention_bwd(s->dq, s->dk, s->dv, s->dz, t->z, t->lse, t->q, t->k, t->v, p->B, p->T,
                        p->NH, p->HS);
    p->k->linear_bwd_inp(s->dh, s->dq, w + map->W_Q, 0, N, C, C, p->scratch);
    p->k->linear_bwd_inp(s->dh, s->dk, w + map->W_K, 1, N, C, C, p->scratch);
    p->k->linear_bwd_inp(s->dh, s->dv, w + map->W_V, 1, N, C, C, p->scratch);
    p->k->linear_bwd_w(g + map->W_Q, g + map->b_Q, t->ln1, s->dq, N, C, C, p->scratch);
    p->k->linear_bwd_w(g + map->W_K, g + map->b_K, t->ln1, s->dk, N, C, C, p->scratch);
    p->k->linear_bwd_w(g + map->W_V, g + map->b_V, t->ln1, s->dv, N, C, C, p->scratch);
    p->k->layernorm_bwd(s->dx, g + map->ln1_w, g + map->ln1_b, s->dh, t->pre, w + map->ln1_w,
                        t->mean1, t->rstd1, N, C);
}

void gpt_backward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, real *grads)
{
    assert(tape->mode == TAPE_TRAIN);
    Pass p = pass_of(gpt, tape);
    size_t C = p.C;
    const real *last = tape->blocks[gpt->cfg.n_layers - 1].post;
    p.k->linear_bwd_inp(tape->dh, tape->logits, gpt->params + gpt->map.W_U, 0, p.N, C, p.V,
                        p.scratch);
    p.k->linear_bwd_w(grads + gpt->map.W_U, NULL, tape->lnf, tape->logits, p.N, C, p.V, p.scratch);
    memset(tape->dx, 0, p.N * C * sizeof(real));
    p.k->layernorm_bwd(tape->dx, grads + gpt->map.lnf_w, grads + gpt->map.lnf_b, tape->dh, last,
                       gpt->params + gpt->map.lnf_w, tape->meanf, tape->rstdf, p.N, C);
    for (int layer = gpt->cfg.n_layers - 1; layer >= 0; layer--) {
        block_backward(&p, layer, grads);
    }
    for (size_t n = 0; n < p.N; n++) {
        real *e = grads + gpt->map.W_E + tokens[n] * C;
        real *pos = grads + gpt->map.W_pos + n % p.T * C;
        for (size_t c = 0; c < C; c++) {
            e[c] += tape->dx[n * C + c];
            pos[c] += tape->dx[n * C + c];
        }
    }
}
