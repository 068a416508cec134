/* probes/board/probe_file.c - see probes/board/probe.h: probes on disk, published whole and
 * checked completely when read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"
#include "base/manifest.h"
#include "base/formats/safetensors.h"
#include "datasets/vocab.h"
#include "probes/board/probe.h"

/* Format 2 adds the hidden layer. Linear probes are written in format 1, so that older programs can
 * read them. */
#define FORMAT_LINEAR 1
#define FORMAT_HIDDEN 2
#define PROBE_JSON_MAX_BYTES (1 << 20)
#define PROBE_MAX_WIDTH 65536
#define PROBE_MAX_NUMBERS (1 << 26) /* in all layers: 256 MiB, hundreds of real probes */
#define TENSOR_NAME_MAX 80
#define MAX_LAYER_TENSORS 4

/* Names, shapes and data of the tensors of layer index i: two for a linear probe, four with a
 * hidden layer. Returns how many. */
static size_t layer_tensors(StEntry entries[MAX_LAYER_TENSORS],
                            char names[MAX_LAYER_TENSORS][TENSOR_NAME_MAX], const Probe *probe,
                            int i)
{
    char hook[64];
    int block;
    HookSite site = probe_hook(&block, probe, probe->layers[i]);
    hook_full_name(hook, site, block);
    snprintf(names[0], TENSOR_NAME_MAX, "%s.weight", hook);
    snprintf(names[1], TENSOR_NAME_MAX, "%s.bias", hook);
    snprintf(names[2], TENSOR_NAME_MAX, "%s.hidden.weight", hook);
    snprintf(names[3], TENSOR_NAME_MAX, "%s.hidden.bias", hook);
    uint64_t width = (uint64_t)probe->d_model, size = (uint64_t)probe->size;
    uint64_t classes = (uint64_t)probe->n_classes, hidden = (uint64_t)probe->n_hidden;
    uint64_t inputs = probe_inputs(probe);
    entries[0] = (StEntry){.name = names[0],
                           .rank = 4,
                           .shape = {inputs, size, size, classes},
                           .data = probe->weight[i]};
    entries[1] = (StEntry){
        .name = names[1], .rank = 3, .shape = {size, size, classes}, .data = probe->bias[i]};
    entries[2] = (StEntry){
        .name = names[2], .rank = 2, .shape = {width, hidden}, .data = probe->hidden_weight[i]};
    entries[3] =
        (StEntry){.name = names[3], .rank = 1, .shape = {hidden}, .data = probe->hidden_bias[i]};
    return hidden > 0 ? 4 : 2;
}

/* ---- writing ---- */

/* The indices of the squares whose bits are set. */
static Js *squares_json(uint64_t squares)
{
    Js *list = js_array();
    for (int s = 0; s < BOARD_SQUARES; s++) {
        if (squares >> s & 1) {
            js_push(list, js_int(s));
        }
    }
    return list;
}

static Js *layer_json(const Probe *probe, int i)
{
    Js *layer = js_object();
    js_set_int(layer, "layer", probe->layers[i]);
    js_set_bool(layer, "fitted", probe->fitted[i]);
    js_set(layer, "objective", probe->fitted[i] ? js_num(probe->fit[i].objective) : js_null());
    if (probe->fitted[i] && !isnan(probe->seconds[i])) {
        js_set_num(layer, "l2", probe->fit[i].l2);
        js_set_num(layer, "gradient", probe->fit[i].gradient);
        js_set_int(layer, "rounds", probe->fit[i].rounds);
        if (probe->n_hidden > 0) {
            js_set_int(layer, "kept_epoch", probe->fit[i].kept);
        }
        js_set_int(layer, "absent_classes", (int64_t)probe->fit[i].n_absent);
        js_set_int(layer, "unconverged_squares", (int64_t)probe->fit[i].n_unconverged);
        if (probe->fit[i].unconverged) {
            js_set(layer, "unconverged", squares_json(probe->fit[i].unconverged));
        }
        js_set_num(layer, "seconds", probe->seconds[i]);
    }
    return layer;
}

