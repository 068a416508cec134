/* probes/probe.c - linear probes in memory and on disk. See probes/probe.h. */
#include "probes/probe.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"
#include "base/manifest.h"
#include "base/safetensors.h"
#include "datasets/vocab.h"
#include "num/blas.h"

#define PROBE_FORMAT 1
#define PROBE_JSON_MAX_BYTES (1 << 20)
#define PROBE_MAX_WIDTH 65536
#define TENSOR_NAME_MAX 80

static size_t weight_count(const Probe *probe)
{
    return (size_t)probe->d_model * (size_t)probe->n_squares * (size_t)probe->n_classes;
}

static size_t bias_count(const Probe *probe)
{
    return (size_t)probe->n_squares * (size_t)probe->n_classes;
}

int probe_allocate(Probe *probe)
{
    for (int i = 0; i < probe->n_layers; i++) {
        probe->weight[i] = mem_calloc(weight_count(probe), sizeof(float), "probe weights");
        probe->bias[i] = mem_calloc(bias_count(probe), sizeof(float), "probe biases");
        if (!probe->weight[i] || !probe->bias[i]) {
            probe_release(probe);
            return OGPT_ENOMEM;
        }
    }
    return 0;
}

void probe_release(Probe *probe)
{
    for (int i = 0; i < PROBE_MAX_LAYERS; i++) {
        mem_free(probe->weight[i]);
        mem_free(probe->bias[i]);
        probe->weight[i] = NULL;
        probe->bias[i] = NULL;
    }
}

HookSite probe_hook(int *block, const Probe *probe, int layer)
{
    if (layer == LAYER_EMBED) {
        *block = 0;
        return HOOK_RESID_PRE;
    }
    *block = layer;
    return probe->site;
}

/* Names and shapes of the two tensors of layer index i, as on file. */
static void layer_tensors(StEntry entries[2], char names[2][TENSOR_NAME_MAX], const Probe *probe,
                          int i)
{
    char hook[64];
    int block;
    HookSite site = probe_hook(&block, probe, probe->layers[i]);
    hook_full_name(hook, site, block);
    snprintf(names[0], TENSOR_NAME_MAX, "%s.weight", hook);
    snprintf(names[1], TENSOR_NAME_MAX, "%s.bias", hook);
    uint64_t width = (uint64_t)probe->d_model, size = (uint64_t)probe->size;
    uint64_t classes = (uint64_t)probe->n_classes;
    entries[0] = (StEntry){names[0], 4, {width, size, size, classes}, probe->weight[i]};
    entries[1] = (StEntry){names[1], 3, {size, size, classes}, probe->bias[i]};
}

/* ---- writing ---- */

static Js *layer_json(const Probe *probe, int i)
{
    Js *layer = js_object();
    js_set_int(layer, "layer", probe->layers[i]);
    js_set_bool(layer, "fitted", probe->fitted[i]);
    js_set(layer, "objective", probe->fitted[i] ? js_num(probe->fit[i].objective) : js_null());
    if (probe->fitted[i] && !isnan(probe->seconds[i])) {
        js_set_num(layer, "gradient", probe->fit[i].gradient);
        js_set_int(layer, "rounds", probe->fit[i].rounds);
        js_set_int(layer, "absent_classes", (int64_t)probe->fit[i].n_absent);
        js_set_int(layer, "unconverged_squares", (int64_t)probe->fit[i].n_unconverged);
        js_set_num(layer, "seconds", probe->seconds[i]);
    }
    return layer;
}

