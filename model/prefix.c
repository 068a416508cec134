/* model/prefix.c - the last position of kept sequences. See model/prefix.h.
 *
 * The graph is that of model/gpt.c with N = B rows, one a sequence; attention alone differs: a
 * row's query meets the kept keys and values of its own sequence. Keys are kept transposed, so
 * that the scores of sixteen positions are computed at once.
 */
#include "model/prefix.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "model/tape.h"
#include "num/attention_row.h"

struct Prefix {
    GptConfig cfg;
    size_t max_batch, stride; /* room of a sequence in positions, a multiple of 16 */
    Tape *tape;               /* for filling */
    const Kernels *kernels;
    Arena arena;
    size_t B;
    size_t *filled; /* (max_batch) lengths as filled */
    size_t *length; /* (max_batch) lengths now: longer after prefix_append */
    bool *active;   /* (max_batch) whether a sequence takes part in the pass */
    /* Keys and values at the last filled position of blocks [0, clean) are as filled. */
    int clean;
    real *keys;                  /* (L, max_batch, C, stride) */
    real *values;                /* (L, max_batch, stride, C) */
    real *last_key, *last_value; /* (L, max_batch, C) of the last position, as filled */
    real *stream;                /* (L+1, max_batch, C) before each block, after the last; filled */
    real *x, *normed, *q, *k, *v, *z, *out; /* (max_batch, C) */
    real *mean, *rstd;                      /* (max_batch) */
    real *act;                              /* (max_batch, M) */
    real *weights;                          /* (max_batch, NH, stride) */
    real *logits;                           /* (max_batch, V) */
    void *scratch;                          /* of the kernels' products */
};

/* ---- memory ---- */

/* Counts bytes (arena NULL) or carves: one function describes the layout for both. */
typedef struct Carver {
    Arena *arena;
    size_t n_bytes;
} Carver;

static void *take(Carver *carver, size_t count, size_t size)
{
    carver->n_bytes += arena_piece_bytes(count, size);
    return carver->arena ? arena_take(carver->arena, count, size) : NULL;
}

static void carve(Carver *carver, Prefix *p)
{
    size_t L = (size_t)p->cfg.n_layers, C = (size_t)p->cfg.d_model, M = (size_t)p->cfg.d_mlp;
    size_t B = p->max_batch, V = (size_t)p->cfg.d_vocab, NH = (size_t)p->cfg.n_heads;
    size_t widest = M > V ? M : V;
    real **rows[] = {&p->x, &p->normed, &p->q, &p->k, &p->v, &p->z, &p->out};
    p->filled = take(carver, B, sizeof(*p->filled));
    p->length = take(carver, B, sizeof(*p->length));
    p->active = take(carver, B, sizeof(*p->active));
    p->keys = take(carver, L * B * C * p->stride, sizeof(real));
    p->values = take(carver, L * B * C * p->stride, sizeof(real));
    p->last_key = take(carver, L * B * C, sizeof(real));
    p->last_value = take(carver, L * B * C, sizeof(real));
    p->stream = take(carver, (L + 1) * B * C, sizeof(real));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i] = take(carver, B * C, sizeof(real));
    }
    p->mean = take(carver, B, sizeof(real));
    p->rstd = take(carver, B, sizeof(real));
    p->act = take(carver, B * M, sizeof(real));
    p->weights = take(carver, B * NH * p->stride, sizeof(real));
    p->logits = take(carver, B * V, sizeof(real));
    widest = widest > C ? widest : C;
    p->scratch = take(carver, p->kernels->scratch_bytes(B, widest, widest) + 1, 1);
}

static Prefix shape_of(const GptConfig *cfg, size_t max_batch)
{
    return (Prefix){.cfg = *cfg,
                    .max_batch = max_batch,
                    .stride = attention_row_stride((size_t)cfg->n_ctx),
                    .kernels = &kernels_fast};
}

static size_t own_bytes(const GptConfig *cfg, size_t max_batch)
{
    Prefix counted = shape_of(cfg, max_batch);
    Carver carver = {0};
    carve(&carver, &counted);
    return carver.n_bytes;
}

size_t prefix_bytes(const GptConfig *cfg, size_t max_batch)
{
    return own_bytes(cfg, max_batch) + tape_bytes(cfg, PREFIX_FILL, TAPE_FORWARD, NULL);
}

