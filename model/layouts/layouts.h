/* model/layouts/layouts.h - networks in the layouts of other programs: reading, writing, and a
 * plain forward pass that shares no code with our own graph.
 *
 * tl        TransformerLens's names (model/tensors.def): what every command here accepts.
 * mingpt    the published Othello-GPT checkpoint's names and shapes (Li et al., ICLR 2023).
 * hf-gpt2   GPT2LMHeadModel of the transformers library.
 *
 * model/layouts/layouts.def has a row for each tensor, with its name and place in both foreign
 * layouts. A model in a foreign layout is a directory with model.safetensors and a config.json that
 * has its library's keys, or a bare safetensors file: its sizes are inferred from its shapes.
 */
#ifndef OGPT_MODEL_LAYOUTS_LAYOUTS_H
#define OGPT_MODEL_LAYOUTS_LAYOUTS_H

#include "base/files.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "model/gpt.h"

typedef enum Layout { LAYOUT_TL, LAYOUT_MINGPT, LAYOUT_HF_GPT2, N_LAYOUTS } Layout;
#define LAYOUT_NAMES "tl|mingpt|hf-gpt2"

/* "mingpt" <-> layout; -1 when unknown. */
int layout_parse(const char *name);
const char *layout_name(Layout layout);

/* The files of a network in some layout. */
typedef struct LayoutFiles {
    char tensors[FILES_PATH_MAX];
    char config[FILES_PATH_MAX]; /* "" for a bare file: sizes are inferred */
} LayoutFiles;

/* A directory's model.safetensors and config.json, or a bare safetensors file. Returns 0, OGPT_EIO
 * (nothing there), OGPT_EFORMAT (a directory without model.safetensors). */
int layout_files_find(LayoutFiles *out, const char *path);

/* Sizes, and two choices that layouts leave open: tl may lack LayerNorm weights (LNPre: w = 1,
 * b = 0), and hf-gpt2 may use the token embedding as the head. */
typedef struct LayoutConfig {
    GptConfig gpt;
    bool lnpre, tied;
} LayoutConfig;

/* Read the sizes from config.json. Settings that our network does not have (another GELU, attention
 * that is not scaled, ...) are refused. Without config.json the sizes are inferred from the shapes,
 * and n_heads (0: not given) decides where shapes leave the number of heads open. Returns 0,
 * OGPT_EIO, OGPT_EFORMAT, OGPT_ENOMEM. */
int layout_config_read(LayoutConfig *out, Layout layout, const LayoutFiles *files, int n_heads);
/* config.json of a layout, without "ogpt"; owned. */
Js *layout_config_write(Layout layout, const GptConfig *cfg);

/* Read a network. Every tensor must have its exact shape and be finite, and there may be no other
 * tensors but known buffers. Owned: gpt_free. Errors as layout_config_read. */
int layout_read(Gpt **out, Layout layout, const LayoutFiles *files, int n_heads);

/* Write model.safetensors and config.json into a directory being published. `about`: the members
 * of config.json's "ogpt". *n_tensors counts the tensors written, model_hash is the SHA-256 of
 * model.safetensors. `half` as in model_save. OGPT_EFORMAT names what the layout cannot hold:
 * unembed.b_U that is not zero; in mingpt also an eps other than 1e-5 or a d_mlp other than 4
 * d_model. */
int layout_write(Publish *publish, size_t *n_tensors, char model_hash[HASH_HEX_SIZE],
                 const Gpt *gpt, Layout layout, const Js *about, bool half);

/* Rename tokens: token t of the result is the former token order[t]. order[0..d_vocab-1] is a
 * permutation. Returns 0 or OGPT_ENOMEM. */
int gpt_permute_tokens(Gpt *gpt, const uint8_t *order);

/* A network computed straight from its file, as its own library does: plain loops in double
 * precision over the tensors as stored. It shares only the table of names with layout_read, so a
 * transposed matrix or a swapped head in one of the two shows as a difference of logits. */
typedef struct PlainNet PlainNet;
int plain_net_open(PlainNet **out, Layout layout, const char *tensors, const LayoutConfig *config);
void plain_net_free(PlainNet *net);
/* logits (T, d_vocab) of tokens (T), 1 <= T <= n_ctx. Returns 0 or OGPT_ENOMEM. */
int plain_net_logits(double *logits, const PlainNet *net, const uint8_t *tokens, size_t T);

#endif
