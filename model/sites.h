/* model/sites.h - where the network can be read and changed: the one list of hook sites.
 *
 * A row of HOOK_SITES makes the enumerator, the name that users type, TransformerLens's name, the
 * width, and the lists of names in option tables and messages. A site is visited at every layer,
 * both in gpt_forward (rows of all positions) and in prefix_last (rows of the last position), and
 * on the way back in gpt_gradient and prefix_gradient.
 *
 * Names and conventions are TransformerLens's (version 2, the sources of its components LayerNorm
 * and AbstractAttention):
 *   ln*.hook_scale       sqrt(variance + eps), the denominator of the LayerNorm, one number a row
 *   ln*.hook_normalized  the output of the LayerNorm, its weight and bias included
 *   attn.hook_attn_scores  q.k / sqrt(d_head); minus infinity for keys after the query
 *   attn.hook_pattern    softmax of the scores; zeros where all scores are minus infinity
 */
#ifndef OGPT_MODEL_SITES_H
#define OGPT_MODEL_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/enums.h"
#include "model/config.h"
#include "num/real.h"

/* X(enumerator, name, TransformerLens's name, width of a row, kind), in the order of the pass.
 * The full name in TransformerLens is "blocks.{l}." and this name; without "blocks.{l}." for the
 * kind OUTSIDE.
 *
 * Width: MODEL d_model; MLP d_mlp; KEYS n_heads times the keys; ONE a single number.
 * Kind, which decides the lists of names below:
 *   FIRST    as STREAM; the row that opens every list
 *   STREAM   the residual stream
 *   ROW      another vector of a position: can be written to files, probed and edited
 *   READ     can be written to files; not a vector, so no direction can be read or added
 *   HOOK     for hooks alone: holds infinities
 *   OUTSIDE  for hooks alone: outside the blocks, visited once, as layer 0 */
#define HOOK_SITES(X)                                                                              \
    X(HOOK_RESID_PRE, "resid_pre", "hook_resid_pre", MODEL, FIRST)                                 \
    X(HOOK_LN1_SCALE, "ln1_scale", "ln1.hook_scale", ONE, READ)                                    \
    X(HOOK_LN1, "ln1_normalized", "ln1.hook_normalized", MODEL, ROW)                               \
    X(HOOK_Q, "q", "attn.hook_q", MODEL, ROW)                                                      \
    X(HOOK_K, "k", "attn.hook_k", MODEL, ROW)                                                      \
    X(HOOK_V, "v", "attn.hook_v", MODEL, ROW)                                                      \
    X(HOOK_SCORES, "attn_scores", "attn.hook_attn_scores", KEYS, HOOK)                             \
    X(HOOK_PATTERN, "pattern", "attn.hook_pattern", KEYS, READ)                                    \
    X(HOOK_Z, "z", "attn.hook_z", MODEL, ROW)                                                      \
    X(HOOK_ATTN_OUT, "attn_out", "hook_attn_out", MODEL, ROW)                                      \
    X(HOOK_RESID_MID, "resid_mid", "hook_resid_mid", MODEL, STREAM)                                \
    X(HOOK_LN2_SCALE, "ln2_scale", "ln2.hook_scale", ONE, READ)                                    \
    X(HOOK_LN2, "ln2_normalized", "ln2.hook_normalized", MODEL, ROW)                               \
    X(HOOK_POST, "mlp_post", "mlp.hook_post", MLP, ROW)                                            \
    X(HOOK_MLP_OUT, "mlp_out", "hook_mlp_out", MODEL, ROW)                                         \
    X(HOOK_RESID_POST, "resid_post", "hook_resid_post", MODEL, STREAM)                             \
    X(HOOK_FINAL_SCALE, "final_scale", "ln_final.hook_scale", ONE, OUTSIDE)                        \
    X(HOOK_FINAL, "final_normalized", "ln_final.hook_normalized", MODEL, OUTSIDE)

typedef enum HookSite { HOOK_SITES(ENUM_ID) N_HOOK_SITES } HookSite;

/* What a site is wanted for; each kind of row above serves some of these. */
typedef enum HookUse {
    HOOK_USE_ANY,     /* a hook */
    HOOK_USE_CAPTURE, /* rows written to files */
    HOOK_USE_VECTOR,  /* directions in its rows: read by a probe, added by an edit */
    HOOK_USE_STREAM   /* the residual stream alone */
} HookUse;

/* The names of a use, joined by '|': string literals for option tables and help texts. */
#define HOOK_NAMES_ANY HOOK_SITES(HOOK_NAME_ANY)
#define HOOK_NAMES_CAPTURE HOOK_SITES(HOOK_NAME_CAPTURE)
#define HOOK_NAMES_VECTOR HOOK_SITES(HOOK_NAME_VECTOR)
#define HOOK_NAMES_STREAM HOOK_SITES(HOOK_NAME_STREAM)

