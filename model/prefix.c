/* model/prefix.c - the last position of kept sequences. See model/prefix.h.
 *
 * The graph is that of model/block.c with N = B rows, one a sequence. The attention step differs:
 * a row's query meets the kept keys and values of its own sequence. Keys are kept transposed, so
 * that the scores of sixteen positions are computed at once.
 */
#include "model/prefix.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "model/block.h"
#include "num/kernel_steps.h"

struct Prefix {
    GptConfig cfg;
    size_t max_batch, stride; /* room of a sequence in positions, a multiple of 16 */
    size_t max_rows;          /* last positions in one pass, at least max_batch */
    TapeMode mode;
    Tape *tape; /* for filling */
    Tape *rows; /* of the last positions, one row a sequence */
    Arena arena;
    size_t B;
    size_t *filled; /* (max_batch) lengths as filled */
    size_t *length; /* (max_batch) lengths now: longer after prefix_append */
    bool *active;   /* (max_batch) whether a sequence takes part in the pass */
    size_t *owner;  /* (max_rows) the sequence of each row of the pass */
    /* Keys and values at the last filled position of blocks [0, clean) are as filled. */
    int clean;
    real *keys;                  /* (L, max_batch, C, stride) */
    real *values;                /* (L, max_batch, stride, C) */
    real *last_key, *last_value; /* (L, max_batch, C) of the last position, as filled */
    real *stream;                /* (L+1, max_batch, C) before each block, after the last; filled */
};

/* ---- memory ---- */

static void carve(Carver *carver, Prefix *p)
{
    size_t L = (size_t)p->cfg.n_layers, C = (size_t)p->cfg.d_model, B = p->max_batch;
    p->filled = tape__take(carver, B, sizeof(*p->filled));
    p->length = tape__take(carver, B, sizeof(*p->length));
    p->active = tape__take(carver, B, sizeof(*p->active));
    p->owner = tape__take(carver, p->max_rows, sizeof(*p->owner));
    p->keys = tape__take(carver, L * B * C * p->stride, sizeof(real));
    p->values = tape__take(carver, L * B * C * p->stride, sizeof(real));
    p->last_key = tape__take(carver, L * B * C, sizeof(real));
    p->last_value = tape__take(carver, L * B * C, sizeof(real));
    p->stream = tape__take(carver, (L + 1) * B * C, sizeof(real));
}

static Prefix shape_of(const GptConfig *cfg, size_t max_batch, size_t max_rows, TapeMode mode)
{
    return (Prefix){.cfg = *cfg,
                    .max_batch = max_batch,
                    .max_rows = max_rows,
                    .stride = attention_row_stride((size_t)cfg->n_ctx),
                    .mode = mode};
}

static size_t own_bytes(const Prefix *shape)
{
    Prefix counted = *shape;
    Carver carver = {0};
    carve(&carver, &counted);
    return carver.n_bytes;
}

static int new_of_shape(Prefix **out, const Prefix *shape, const Kernels *kernels)
{
    const GptConfig *cfg = &shape->cfg;
    Prefix *prefix = mem_calloc(1, sizeof(*prefix), "kept sequences");
    *out = NULL;
    if (!prefix) {
        return OGPT_ENOMEM;
    }
    *prefix = *shape;
    int rc = arena_init(&prefix->arena, own_bytes(prefix), "keys and values of sequences");
    if (rc == 0) {
        Carver carver = {.arena = &prefix->arena};
        carve(&carver, prefix);
        /* Columns behind a sequence take part in no sum, but a NaN there would. */
        memset(prefix->keys, 0,
               (size_t)cfg->n_layers * shape->max_batch * (size_t)cfg->d_model * prefix->stride *
                   sizeof(real));
    }
    rc = rc ? rc : tape_new(&prefix->tape, cfg, PREFIX_FILL, TAPE_FORWARD, kernels);
    rc = rc ? rc
            : tape__new(&prefix->rows, cfg, shape->max_rows, prefix->stride, shape->mode, kernels);
    if (rc != 0) {
        prefix_free(prefix);
        return rc;
    }
    *out = prefix;
    return 0;
}

size_t prefix_bytes(const GptConfig *cfg, size_t max_batch, TapeMode mode)
{
    const Prefix shape = shape_of(cfg, max_batch, max_batch, mode);
    return own_bytes(&shape) + tape_bytes(cfg, PREFIX_FILL, TAPE_FORWARD, NULL) +
           tape__bytes(cfg, max_batch, shape.stride, mode, NULL);
}

size_t prefix_rows_bytes(const GptConfig *cfg, size_t max_batch, size_t max_rows)
{
    const Prefix shape = shape_of(cfg, max_batch, max_rows, TAPE_FORWARD);
    return own_bytes(&shape) + tape_bytes(cfg, PREFIX_FILL, TAPE_FORWARD, NULL) +
           tape__bytes(cfg, max_rows, shape.stride, TAPE_FORWARD, NULL);
}

int prefix_new(Prefix **out, const GptConfig *cfg, size_t max_batch, TapeMode mode,
               const Kernels *kernels)
{
    Prefix shape = shape_of(cfg, max_batch, max_batch, mode);
    assert(mode != TAPE_TRAIN);
    return new_of_shape(out, &shape, kernels);
}

