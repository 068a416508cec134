/* model/config.c - presets, checks and JSON of a network's shape. */
#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct {
    const char *name;
    int n_layers, d_model, n_heads;
} presets[] = {
    {"nano", 4, 64, 4},
    {"tiny", 8, 128, 8},
    {"small", 8, 256, 8},
    {"paper", 8, 512, 8},
};

int gpt_config_preset(GptConfig *out, const char *name)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(presets[i].name, name) == 0) {
            out->n_layers = presets[i].n_layers;
            out->d_model = presets[i].d_model;
            out->n_heads = presets[i].n_heads;
            out->d_head = presets[i].d_model / presets[i].n_heads;
            out->d_mlp = 4 * presets[i].d_model;
            out->eps = 1e-5f;
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE, "--preset %s: expected one of " GPT_PRESETS, name);
}

const char *gpt_config_check(const GptConfig *cfg)
{
    const int sizes[] = {cfg->n_layers, cfg->d_model, cfg->n_heads, cfg->d_head,
                         cfg->d_mlp,    cfg->n_ctx,   cfg->d_vocab};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] < 1 || sizes[i] >= 1 << 16) {
            return "every size must lie in 1..65535";
        }
    }
    if (cfg->n_layers > 64) {
        return "n_layers must be at most 64";
    }
    if (cfg->d_model != cfg->n_heads * cfg->d_head) {
        return "d_model must equal n_heads * d_head";
    }
    if (cfg->d_vocab > 256) {
        return "d_vocab must be at most 256: tokens are bytes";
    }
    if (!(cfg->eps > 0 && cfg->eps < 1)) {
        return "eps must lie between 0 and 1";
    }
    if (gpt_config_parameters(cfg) > (int64_t)1 << 33) {
        return "more than 2^33 parameters";
    }
    return NULL;
}

bool gpt_config_same_shape(const GptConfig *a, const GptConfig *b)
{
    return memcmp(&a->n_layers, &b->n_layers, 7 * sizeof(int)) == 0; /* n_layers to d_vocab */
}

int64_t gpt_config_parameters(const GptConfig *cfg)
{
    int64_t L = cfg->n_layers, C = cfg->d_model, M = cfg->d_mlp, V = cfg->d_vocab;
    int64_t block = 4 * C * C + 4 * C + 2 * C * M + M + C + 4 * C;
    return V * C + cfg->n_ctx * C + L * block + 2 * C + C * V;
}

double gpt_config_flops(const GptConfig *cfg)
{
    double L = cfg->n_layers, d = cfg->d_model, V = cfg->d_vocab, T = cfg->n_ctx;
    return 6 * (12 * L * d * d + V * d) + 6 * L * d * (T + 1);
}

/* One row per size in config.json. */
static const struct {
    const char *key;
    size_t offset;
} size_keys[] = {
    {"n_layers", offsetof(GptConfig, n_layers)}, {"d_model", offsetof(GptConfig, d_model)},
    {"n_heads", offsetof(GptConfig, n_heads)},   {"d_head", offsetof(GptConfig, d_head)},
    {"d_mlp", offsetof(GptConfig, d_mlp)},       {"n_ctx", offsetof(GptConfig, n_ctx)},
    {"d_vocab", offsetof(GptConfig, d_vocab)},
};

int gpt_config_read(GptConfig *out, const Js *json, const char *origin)
{
    int rc;
    GptConfig cfg = {.eps = 1e-5f};
    for (size_t i = 0; i < sizeof(size_keys) / sizeof(size_keys[0]); i++) {
        int64_t value = 0;
        rc = js_get_int(&value, json, size_keys[i].key, 1, 65535, origin);
        if (rc != 0) {
            return rc;
        }
        int *field = (int *)((char *)&cfg + size_keys[i].offset);
        *field = (int)value;
    }
    const char *act = NULL, *norm = NULL;
    rc = js_get_str(&act, json, "act_fn", origin);
    rc = rc ? rc : js_get_str(&norm, json, "normalization_type", origin);
    if (rc) {
        return rc;
    }
    if (strcmp(act, "gelu") != 0) {
        return err_set(OGPT_EFORMAT, "%s: act_fn: expected \"gelu\" (exact), found \"%s\"", origin,
                       act);
    }
    if (strcmp(norm, "LN") != 0 && strcmp(norm, "LNPre") != 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: normalization_type: expected \"LN\" or \"LNPre\", found \"%s\"", origin,
                       norm);
    }
    if (js_has(json, "eps")) {
        double eps = 0;
        if ((rc = js_get_num(&eps, json, "eps", origin)) != 0) {
            return rc;
        }
        cfg.eps = (float)eps;
    }
    if (js_type(js_member(json, "seed")) == JS_INT) { /* others write null */
        cfg.seed = (uint64_t)js_int_of(js_member(json, "seed"));
    }
    const char *reason = gpt_config_check(&cfg);
    if (reason) {
        return err_set(OGPT_EFORMAT,
                       "%s: %s (found n_layers %d, d_model %d, n_heads %d, d_head %d)", origin,
                       reason, cfg.n_layers, cfg.d_model, cfg.n_heads, cfg.d_head);
    }
    *out = cfg;
    return 0;
}

/* The shortest decimal that reads back as this float: 1e-05, not its binary expansion. */
static double decimal_of(float value)
{
    char text[32];
    double decimal = value;
    for (int digits = 6; digits <= 9; digits++) { /* 9 are enough for every float */
        snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        decimal = strtod(text, NULL);
        if ((float)decimal == value) {
            break;
        }
    }
    return decimal;
}

Js *gpt_config_write(const GptConfig *cfg)
{
    Js *json = js_object();
    for (size_t i = 0; i < sizeof(size_keys) / sizeof(size_keys[0]); i++) {
        js_set_int(json, size_keys[i].key, *(const int *)((const char *)cfg + size_keys[i].offset));
    }
    js_set_str(json, "act_fn", "gelu");
    js_set_str(json, "normalization_type", "LN");
    js_set_num(json, "eps", decimal_of(cfg->eps));
    js_set_int(json, "seed", (int64_t)cfg->seed);
    return json;
}