#define HOOK_NAME_ANY(id, name, full, width, kind) HOOK_ANY_##kind(name)
#define HOOK_NAME_CAPTURE(id, name, full, width, kind) HOOK_CAPTURE_##kind(name)
#define HOOK_NAME_VECTOR(id, name, full, width, kind) HOOK_VECTOR_##kind(name)
#define HOOK_NAME_STREAM(id, name, full, width, kind) HOOK_STREAM_##kind(name)
#define HOOK_ANY_FIRST(name) name
#define HOOK_ANY_STREAM(name) "|" name
#define HOOK_ANY_ROW(name) "|" name
#define HOOK_ANY_READ(name) "|" name
#define HOOK_ANY_HOOK(name) "|" name
#define HOOK_ANY_OUTSIDE(name) "|" name
#define HOOK_CAPTURE_FIRST(name) name
#define HOOK_CAPTURE_STREAM(name) "|" name
#define HOOK_CAPTURE_ROW(name) "|" name
#define HOOK_CAPTURE_READ(name) "|" name
#define HOOK_CAPTURE_HOOK(name)
#define HOOK_CAPTURE_OUTSIDE(name)
#define HOOK_VECTOR_FIRST(name) name
#define HOOK_VECTOR_STREAM(name) "|" name
#define HOOK_VECTOR_ROW(name) "|" name
#define HOOK_VECTOR_READ(name)
#define HOOK_VECTOR_HOOK(name)
#define HOOK_VECTOR_OUTSIDE(name)
#define HOOK_STREAM_FIRST(name) name
#define HOOK_STREAM_STREAM(name) "|" name
#define HOOK_STREAM_ROW(name)
#define HOOK_STREAM_READ(name)
#define HOOK_STREAM_HOOK(name)
#define HOOK_STREAM_OUTSIDE(name)

/* The site of a short name ("resid_post"), of TransformerLens's name without the block
 * ("hook_resid_post"), or of an older spelling ("post" for mlp_post). -1 when unknown. */
int hook_site_parse(const char *name);
/* The same, but -1 also for a site that does not serve the use. */
int hook_site_parse_for(const char *name, HookUse use);
bool hook_site_serves(HookSite site, HookUse use);
/* The names of a use joined by '|', as the macros above (static). */
const char *hook_site_names(HookUse use);
/* The short name (static). */
const char *hook_site_name(HookSite site);
/* "blocks.3.hook_resid_post"; outside the blocks "ln_final.hook_scale" for every layer. */
void hook_full_name(char out[64], HookSite site, int layer);
/* Whether the site is outside the blocks; hooks see it as layer 0. */
bool hook_site_outside(HookSite site);
/* Numbers in a row of the site. `keys` is the number of keys a query sees: T in gpt_forward. */
size_t hook_width(const GptConfig *cfg, HookSite site, size_t keys);

/* Layers are counted from 0; LAYER_EMBED is the input of block 0, blocks.0.hook_resid_pre. */
#define LAYER_EMBED (-1)
#define LAYERS_MAX 65 /* embed and at most 64 blocks */

/* What a hook is shown: rows (B,T,width) of one site and layer.
 *
 * On the way forward a hook reads `value` and may change it in place; the pass continues with what
 * it leaves. Scores of keys after the query are not read back: causality hides them from every
 * hook. A pattern is read back as it is left, as in TransformerLens: in gpt_forward, a weight that
 * a hook gives to a later key lets the query see it.
 *
 * On the way back (`gradient` is not NULL) `value` is what the forward pass left, read only, and
 * `gradient` (B,T,width) is d metric / d value. A hook may change it in place, and the pass goes
 * on with what it leaves: to add the gradient of a term of the metric that reads this site (a
 * probe), or to stop the gradient with zeros. */
typedef struct HookPoint {
    HookSite site;
    int layer;
    real *value;
    real *gradient;
    size_t B, T, width;
    size_t first; /* sequences of the caller's batch before these: 0, but in prefix_fill */
} HookPoint;

/* `fn` is called at each site with bit l of sites[site] set, for each layer l. */
typedef struct Hooks {
    void (*fn)(void *context, const HookPoint *point);
    void *context;
    uint64_t sites[N_HOOK_SITES];
} Hooks;

/* The bits of n layers, for `sites`. */
static inline uint64_t hook_all_layers(int n_layers)
{
    return n_layers >= 64 ? ~0ULL : (1ULL << n_layers) - 1;
}

static inline bool hook_wanted(const Hooks *hooks, HookSite site, int layer)
{
    return hooks && (hooks->sites[site] >> layer & 1) != 0;
}

#endif