int prefix_new_rows(Prefix **out, const GptConfig *cfg, size_t max_batch, size_t max_rows,
                    const Kernels *kernels)
{
    Prefix shape = shape_of(cfg, max_batch, max_rows, TAPE_FORWARD);
    assert(max_rows >= max_batch);
    return new_of_shape(out, &shape, kernels);
}

void prefix_free(Prefix *prefix)
{
    if (prefix) {
        tape_free(prefix->tape);
        tape_free(prefix->rows);
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

/* Restore the keys and values of the last filled position in blocks below `layer`. */
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

/* While hooks see attention's output, keys and values are on the tape. */
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

/* The caller's hook comes first: the cache keeps what it leaves. */
static void fill_hook(void *context, const HookPoint *point)
{
    const Fill *fill = context;
    HookPoint theirs = *point;
    if (hook_wanted(fill->hooks, point->site, point->layer)) {
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

void prefix_seal(Prefix *p)
{
    tape_free(p->tape);
    p->tape = NULL;
}

void prefix_fill(Prefix *p, const Gpt *gpt, const uint8_t *tokens, size_t stride,
                 const uint8_t *lengths, size_t B, const Hooks *hooks)
{
    Fill fill = {.prefix = p, .hooks = hooks};
    Hooks all = {.fn = fill_hook, .context = &fill};
    uint8_t batch[PREFIX_FILL * 256];
    assert(p->tape && B >= 1 && B <= p->max_batch && p->cfg.n_ctx <= 256);
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

/* ---- attention over kept keys ---- */

/* z of every row over its own sequence. The row's key and value become those of its last
 * position: for a while only, where a sequence has several rows. */
static void kept_forward(const BlockPass *pass, int layer)
{
    const Prefix *p = pass->cache;
    const BlockTape *t = &p->rows->blocks[layer];
    size_t C = pass->C, NH = pass->NH, HS = pass->HS, width = NH * p->stride;
    for (size_t r = 0; r < pass->B; r++) {
        size_t b = p->owner[r];
        if (p->active[b]) {
            keep_key(p, layer, b, p->length[b] - 1, t->k + r * C);
        }
        pass->k->attention_row_scores(t->scores + r * width, t->q + r * C,
                                      row_of(p, p->keys, layer, b, C * p->stride), p->length[b],
                                      p->stride, NH, HS);
    }
    pass__visit(pass, HOOK_SCORES, layer, t->scores, NULL);
    for (size_t r = 0; r < pass->B; r++) {
        pass->k->attention_row_softmax(t->pattern + r * width, t->scores + r * width,
                                       p->length[p->owner[r]], p->stride, NH);
    }
    pass__visit(pass, HOOK_PATTERN, layer, t->pattern, NULL);
    for (size_t r = 0; r < pass->B; r++) {
        size_t b = p->owner[r];
        if (p->active[b]) {
            keep_value(p, layer, b, p->length[b] - 1, t->v + r * C);
        }
        attention_row_mix(t->z + r * C, t->pattern + r * width,
                          row_of(p, p->values, layer, b, C * p->stride), p->length[b], p->stride,
                          NH, HS);
    }
}

/* Keys and values of earlier positions are constants here. */
static void kept_backward(const BlockPass *pass, int layer)
{
    const Prefix *p = pass->cache;
    const BlockTape *t = &p->rows->blocks[layer];
    Tape *s = p->rows;
    size_t C = pass->C, NH = pass->NH, HS = pass->HS, width = NH * p->stride;
    for (size_t b = 0; b < p->B; b++) {
        attention_row_mix_bwd(s->dpattern + b * width, s->dv + b * C, s->dz + b * C,
                              t->pattern + b * width, row_of(p, p->values, layer, b, C * p->stride),
                              p->length[b], p->stride, NH, HS);
    }
    pass__visit(pass, HOOK_PATTERN, layer, t->pattern, s->dpattern);
    for (size_t b = 0; b < p->B; b++) {
        attention_row_softmax_bwd(s->dpattern + b * width, t->scores + b * width, p->length[b],
                                  p->stride, NH);
    }
    pass__visit(pass, HOOK_SCORES, layer, t->scores, s->dpattern);
    for (size_t b = 0; b < p->B; b++) {
        attention_row_scores_bwd(s->dq + b * C, s->dk + b * C, s->dpattern + b * width,
                                 t->q + b * C, row_of(p, p->keys, layer, b, C * p->stride),
                                 p->length[b], p->stride, NH, HS);
    }
}

static const AttentionStep kept = {.forward = kept_forward, .backward = kept_backward};

/* ---- one row a sequence ---- */

static BlockPass pass_of(Prefix *p, const Gpt *gpt, size_t n_rows, const Hooks *hooks)
{
    BlockPass pass = pass__make(gpt, p->rows, n_rows, 1, p->stride);
    pass.hooks = hooks;
    pass.attention = &kept;
    pass.cache = p;
    return pass;
}

/* The lowest block that a hook touches; n_layers if there is none. *after is set if hooks touch
 * only the output of that block: then the pass can start behind it. */
static int first_touched(bool *after, const Hooks *hooks, int n_layers)
{
    uint64_t any = 0, inside = 0;
    int first;
    for (int site = 0; hooks && site < N_HOOK_SITES; site++) {
        uint64_t layers = hook_site_outside((HookSite)site) ? 0 : hooks->sites[site];
        any |= layers;
        inside |= site == HOOK_RESID_POST ? 0 : layers;
    }
    first = any ? __builtin_ctzll(any) : n_layers;
    first = first < n_layers ? first : n_layers;
    *after = first < n_layers && (inside >> first & 1) == 0;
    return first;
}

/* n rows, whose sequences p->owner names. */
static const real *run_rows(Prefix *p, const Gpt *gpt, size_t n, const Hooks *hooks)
{
    BlockPass pass = pass_of(p, gpt, n, hooks);
    const BlockTape *blocks = p->rows->blocks;
    bool after;
    int touched = first_touched(&after, hooks, p->cfg.n_layers), first;
    real *x;
    if (p->mode == TAPE_GRADIENT) { /* the way back leads through all blocks */
        touched = 0;
        after = false;
    }
    first = after ? touched + 1 : touched;
    memcpy(p->length, p->filled, p->B * sizeof(*p->length));
    for (size_t b = 0; b < p->B; b++) {
        p->active[b] = true;
    }
    clean_below(p, first);
    p->clean = first; /* the pass writes into those behind */
    x = first < p->cfg.n_layers ? blocks[first].pre : blocks[first - 1].post;
    for (size_t r = 0; r < n; r++) {
        memcpy(x + r * pass.C, row_of(p, p->stream, first, p->owner[r], pass.C),
               pass.C * sizeof(*x));
    }
    if (after) {
        pass__visit(&pass, HOOK_RESID_POST, touched, x, NULL);
    }
    return pass__forward(&pass, first);
}

/* One row a sequence, in their order. */
static void own_rows(Prefix *p)
{
    for (size_t b = 0; b < p->B; b++) {
        p->owner[b] = b;
    }
}

const real *prefix_last(Prefix *p, const Gpt *gpt, const Hooks *hooks)
{
    own_rows(p);
    return run_rows(p, gpt, p->B, hooks);
}

const real *prefix_rows(Prefix *p, const Gpt *gpt, const uint16_t *sequences, size_t n,
                        const Hooks *hooks)
{
    assert(n >= 1 && n <= p->max_rows && p->mode == TAPE_FORWARD);
    for (size_t r = 0; r < n; r++) {
        assert(sequences[r] < p->B);
        p->owner[r] = sequences[r];
    }
    return run_rows(p, gpt, n, hooks);
}

/* What the first block reads of a token at a position. */
static void add_embeddings(real *x, const Gpt *gpt, uint8_t token, size_t t, size_t C)
{
    for (size_t c = 0; c < C; c++) {
        x[c] = gpt->params[gpt->map.W_E + token * C + c] + gpt->params[gpt->map.W_pos + t * C + c];
    }
}

const real *prefix_append(Prefix *p, const Gpt *gpt, const uint8_t *tokens)
{
    const BlockPass pass = pass_of(p, gpt, p->B, NULL);
    size_t C = pass.C;
    real *x = p->rows->blocks[0].pre;
    own_rows(p);
    for (size_t b = 0; b < p->B; b++) {
        p->active[b] = tokens[b] != 0 && p->length[b] < (size_t)p->cfg.n_ctx;
        p->length[b] += p->active[b];
        add_embeddings(x + b * C, gpt, tokens[b], p->length[b] - 1, C);
    }
    return pass__forward(&pass, 0);
}

const real *prefix_branches(Prefix *p, const Gpt *gpt, const uint16_t *sequences,
                            const uint8_t *tokens, size_t n, const Hooks *hooks)
{
    const BlockPass pass = pass_of(p, gpt, n, hooks);
    real *x = p->rows->blocks[0].pre;
    assert(n >= 1 && n <= p->max_rows && p->mode == TAPE_FORWARD);
    for (size_t b = 0; b < p->B; b++) { /* the place behind the last token belongs to no sequence */
        p->active[b] = p->length[b] < (size_t)p->cfg.n_ctx;
        p->length[b] += p->active[b];
    }
    for (size_t r = 0; r < n; r++) {
        size_t b = sequences[r];
        assert(b < p->B && p->active[b]);
        p->owner[r] = b;
        add_embeddings(x + r * pass.C, gpt, tokens[r], p->length[b] - 1, pass.C);
    }
    const real *logits = pass__forward(&pass, 0);
    for (size_t b = 0; b < p->B; b++) {
        p->length[b] -= p->active[b];
    }
    return logits;
}

void prefix_gradient(Prefix *p, const Gpt *gpt, const real *dlogits, const Hooks *hooks)
{
    const BlockPass pass = pass_of(p, gpt, p->B, hooks);
    assert(p->mode == TAPE_GRADIENT);
    pass__backward(&pass, dlogits);
}
