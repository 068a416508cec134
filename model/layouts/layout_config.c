/* model/layouts/layout_config.c - sizes of a network in any layout: from its config.json, or from
 * the shapes of a bare file. See model/layouts/layouts.h. */
#include <string.h>

#include "base/err.h"
#include "base/formats/safetensors.h"
#include "model/layouts/layouts.h"
#include "model/layouts/layouts_internal.h"

#define CONFIG_MAX_BYTES (1 << 20)
#define DEFAULT_HEADS 8 /* of the published checkpoint */
#define MAX_BLOCKS 64   /* gpt_config_check */

/* Sizes under the names that foreign libraries give them. */
static const struct {
    size_t offset;
    const char *key[N_LAYOUTS];
} sizes[] = {
    {offsetof(GptConfig, n_layers), {NULL, "n_layer", "n_layer"}},
    {offsetof(GptConfig, d_model), {NULL, "n_embd", "n_embd"}},
    {offsetof(GptConfig, n_heads), {NULL, "n_head", "n_head"}},
    {offsetof(GptConfig, n_ctx), {NULL, "block_size", "n_positions"}},
    {offsetof(GptConfig, d_vocab), {NULL, "vocab_size", "vocab_size"}},
};

/* Switches of hf-gpt2 that must have this value, or be absent: then they have it by default. */
static const struct {
    const char *key;
    bool needed;
} hf_switches[] = {
    {"scale_attn_weights", true},
    {"scale_attn_by_inverse_layer_idx", false},
    {"add_cross_attention", false},
};
enum {
    N_SIZES = sizeof(sizes) / sizeof(sizes[0]),
    N_SWITCHES = sizeof(hf_switches) / sizeof(hf_switches[0])
};

/* ---- config.json ---- */

static int hf_read(LayoutConfig *out, const Js *json, const char *origin)
{
    const char *activation = NULL;
    double eps = 1e-5;
    bool tied = true; /* the library's default */
    int rc = js_get_str(&activation, json, "activation_function", origin);
    if (rc == 0 && strcmp(activation, "gelu") != 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: activation_function: expected \"gelu\" (exact, by erf), found \"%s\"; "
                     "the network here has no other, and its logits would differ",
                     origin, activation);
    }
    for (size_t i = 0; rc == 0 && i < N_SWITCHES; i++) {
        bool value = hf_switches[i].needed;
        if (js_has(json, hf_switches[i].key)) {
            rc = js_get_bool(&value, json, hf_switches[i].key, origin);
        }
        if (rc == 0 && value != hf_switches[i].needed) {
            rc = err_set(OGPT_EFORMAT, "%s: %s: expected %s, found %s; this is another network",
                         origin, hf_switches[i].key, value ? "false" : "true",
                         value ? "true" : "false");
        }
    }
    if (rc == 0 && js_has(json, "layer_norm_epsilon")) {
        rc = js_get_num(&eps, json, "layer_norm_epsilon", origin);
    }
    if (rc == 0 && js_has(json, "tie_word_embeddings")) {
        rc = js_get_bool(&tied, json, "tie_word_embeddings", origin);
    }
    const Js *inner = js_member(json, "n_inner");
    if (rc == 0 && inner && js_type(inner) != JS_NULL) {
        int64_t value = 0;
        rc = js_get_int(&value, json, "n_inner", 1, 65535, origin);
        out->gpt.d_mlp = (int)value;
    }
    out->gpt.eps = (float)eps;
    out->tied = tied;
    return rc;
}

static int foreign_read(LayoutConfig *out, Layout layout, const Js *json, const char *origin)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < N_SIZES; i++) {
        int64_t value = 0;
        rc = js_get_int(&value, json, sizes[i].key[layout], 1, 65535, origin);
        *(int *)((char *)&out->gpt + sizes[i].offset) = (int)value;
    }
    if (rc != 0) {
        return rc;
    }
    out->gpt.eps = 1e-5f;
    out->gpt.d_mlp = 4 * out->gpt.d_model;
    const Js *ours = js_member(json, "ogpt");
    if (js_type(js_member(ours, "seed")) == JS_INT) {
        out->gpt.seed = (uint64_t)js_int_of(js_member(ours, "seed"));
    }
    return layout == LAYOUT_HF_GPT2 ? hf_read(out, json, origin) : 0;
}

static int config_load(LayoutConfig *out, Layout layout, const char *path)
{
    Js *json = NULL;
    int rc = js_parse_file(&json, path, CONFIG_MAX_BYTES);
    if (rc == 0 && layout == LAYOUT_TL) {
        rc = gpt_config_read(&out->gpt, json, path);
        const char *norm = js_str_of(js_member(json, "normalization_type"));
        out->lnpre = norm && strcmp(norm, "LNPre") == 0;
    } else if (rc == 0) {
        rc = foreign_read(out, layout, json, path);
    }
    js_free(json);
    return rc;
}

/* ---- shapes ---- */

/* Size of dimension `at` of a field's tensor, counted from the last one when negative. */
static int dimension(int *out, const StFile *file, Layout layout, size_t field, int at,
                     const char *path)
{
    char name[LAYOUT_NAME_MAX];
    layout__name(name, layout, field, 0);
    const StTensor *tensor = st_find(file, layout__bare(name));
    if (!tensor) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor \"%s\" is missing, so this is not layout %s (" LAYOUT_NAMES ")",
                       path, name, layout_name(layout));
    }
    int index = at < 0 ? (int)tensor->rank + at : at;
    if (index < 0 || index >= (int)tensor->rank || tensor->shape[index] < 1 ||
        tensor->shape[index] > 65535) {
        return err_set(OGPT_EFORMAT, "%s: tensor \"%s\": rank %zu and its sizes fit no network",
                       path, name, tensor->rank);
    }
    *out = (int)tensor->shape[index];
    return 0;
}