int prefix_new(Prefix **out, const GptConfig *cfg, size_t max_batch)
{
    Prefix *prefix = mem_calloc(1, sizeof(*prefix), "kept sequences");
    int rc;
    *out = NULL;
    if (!prefix) {
        return OGPT_ENOMEM;
    }
    *prefix = shape_of(cfg, max_batch);
    rc = arena_init(&prefix->arena, own_bytes(cfg, max_batch), "keys and values of sequences");
    if (rc == 0) {
        Carver carver = {.arena = &prefix->arena};
        carve(&carver, prefix);
        /* Columns behind a sequence take part in no sum, but a NaN there would. */
        memset(prefix->keys, 0,
               (size_t)cfg->n_layers * max_batch * (size_t)cfg->d_model * prefix->stride *
                   sizeof(real));
        rc = tape_new(&prefix->tape, cfg, PREFIX_FILL, TAPE_FORWARD, NULL);
    }
    if (rc != 0) {
        prefix_free(prefix);
        return rc;
    }
    *out = prefix;
    return 0;
}

void prefix_free(Prefix *prefix)
{
    if (prefix) {
        tape_free(prefix->tape);
        arena_release(&prefix->arena);
        mem_free(prefix);
    }
}

/* ---- the cache ---- */

/* Row b of block `layer` in an array (L, max_batch, width). */
static real *row_of(const Prefix *p, real *array, int layer, size_t b, size_t width)
{
    return array + ((size_t)layer * p->max_batch + b) * width;
}

static void keep_key(const Prefix *p, int layer, size_t b, size_t t, const real *key)
{
    size_t C = (size_t)p->cfg.d_model;
    real *keys = row_of(p, p->keys, layer, b, C * p->stride) + t;
    for (size_t c = 0; c < C; c++) {
        keys[c * p->stride] = key[c];
    }
}

static void keep_value(const Prefix *p, int layer, size_t b, size_t t, const real *value)
{
    size_t C = (size_t)p->cfg.d_model;
    memcpy(row_of(p, p->values, layer, b, C * p->stride) + t * C, value, C * sizeof(*value));
}

/* Put back what the last filled position of blocks below `layer` held. */
static void clean_below(Prefix *p, int layer)
{
    size_t C = (size_t)p->cfg.d_model;
    for (int l = p->clean; l < layer; l++) {
        for (size_t b = 0; b < p->B; b++) {
            keep_key(p, l, b, p->filled[b] - 1, row_of(p, p->last_key, l, b, C));
            keep_value(p, l, b, p->filled[b] - 1, row_of(p, p->last_value, l, b, C));
        }
    }
}

static bool wanted(const Hooks *hooks, HookSite site, int layer)
{
    return hooks && (hooks->sites[site] >> layer & 1) != 0;
}

/* ---- filling ---- */

typedef struct Fill {
    Prefix *prefix;
    const Hooks *hooks; /* the caller's */
    size_t first;       /* sequences before this pass */
} Fill;

/* The residual stream of the last positions, before block `layer` (or after the last). */
static void keep_stream(const Fill *fill, int layer, const HookPoint *point)
{
    const Prefix *p = fill->prefix;
    for (size_t b = 0; b < point->B; b++) {
        size_t last = p->filled[fill->first + b] - 1;
        memcpy(row_of(p, p->stream, layer, fill->first + b, point->width),
               point->value + (b * point->T + last) * point->width,
               point->width * sizeof(*point->value));
    }
}

/* Keys and values stand on the tape while attention's output is shown. */
static void keep_keys_and_values(const Fill *fill, const HookPoint *point)
{
    const Prefix *p = fill->prefix;
    const BlockTape *block = &p->tape->blocks[point->layer];
    size_t C = (size_t)p->cfg.d_model;
    for (size_t b = 0; b < point->B; b++) {
        size_t at = fill->first + b, n = p->filled[at];
        const real *k = block->k + b * point->T * C, *v = block->v + b * point->T * C;
        for (size_t t = 0; t < n; t++) {
            keep_key(p, point->layer, at, t, k + t * C);
            keep_value(p, point->layer, at, t, v + t * C);
        }
        memcpy(row_of(p, p->last_key, point->layer, at, C), k + (n - 1) * C, C * sizeof(*k));
        memcpy(row_of(p, p->last_value, point->layer, at, C), v + (n - 1) * C, C * sizeof(*v));
    }
}

/* The caller's hook first: what it leaves is what is kept. */
static void fill_hook(void *context, const HookPoint *point)
{
    const Fill *fill = context;
    HookPoint theirs = *point;
    if (wanted(fill->hooks, point->site, point->layer)) {
        theirs.first = fill->first;
        fill->hooks->fn(fill->hooks->context, &theirs);
    }
    if (point->site == HOOK_Z) {
        keep_keys_and_values(fill, point);
    } else if (point->site == HOOK_RESID_PRE) {
        keep_stream(fill, point->layer, point);
    } else if (point->site == HOOK_RESID_POST && point->layer == fill->prefix->cfg.n_layers - 1) {
        keep_stream(fill, point->layer + 1, point);
    }
}