static Js *probe_json(const Probe *probe)
{
    Js *json = js_object();
    js_set_int(json, "format", probe->n_hidden > 0 ? FORMAT_HIDDEN : FORMAT_LINEAR);
    js_set_str(json, "task", probe->task);
    Js *classes = js_array();
    for (int k = 0; k < probe->n_classes; k++) {
        js_push(classes, js_str(probe->classes[k]));
    }
    js_set(json, "classes", classes);
    js_set_str(json, "labels", probe->labels);
    js_set_str(json, "solver", probe->solver);
    js_set_num(json, "l2", probe->l2); /* 0: chosen for each layer */
    if (probe->epochs > 0) {
        js_set_int(json, "epochs", probe->epochs);
    }
    js_set_str(json, "site", hook_site_name(probe->site));
    js_set_int(json, "size", probe->size);
    js_set_int(json, "d_model", probe->d_model);
    if (probe->n_hidden > 0) {
        js_set_int(json, "hidden", probe->n_hidden);
    }
    Js *layers = js_array();
    for (int i = 0; i < probe->n_layers; i++) {
        js_push(layers, layer_json(probe, i));
    }
    js_set(json, "layers", layers);
    js_set_str(json, "split", "train");
    js_set_int(json, "games", probe->n_games);
    js_set_int(json, "plies", probe->plies);
    js_set_int(json, "positions", probe->n_positions);
    if (probe->n_valid_games > 0) {
        js_set_int(json, "validation_games", probe->n_valid_games);
    }
    js_set_int(json, "seed", (int64_t)probe->seed);
    js_set_str(json, "model_hash", probe->model_hash);
    js_set_str(json, "corpus_hash", probe->corpus_hash);
    if (probe->split_rules != 0) {
        js_set_str(json, "split_rule", split_rules_name(probe->split_rules));
    }
    return json;
}

static int write_tensors(Publish *publish, const Probe *probe)
{
    StEntry entries[MAX_LAYER_TENSORS * LAYERS_MAX];
    char names[MAX_LAYER_TENSORS * LAYERS_MAX][TENSOR_NAME_MAX];
    size_t n = 0;
    for (int i = 0; i < probe->n_layers; i++) {
        if (probe->fitted[i]) {
            n += layer_tensors(entries + n, names + n, probe, i);
        }
    }
    char file[FILES_PATH_MAX];
    int rc = publish_path(file, publish, "probe.safetensors");
    rc = rc ? rc : st_write(file, entries, n, NULL, 0);
    return rc ? rc : publish_adopt(publish, "probe.safetensors");
}

int probe_check_goal(const char *path)
{
    PathKind kind = PATH_MISSING, listed = PATH_MISSING, described = PATH_MISSING;
    int rc = path_kind(&kind, path);
    rc = rc ? rc : path_kind_in(&listed, path, MANIFEST_NAME);
    rc = rc ? rc : path_kind_in(&described, path, "probe.json");
    if (rc == 0 && kind != PATH_MISSING && (listed != PATH_FILE || described != PATH_FILE)) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: is not a probe (it holds no MANIFEST.json and probe.json) and is not "
                     "replaced; choose another name for the probe",
                     path);
    }
    return rc;
}

int probe_write(Publish *publish, Js **fields, const Probe *probe)
{
    Js *json = probe_json(probe);
    char *text = NULL;
    int rc = js_print(&text, json, 2);
    rc = rc ? rc : write_tensors(publish, probe);
    rc = rc ? rc : publish_file(publish, "probe.json", text, strlen(text));
    mem_free(text);
    js_free(json);
    *fields = js_object();
    js_set_str(*fields, "kind", "probe");
    js_set_str(*fields, "task", probe->task);
    js_set_str(*fields, "model_hash", probe->model_hash);
    js_set_str(*fields, "corpus_hash", probe->corpus_hash);
    return rc;
}

int probe_save(const Probe *probe, const char *path)
{
    Publish *publish = NULL;
    Js *fields = NULL;
    int rc = probe_check_goal(path);
    rc = rc ? rc : publish_begin(&publish, path, true);
    rc = rc ? rc : probe_write(publish, &fields, probe);
    if (rc == 0) {
        rc = publish_commit(publish, fields);
        publish = NULL; /* the commit freed it, also after an error */
    }
    publish_abort(publish);
    js_free(fields);
    return rc;
}

/* ---- reading ---- */

