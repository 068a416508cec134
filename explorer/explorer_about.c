/* explorer/explorer_about.c - the JSON object of a page. Contract in explorer/internal.h. */
#include <string.h>

#include "base/arena.h"
#include "base/js.h"
#include "explorer/internal.h"

static Js *shape_json(const GptConfig *cfg)
{
    Js *shape = js_object();
    js_set_int(shape, "n_layers", cfg->n_layers);
    js_set_int(shape, "d_model", cfg->d_model);
    js_set_int(shape, "n_heads", cfg->n_heads);
    js_set_int(shape, "d_head", cfg->d_head);
    js_set_int(shape, "d_mlp", cfg->d_mlp);
    js_set_int(shape, "n_ctx", cfg->n_ctx);
    js_set_int(shape, "d_vocab", cfg->d_vocab);
    js_set_num(shape, "eps", (double)cfg->eps);
    return shape;
}

/* Where each tensor begins; those of a block in block 0. */
static Js *tensors_json(const TensorMap *map)
{
    Js *tensors = js_object();
#define TENSOR_BLOCK(field, ...) js_set_int(tensors, #field, (int64_t)map->field);
#define TENSOR_ONCE(field, ...) js_set_int(tensors, #field, (int64_t)map->field);
#include "model/tensors.def"
    js_set_int(tensors, "block_stride", (int64_t)map->block_stride);
    return tensors;
}

static Js *squares_of_tokens(const Vocab *vocab)
{
    Js *squares = js_array();
    for (int tok = 0; tok < vocab->d_vocab; tok++) {
        js_push(squares, js_int(vocab->sq_of_tok[tok] == SQ_NONE ? -1 : vocab->sq_of_tok[tok]));
    }
    return squares;
}

/* Weight and bias of each layer begin at these numbers of the page. */
static Js *probe_json(const Probe *probe, size_t first)
{
    Js *out = js_object(), *classes = js_array(), *layers = js_array();
    size_t row = (size_t)(probe->n_squares * probe->n_classes);
    js_set_str(out, "task", probe->task);
    js_set_str(out, "labels", probe->labels);
    js_set_str(out, "site", hook_site_name(probe->site));
    for (int k = 0; k < probe->n_classes; k++) {
        js_push(classes, js_str(probe->classes[k]));
    }
    js_set(out, "classes", classes);
    for (int i = 0; i < probe->n_layers; i++) {
        Js *layer = js_object();
        js_set_int(layer, "layer", probe->layers[i]);
        js_set_int(layer, "weight", (int64_t)first);
        first += row * (size_t)probe->d_model;
        js_set_int(layer, "bias", (int64_t)first);
        first += row;
        js_push(layers, layer);
    }
    js_set(out, "layers", layers);
    return out;
}

void explorer__about(Text *text, const ExplorerPage *page)
{
    const ModelFile *model = &page->subject->model;
    Js *about = js_object();
    char *printed = NULL;
    js_set_int(about, "format", 1);
    js_set_str(about, "version", page->version);
    js_set_str(about, "model", page->model_name);
    js_set(about, "probe_path", page->probe_name ? js_str(page->probe_name) : js_null());
    js_set_str(about, "model_hash", model->model_hash);
    js_set_int(about, "size", page->subject->size);
    js_set(about, "shape", shape_json(&model->gpt->cfg));
    js_set(about, "tensors", tensors_json(&model->gpt->map));
    js_set_int(about, "n_parameters", (int64_t)model->gpt->n_numbers);
    js_set(about, "sq_of_tok", squares_of_tokens(page->subject->vocab));
    js_set(about, "probe", probe_json(page->probe, model->gpt->n_numbers));
    js_set(about, "sae", page->sae ? explorer__sae_json(page) : js_null());
    js_set_int(about, "n_numbers", (int64_t)explorer__n_numbers(page));
    int rc = js_print(&printed, about, 0);
    js_free(about);
    for (const char *c = printed; rc == 0 && *c; c++) {
        text_add(text, *c == '<' ? "\\u003c" : *c == '&' ? "\\u0026" : "%c", *c);
    }
    text->failed = text->failed || rc != 0;
    mem_free(printed);
}
