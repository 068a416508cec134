/* probes/attribution/writes.c - contract in probes/attribution/writes.h. */
#include "probes/attribution/writes.h"

#include <string.h>

static uint64_t layers_below(int n)
{
    return n >= 64 ? ~0ULL : (1ULL << n) - 1;
}

/* Where the stream of a list is read. */
static HookSite list_site(int *layer, const ComponentList *list)
{
    *layer = list->n_mlp < list->n_attention ? list->n_mlp : list->n_mlp - 1;
    if (*layer < 0) {
        *layer = 0;
        return HOOK_RESID_PRE;
    }
    return list->n_mlp < list->n_attention ? HOOK_RESID_MID : HOOK_RESID_POST;
}

typedef struct Sizes {
    size_t stream, z, mlp, post, pattern, v;
} Sizes;

static Sizes sizes_of(const GptConfig *cfg, const ComponentList *list, size_t rows, size_t games)
{
    size_t C = (size_t)cfg->d_model, A = (size_t)list->n_attention, T = (size_t)cfg->n_ctx;
    bool source = list->grain == GRAIN_SOURCE;
    return (Sizes){
        .stream = rows * C,
        .z = A * rows * C,
        .mlp = (size_t)list->n_mlp * rows * C,
        .post = list->grain == GRAIN_NEURON ? (size_t)list->n_mlp * rows * (size_t)cfg->d_mlp : 0,
        .pattern = source ? A * rows * (size_t)cfg->n_heads * T : 0,
        .v = source ? A * games * T * C : 0};
}

size_t writes_bytes(const GptConfig *cfg, const ComponentList *list, size_t max_rows,
                    size_t max_games)
{
    Sizes s = sizes_of(cfg, list, max_rows, max_games);
    size_t each = sizeof(real);
    return arena_piece_bytes(s.stream, each) + arena_piece_bytes(s.z, each) +
           arena_piece_bytes(s.mlp, each) + arena_piece_bytes(s.post, each) +
           arena_piece_bytes(s.pattern, each) + arena_piece_bytes(s.v, each);
}

int writes_init(Writes *out, const Gpt *gpt, const ComponentList *list, size_t max_rows,
                size_t max_games)
{
    Sizes s = sizes_of(&gpt->cfg, list, max_rows, max_games);
    size_t each = sizeof(real);
    *out = (Writes){.gpt = gpt, .list = list, .max_rows = max_rows, .max_games = max_games};
    out->site = list_site(&out->layer, list);
    int rc = arena_init(&out->arena, writes_bytes(&gpt->cfg, list, max_rows, max_games),
                        "writes of components");
    if (rc == 0) {
        out->stream = arena_take(&out->arena, s.stream, each);
        out->z = arena_take(&out->arena, s.z, each);
        out->mlp = arena_take(&out->arena, s.mlp, each);
        out->post = arena_take(&out->arena, s.post, each);
        out->pattern = arena_take(&out->arena, s.pattern, each);
        out->v = arena_take(&out->arena, s.v, each);
    }
    return rc;
}

void writes_release(Writes *writes)
{
    arena_release(&writes->arena);
    *writes = (Writes){0};
}

void writes_want(uint64_t sites[N_HOOK_SITES], const ComponentList *list)
{
    int layer;
    HookSite site = list_site(&layer, list);
    sites[site] |= 1ULL << layer;
    sites[HOOK_Z] |= layers_below(list->n_attention);
    sites[HOOK_MLP_OUT] |= layers_below(list->n_mlp);
    if (list->grain == GRAIN_NEURON) {
        sites[HOOK_POST] |= layers_below(list->n_mlp);
    }
    if (list->grain == GRAIN_SOURCE) {
        sites[HOOK_PATTERN] |= layers_below(list->n_attention);
        sites[HOOK_V] |= layers_below(list->n_attention);
    }
}

void writes_begin(Writes *writes, const uint8_t *tokens, size_t B, size_t T, const size_t *rows,
                  size_t n)
{
    writes->tokens = tokens;
    writes->rows = rows;
    writes->n = n;
    writes->B = B;
    writes->T = T;
}

/* out (n,width): the chosen rows of a site. */
static void take_rows(real *out, const Writes *writes, const HookPoint *point)
{
    for (size_t i = 0; i < writes->n; i++) {
        memcpy(out + i * point->width, point->value + writes->rows[i] * point->width,
               point->width * sizeof(*out));
    }
}

void writes_take(Writes *writes, const HookPoint *point)
{
    size_t layer = (size_t)point->layer, n = writes->n;
    if (point->site == writes->site && point->layer == writes->layer) {
        take_rows(writes->stream, writes, point);
    }
    switch (point->site) {
    case HOOK_Z: take_rows(writes->z + layer * n * point->width, writes, point); break;
    case HOOK_MLP_OUT: take_rows(writes->mlp + layer * n * point->width, writes, point); break;
    case HOOK_POST: take_rows(writes->post + layer * n * point->width, writes, point); break;
    case HOOK_PATTERN: take_rows(writes->pattern + layer * n * point->width, writes, point); break;
    case HOOK_V:
        memcpy(writes->v + layer * point->B * point->T * point->width, point->value,
               point->B * point->T * point->width * sizeof(*writes->v));
        break;
    default: break;
    }
}

void writes_attention_bias(real *out, const Gpt *gpt, int layer)
{
    size_t C = (size_t)gpt->cfg.d_model;
    const real *w = gpt->params + (size_t)layer * gpt->map.block_stride;
    memcpy(out, w + gpt->map.b_O, C * sizeof(*out));
    for (size_t j = 0; j < C; j++) {
        const real *row = w + gpt->map.W_O + j * C;
        for (size_t c = 0; c < C; c++) {
            out[c] += w[gpt->map.b_V + j] * row[c];
        }
    }
}