void prefix_fill(Prefix *p, const Gpt *gpt, const uint8_t *tokens, size_t stride,
                 const uint8_t *lengths, size_t B, const Hooks *hooks)
{
    Fill fill = {.prefix = p, .hooks = hooks};
    Hooks all = {.fn = fill_hook, .context = &fill};
    uint8_t batch[PREFIX_FILL * 256];
    assert(B >= 1 && B <= p->max_batch && p->cfg.n_ctx <= 256);
    for (int site = 0; site < N_HOOK_SITES; site++) {
        all.sites[site] = hooks ? hooks->sites[site] : 0;
    }
    all.sites[HOOK_Z] = all.sites[HOOK_RESID_PRE] = ~0ULL;
    all.sites[HOOK_RESID_POST] |= 1ULL << (p->cfg.n_layers - 1);
    p->B = B;
    p->clean = p->cfg.n_layers;
    for (size_t b = 0; b < B; b++) {
        assert(lengths[b] >= 1 && lengths[b] <= p->cfg.n_ctx && lengths[b] <= stride);
        p->filled[b] = p->length[b] = lengths[b];
    }
    for (fill.first = 0; fill.first < B; fill.first += PREFIX_FILL) {
        size_t n = B - fill.first < PREFIX_FILL ? B - fill.first : PREFIX_FILL, T = 1;
        for (size_t b = 0; b < n; b++) {
            T = p->filled[fill.first + b] > T ? p->filled[fill.first + b] : T;
        }
        memset(batch, 0, n * T);
        for (size_t b = 0; b < n; b++) {
            memcpy(batch + b * T, tokens + (fill.first + b) * stride, p->filled[fill.first + b]);
        }
        gpt_forward(gpt, p->tape, batch, n, T, &all);
    }
}

/* ---- one row a sequence ---- */

static void visit(const Prefix *p, const Hooks *hooks, HookSite site, int layer, real *value)
{
    if (wanted(hooks, site, layer)) {
        HookPoint point = {.site = site,
                           .layer = layer,
                           .value = value,
                           .B = p->B,
                           .T = 1,
                           .width = hook_width(&p->cfg, site, p->stride)};
        hooks->fn(hooks->context, &point);
    }
}

/* x += inp . w + bias; when somebody looks at the product itself it is made apart. */
static void add_to_stream(const Prefix *p, const Hooks *hooks, HookSite site, int layer,
                          const real *inp, const real *w, const real *bias, size_t width)
{
    size_t C = (size_t)p->cfg.d_model;
    if (!wanted(hooks, site, layer)) {
        memcpy(p->out, p->x, p->B * C * sizeof(*p->x));
        p->kernels->linear_residual(p->x, p->out, inp, w, bias, p->B, width, C, p->scratch);
        return;
    }
    p->kernels->linear_fwd(p->out, inp, w, bias, p->B, width, C, p->scratch);
    visit(p, hooks, site, layer, p->out);
    for (size_t i = 0; i < p->B * C; i++) {
        p->x[i] += p->out[i];
    }
}

/* z of every row over its own sequence, whose last position takes the row's key and value. */
static void attend(const Prefix *p, int layer, const Hooks *hooks)
{
    size_t C = (size_t)p->cfg.d_model, NH = (size_t)p->cfg.n_heads, HS = (size_t)p->cfg.d_head;
    for (size_t b = 0; b < p->B; b++) {
        if (p->active[b]) {
            keep_key(p, layer, b, p->length[b] - 1, p->k + b * C);
            keep_value(p, layer, b, p->length[b] - 1, p->v + b * C);
        }
        attention_row_weights(p->weights + b * NH * p->stride, p->q + b * C,
                              row_of(p, p->keys, layer, b, C * p->stride), p->length[b], p->stride,
                              NH, HS);
    }
    visit(p, hooks, HOOK_PATTERN, layer, p->weights);
    for (size_t b = 0; b < p->B; b++) {
        attention_row_mix(p->z + b * C, p->weights + b * NH * p->stride,
                          row_of(p, p->values, layer, b, C * p->stride), p->length[b], p->stride,
                          NH, HS);
    }
}

