/* model/params.c - the parameter vector: layout generated from tensors.def, initial values. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "model/gpt.h"

/* Every tensor begins on a cache line of 64 bytes, which the kernels need for matrices. */
static size_t aligned_count(size_t count)
{
    return (count + 15) / 16 * 16;
}

/* A row of tensors.def, its expressions computed. */
typedef struct TensorRow {
    const char *name; /* with %d for the layer in a block */
    int layer;        /* -1 outside blocks */
    size_t rank;
    const uint64_t *shape;
    double std;
    bool decays;
    int group;
    size_t rows, cols;
} TensorRow;

static void add_spec(Gpt *gpt, const TensorRow *row)
{
    TensorSpec *spec = &gpt->specs[gpt->n_specs++];
    if (row->layer >= 0) {
        snprintf(spec->name, sizeof(spec->name), "blocks.%d.%s", row->layer,
                 row->name + strlen("blocks.%d."));
    } else {
        snprintf(spec->name, sizeof(spec->name), "%s", row->name);
    }
    spec->rank = row->rank;
    spec->count = 1;
    for (size_t i = 0; i < row->rank; i++) {
        spec->shape[i] = row->shape[i];
        spec->count *= (size_t)row->shape[i];
    }
    spec->offset = gpt->n_numbers;
    spec->layer = row->layer;
    spec->init_std = (float)row->std;
    spec->decays = row->decays;
    spec->group = row->group;
    spec->rows = row->rows;
    spec->cols = row->cols;
    gpt->n_numbers += aligned_count(spec->count);
}

/* The tensors before, inside and after the blocks, in the order of tensors.def. */
static void list_tensors(Gpt *gpt)
{
    const uint64_t C = (uint64_t)gpt->cfg.d_model, NH = (uint64_t)gpt->cfg.n_heads;
    const uint64_t HS = (uint64_t)gpt->cfg.d_head, M = (uint64_t)gpt->cfg.d_mlp;
    const uint64_t P = (uint64_t)gpt->cfg.n_ctx, V = (uint64_t)gpt->cfg.d_vocab;
    const double L = gpt->cfg.n_layers;
    TensorMap *map = &gpt->map;
#define SHAPE(...)                                                                                 \
    (const uint64_t[])                                                                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
    /* Blocks first, so that a block's stride is one number; then the tensors outside. */
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        size_t begin = gpt->n_numbers;
#define TENSOR_BLOCK(field, name, rank, shape, std, decays, group, rows, cols)                     \
    if (layer == 0) {                                                                              \
        map->field = gpt->n_numbers;                                                               \
    }                                                                                              \
    add_spec(gpt, &(TensorRow){name, layer, rank, shape, std, decays, group, (size_t)(rows),       \
                               (size_t)(cols)});
#include "model/tensors.def"
        map->block_stride = gpt->n_numbers - begin;
    }
#define TENSOR_ONCE(field, name, rank, shape, std, decays, group, rows, cols)                      \
    map->field = gpt->n_numbers;                                                                   \
    add_spec(gpt, &(TensorRow){name, -1, rank, shape, std, decays, group, (size_t)(rows),          \
                               (size_t)(cols)});
#include "model/tensors.def"
#undef SHAPE
}

enum {
#define TENSOR_BLOCK(...) +1
    N_BLOCK_TENSORS = 0
#include "model/tensors.def"
    ,
#define TENSOR_ONCE(...) +1
    N_OTHER_TENSORS = 0
#include "model/tensors.def"
};

int gpt_new(Gpt **out, const GptConfig *cfg)
{
    *out = NULL;
    const char *reason = gpt_config_check(cfg);
    if (reason) {
        return err_set(OGPT_EFORMAT, "network configuration: %s", reason);
    }
    int rc = OGPT_ENOMEM;
    Gpt *gpt = mem_calloc(1, sizeof(*gpt), "a network");
    if (!gpt) {
        return rc;
    }
    gpt->cfg = *cfg;
    gpt->in_use = cfg->n_layers;
    size_t n = (size_t)cfg->n_layers * N_BLOCK_TENSORS + N_OTHER_TENSORS;
    gpt->specs = mem_calloc(n, sizeof(*gpt->specs), "the table of tensors");
    if (!gpt->specs) {
        goto done;
    }
    list_tensors(gpt);
    rc = arena_init(&gpt->arena, arena_piece_bytes(gpt->n_numbers, sizeof(real)), "parameters");
    if (rc != 0) {
        goto done;
    }
    gpt->params = arena_take(&gpt->arena, gpt->n_numbers, sizeof(real));
    *out = gpt;
    gpt = NULL;
    rc = 0;
done:
    gpt_free(gpt);
    return rc;
}

void gpt_free(Gpt *gpt)
{
    if (gpt) {
        arena_release(&gpt->arena);
        mem_free(gpt->specs);
        mem_free(gpt);
    }
}

void gpt_init(Gpt *gpt, uint64_t seed, int purpose)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        real *values = gpt->params + spec->offset;
        Rng rng = rng_at(seed, (RngPurpose)purpose, i);
        for (size_t j = 0; j < spec->count; j++) {
            if (spec->init_std > 0) {
                values[j] = (real)(rng_normal(&rng) * (double)spec->init_std);
            } else {
                values[j] = spec->init_std < 0 ? 1 : 0;
            }
        }
    }
}

void gpt_silence(Gpt *gpt, int first)
{
    const size_t writers[] = {gpt->map.W_O, gpt->map.b_O, gpt->map.W_out, gpt->map.b_out};
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        for (size_t w = 0; spec->layer >= first && w < sizeof(writers) / sizeof(writers[0]); w++) {
            if (spec->offset == writers[w] + (size_t)spec->layer * gpt->map.block_stride) {
                memset(gpt->params + spec->offset, 0, spec->count * sizeof(real));
            }
        }
    }
}

int gpt_tensor_index(const Gpt *gpt, const char *name)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        if (strcmp(gpt->specs[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

real *gpt_tensor(const Gpt *gpt, int index)
{
    return gpt->params + gpt->specs[index].offset;
}
