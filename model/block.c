/* model/block.c - the one graph: blocks and head, forward and back. See model/block.h. */
#include "model/block.h"

#include <string.h>

#include "num/kernel_steps.h"

BlockPass pass__make(const Gpt *gpt, Tape *tape, size_t B, size_t T, size_t keys)
{
    const GptConfig *cfg = &gpt->cfg;
    return (BlockPass){.gpt = gpt,
                       .tape = tape,
                       .k = tape->kernels,
                       .scratch = tape->scratch,
                       .B = B,
                       .T = T,
                       .N = B * T,
                       .keys = keys,
                       .C = (size_t)cfg->d_model,
                       .M = (size_t)cfg->d_mlp,
                       .V = (size_t)cfg->d_vocab,
                       .NH = (size_t)cfg->n_heads,
                       .HS = (size_t)cfg->d_head};
}

bool pass__wants(const BlockPass *p, HookSite site, int layer)
{
    return hook_wanted(p->hooks, site, layer);
}

bool pass__saw(const BlockPass *p, HookSite site, int layer)
{
    return (p->tape->seen[site] >> layer & 1) != 0;
}

void pass__visit(const BlockPass *p, HookSite site, int layer, real *value, real *gradient)
{
    if (pass__wants(p, site, layer)) {
        HookPoint point = {.site = site,
                           .layer = layer,
                           .value = value,
                           .gradient = gradient,
                           .B = p->B,
                           .T = p->T,
                           .width = hook_width(&p->gpt->cfg, site, p->keys)};
        p->hooks->fn(p->hooks->context, &point);
    }
}

/* Where the gradient of the parameters at `offset` is added. */
static real *gradient_at(const BlockPass *p, size_t offset)
{
    return p->grads ? p->grads + offset : p->tape->sink;
}

/* The gradient of the weights of q, k or v. */
static void projection_backward(const BlockPass *p, size_t w, size_t bias, const real *inp,
                                const real *dout)
{
    if (p->grads) {
        p->k->linear_bwd_w_factor(p->grads + w, p->grads + bias, inp, dout, p->keep, p->N, p->C,
                                  p->C, p->scratch);
    }
}

/* ---- LayerNorm ---- */

typedef struct NormStep {
    HookSite scale_site, out_site;
    int layer;
    const real *x;
    real *out, *mean, *rstd, *scale;
    size_t w, b; /* offsets of its parameters */
} NormStep;

static NormStep norm1_of(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    size_t at = (size_t)layer * p->gpt->map.block_stride;
    return (NormStep){.scale_site = HOOK_LN1_SCALE,
                      .out_site = HOOK_LN1,
                      .layer = layer,
                      .x = t->pre,
                      .out = t->ln1,
                      .mean = t->mean1,
                      .rstd = t->rstd1,
                      .scale = t->scale1,
                      .w = at + p->gpt->map.ln1_w,
                      .b = at + p->gpt->map.ln1_b};
}

static NormStep norm2_of(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    size_t at = (size_t)layer * p->gpt->map.block_stride;
    return (NormStep){.scale_site = HOOK_LN2_SCALE,
                      .out_site = HOOK_LN2,
                      .layer = layer,
                      .x = t->mid,
                      .out = t->ln2,
                      .mean = t->mean2,
                      .rstd = t->rstd2,
                      .scale = t->scale2,
                      .w = at + p->gpt->map.ln2_w,
                      .b = at + p->gpt->map.ln2_b};
}

static NormStep final_norm_of(const BlockPass *p)
{
    const Tape *tape = p->tape;
    return (NormStep){.scale_site = HOOK_FINAL_SCALE,
                      .out_site = HOOK_FINAL,
                      .layer = 0,
                      .x = tape->blocks[p->gpt->in_use - 1].post,
                      .out = tape->lnf,
                      .mean = tape->meanf,
                      .rstd = tape->rstdf,
                      .scale = tape->scalef,
                      .w = p->gpt->map.lnf_w,
                      .b = p->gpt->map.lnf_b};
}

