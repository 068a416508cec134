/* probes/sae/sae_file.c - contract in probes/sae/sae.h: autoencoders on disk, with the names of
 * SAELens (version 6), published whole and checked completely when read. What SAELens has no name
 * for is in cfg.json under "metadata", "ogpt". */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/formats/safetensors.h"
#include "probes/sae/sae.h"

#define SAE_FORMAT 1
#define SAE_TENSORS "sae_weights.safetensors"
#define SAE_CONFIG "cfg.json"
#define CONFIG_MAX_BYTES (1 << 20)
#define MAX_TENSORS 6
/* Rows of W_dec have length 1 up to float's rounding in up to 16,384 squares. */
#define LENGTH_TOLERANCE 1e-3

/* What SAELens calls the thing that computes the same. */
static const char *architecture_of(SaeKind kind)
{
    switch (kind) {
    case SAE_STANDARD: return "standard";
    case SAE_GATED: return "gated";
    case SAE_TOPK: return "topk";
    case SAE_TRANSCODER: return "jumprelu_transcoder";
    default: return "jumprelu";
    }
}

/* Names, shapes and places of the tensors on file; W_enc is transposed there, in `turned`. */
static size_t file_tensors(StEntry entries[MAX_TENSORS], const Sae *sae, float *turned)
{
    const SaeConfig *cfg = &sae->cfg;
    const uint64_t m = cfg->features;
    size_t n = 0;
    entries[n++] = (StEntry){.name = "W_enc", .rank = 2, .shape = {cfg->d_in, m}, .data = turned};
    entries[n++] =
        (StEntry){.name = "W_dec", .rank = 2, .shape = {m, cfg->d_out}, .data = sae->w_dec};
    entries[n++] = (StEntry){.name = cfg->kind == SAE_GATED ? "b_gate" : "b_enc",
                             .rank = 1,
                             .shape = {m},
                             .data = sae->b_enc};
    entries[n++] = (StEntry){.name = "b_dec", .rank = 1, .shape = {cfg->d_out}, .data = sae->b_dec};
    if (cfg->kind == SAE_GATED) {
        entries[n++] = (StEntry){.name = "r_mag", .rank = 1, .shape = {m}, .data = sae->r_mag};
        entries[n++] = (StEntry){.name = "b_mag", .rank = 1, .shape = {m}, .data = sae->b_mag};
    } else if (sae->theta) {
        entries[n++] = (StEntry){.name = "threshold", .rank = 1, .shape = {m}, .data = sae->theta};
    }
    return n;
}

/* ---- writing ---- */

static Js *own_json(const SaeConfig *cfg)
{
    Js *own = js_object();
    js_set_int(own, "format", SAE_FORMAT);
    js_set_str(own, "kind", sae_kind_name(cfg->kind));
    js_set_str(own, "site", hook_site_name(cfg->site));
    js_set_str(own, "site_out", hook_site_name(cfg->site_out));
    js_set_int(own, "layer", cfg->layer);
    js_set_str(own, "model_hash", cfg->model_hash);
    js_set_str(own, "games", cfg->games);
    js_set_int(own, "k", (int64_t)cfg->k);
    js_set_num(own, "l1", cfg->l1);
    js_set_num(own, "l0", cfg->l0);
    js_set_num(own, "scale", cfg->scale);
    js_set_num(own, "scale_out", cfg->scale_out);
    js_set_int(own, "activations", cfg->activations);
    js_set_int(own, "batch", cfg->batch);
    js_set_num(own, "lr", cfg->lr);
    js_set_int(own, "seed", (int64_t)cfg->seed);
    js_set_num(own, "loss", cfg->loss);
    js_set_num(own, "mean_l0", cfg->mean_l0);
    js_set_num(own, "explained", cfg->explained);
    js_set_num(own, "dead", cfg->dead);
    return own;
}