static void block_rows(const Prefix *p, const Gpt *gpt, int layer, const Hooks *hooks)
{
    const TensorMap *map = &gpt->map;
    const real *w = gpt->params + (size_t)layer * map->block_stride;
    const Kernels *k = p->kernels;
    size_t C = (size_t)p->cfg.d_model, M = (size_t)p->cfg.d_mlp;
    real eps = (real)p->cfg.eps;
    visit(p, hooks, HOOK_RESID_PRE, layer, p->x);
    k->layernorm_fwd(p->normed, p->mean, p->rstd, p->x, w + map->ln1_w, w + map->ln1_b, p->B, C,
                     eps);
    k->linear_fwd(p->q, p->normed, w + map->W_Q, w + map->b_Q, p->B, C, C, p->scratch);
    k->linear_fwd(p->k, p->normed, w + map->W_K, w + map->b_K, p->B, C, C, p->scratch);
    k->linear_fwd(p->v, p->normed, w + map->W_V, w + map->b_V, p->B, C, C, p->scratch);
    attend(p, layer, hooks);
    visit(p, hooks, HOOK_Z, layer, p->z);
    add_to_stream(p, hooks, HOOK_ATTN_OUT, layer, p->z, w + map->W_O, w + map->b_O, C);
    visit(p, hooks, HOOK_RESID_MID, layer, p->x);

    k->layernorm_fwd(p->normed, p->mean, p->rstd, p->x, w + map->ln2_w, w + map->ln2_b, p->B, C,
                     eps);
    k->linear_fwd(p->act, p->normed, w + map->W_in, NULL, p->B, C, M, p->scratch);
    k->gelu_fwd(p->act, NULL, p->act, w + map->b_in, p->B, M);
    visit(p, hooks, HOOK_POST, layer, p->act);
    add_to_stream(p, hooks, HOOK_MLP_OUT, layer, p->act, w + map->W_out, w + map->b_out, M);
    visit(p, hooks, HOOK_RESID_POST, layer, p->x);
}

/* Blocks `first` to the last on the rows in p->x, and the head. */
static const real *run_rows(const Prefix *p, const Gpt *gpt, int first, const Hooks *hooks)
{
    size_t C = (size_t)p->cfg.d_model;
    for (int layer = first; layer < p->cfg.n_layers; layer++) {
        block_rows(p, gpt, layer, hooks);
    }
    p->kernels->layernorm_fwd(p->normed, p->mean, p->rstd, p->x, gpt->params + gpt->map.lnf_w,
                              gpt->params + gpt->map.lnf_b, p->B, C, (real)p->cfg.eps);
    p->kernels->linear_fwd(p->logits, p->normed, gpt->params + gpt->map.W_U,
                           gpt->params + gpt->map.b_U, p->B, C, (size_t)p->cfg.d_vocab, p->scratch);
    return p->logits;
}

/* The lowest block that a hook touches; n_layers without one. *after: nothing of that block is
 * touched but its output, so that the pass may begin behind it. */
static int first_touched(bool *after, const Hooks *hooks, int n_layers)
{
    uint64_t any = 0, inside = 0;
    int first;
    for (int site = 0; hooks && site < N_HOOK_SITES; site++) {
        any |= hooks->sites[site];
        inside |= site == HOOK_RESID_POST ? 0 : hooks->sites[site];
    }
    first = any ? __builtin_ctzll(any) : n_layers;
    first = first < n_layers ? first : n_layers;
    *after = first < n_layers && (inside >> first & 1) == 0;
    return first;
}

const real *prefix_last(Prefix *p, const Gpt *gpt, const Hooks *hooks)
{
    bool after;
    int touched = first_touched(&after, hooks, p->cfg.n_layers);
    int first = after ? touched + 1 : touched;
    memcpy(p->length, p->filled, p->B * sizeof(*p->length));
    for (size_t b = 0; b < p->B; b++) {
        p->active[b] = true;
    }
    clean_below(p, first);
    p->clean = first; /* the pass writes into those behind */
    memcpy(p->x, row_of(p, p->stream, first, 0, (size_t)p->cfg.d_model),
           p->B * (size_t)p->cfg.d_model * sizeof(*p->x));
    if (after) {
        visit(p, hooks, HOOK_RESID_POST, touched, p->x);
    }
    return run_rows(p, gpt, first, hooks);
}

const real *prefix_append(Prefix *p, const Gpt *gpt, const uint8_t *tokens)
{
    size_t C = (size_t)p->cfg.d_model;
    for (size_t b = 0; b < p->B; b++) {
        p->active[b] = tokens[b] != 0 && p->length[b] < (size_t)p->cfg.n_ctx;
        p->length[b] += p->active[b];
        for (size_t c = 0; c < C; c++) {
            p->x[b * C + c] = gpt->params[gpt->map.W_E + tokens[b] * C + c] +
                              gpt->params[gpt->map.W_pos + (p->length[b] - 1) * C + c];
        }
    }
    return run_rows(p, gpt, 0, NULL);
}