static int config_infer(LayoutConfig *out, Layout layout, int n_heads, const char *path)
{
    StFile *file = NULL;
    GptConfig *cfg = &out->gpt;
    char name[LAYOUT_NAME_MAX];
    int rc = layout__open(&file, layout, path);
    rc = rc ? rc : dimension(&cfg->d_vocab, file, layout, FIELD(W_E), 0, path);
    rc = rc ? rc : dimension(&cfg->d_model, file, layout, FIELD(W_E), 1, path);
    rc = rc ? rc : dimension(&cfg->n_ctx, file, layout, FIELD(W_pos), -2, path);
    rc = rc ? rc : dimension(&cfg->d_mlp, file, layout, FIELD(b_in), 0, path);
    cfg->n_heads = n_heads > 0 ? n_heads : DEFAULT_HEADS;
    if (rc == 0 && layout == LAYOUT_TL) {
        rc = dimension(&cfg->n_heads, file, layout, FIELD(W_Q), 0, path);
        layout__name(name, layout, FIELD(lnf_w), 0);
        out->lnpre = rc == 0 && !st_find(file, layout__bare(name));
    }
    for (bool found = rc == 0; found && cfg->n_layers < MAX_BLOCKS; cfg->n_layers += found) {
        layout__name(name, layout, FIELD(W_in), cfg->n_layers);
        found = st_find(file, layout__bare(name));
    }
    cfg->eps = 1e-5f;
    st_close(file);
    return rc;
}

/* `open`: neither config.json nor a shape says how many heads there are. */
static int heads_refuse(const GptConfig *cfg, bool open, int given, const char *origin)
{
    if (open && given > 0) {
        return err_set(OGPT_EUSAGE,
                       "--heads %d: d_model %d of %s does not divide into %d heads; give a divisor",
                       given, cfg->d_model, origin, given);
    }
    return err_set(OGPT_EFORMAT, "%s: d_model %d does not divide into %d heads; %s", origin,
                   cfg->d_model, cfg->n_heads,
                   open ? "no shape tells their number: give --heads N"
                        : "no network has these sizes, so the file is damaged");
}

int layout_config_read(LayoutConfig *out, Layout layout, const LayoutFiles *files, int n_heads)
{
    *out = (LayoutConfig){0};
    const char *origin = files->config[0] != '\0' ? files->config : files->tensors;
    int rc;
    if (files->config[0] != '\0') {
        rc = config_load(out, layout, files->config);
    } else if (layout == LAYOUT_HF_GPT2) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: layout hf-gpt2 needs the config.json that was saved with it, because it "
                     "names the activation function; name the directory that holds both",
                     files->tensors);
    } else {
        rc = config_infer(out, layout, n_heads, files->tensors);
    }
    if (rc != 0) {
        return rc;
    }
    if (n_heads > 0 && out->gpt.n_heads != n_heads) {
        return err_set(OGPT_EUSAGE, "--heads %d: %s says %d heads", n_heads, origin,
                       out->gpt.n_heads);
    }
    if (out->gpt.d_model % out->gpt.n_heads != 0) {
        bool open = layout == LAYOUT_MINGPT && files->config[0] == '\0';
        return heads_refuse(&out->gpt, open, n_heads, origin);
    }
    out->gpt.d_head = out->gpt.d_model / out->gpt.n_heads;
    const char *reason = gpt_config_check(&out->gpt);
    return !reason ? 0 : err_set(OGPT_EFORMAT, "%s: %s", origin, reason);
}

/* ---- writing ---- */

Js *layout_config_write(Layout layout, const GptConfig *cfg)
{
    Js *ours = gpt_config_write(cfg);
    if (layout == LAYOUT_TL) {
        return ours;
    }
    Js *json = js_object();
    if (layout == LAYOUT_HF_GPT2) {
        Js *classes = js_array();
        js_push(classes, js_str("GPT2LMHeadModel"));
        js_set(json, "architectures", classes);
        js_set_str(json, "model_type", "gpt2");
        js_set_str(json, "torch_dtype", "float32");
    }
    for (size_t i = 0; i < N_SIZES; i++) {
        js_set_int(json, sizes[i].key[layout], *(const int *)((const char *)cfg + sizes[i].offset));
    }
    if (layout == LAYOUT_MINGPT) { /* its library fixes all else */
        js_free(ours);
        return json;
    }
    js_set_int(json, "n_inner", cfg->d_mlp);
    js_set_str(json, "activation_function", "gelu");
    js_set_num(json, "layer_norm_epsilon", js_num_of(js_member(ours, "eps")));
    js_set_bool(json, "tie_word_embeddings", false);
    for (size_t i = 0; i < N_SWITCHES; i++) {
        js_set_bool(json, hf_switches[i].key, hf_switches[i].needed);
    }
    /* The library's defaults are tokens of another vocabulary. */
    js_set(json, "bos_token_id", js_null());
    js_set(json, "eos_token_id", js_null());
    js_set_int(json, "pad_token_id", 0);
    js_free(ours);
    return json;
}