static Js *config_json(const SaeConfig *cfg)
{
    char hook[64], hook_out[64];
    hook_full_name(hook, cfg->layer == LAYER_EMBED ? HOOK_RESID_PRE : cfg->site,
                   cfg->layer == LAYER_EMBED ? 0 : cfg->layer);
    hook_full_name(hook_out, cfg->site_out, cfg->layer);
    Js *json = js_object();
    js_set_str(json, "architecture", architecture_of(cfg->kind));
    js_set_int(json, "d_in", (int64_t)cfg->d_in);
    js_set_int(json, "d_sae", (int64_t)cfg->features);
    if (cfg->kind == SAE_TRANSCODER) {
        js_set_int(json, "d_out", (int64_t)cfg->d_out);
    } else if (cfg->kind == SAE_TOPK) {
        js_set_int(json, "k", (int64_t)cfg->k);
        js_set_bool(json, "rescale_acts_by_decoder_norm", false);
    }
    js_set_str(json, "dtype", "float32");
    js_set_str(json, "device", "cpu");
    js_set_bool(json, "apply_b_dec_to_input", cfg->kind != SAE_TRANSCODER);
    js_set_str(json, "normalize_activations", "none"); /* it is folded into the weights */
    js_set_str(json, "reshape_activations", "none");
    Js *metadata = js_object();
    js_set_str(metadata, "model_name", "othello-gpt");
    js_set_str(metadata, "hook_name", hook);
    if (cfg->kind == SAE_TRANSCODER) {
        js_set_str(metadata, "hook_name_out", hook_out);
    }
    js_set_bool(metadata, "prepend_bos", false);
    js_set(metadata, "ogpt", own_json(cfg));
    js_set(json, "metadata", metadata);
    return json;
}

int sae_check_goal(const char *path)
{
    PathKind kind = PATH_MISSING, listed = PATH_MISSING, described = PATH_MISSING;
    PathKind filled = PATH_MISSING;
    int rc = path_kind(&kind, path);
    rc = rc ? rc : path_kind_in(&listed, path, MANIFEST_NAME);
    rc = rc ? rc : path_kind_in(&described, path, SAE_CONFIG);
    rc = rc ? rc : path_kind_in(&filled, path, SAE_TENSORS);
    bool own = listed == PATH_FILE && described == PATH_FILE && filled == PATH_FILE;
    if (rc == 0 && kind != PATH_MISSING && !own) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: is not an autoencoder (it does not hold MANIFEST.json, " SAE_CONFIG
                     " and " SAE_TENSORS ") and is not replaced; choose another name",
                     path);
    }
    return rc;
}

/* Either way: rows x columns of `from` become columns x rows. */
static void turn(float *to, const float *from, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            to[c * rows + r] = from[r * columns + c];
        }
    }
}

static int write_tensors(Publish *publish, const Sae *sae)
{
    const SaeConfig *cfg = &sae->cfg;
    StEntry entries[MAX_TENSORS];
    char file[FILES_PATH_MAX];
    float *turned = mem_alloc(cfg->d_in * cfg->features, sizeof(float), "an encoder");
    if (!turned) {
        return OGPT_ENOMEM;
    }
    turn(turned, sae->w_enc, cfg->features, cfg->d_in);
    size_t n = file_tensors(entries, sae, turned);
    int rc = publish_path(file, publish, SAE_TENSORS);
    rc = rc ? rc : st_write(file, entries, n, NULL, 0);
    rc = rc ? rc : publish_adopt(publish, SAE_TENSORS);
    mem_free(turned);
    return rc;
}

int sae_save(const Sae *sae, const char *path, const Js *about)
{
    Publish *publish = NULL;
    Js *json = config_json(&sae->cfg), *fields = js_object();
    char *text = NULL;
    js_set_str(fields, "kind", "sae");
    js_set_str(fields, "model_hash", sae->cfg.model_hash);
    js_set_str(fields, "games", sae->cfg.games);
    if (about) {
        js_set(fields, "about", js_keep(about));
    }
    int rc = sae_check_goal(path);
    rc = rc ? rc : js_print(&text, json, 2);
    rc = rc ? rc : publish_begin(&publish, path, true);
    rc = rc ? rc : write_tensors(publish, sae);
    rc = rc ? rc : publish_file(publish, SAE_CONFIG, text, strlen(text));
    if (rc == 0) {
        rc = publish_commit(publish, fields);
        publish = NULL; /* the commit freed it, also after an error */
    }
    publish_abort(publish);
    mem_free(text);
    js_free(fields);
    js_free(json);
    return rc;
}