static void norm_forward(const BlockPass *p, const NormStep *n)
{
    const real *w = p->gpt->params + n->w, *b = p->gpt->params + n->b;
    p->k->layernorm_fwd(n->out, n->mean, n->rstd, n->x, w, b, p->N, p->C, (real)p->gpt->cfg.eps);
    if (pass__wants(p, n->scale_site, n->layer)) {
        layernorm_scale(n->scale, n->rstd, p->N);
        pass__visit(p, n->scale_site, n->layer, n->scale, NULL);
        layernorm_rescale(n->out, n->scale, n->x, w, b, n->mean, n->rstd, p->N, p->C);
    }
    pass__visit(p, n->out_site, n->layer, n->out, NULL);
}

/* tape->dx += the gradient of the input, dout that of the output. */
static void norm_backward(const BlockPass *p, const NormStep *n, real *dout)
{
    const real *w = p->gpt->params + n->w;
    real *dx = p->tape->dx, *dw = gradient_at(p, n->w), *db = gradient_at(p, n->b);
    bool saw = pass__saw(p, n->scale_site, n->layer);
    pass__visit(p, n->out_site, n->layer, n->out, dout);
    if (!saw && !pass__wants(p, n->scale_site, n->layer)) {
        p->k->layernorm_bwd(dx, dw, db, dout, n->x, w, n->mean, n->rstd, p->N, p->C);
        return;
    }
    if (!saw) {
        layernorm_scale(n->scale, n->rstd, p->N);
    }
    layernorm_scale_bwd(p->tape->dscale, dout, n->x, w, n->mean, n->scale, p->N, p->C);
    pass__visit(p, n->scale_site, n->layer, n->scale, p->tape->dscale);
    layernorm_rescale_bwd(dx, dw, db, dout, p->tape->dscale, n->x, w, n->mean, n->rstd, n->scale,
                          p->N, p->C);
}

/* ---- the two branches that write into the residual stream ---- */

/* out = base + product, product = inp (N,width) . w + bias. */
typedef struct BranchStep {
    HookSite site;
    int layer;
    real *out, *product;
    const real *base, *inp;
    size_t w, bias, width;
} BranchStep;

static BranchStep attention_branch(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    size_t at = (size_t)layer * p->gpt->map.block_stride;
    return (BranchStep){.site = HOOK_ATTN_OUT,
                        .layer = layer,
                        .out = t->mid,
                        .product = t->attn_out,
                        .base = t->pre,
                        .inp = t->z,
                        .w = at + p->gpt->map.W_O,
                        .bias = at + p->gpt->map.b_O,
                        .width = p->C};
}

static BranchStep mlp_branch(const BlockPass *p, int layer)
{
    const BlockTape *t = &p->tape->blocks[layer];
    size_t at = (size_t)layer * p->gpt->map.block_stride;
    return (BranchStep){.site = HOOK_MLP_OUT,
                        .layer = layer,
                        .out = t->post,
                        .product = t->mlp_out,
                        .base = t->mid,
                        .inp = t->act,
                        .w = at + p->gpt->map.W_out,
                        .bias = at + p->gpt->map.b_out,
                        .width = p->M};
}

/* When somebody looks at the product itself it is made apart. */
static void branch_forward(const BlockPass *p, const BranchStep *b)
{
    const real *w = p->gpt->params + b->w, *bias = p->gpt->params + b->bias;
    if (!pass__wants(p, b->site, b->layer)) {
        p->k->linear_residual(b->out, b->base, b->inp, w, bias, p->N, b->width, p->C, p->scratch);
        return;
    }
    p->k->linear_fwd(b->product, b->inp, w, bias, p->N, b->width, p->C, p->scratch);
    pass__visit(p, b->site, b->layer, b->product, NULL);
    for (size_t i = 0; i < p->N * p->C; i++) {
        b->out[i] = b->base[i] + b->product[i];
    }
}

/* dinp (N,width) from tape->dx, the gradient of `out`, which is also that of `base`. */
static void branch_backward(const BlockPass *p, const BranchStep *b, real *dinp)
{
    const real *w = p->gpt->params + b->w, *bias = p->gpt->params + b->bias;
    real *d = p->tape->dx;
    if (pass__wants(p, b->site, b->layer)) {
        if (!pass__saw(p, b->site, b->layer)) {
            p->k->linear_fwd(b->product, b->inp, w, bias, p->N, b->width, p->C, p->scratch);
        }
        d = p->tape->dbranch; /* a change by the hook must not reach `base` */
        memcpy(d, p->tape->dx, p->N * p->C * sizeof(*d));
        pass__visit(p, b->site, b->layer, b->product, d);
    }
    p->k->linear_bwd_inp(dinp, d, w, 0, p->N, b->width, p->C, p->scratch);
    if (p->grads) {
        p->k->linear_bwd_w(p->grads + b->w, p->grads + b->bias, b->inp, d, p->keep, p->N, b->width,
                           p->C, p->scratch);
    }
}