static Js *probe_json(const Probe *probe)
{
    Js *json = js_object();
    js_set_int(json, "format", PROBE_FORMAT);
    js_set_str(json, "task", probe->task);
    Js *classes = js_array();
    for (int k = 0; k < probe->n_classes; k++) {
        js_push(classes, js_str(probe->classes[k]));
    }
    js_set(json, "classes", classes);
    js_set_str(json, "labels", probe->labels);
    js_set_str(json, "solver", probe->solver);
    js_set_num(json, "l2", probe->l2);
    js_set_str(json, "site", hook_site_name(probe->site));
    js_set_int(json, "size", probe->size);
    js_set_int(json, "d_model", probe->d_model);
    Js *layers = js_array();
    for (int i = 0; i < probe->n_layers; i++) {
        js_push(layers, layer_json(probe, i));
    }
    js_set(json, "layers", layers);
    js_set_str(json, "split", "train");
    js_set_int(json, "games", probe->n_games);
    js_set_int(json, "plies", probe->plies);
    js_set_int(json, "positions", probe->n_positions);
    js_set_int(json, "seed", (int64_t)probe->seed);
    js_set_str(json, "model_hash", probe->model_hash);
    js_set_str(json, "corpus_hash", probe->corpus_hash);
    return json;
}

static int write_tensors(Publish *publish, const Probe *probe)
{
    StEntry entries[2 * PROBE_MAX_LAYERS];
    char names[2 * PROBE_MAX_LAYERS][TENSOR_NAME_MAX];
    size_t n = 0;
    for (int i = 0; i < probe->n_layers; i++) {
        if (probe->fitted[i]) {
            layer_tensors(entries + n, names + n, probe, i);
            n += 2;
        }
    }
    char file[FILES_PATH_MAX];
    int rc = publish_path(file, publish, "probe.safetensors");
    if (rc == 0) {
        rc = st_write(file, entries, n, NULL, 0);
    }
    return rc ? rc : publish_adopt(publish, "probe.safetensors");
}

int probe_check_goal(const char *path)
{
    char manifest[FILES_PATH_MAX], json[FILES_PATH_MAX];
    if (!dir_exists(path) && !file_exists(path)) {
        return 0;
    }
    int rc = path_join(manifest, path, "MANIFEST.json");
    rc = rc ? rc : path_join(json, path, "probe.json");
    if (rc == 0 && (!file_exists(manifest) || !file_exists(json))) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: is no probe (no MANIFEST.json and probe.json in it) and is not "
                     "replaced; choose another name for the probe",
                     path);
    }
    return rc;
}

int probe_save(const Probe *probe, const char *path)
{
    Publish *publish = NULL;
    Js *json = NULL, *fields = NULL;
    char *text = NULL;
    int rc = probe_check_goal(path);
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc) {
        goto done;
    }
    rc = write_tensors(publish, probe);
    if (rc) {
        goto done;
    }
    json = probe_json(probe);
    rc = js_print(&text, json, 2);
    if (rc) {
        goto done;
    }
    rc = publish_file(publish, "probe.json", text, strlen(text));
    if (rc) {
        goto done;
    }
    fields = js_object();
    js_set_str(fields, "kind", "probe");
    js_set_str(fields, "task", probe->task);
    js_set_str(fields, "model_hash", probe->model_hash);
    js_set_str(fields, "corpus_hash", probe->corpus_hash);
    rc = publish_commit(publish, fields);
    publish = NULL; /* freed by the commit whatever happened */
done:
    if (publish) {
        publish_abort(publish);
    }
    mem_free(text);
    js_free(json);
    js_free(fields);
    return rc;
}

/* ---- reading ---- */