/* ---- reading ---- */

static int read_text(char *out, size_t room, const Js *json, const char *key, const char *origin)
{
    const char *text;
    int rc = js_get_str(&text, json, key, origin);
    if (rc == 0 && strlen(text) >= room) {
        rc = err_set(OGPT_EFORMAT, "%s: \"%s\" has %zu bytes, expected at most %zu", origin, key,
                     strlen(text), room - 1);
    }
    if (rc == 0) {
        memcpy(out, text, strlen(text) + 1);
    }
    return rc;
}

static int read_size(size_t *out, const Js *json, const char *key, int64_t min, int64_t max,
                     const char *origin)
{
    int64_t value = 0;
    int rc = js_get_int(&value, json, key, min, max, origin);
    *out = (size_t)value;
    return rc;
}

static int read_site(HookSite *out, const Js *own, const char *key, const char *origin)
{
    const char *name = "";
    int rc = js_get_str(&name, own, key, origin);
    const int site = rc ? -1 : hook_site_parse_for(name, HOOK_USE_VECTOR);
    if (rc == 0 && site < 0) {
        rc = err_set(OGPT_EFORMAT, "%s: \"%s\" is \"%.40s\", expected one of " HOOK_NAMES_VECTOR,
                     origin, key, name);
    }
    *out = (HookSite)(site < 0 ? 0 : site);
    return rc;
}

static int read_kind(SaeConfig *out, const Js *json, const Js *own, const char *origin)
{
    const char *kind = "", *architecture = "";
    int rc = js_get_str(&kind, own, "kind", origin);
    rc = rc ? rc : js_get_str(&architecture, json, "architecture", origin);
    const int parsed = rc ? -1 : sae_kind_parse(kind);
    if (rc) {
        return rc;
    }
    if (parsed < 0) {
        return err_set(OGPT_EFORMAT, "%s: unknown kind \"%.40s\" of autoencoder", origin, kind);
    }
    out->kind = (SaeKind)parsed;
    if (strcmp(architecture, architecture_of(out->kind)) != 0) {
        return err_set(OGPT_EFORMAT, "%s: \"architecture\" is \"%.40s\", expected \"%s\" of a %s",
                       origin, architecture, architecture_of(out->kind), kind);
    }
    return 0;
}

