/* probes/artefacts/convert_probe.c - conversion of probes: ours, and the published probe's
 * tensor. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "probes/artefacts/convert.h"
#include "model/checkpoint.h"
#include "probes/artefacts/probe_layout.h"

/* Scores are float sums of some hundred products of order 1. */
#define SCORE_TOLERANCE 1e-3

/* Hash of --model; "" when it was not given. */
static int model_hash_read(char hash[HASH_HEX_SIZE], const Conversion *c)
{
    ModelFile model;
    hash[0] = '\0';
    if (!c->model) {
        return 0;
    }
    int rc = conversion_load(c, &model, c->model);
    if (rc == 0) {
        memcpy(hash, model.model_hash, HASH_HEX_SIZE);
        model_release(&model);
    }
    return rc;
}

/* The layer that is written into a file of one layer: --layer, or the only one fitted. */
static int layer_choose(int *index, const Conversion *c, const Probe *probe, int layer)
{
    int n_fitted = 0;
    *index = -1;
    for (int i = 0; i < probe->n_layers; i++) {
        bool wanted = layer == CONVERT_LAYER_ANY || layer == probe->layers[i];
        n_fitted += probe->fitted[i];
        *index = probe->fitted[i] && wanted ? i : *index;
    }
    if (*index < 0 || (layer == CONVERT_LAYER_ANY && n_fitted > 1)) {
        return err_set(OGPT_EUSAGE,
                       "%s: the published layout holds one layer; give --layers L, one of the %d "
                       "that this probe has fitted",
                       c->src, n_fitted);
    }
    return 0;
}

/* Weights and biases of one layer. */
static int64_t layer_numbers(const Probe *probe)
{
    int64_t hidden = (int64_t)probe->n_hidden * (probe->d_model + 1);
    return hidden + (int64_t)(probe_inputs(probe) + 1) * probe->n_squares * probe->n_classes;
}

static int ours_publish(Conversion *c, const Probe *probe)
{
    Publish *publish = NULL;
    Js *fields = NULL;
    char path[FILES_PATH_MAX];
    int rc = publish_begin(&publish, c->dst, true);
    rc = rc ? rc : probe_write(publish, &fields, probe);
    rc = rc ? rc : publish_path(path, publish, "probe.safetensors");
    rc = rc ? rc : sha256_file(c->tensors_hash, path);
    if (rc == 0) {
        rc = conversion_publish(c, publish, fields, "probe.safetensors", "probe.json");
        publish = NULL;
    }
    publish_abort(publish);
    js_free(fields);
    for (int i = 0; i < probe->n_layers; i++) {
        if (probe->fitted[i]) {
            c->n_tensors += probe->n_hidden > 0 ? 4 : 2;
            c->parameters += layer_numbers(probe);
        }
    }
    return rc;
}

static int score_check(Conversion *c, const Probe *probe, int index, const char *path)
{
    if (!c->check) {
        return 0;
    }
    c->tolerance = SCORE_TOLERANCE;
    int rc =
        probe_layout_difference(&c->largest, probe, index, path, CHECK_POSITIONS, c->work->seed);
    if (rc == 0 && !(c->largest <= c->tolerance)) {
        rc = err_set(OGPT_ENEGATIVE,
                     "%s: scores in both layouts differ by %.3g, %.3g is allowed; nothing was "
                     "written",
                     c->src, c->largest, c->tolerance);
    }
    return rc;
}

static int published_write(Conversion *c, const Probe *probe, int layer)
{
    Publish *publish = NULL;
    Js *fields = js_object();
    char path[FILES_PATH_MAX];
    int index = 0;
    int rc = layer_choose(&index, c, probe, layer);
    rc = rc ? rc : publish_begin(&publish, c->dst, true);
    rc = rc ? rc : probe_layout_write(publish, probe, index, c->notation);
    rc = rc ? rc : publish_path(path, publish, PROBE_LAYOUT_FILE);
    rc = rc ? rc : score_check(c, probe, index, path);
    rc = rc ? rc : sha256_file(c->tensors_hash, path);
    if (rc == 0) {
        js_set_str(fields, "layout", layout_name(c->to));
        js_set_str(fields, "model_hash", probe->model_hash);
        rc = conversion_publish(c, publish, fields, PROBE_LAYOUT_FILE, NULL);
        publish = NULL;
    }
    c->n_tensors = 2;
    c->parameters = layer_numbers(probe);
    publish_abort(publish);
    js_free(fields);
    return rc;
}

static int published_read(Probe *out, Conversion *c, int layer, const char *model_hash)
{
    char path[FILES_PATH_MAX];
    PathKind kind;
    int rc = path_kind(&kind, c->src);
    const char *file = kind == PATH_DIRECTORY ? path : c->src;
    if (rc == 0 && kind == PATH_DIRECTORY) {
        rc = path_join(path, c->src, PROBE_LAYOUT_FILE);
    }
    const ProbeGiven given = {layer, model_hash, c->notation, c->task};
    rc = rc ? rc : probe_layout_read(out, file, &given);
    if (rc == 0) {
        rc = score_check(c, out, 0, file);
        if (rc != 0) {
            probe_release(out);
        }
    }
    return rc;
}

int convert_probe(Conversion *c)
{
    char model_hash[HASH_HEX_SIZE];
    Probe probe;
    if (c->from == LAYOUT_HF_GPT2 || c->to == LAYOUT_HF_GPT2) {
        return err_set(OGPT_EUSAGE,
                       "%s: is a probe, which layout hf-gpt2 does not know; use tl (ours) or "
                       "mingpt (the published probe's tensor)",
                       c->src);
    }
    const int layer = c->layer;
    int rc = model_hash_read(model_hash, c);
    if (rc == 0 && c->transposed && c->to == LAYOUT_TL && model_hash[0] == '\0') {
        rc = err_set(OGPT_EUSAGE,
                     "%s: a probe of another notation belongs to the model in that notation; "
                     "name it with --model MODEL",
                     c->src);
    }
    if (rc != 0) {
        return rc;
    }
    rc = c->from == LAYOUT_TL ? probe_load(&probe, c->src)
                              : published_read(&probe, c, layer, model_hash);
    if (rc != 0) {
        return rc;
    }
    if (model_hash[0] != '\0') {
        memcpy(probe.model_hash, model_hash, HASH_HEX_SIZE);
    }
    rc = c->transposed ? probe_transpose(&probe) : 0;
    if (rc == 0) {
        rc = c->to == LAYOUT_TL ? ours_publish(c, &probe) : published_write(c, &probe, layer);
    }
    probe_release(&probe);
    return rc;
}