/* ---- a block ---- */

/* The last position of each sequence to the front: (B,T,C) -> (B,C). */
static void keep_last(real *out, const real *rows, const BlockPass *p)
{
    for (size_t b = 0; b < p->B; b++) {
        memmove(out + b * p->C, rows + ((b + 1) * p->T - 1) * p->C, p->C * sizeof(*rows));
    }
}

/* The rows behind keys and values: those of p, or the last ones alone. */
static BlockPass queries_of(const BlockPass *p, bool last)
{
    BlockPass queries = *p;
    if (last) {
        queries.T = 1;
        queries.N = p->B;
    }
    return queries;
}

/* From pre to mid. last: mid of the last positions alone. */
static void attention_forward(const BlockPass *p, int layer, bool last)
{
    const TensorMap *map = &p->gpt->map;
    const real *w = p->gpt->params + (size_t)layer * map->block_stride;
    const BlockTape *t = &p->tape->blocks[layer];
    const NormStep norm1 = norm1_of(p, layer);
    const BranchStep attention = attention_branch(p, layer);
    const BlockPass queries = queries_of(p, last);
    const real *asking = t->ln1;
    size_t N = p->N, C = p->C;
    pass__visit(p, HOOK_RESID_PRE, layer, t->pre, NULL);
    norm_forward(p, &norm1);
    if (last) {
        keep_last(t->z, t->ln1, p); /* z is free until there is attention */
        keep_last(t->pre, t->pre, p);
        asking = t->z;
    }
    p->k->linear_fwd(t->q, asking, w + map->W_Q, w + map->b_Q, queries.N, C, C, p->scratch);
    p->k->linear_fwd(t->k, t->ln1, w + map->W_K, w + map->b_K, N, C, C, p->scratch);
    p->k->linear_fwd(t->v, t->ln1, w + map->W_V, w + map->b_V, N, C, C, p->scratch);
    pass__visit(&queries, HOOK_Q, layer, t->q, NULL);
    pass__visit(p, HOOK_K, layer, t->k, NULL);
    pass__visit(p, HOOK_V, layer, t->v, NULL);
    if (last) {
        p->attention->forward_last(&queries, layer);
    } else {
        p->attention->forward(p, layer);
    }
    if (t->z_made && pass__wants(p, HOOK_Z, layer)) {
        memcpy(t->z_made, t->z, queries.N * C * sizeof(*t->z));
    }
    pass__visit(&queries, HOOK_Z, layer, t->z, NULL);
    branch_forward(&queries, &attention);
    pass__visit(&queries, HOOK_RESID_MID, layer, t->mid, NULL);
}

/* From mid to post. */
static void mlp_forward(const BlockPass *p, int layer)
{
    const TensorMap *map = &p->gpt->map;
    const real *w = p->gpt->params + (size_t)layer * map->block_stride;
    const BlockTape *t = &p->tape->blocks[layer];
    const NormStep norm2 = norm2_of(p, layer);
    const BranchStep mlp = mlp_branch(p, layer);
    size_t N = p->N, C = p->C, M = p->M;
    norm_forward(p, &norm2);
    p->k->linear_fwd(t->act, t->ln2, w + map->W_in, NULL, N, C, M, p->scratch);
    p->k->gelu_fwd(t->act, t->slope, t->act, w + map->b_in, N, M);
    pass__visit(p, HOOK_POST, layer, t->act, NULL);
    branch_forward(p, &mlp);
    pass__visit(p, HOOK_RESID_POST, layer, t->post, NULL);
}

