/* model/layouts/layouts.c - tensors to and from foreign layouts. See model/layouts/layouts.h. */
#include "model/layouts/layouts.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "model/checkpoint.h"
#include "model/layouts/layouts_internal.h"

typedef enum Placement { NOWHERE, SAME, TURNED, BATCHED, PART_Q, PART_K, PART_V } Placement;
#define N_PARTS 3

typedef struct LayoutRow {
    size_t field;
    const char *name[N_LAYOUTS];
    Placement placement[N_LAYOUTS];
} LayoutRow;

static const LayoutRow rows[] = {
#define LAYOUT(field_, mingpt, placed, hf, hf_placed)                                              \
    {FIELD(field_), {NULL, mingpt, hf}, {SAME, placed, hf_placed}},
#include "model/layouts/layouts.def"
};

static const struct {
    size_t field;
    const char *name;
} our_names[] = {
#define TENSOR_ONCE(field_, name_, ...) {FIELD(field_), name_},
#define TENSOR_BLOCK(field_, name_, ...) {FIELD(field_), name_},
#include "model/tensors.def"
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]), N_OURS = sizeof(our_names) / sizeof(our_names[0]) };
_Static_assert(N_ROWS == (int)N_OURS, "every tensor of tensors.def has its row in layouts.def");

static const char *const layout_names[N_LAYOUTS] = {"tl", "mingpt", "hf-gpt2"};

/* Buffers that the libraries save with the weights; they carry no information. */
static const char *const buffers[N_LAYOUTS][2] = {
    [LAYOUT_MINGPT] = {".attn.mask", NULL},
    [LAYOUT_HF_GPT2] = {".attn.bias", ".attn.masked_bias"},
};
#define MINGPT_MASK "blocks.%d.attn.mask"