static int read_figures(SaeConfig *out, const Js *own, const char *origin)
{
    /* A share that was not measured is null. */
    double *const shares[] = {&out->loss, &out->mean_l0, &out->explained, &out->dead};
    static const char *const names[] = {"loss", "mean_l0", "explained", "dead"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const Js *value = js_member(own, names[i]);
        *shares[i] = value ? js_num_of(value) : NAN;
    }
    int64_t seed = 0;
    int rc = js_get_num(&out->l1, own, "l1", origin);
    rc = rc ? rc : js_get_num(&out->l0, own, "l0", origin);
    rc = rc ? rc : js_get_num(&out->scale, own, "scale", origin);
    rc = rc ? rc : js_get_num(&out->scale_out, own, "scale_out", origin);
    rc = rc ? rc : js_get_int(&out->activations, own, "activations", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_int(&out->batch, own, "batch", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_num(&out->lr, own, "lr", origin);
    rc = rc ? rc : js_get_int(&seed, own, "seed", INT64_MIN, INT64_MAX, origin);
    out->seed = (uint64_t)seed;
    return rc;
}

static int read_config(SaeConfig *out, const Js *json, const char *origin)
{
    const Js *metadata = NULL, *own = NULL;
    int64_t format = 0, layer = 0;
    *out = (SaeConfig){0};
    int rc = js_get_object(&metadata, json, "metadata", origin);
    if (rc == 0 && !js_has(metadata, "ogpt")) {
        return err_set(OGPT_EFORMAT,
                       "%s: holds no \"metadata\".\"ogpt\": this autoencoder was not made by ogpt "
                       "sae train, so nobody knows its network and layer",
                       origin);
    }
    rc = rc ? rc : js_get_object(&own, metadata, "ogpt", origin);
    rc = rc ? rc : js_get_int(&format, own, "format", 1, INT32_MAX, origin);
    if (rc == 0 && format != SAE_FORMAT) {
        return err_set(OGPT_EVERSION,
                       "%s: format %" PRId64 ", expected %d: a newer program made it", origin,
                       format, SAE_FORMAT);
    }
    rc = rc ? rc : read_kind(out, json, own, origin);
    rc = rc ? rc : read_size(&out->d_in, json, "d_in", 1, SAE_WIDTH_MAX, origin);
    rc = rc ? rc : read_size(&out->features, json, "d_sae", 1, SAE_FEATURES_MAX, origin);
    out->d_out = out->d_in;
    if (rc == 0 && out->kind == SAE_TRANSCODER) {
        rc = read_size(&out->d_out, json, "d_out", 1, SAE_WIDTH_MAX, origin);
    }
    if (rc == 0 &&
        out->features * (out->d_in > out->d_out ? out->d_in : out->d_out) > SAE_NUMBERS_MAX) {
        return err_set(OGPT_EFORMAT, "%s: %zu features of %zu numbers, expected at most %d in all",
                       origin, out->features, out->d_in, SAE_NUMBERS_MAX);
    }
    rc = rc ? rc
            : read_size(&out->k, own, "k", sae_has_k(out->kind), (int64_t)out->features, origin);
    rc = rc ? rc : read_site(&out->site, own, "site", origin);
    rc = rc ? rc : read_site(&out->site_out, own, "site_out", origin);
    rc = rc ? rc : js_get_int(&layer, own, "layer", LAYER_EMBED, LAYERS_MAX - 2, origin);
    out->layer = (int)layer;
    const bool coder = out->kind == SAE_TRANSCODER;
    if (rc == 0 && ((!coder && out->site_out != out->site) ||
                    (layer == LAYER_EMBED && (coder || out->site != HOOK_RESID_POST)))) {
        return err_set(OGPT_EFORMAT,
                       "%s: a %s of %s, rebuilt as %s, at layer %d: no training makes that", origin,
                       sae_kind_name(out->kind), hook_site_name(out->site),
                       hook_site_name(out->site_out), out->layer);
    }
    rc = rc ? rc : read_text(out->model_hash, sizeof(out->model_hash), own, "model_hash", origin);
    rc = rc ? rc : read_text(out->games, sizeof(out->games), own, "games", origin);
    return rc ? rc : read_figures(out, own, origin);
}

static int check_lengths(const Sae *sae, const char *path)
{
    const size_t d = sae->cfg.d_out;
    for (size_t j = 0; j < sae->cfg.features; j++) {
        double sum = 0;
        for (size_t c = 0; c < d; c++) {
            sum += (double)sae->w_dec[j * d + c] * sae->w_dec[j * d + c];
        }
        if (!(fabs(sqrt(sum) - 1) <= LENGTH_TOLERANCE)) {
            return err_set(OGPT_EFORMAT,
                           "%s: row %zu of W_dec has length %.4g, expected 1 (fold the lengths "
                           "into the encoder)",
                           path, j, sqrt(sum));
        }
    }
    return 0;
}

static int read_tensors(Sae *sae, const char *path, const char *sha256)
{
    const SaeConfig *cfg = &sae->cfg;
    StFile *file = NULL;
    StEntry entries[MAX_TENSORS];
    int rc = st_open_listed(&file, path, sha256);
    size_t n = file_tensors(entries, sae, NULL);
    if (rc == 0 && st_count(file) != n) {
        rc = err_set(OGPT_EFORMAT, "%s: %zu tensors, expected %zu of a %s", path, st_count(file), n,
                     sae_kind_name(cfg->kind));
    }
    /* The shapes are checked before the memory for turning is asked for. */
    for (size_t t = 1; t < n && rc == 0; t++) {
        rc = st_read_f32((float *)entries[t].data, file, entries[t].name, entries[t].rank,
                         entries[t].shape, false);
    }
    float *turned = rc ? NULL : mem_alloc(cfg->d_in * cfg->features, sizeof(float), "an encoder");
    rc = rc || turned ? rc : OGPT_ENOMEM;
    rc = rc ? rc : st_read_f32(turned, file, "W_enc", 2, entries[0].shape, false);
    if (rc == 0) {
        turn(sae->w_enc, turned, cfg->d_in, cfg->features);
        rc = check_lengths(sae, path);
    }
    mem_free(turned);
    st_close(file);
    return rc;
}

/* Whether the file can hold what cfg.json describes, before memory is asked for. */
static int check_room(const SaeConfig *cfg, const char *path)
{
    uint64_t bytes = 0, least = (uint64_t)cfg->features * (cfg->d_in + cfg->d_out) * sizeof(float);
    int rc = file_size(&bytes, path);
    if (rc == 0 && bytes < least) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: %" PRIu64 " bytes, expected at least %" PRIu64
                     " for %zu features of %zu numbers, as " SAE_CONFIG " says",
                     path, bytes, least, cfg->features, cfg->d_in);
    }
    return rc;
}