/* Copy a string member into a field of `room` bytes; empty and over-long ones are refused. */
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
    if (n < 2 || n > PROBE_MAX_CLASSES) {
        return err_set(OGPT_EFORMAT, "%s: \"classes\" holds %zu names, expected 2 to %d", origin, n,
                       PROBE_MAX_CLASSES);
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

/* What the fit of layer index i counted; files of an earlier program hold only the objective. */
static int read_fit(Probe *out, int i, const Js *layer, const char *origin)
{
    FitReport *fit = &out->fit[i];
    int64_t most = (int64_t)out->size * out->size, n_absent, n_unconverged;
    const Js *gradient = js_member(layer, "gradient"); /* null from liblinear */
    int rc = js_get_num(&fit->objective, layer, "objective", origin);
    fit->gradient = gradient ? js_num_of(gradient) : NAN;
    out->seconds[i] = NAN;
    if (rc || !js_has(layer, "seconds")) {
        return rc;
    }
    rc = read_int(&fit->rounds, layer, "rounds", 0, INT32_MAX, origin);
    rc = rc ? rc : js_get_int(&n_absent, layer, "absent_classes", 0, most * out->n_classes, origin);
    rc = rc ? rc : js_get_int(&n_unconverged, layer, "unconverged_squares", 0, most, origin);
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
    if (n < 1 || n > PROBE_MAX_LAYERS) {
        return err_set(OGPT_EFORMAT, "%s: \"layers\" holds %zu entries, expected 1 to %d", origin,
                       n, PROBE_MAX_LAYERS);
    }
    out->n_layers = (int)n;
    for (size_t i = 0; i < n; i++) {
        const Js *layer = js_at(layers, i);
        rc = read_int(&out->layers[i], layer, "layer", LAYER_EMBED, PROBE_MAX_LAYERS - 2, origin);
        if (rc == 0) {
            rc = js_get_bool(&out->fitted[i], layer, "fitted", origin);
        }
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
    if (rc == 0 && format > PROBE_FORMAT) {
        return err_set(OGPT_EVERSION, "%s: format %lld, this program reads up to %d", origin,
                       (long long)format, PROBE_FORMAT);
    }
    rc = rc ? rc : read_text(out->task, sizeof(out->task), json, "task", origin);
    rc = rc ? rc : read_text(out->labels, sizeof(out->labels), json, "labels", origin);
    rc = rc ? rc : read_text(out->solver, sizeof(out->solver), json, "solver", origin);
    rc = rc ? rc : read_text(out->model_hash, sizeof(out->model_hash), json, "model_hash", origin);
    rc = rc ? rc
            : read_text(out->corpus_hash, sizeof(out->corpus_hash), json, "corpus_hash", origin);
    rc = rc ? rc : read_int(&out->size, json, "size", 4, 8, origin);
    rc = rc ? rc : read_int(&out->d_model, json, "d_model", 1, PROBE_MAX_WIDTH, origin);
    rc = rc ? rc : js_get_num(&out->l2, json, "l2", origin);
    rc = rc ? rc : js_get_int(&out->n_games, json, "games", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_int(&out->plies, json, "plies", 0, GAME_MAX_MOVES, origin);
    rc = rc ? rc : js_get_int(&out->n_positions, json, "positions", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_int(&seed, json, "seed", INT64_MIN, INT64_MAX, origin);
    rc = rc ? rc : js_get_str(&site, json, "site", origin);
    rc = rc ? rc : read_classes(out, json, origin);
    rc = rc ? rc : read_layers(out, json, origin);
    if (rc) {
        return rc;
    }
    out->seed = (uint64_t)seed;
    int parsed = hook_site_parse(site);
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
    return 0;
}

/* Every fitted layer's tensors in their exact shapes, and no tensor besides. */
static int read_tensors(Probe *out, const char *path)
{
    StFile *file = NULL;
    int rc = st_open(&file, path);
    if (rc) {
        return rc;
    }
    size_t n_fitted = 0;
    for (int i = 0; i < out->n_layers; i++) {
        n_fitted += out->fitted[i];
    }
    if (st_count(file) != 2 * n_fitted) {
        rc = err_set(OGPT_EFORMAT, "%s: %zu tensors, expected %zu (two a fitted layer)", path,
                     st_count(file), 2 * n_fitted);
        goto done;
    }
    for (int i = 0; i < out->n_layers; i++) {
        if (!out->fitted[i]) {
            continue;
        }
        StEntry entries[2];
        char names[2][TENSOR_NAME_MAX];
        layer_tensors(entries, names, out, i);
        rc = st_read_f32(out->weight[i], file, names[0], 4, entries[0].shape, false);
        if (rc == 0) {
            rc = st_read_f32(out->bias[i], file, names[1], 3, entries[1].shape, false);
        }
        if (rc) {
            goto done;
        }
    }
done:
    st_close(file);
    return rc;
}

int probe_load(Probe *out, const char *path)
{
    *out = (Probe){0};
    Js *json = NULL;
    char file[FILES_PATH_MAX];
    int rc = manifest_verify(NULL, path);
    rc = rc ? rc : path_join(file, path, "probe.json");
    rc = rc ? rc : js_parse_file(&json, file, PROBE_JSON_MAX_BYTES);
    rc = rc ? rc : read_json(out, json, file);
    rc = rc ? rc : path_join(file, path, "probe.safetensors");
    rc = rc ? rc : probe_allocate(out);
    rc = rc ? rc : read_tensors(out, file);
    js_free(json);
    if (rc) {
        probe_release(out);
    }
    return rc;
}

/* ---- use ---- */

int probe_check_model(const Probe *probe, const char *probe_path, const char *model_hash,
                      const GptConfig *cfg)
{
    if (strcmp(probe->model_hash, model_hash) != 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: fitted on model %.12s, this model is %.12s; fit a probe on this model "
                       "(ogpt probe fit)",
                       probe_path, probe->model_hash, model_hash);
    }
    const Vocab *vocab = vocab_by_size(cfg->d_vocab);
    int size = vocab ? vocab->variant->size : 0;
    if (size != probe->size) {
        return err_set(OGPT_EFORMAT, "%s: a probe of the %dx%d board, the model plays %dx%d",
                       probe_path, probe->size, probe->size, size, size);
    }
    size_t width = hook_width(cfg, probe->site, (size_t)cfg->n_ctx);
    if (width != (size_t)probe->d_model) {
        return err_set(OGPT_EFORMAT, "%s: reads rows of %d numbers, the model's %s has %zu",
                       probe_path, probe->d_model, hook_site_name(probe->site), width);
    }
    int last = probe->layers[probe->n_layers - 1];
    if (last >= cfg->n_layers) {
        return err_set(OGPT_EFORMAT, "%s: holds layer %d, the model has layers 0 to %d", probe_path,
                       last, cfg->n_layers - 1);
    }
    return 0;
}

int probe_layer_index(const Probe *probe, int layer)
{
    for (int i = 0; i < probe->n_layers; i++) {
        if (probe->layers[i] == layer) {
            return i;
        }
    }
    return -1;
}

int probe_class(const Probe *probe, const char *name)
{
    for (int k = 0; k < probe->n_classes; k++) {
        if (strcmp(probe->classes[k], name) == 0) {
            return k;
        }
    }
    return -1;
}

void probe_scores(float *scores, const Probe *probe, int i, const float *x, size_t n)
{
    assert(i >= 0 && i < probe->n_layers);
    size_t width = (size_t)probe->d_model, columns = bias_count(probe);
    for (size_t row = 0; row < n; row++) {
        memcpy(scores + row * columns, probe->bias[i], columns * sizeof(float));
    }
    gemm(false, false, n, columns, width, 1.0f, x, width, probe->weight[i], columns, 1.0f, scores,
         columns);
}

void probe_classify(uint8_t *classes, float *scratch, const Probe *probe, int i, const float *x,
                    size_t n)
{
    probe_scores(scratch, probe, i, x, n);
    size_t K = (size_t)probe->n_classes;
    for (size_t cell = 0; cell < n * (size_t)probe->n_squares; cell++) {
        const float *score = scratch + cell * K;
        size_t best = 0;
        for (size_t k = 1; k < K; k++) {
            best = score[k] > score[best] ? k : best;
        }
        classes[cell] = (uint8_t)best;
    }
}

double probe_direction(float *out, const Probe *probe, int i, int square, int from, int to)
{
    size_t K = (size_t)probe->n_classes, columns = bias_count(probe);
    const float *weight = probe->weight[i] + (size_t)square * K;
    double sum = 0;
    for (int c = 0; c < probe->d_model; c++) {
        const float *row = weight + (size_t)c * columns;
        double difference = (double)row[to] - (double)row[from];
        out[c] = (float)difference;
        sum += difference * difference;
    }
    double norm = sqrt(sum);
    for (int c = 0; c < probe->d_model && norm > 0; c++) {
        out[c] = (float)((double)out[c] / norm);
    }
    return norm;
}
