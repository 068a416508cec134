/* model/config.h - the shape of a network, its presets, and HookedTransformerConfig's JSON.
 *
 * Architecture (Li et al., ICLR 2023; GPT-2): pre-LayerNorm blocks, causal attention, MLP of
 * 4*d_model with exact (erf) GELU, learned positions, untied head without bias.
 */
#ifndef OGPT_MODEL_CONFIG_H
#define OGPT_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/js.h"

typedef struct GptConfig {
    int n_layers, d_model, n_heads, d_head, d_mlp;
    int n_ctx, d_vocab;
    float eps;     /* of every LayerNorm */
    uint64_t seed; /* of the initial weights */
} GptConfig;

/* "nano" 4 layers, 64 wide, 4 heads; "tiny" 8, 128, 8; "small" 8, 256, 8; "paper" 8, 512, 8.
 * Fills everything but n_ctx, d_vocab and seed. Returns 0 or OGPT_EUSAGE. */
int gpt_config_preset(GptConfig *out, const char *name);
#define GPT_PRESETS "nano|tiny|small|paper"

/* NULL when sound, else a one-line reason (static). */
const char *gpt_config_check(const GptConfig *cfg);
/* Whether all but eps and seed are equal, so that the parameters of one fit the other. */
bool gpt_config_same_shape(const GptConfig *a, const GptConfig *b);
int64_t gpt_config_parameters(const GptConfig *cfg);
/* Floating-point operations of training on one token: 6*(12*L*d^2 + V*d) + 6*L*d*(T+1). */
double gpt_config_flops(const GptConfig *cfg);

/* config.json <-> GptConfig. Reading ignores unknown keys. It checks normalization_type (LN or
 * LNPre), act_fn (gelu) and the sizes (gpt_config_check); OGPT_EFORMAT names the key, what was
 * expected and what was found. Writing returns an owned object without "ogpt". */
int gpt_config_read(GptConfig *out, const Js *json, const char *origin);
Js *gpt_config_write(const GptConfig *cfg);

#endif