int sae_open(Sae **out, const char *path)
{
    SaeConfig cfg;
    Js *json = NULL, *manifest = NULL;
    char config[FILES_PATH_MAX], tensors[FILES_PATH_MAX];
    PathKind kind;
    PathPin pin = {.fd = -1};
    *out = NULL;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_FILE) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected a directory that ogpt sae train made, found a file", path);
    }
    if (rc == 0 && kind != PATH_DIRECTORY) {
        return manifest_verify(NULL, path); /* it has the words */
    }
    rc = rc ? rc : path_pin(&pin, path);
    rc = rc ? rc : manifest_verify(&manifest, pin.path);
    rc = rc ? rc : path_join(config, pin.path, SAE_CONFIG);
    rc = rc ? rc : path_join(tensors, pin.path, SAE_TENSORS);
    rc = rc ? rc : js_parse_file(&json, config, CONFIG_MAX_BYTES);
    rc = rc ? rc : read_config(&cfg, json, config);
    rc = rc ? rc : check_room(&cfg, tensors);
    rc = rc ? rc : sae_new(out, &cfg);
    rc = rc ? rc : read_tensors(*out, tensors, manifest_file_sha256(manifest, SAE_TENSORS));
    js_free(manifest);
    js_free(json);
    rc = path_unpin(&pin, path, rc);
    if (rc) {
        sae_free(*out);
        *out = NULL;
        return rc;
    }
    sae_prepare(*out);
    return 0;
}

int sae_check(const Sae *sae, const char *path, const GptConfig *cfg, const char *model_hash,
              const char *model, int site, int layer)
{
    const SaeConfig *own = &sae->cfg;
    const struct {
        size_t width;
        HookSite site;
        const char *takes;
    } ends[] = {{own->d_in, own->site, "takes"}, {own->d_out, own->site_out, "gives"}};
    for (size_t i = 0; cfg && i < sizeof(ends) / sizeof(*ends); i++) {
        const size_t width = hook_width(cfg, ends[i].site, (size_t)cfg->n_ctx);
        if (ends[i].width != width) {
            return err_set(
                OGPT_EFORMAT,
                "%s: %s rows of %zu numbers, but %s of %s has %zu: it belongs to another "
                "network",
                path, ends[i].takes, ends[i].width, hook_site_name(ends[i].site), model, width);
        }
    }
    if (cfg && own->layer >= cfg->n_layers) {
        return err_set(OGPT_EFORMAT, "%s: is of layer %d, but %s has %d layers, counted from 0",
                       path, own->layer, model, cfg->n_layers);
    }
    if (model_hash && strcmp(model_hash, own->model_hash) != 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: was trained on the network %.12s, but %s is %.12s: train one on it "
                       "(ogpt sae train)",
                       path, own->model_hash, model, model_hash);
    }
    if (site >= 0 && ((int)own->site != site || own->layer != layer)) {
        return err_set(
            OGPT_EFORMAT, "%s: was trained at %s of layer %d, but %s of layer %d is asked for",
            path, hook_site_name(own->site), own->layer, hook_site_name((HookSite)site), layer);
    }
    return 0;
}