/* On entry tape->dx is the gradient of the block's output, on return that of its input. */
static void block_backward(const BlockPass *p, int layer)
{
    const TensorMap *map = &p->gpt->map;
    size_t at = (size_t)layer * map->block_stride;
    const real *w = p->gpt->params + at;
    const BlockTape *t = &p->tape->blocks[layer];
    const NormStep norm1 = norm1_of(p, layer), norm2 = norm2_of(p, layer);
    const BranchStep attention = attention_branch(p, layer), mlp = mlp_branch(p, layer);
    Tape *s = p->tape;
    size_t N = p->N, C = p->C, M = p->M;
    pass__visit(p, HOOK_RESID_POST, layer, t->post, s->dx);
    branch_backward(p, &mlp, s->dact);
    pass__visit(p, HOOK_POST, layer, t->act, s->dact);
    p->k->gelu_bwd(s->dact, gradient_at(p, at + map->b_in), t->slope, N, M);
    p->k->linear_bwd_inp_factor(s->dh, s->dact, w + map->W_in, 0, N, C, M, p->scratch);
    if (p->grads) {
        p->k->linear_bwd_w_factor(p->grads + at + map->W_in, NULL, t->ln2, s->dact, p->keep, N, C,
                                  M, p->scratch);
    }
    norm_backward(p, &norm2, s->dh);

    pass__visit(p, HOOK_RESID_MID, layer, t->mid, s->dx);
    branch_backward(p, &attention, s->dz);
    pass__visit(p, HOOK_Z, layer, t->z, s->dz);
    p->attention->backward(p, layer);
    pass__visit(p, HOOK_V, layer, t->v, s->dv);
    pass__visit(p, HOOK_K, layer, t->k, s->dk);
    pass__visit(p, HOOK_Q, layer, t->q, s->dq);
    p->k->linear_bwd_inp_factor(s->dh, s->dq, w + map->W_Q, 0, N, C, C, p->scratch);
    p->k->linear_bwd_inp_factor(s->dh, s->dk, w + map->W_K, 1, N, C, C, p->scratch);
    p->k->linear_bwd_inp_factor(s->dh, s->dv, w + map->W_V, 1, N, C, C, p->scratch);
    projection_backward(p, at + map->W_Q, at + map->b_Q, t->ln1, s->dq);
    projection_backward(p, at + map->W_K, at + map->b_K, t->ln1, s->dk);
    projection_backward(p, at + map->W_V, at + map->b_V, t->ln1, s->dv);
    norm_backward(p, &norm1, s->dh);
    pass__visit(p, HOOK_RESID_PRE, layer, t->pre, s->dx);
}

/* ---- a pass ---- */

const real *pass__forward_part(const BlockPass *p, const PassPart *part)
{
    const Gpt *gpt = p->gpt;
    Tape *tape = p->tape;
    BlockPass rest = *p;
    for (int site = 0; site < N_HOOK_SITES; site++) {
        tape->seen[site] = p->hooks ? p->hooks->sites[site] : 0;
    }
    tape->B = p->B;
    tape->T = p->T;
    for (int layer = part->first; layer < gpt->in_use; layer++) {
        bool last = part->last && layer == gpt->in_use - 1;
        if (layer > part->first || !part->middle) {
            attention_forward(p, layer, last);
        }
        rest = queries_of(p, last);
        mlp_forward(&rest, layer);
    }
    const NormStep norm = final_norm_of(&rest);
    norm_forward(&rest, &norm);
    p->k->linear_fwd(tape->logits, tape->lnf, gpt->params + gpt->map.W_U,
                     gpt->params + gpt->map.b_U, rest.N, p->C, p->V, p->scratch);
    return tape->logits;
}

const real *pass__forward(const BlockPass *p, int first)
{
    return pass__forward_part(p, &(PassPart){.first = first});
}

void pass__backward(const BlockPass *p, const real *dlogits)
{
    const Gpt *gpt = p->gpt;
    Tape *tape = p->tape;
    const NormStep norm = final_norm_of(p);
    memset(tape->dx, 0, p->N * p->C * sizeof(*tape->dx));
    if (!p->grads) {
        memset(tape->sink, 0, (p->C > p->M ? p->C : p->M) * sizeof(*tape->sink));
    }
    if (dlogits) {
        p->k->linear_bwd_inp(tape->dh, dlogits, gpt->params + gpt->map.W_U, 0, p->N, p->C, p->V,
                             p->scratch);
    } else {
        memset(tape->dh, 0, p->N * p->C * sizeof(*tape->dh));
    }
    if (dlogits && p->grads) {
        p->k->linear_bwd_w(p->grads + gpt->map.W_U, NULL, tape->lnf, dlogits, p->keep, p->N, p->C,
                           p->V, p->scratch);
    }
    norm_backward(p, &norm, tape->dh);
    for (int layer = gpt->in_use - 1; layer >= 0; layer--) {
        block_backward(p, layer);
    }
}