int layout_parse(const char *name)
{
    for (int i = 0; i < N_LAYOUTS; i++) {
        if (strcmp(layout_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *layout_name(Layout layout)
{
    return layout_names[layout];
}

/* ---- names, shapes and places ---- */

/* `pattern` with its %d, if it has one, replaced by the layer. */
static void pattern_print(char out[LAYOUT_NAME_MAX], const char *pattern, int layer)
{
    const char *digits = strstr(pattern, "%d");
    if (!digits) {
        snprintf(out, LAYOUT_NAME_MAX, "%s", pattern);
    } else {
        snprintf(out, LAYOUT_NAME_MAX, "%.*s%d%s", (int)(digits - pattern), pattern, layer,
                 digits + 2);
    }
}

void layout__name(char out[LAYOUT_NAME_MAX], Layout layout, size_t field, int layer)
{
    out[0] = '\0';
    for (size_t i = 0; i < N_ROWS; i++) {
        if (layout == LAYOUT_TL && our_names[i].field == field) {
            pattern_print(out, our_names[i].name, layer);
        } else if (layout != LAYOUT_TL && rows[i].field == field) {
            pattern_print(out, rows[i].name[layout], layer);
        }
    }
}

#define HF_PREFIX "transformer."

const char *layout__bare(const char *name)
{
    size_t n = strlen(HF_PREFIX);
    return strncmp(name, HF_PREFIX, n) == 0 ? name + n : name;
}

int layout__open(StFile **out, Layout layout, const char *path)
{
    bool dropped;
    int rc = st_open(out, path);
    rc = rc ? rc : st_drop_wrappers(*out);
    if (rc == 0 && layout == LAYOUT_HF_GPT2) {
        rc = st_drop_prefix(&dropped, *out, HF_PREFIX, "lm_head.");
    }
    if (rc != 0) {
        st_close(*out);
        *out = NULL;
    }
    return rc;
}

/* The row of a tensor, found by its offset as it would be in block 0. */
static const LayoutRow *row_of(const Gpt *gpt, const TensorSpec *spec)
{
    size_t first = spec->offset;
    if (spec->layer > 0) {
        first -= (size_t)spec->layer * gpt->map.block_stride;
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t offset;
        memcpy(&offset, (const char *)&gpt->map + rows[i].field, sizeof(offset));
        if (offset == first) {
            return &rows[i];
        }
    }
    return NULL; /* not reached: the table is complete */
}

/* One tensor of ours seen as a matrix, and its place in the foreign tensor. */
typedef struct Place {
    char name[LAYOUT_NAME_MAX];
    Placement placement;
    size_t n_rows, n_cols; /* in memory; a vector is one row */
    size_t rank;
    uint64_t shape[4]; /* of the foreign tensor */
} Place;

static Place place_of(const Gpt *gpt, const TensorSpec *spec, Layout layout)
{
    const LayoutRow *row = row_of(gpt, spec);
    bool vector = spec->rows == 0;
    Place place = {.placement = row->placement[layout],
                   .n_rows = vector ? 1 : spec->rows,
                   .n_cols = vector ? spec->count : spec->cols};
    pattern_print(place.name, row->name[layout], spec->layer);
    if (place.placement == BATCHED) {
        place.shape[place.rank++] = 1;
    }
    if (!vector) {
        place.shape[place.rank++] = place.placement == TURNED ? place.n_cols : place.n_rows;
    }
    place.shape[place.rank] = place.placement == TURNED ? place.n_rows : place.n_cols;
    if (place.placement >= PART_Q) {
        place.shape[place.rank] *= N_PARTS;
    }
    place.rank++;
    return place;
}

static size_t foreign_index(const Place *place, size_t r, size_t c)
{
    if (place->placement == TURNED) {
        return c * place->n_rows + r;
    }
    if (place->placement >= PART_Q) {
        size_t part = (size_t)(place->placement - PART_Q);
        return (r * N_PARTS + part) * place->n_cols + c;
    }
    return r * place->n_cols + c;
}

static size_t foreign_count(const Place *place)
{
    size_t count = place->n_rows * place->n_cols;
    return place->placement >= PART_Q ? N_PARTS * count : count;
}

static void tensor_gather(float *ours, const float *foreign, const Place *place)
{
    for (size_t r = 0; r < place->n_rows; r++) {
        for (size_t c = 0; c < place->n_cols; c++) {
            ours[r * place->n_cols + c] = foreign[foreign_index(place, r, c)];
        }
    }
}

static void tensor_scatter(float *foreign, const float *ours, const Place *place)
{
    for (size_t r = 0; r < place->n_rows; r++) {
        for (size_t c = 0; c < place->n_cols; c++) {
            foreign[foreign_index(place, r, c)] = ours[r * place->n_cols + c];
        }
    }
}

/* ---- reading ---- */

int layout_files_find(LayoutFiles *out, const char *path)
{
    PathKind kind;
    *out = (LayoutFiles){0};
    int rc = path_kind(&kind, path);
    if (rc != 0) {
        return rc;
    }
    if (kind != PATH_DIRECTORY) {
        if (kind != PATH_FILE) {
            return err_set(OGPT_EIO,
                           "%s: expected a directory with model.safetensors, or a safetensors "
                           "file, found nothing",
                           path);
        }
        snprintf(out->tensors, sizeof(out->tensors), "%s", path);
        return 0;
    }
    rc = path_join(out->tensors, path, "model.safetensors");
    rc = rc ? rc : path_join(out->config, path, "config.json");
    rc = rc ? rc : path_kind(&kind, out->tensors);
    if (rc == 0 && kind != PATH_FILE) {
        rc = err_set(OGPT_EFORMAT, "%s: expected model.safetensors in it, found none", path);
    }
    rc = rc ? rc : path_kind(&kind, out->config);
    if (rc == 0 && kind != PATH_FILE) {
        out->config[0] = '\0';
    }
    return rc;
}

static bool is_buffer(const char *name, Layout layout)
{
    for (size_t i = 0; i < 2; i++) {
        const char *suffix = buffers[layout][i];
        size_t n = strlen(name), m = suffix ? strlen(suffix) : 0;
        if (suffix && n >= m && strcmp(name + n - m, suffix) == 0) {
            return true;
        }
    }
    return false;
}

/* Refuse tensors for which the network has no place. */
static int extra_check(const Gpt *gpt, const StFile *file, Layout layout, const char *path)
{
    for (size_t i = 0; i < st_count(file); i++) {
        const char *name = st_tensor(file, i)->name;
        bool known = is_buffer(name, layout);
        for (size_t s = 0; s < gpt->n_specs && !known; s++) {
            Place place = place_of(gpt, &gpt->specs[s], layout);
            known = strcmp(layout__bare(place.name), name) == 0;
        }
        if (!known) {
            return err_set(OGPT_EFORMAT,
                           "%s: unexpected tensor \"%s\" for a network of %d layers in layout %s; "
                           "is it in another layout (" LAYOUT_NAMES ")?",
                           path, name, gpt->cfg.n_layers, layout_name(layout));
        }
    }
    return 0;
}

/* hf-gpt2 with shared embeddings: the head is the token embedding. If the file also has a tensor
 * for the head, the two must be equal. `raw` holds the embedding. */
static int tied_check(const float *raw, const StFile *file, const Place *head, const char *path)
{
    if (!st_find(file, layout__bare(head->name))) {
        return 0;
    }
    size_t n = foreign_count(head);
    float *own = mem_alloc(n, sizeof(*own), head->name);
    if (!own) {
        return OGPT_ENOMEM;
    }
    int rc = st_read_f32(own, file, head->name, head->rank, head->shape, false);
    if (rc == 0 && memcmp(own, raw, n * sizeof(*own)) != 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: \"%s\" differs from the token embedding although config.json ties them; "
                     "set tie_word_embeddings to false if the head is its own",
                     path, head->name);
    }
    mem_free(own);
    return rc;
}

static int foreign_read(Gpt *gpt, const StFile *file, Layout layout, bool tied, const char *path)
{
    float *raw = mem_alloc(gpt->n_numbers, sizeof(*raw), "a tensor in another layout");
    if (!raw) {
        return OGPT_ENOMEM;
    }
    int rc = extra_check(gpt, file, layout, path);
    for (size_t i = 0; rc == 0 && i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        Place place = place_of(gpt, spec, layout);
        if (place.placement == NOWHERE) {
            continue; /* gpt_new left it zero */
        }
        if (tied && spec->offset == gpt->map.W_U) {
            char embedding[LAYOUT_NAME_MAX];
            layout__name(embedding, layout, FIELD(W_E), 0);
            rc = st_read_f32(raw, file, layout__bare(embedding), place.rank, place.shape, false);
            rc = rc ? rc : tied_check(raw, file, &place, path);
        } else {
            rc = st_read_f32(raw, file, layout__bare(place.name), place.rank, place.shape, false);
        }
        if (rc == 0) {
            tensor_gather(gpt->params + spec->offset, raw, &place);
        }
    }
    mem_free(raw);
    return rc;
}

int layout_read(Gpt **out, Layout layout, const LayoutFiles *files, int n_heads)
{
    *out = NULL;
    LayoutConfig config;
    Gpt *gpt = NULL;
    StFile *file = NULL;
    int rc = layout_config_read(&config, layout, files, n_heads);
    int64_t shared = config.tied ? (int64_t)config.gpt.d_vocab * config.gpt.d_model : 0;
    rc = rc ? rc : model_check_room(&config.gpt, shared, files->tensors);
    rc = rc ? rc : gpt_new(&gpt, &config.gpt);
    if (rc == 0 && layout == LAYOUT_TL) {
        rc = model_read_tensors(gpt, files->tensors, NULL, config.lnpre);
    } else if (rc == 0) {
        rc = layout__open(&file, layout, files->tensors);
        rc = rc ? rc : foreign_read(gpt, file, layout, config.tied, files->tensors);
    }
    st_close(file);
    if (rc != 0) {
        gpt_free(gpt);
        return rc;
    }
    *out = gpt;
    return 0;
}

/* ---- writing ---- */

/* Refuse to write a network that the foreign layout cannot hold completely. */
static int loss_check(const Gpt *gpt, Layout layout)
{
    for (int v = 0; v < gpt->cfg.d_vocab; v++) {
        if (gpt->params[gpt->map.b_U + (size_t)v] != 0) {
            return err_set(OGPT_EFORMAT,
                           "unembed.b_U: layout %s has a head without bias; expected zeros, found "
                           "%g at index %d; keep this model in layout tl",
                           layout_name(layout), (double)gpt->params[gpt->map.b_U + (size_t)v], v);
        }
    }
    if (layout == LAYOUT_MINGPT && gpt->cfg.eps != 1e-5f) {
        return err_set(OGPT_EFORMAT, "eps: layout mingpt is always 1e-5, found %g; use hf-gpt2",
                       (double)gpt->cfg.eps);
    }
    if (layout == LAYOUT_MINGPT && gpt->cfg.d_mlp != 4 * gpt->cfg.d_model) {
        return err_set(OGPT_EFORMAT,
                       "d_mlp: layout mingpt is always 4 * d_model = %d, found %d; use hf-gpt2",
                       4 * gpt->cfg.d_model, gpt->cfg.d_mlp);
    }
    return 0;
}

/* The foreign tensors in the order of our table; parts of one packed tensor share an entry. The
 * masks of the published checkpoint come last. The arrays have room for all of them. */
static size_t entries_build(StEntry *entries, char (*names)[LAYOUT_NAME_MAX], float *data,
                            const float *mask, const Gpt *gpt, Layout layout)
{
    size_t n = 0;
    for (size_t i = 0; i < gpt->n_specs; i++) {
        Place place = place_of(gpt, &gpt->specs[i], layout);
        size_t e = 0;
        if (place.placement == NOWHERE) {
            continue;
        }
        while (e < n && strcmp(names[e], place.name) != 0) {
            e++;
        }
        if (e == n) {
            memcpy(names[n], place.name, LAYOUT_NAME_MAX);
            entries[n] = (StEntry){.name = names[n], .rank = place.rank, .data = data};
            memcpy(entries[n].shape, place.shape, sizeof(place.shape));
            data += foreign_count(&place);
            n++;
        }
        /* The entry points into `data`, so the cast may drop the const. */
        tensor_scatter((float *)entries[e].data, gpt->params + gpt->specs[i].offset, &place);
    }
    for (int l = 0; layout == LAYOUT_MINGPT && l < gpt->cfg.n_layers; l++, n++) {
        uint64_t P = (uint64_t)gpt->cfg.n_ctx;
        pattern_print(names[n], MINGPT_MASK, l);
        entries[n] = (StEntry){.name = names[n], .rank = 4, .shape = {1, 1, P, P}, .data = mask};
    }
    return n;
}

static int foreign_write(const char *path, size_t *n_tensors, const Gpt *gpt, Layout layout,
                         bool half)
{
    static const char *const metadata[][2] = {{"format", "pt"}};
    size_t room = gpt->n_specs + (size_t)gpt->cfg.n_layers, P = (size_t)gpt->cfg.n_ctx;
    int rc = OGPT_ENOMEM;
    StEntry *entries = mem_calloc(room, sizeof(*entries), "tensor entries");
    char(*names)[LAYOUT_NAME_MAX] = mem_calloc(room, sizeof(*names), "tensor names");
    float *data = mem_alloc(gpt->n_numbers, sizeof(*data), "tensors in another layout");
    float *mask = mem_calloc(P * P, sizeof(*mask), "the causal mask");
    if (!entries || !names || !data || !mask) {
        goto done;
    }
    for (size_t t = 0; t < P; t++) {
        for (size_t s = 0; s <= t; s++) {
            mask[t * P + s] = 1;
        }
    }
    *n_tensors = entries_build(entries, names, data, mask, gpt, layout);
    for (size_t i = 0; i < *n_tensors; i++) {
        entries[i].half = half;
    }
    rc = st_write(path, entries, *n_tensors, metadata, 1);
done:
    mem_free(mask);
    mem_free(data);
    mem_free(names);
    mem_free(entries);
    return rc;
}

int layout_write(Publish *publish, size_t *n_tensors, char model_hash[HASH_HEX_SIZE],
                 const Gpt *gpt, Layout layout, const Js *about, bool half)
{
    char path[FILES_PATH_MAX];
    char *text = NULL;
    Js *config = NULL;
    if (layout == LAYOUT_TL) {
        *n_tensors = gpt->n_specs;
        return model_save(publish, model_hash, gpt, about, half);
    }
    int rc = loss_check(gpt, layout);
    if (rc != 0 || (rc = publish_path(path, publish, "model.safetensors")) != 0 ||
        (rc = foreign_write(path, n_tensors, gpt, layout, half)) != 0 ||
        (rc = publish_adopt(publish, "model.safetensors")) != 0 ||
        (rc = sha256_file(model_hash, path)) != 0) {
        return rc;
    }
    config = layout_config_write(layout, &gpt->cfg);
    js_set(config, "ogpt", about ? js_keep(about) : js_object());
    rc = js_print(&text, config, 2);
    rc = rc ? rc : publish_file(publish, "config.json", text, strlen(text));
    mem_free(text);
    js_free(config);
    return rc;
}

/* ---- the order of tokens ---- */

int gpt_permute_tokens(Gpt *gpt, const uint8_t *order)
{
    const size_t V = (size_t)gpt->cfg.d_vocab, C = (size_t)gpt->cfg.d_model;
    real *W_E = gpt->params + gpt->map.W_E, *W_U = gpt->params + gpt->map.W_U;
    real *b_U = gpt->params + gpt->map.b_U;
    real *old = mem_alloc(V * C, sizeof(*old), "token embeddings");
    if (!old) {
        return OGPT_ENOMEM;
    }
    memcpy(old, W_E, V * C * sizeof(*old));
    for (size_t v = 0; v < V; v++) {
        memcpy(W_E + v * C, old + order[v] * C, C * sizeof(*old));
    }
    memcpy(old, W_U, V * C * sizeof(*old));
    for (size_t c = 0; c < C; c++) {
        for (size_t v = 0; v < V; v++) {
            W_U[c * V + v] = old[c * V + order[v]];
        }
    }
    memcpy(old, b_U, V * sizeof(*old));
    for (size_t v = 0; v < V; v++) {
        b_U[v] = old[order[v]];
    }
    mem_free(old);
    return 0;
}