/* Copy a string member into a field of `room` bytes. Refuse empty and over-long ones. */
static int read_text(char *out, size_t room, const Js *json, const char *key, const char *origin)
{
    const char *text;
    int rc = js_get_str(&text, json, key, origin);
    if (rc) {
        return rc;
    }
    if (strlen(text) >= room) {
        return err_set(OGPT_EFORMAT, "%s: \"%s\" has %zu bytes, expected at most %zu", origin, key,
                       strlen(text), room - 1);
    }
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

static int read_int(int *out, const Js *json, const char *key, int64_t min, int64_t max,
                    const char *origin)
{
    int64_t value;
    int rc = js_get_int(&value, json, key, min, max, origin);
    if (rc == 0) {
        *out = (int)value;
    }
    return rc;
}

static int read_classes(Probe *out, const Js *json, const char *origin)
{
    const Js *classes;
    int rc = js_get_array(&classes, json, "classes", origin);
    if (rc) {
        return rc;
    }
    size_t n = js_length(classes);
    if (n < 2 || n > TASK_MAX_CLASSES) {
        return err_set(OGPT_EFORMAT, "%s: \"classes\" holds %zu names, expected 2 to %d", origin, n,
                       TASK_MAX_CLASSES);
    }
    out->n_classes = (int)n;
    for (size_t k = 0; k < n; k++) {
        const char *name = js_str_of(js_at(classes, k));
        if (!name || strlen(name) >= sizeof(out->classes[k])) {
            return err_set(OGPT_EFORMAT, "%s: \"classes\"[%zu] is not a name of at most %zu bytes",
                           origin, k, sizeof(out->classes[k]) - 1);
        }
        memcpy(out->classes[k], name, strlen(name) + 1);
    }
    return 0;
}

/* Optional: an earlier program wrote the count alone. */
static int read_squares(uint64_t *out, const Js *layer, int64_t most, const char *origin)
{
    const Js *list = NULL;
    int rc = js_has(layer, "unconverged") ? js_get_array(&list, layer, "unconverged", origin) : 0;
    *out = 0;
    for (size_t i = 0; rc == 0 && i < js_length(list); i++) {
        int64_t square = js_int_of(js_at(list, i));
        if (js_type(js_at(list, i)) != JS_INT || square < 0 || square >= most) {
            return err_set(OGPT_EFORMAT, "%s: unconverged[%zu]: expected a square from 0 to %d",
                           origin, i, (int)most - 1);
        }
        *out |= (uint64_t)1 << square;
    }
    return rc;
}

/* The counts of the fit of layer index i. Files of an earlier program hold only the objective. */
static int read_fit(Probe *out, int i, const Js *layer, const char *origin)
{
    FitReport *fit = &out->fit[i];
    int64_t most = (int64_t)out->size * out->size, n_absent, n_unconverged;
    const Js *gradient = js_member(layer, "gradient"); /* null from liblinear */
    const Js *l2 = js_member(layer, "l2");             /* null from adamw */
    int rc = js_get_num(&fit->objective, layer, "objective", origin);
    fit->gradient = gradient ? js_num_of(gradient) : NAN;
    fit->l2 = l2 ? js_num_of(l2) : out->l2;
    out->seconds[i] = NAN;
    if (rc || !js_has(layer, "seconds")) {
        return rc;
    }
    rc = read_int(&fit->rounds, layer, "rounds", 0, INT32_MAX, origin);
    if (rc == 0 && js_has(layer, "kept_epoch")) {
        rc = read_int(&fit->kept, layer, "kept_epoch", 0, fit->rounds, origin);
    }
    rc = rc ? rc : js_get_int(&n_absent, layer, "absent_classes", 0, most * out->n_classes, origin);
    rc = rc ? rc : js_get_int(&n_unconverged, layer, "unconverged_squares", 0, most, origin);
    rc = rc ? rc : read_squares(&fit->unconverged, layer, most, origin);
    rc = rc ? rc : js_get_num(&out->seconds[i], layer, "seconds", origin);
    if (rc == 0) {
        fit->n_absent = (size_t)n_absent;
        fit->n_unconverged = (size_t)n_unconverged;
    }
    return rc;
}

static int read_layers(Probe *out, const Js *json, const char *origin)
{
    const Js *layers;
    int rc = js_get_array(&layers, json, "layers", origin);
    if (rc) {
        return rc;
    }
    size_t n = js_length(layers);
    if (n < 1 || n > LAYERS_MAX) {
        return err_set(OGPT_EFORMAT, "%s: \"layers\" holds %zu entries, expected 1 to %d", origin,
                       n, LAYERS_MAX);
    }
    out->n_layers = (int)n;
    for (size_t i = 0; i < n; i++) {
        const Js *layer = js_at(layers, i);
        rc = read_int(&out->layers[i], layer, "layer", LAYER_EMBED, LAYERS_MAX - 2, origin);
        rc = rc ? rc : js_get_bool(&out->fitted[i], layer, "fitted", origin);
        if (rc == 0 && out->fitted[i]) {
            rc = read_fit(out, (int)i, layer, origin);
        }
        if (rc) {
            return rc;
        }
        if (i > 0 && out->layers[i] <= out->layers[i - 1]) {
            return err_set(OGPT_EFORMAT, "%s: layer %d follows layer %d, expected ascending order",
                           origin, out->layers[i], out->layers[i - 1]);
        }
    }
    return 0;
}

static int read_json(Probe *out, const Js *json, const char *origin)
{
    int64_t format, seed;
    const char *site = NULL;
    int rc = js_get_int(&format, json, "format", 1, INT64_MAX, origin);
    if (rc == 0 && format > FORMAT_HIDDEN) {
        return err_set(OGPT_EVERSION, "%s: format %lld, this program reads up to %d", origin,
                       (long long)format, FORMAT_HIDDEN);
    }
    rc = rc ? rc : read_text(out->task, sizeof(out->task), json, "task", origin);
    rc = rc ? rc : read_text(out->labels, sizeof(out->labels), json, "labels", origin);
    rc = rc ? rc : read_text(out->solver, sizeof(out->solver), json, "solver", origin);
    rc = rc ? rc : read_text(out->model_hash, sizeof(out->model_hash), json, "model_hash", origin);
    rc = rc ? rc
            : read_text(out->corpus_hash, sizeof(out->corpus_hash), json, "corpus_hash", origin);
    out->split_rules = rc || out->corpus_hash[0] == '\0'
                           ? 0
                           : split_rules_of(js_str_of(js_member(json, "split_rule")));
    rc = rc ? rc : read_int(&out->size, json, "size", 4, 8, origin);
    rc = rc ? rc : read_int(&out->d_model, json, "d_model", 1, PROBE_MAX_WIDTH, origin);
    if (format == FORMAT_HIDDEN) {
        rc = rc ? rc : read_int(&out->n_hidden, json, "hidden", 1, PROBE_MAX_HIDDEN, origin);
    }
    rc = rc ? rc : js_get_num(&out->l2, json, "l2", origin);
    if (rc == 0 && js_has(json, "epochs")) {
        rc = read_int(&out->epochs, json, "epochs", 1, INT32_MAX, origin);
    }
    rc = rc ? rc : js_get_int(&out->n_games, json, "games", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_int(&out->plies, json, "plies", 0, GAME_MAX_MOVES, origin);
    rc = rc ? rc : js_get_int(&out->n_positions, json, "positions", 0, INT64_MAX, origin);
    if (rc == 0 && js_has(json, "validation_games")) {
        rc = js_get_int(&out->n_valid_games, json, "validation_games", 1, INT64_MAX, origin);
    }
    rc = rc ? rc : js_get_int(&seed, json, "seed", INT64_MIN, INT64_MAX, origin);
    rc = rc ? rc : js_get_str(&site, json, "site", origin);
    rc = rc ? rc : read_classes(out, json, origin);
    rc = rc ? rc : read_layers(out, json, origin);
    if (rc) {
        return rc;
    }
    out->seed = (uint64_t)seed;
    int parsed = hook_site_parse_for(site, HOOK_USE_VECTOR);
    if (parsed < 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: \"site\" is \"%s\", expected a hook site such as "
                       "\"resid_post\"",
                       origin, site);
    }
    out->site = (HookSite)parsed;
    if (!game_variant(out->size)) {
        return err_set(OGPT_EFORMAT, "%s: \"size\" is %d, expected 4, 6 or 8", origin, out->size);
    }
    out->n_squares = out->size * out->size;
    uint64_t cells = (uint64_t)out->n_squares * (uint64_t)out->n_classes;
    uint64_t hidden = (uint64_t)out->d_model * (uint64_t)out->n_hidden;
    uint64_t numbers = (uint64_t)out->n_layers * (probe_inputs(out) * cells + hidden);
    if (numbers > PROBE_MAX_NUMBERS) {
        return err_set(OGPT_EFORMAT, "%s: describes %llu numbers, expected at most %d", origin,
                       (unsigned long long)numbers, PROBE_MAX_NUMBERS);
    }
    return 0;
}

/* Read the tensors of every fitted layer. Refuse other shapes and other tensors. */
static int read_tensors(Probe *out, const char *path, const char *sha256)
{
    StEntry entries[MAX_LAYER_TENSORS];
    char names[MAX_LAYER_TENSORS][TENSOR_NAME_MAX];
    StFile *file = NULL;
    int rc = sha256 ? st_open_listed(&file, path, sha256) : st_open(&file, path);
    if (rc) {
        return rc;
    }
    size_t per_layer = layer_tensors(entries, names, out, 0), n_fitted = 0;
    for (int i = 0; i < out->n_layers; i++) {
        n_fitted += out->fitted[i];
    }
    if (st_count(file) != per_layer * n_fitted) {
        rc = err_set(OGPT_EFORMAT, "%s: %zu tensors, expected %zu (%zu a fitted layer)", path,
                     st_count(file), per_layer * n_fitted, per_layer);
    }
    for (int i = 0; i < out->n_layers && rc == 0; i++) {
        size_t n = out->fitted[i] ? layer_tensors(entries, names, out, i) : 0;
        float *const values[MAX_LAYER_TENSORS] = {out->weight[i], out->bias[i],
                                                  out->hidden_weight[i], out->hidden_bias[i]};
        for (size_t t = 0; t < n && rc == 0; t++) {
            rc = st_read_f32(values[t], file, names[t], entries[t].rank, entries[t].shape, false);
        }
    }
    st_close(file);
    return rc;
}

/* Explain why a file is not a probe; for a pickle, say how to convert it. */
static int refuse_file(const char *path)
{
    StFile *file = NULL;
    int rc = st_open(&file, path);
    st_close(file);
    if (rc) {
        return err_set(rc, "%s; a probe is a directory that ogpt probe fit makes", err_message());
    }
    return err_set(
        OGPT_EFORMAT,
        "%s: expected a probe directory, found a file; ogpt convert brings the published "
        "probe's tensor here (--from mingpt)",
        path);
}

int probe_load(Probe *out, const char *path)
{
    *out = (Probe){0};
    Js *json = NULL;
    char file[FILES_PATH_MAX];
    PathKind kind;
    PathPin pin = {.fd = -1};
    Js *manifest = NULL;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind != PATH_DIRECTORY) { /* no such directory: manifest_verify has the words */
        return kind == PATH_FILE ? refuse_file(path) : manifest_verify(NULL, path);
    }
    rc = rc ? rc : path_pin(&pin, path);
    rc = rc ? rc : manifest_verify(&manifest, pin.path);
    rc = rc ? rc : path_join(file, pin.path, "probe.json");
    rc = rc ? rc : js_parse_file(&json, file, PROBE_JSON_MAX_BYTES);
    rc = rc ? rc : read_json(out, json, file);
    rc = rc ? rc : path_join(file, pin.path, "probe.safetensors");
    rc = rc ? rc : probe_allocate(out);
    rc = rc ? rc : read_tensors(out, file, manifest_file_sha256(manifest, "probe.safetensors"));
    js_free(manifest);
    js_free(json);
    rc = path_unpin(&pin, path, rc);
    if (rc) {
        probe_release(out);
    }
    return rc;
}

void probe_hash(Sha256 *hash, const Probe *probe)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    sha256_add(hash, probe->task, strlen(probe->task) + 1);
    sha256_add(hash, probe->labels, strlen(probe->labels) + 1);
    for (int i = 0; i < probe->n_layers; i++) {
        sha256_add(hash, &probe->layers[i], sizeof(probe->layers[i]));
        sha256_add(hash, probe->weight[i], probe_inputs(probe) * cells * sizeof(float));
        sha256_add(hash, probe->bias[i], cells * sizeof(float));
        if (probe->n_hidden > 0) {
            size_t hidden = (size_t)probe->n_hidden;
            sha256_add(hash, probe->hidden_weight[i],
                       (size_t)probe->d_model * hidden * sizeof(float));
            sha256_add(hash, probe->hidden_bias[i], hidden * sizeof(float));
        }
    }
}
