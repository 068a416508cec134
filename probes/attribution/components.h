/* probes/attribution/components.h - the parts whose writes add up to a residual stream.
 *
 * A grain says how finely the stream is taken apart. At each grain all components together are the
 * whole stream, and the bias of what reads it is the last component:
 *   layer   tok, pos, layer 0, 1, ...
 *   part    tok, pos, attention 0, MLP 0, ...
 *   head    tok, pos, of each layer its heads, their bias, its MLP
 *   source  as head, with each head divided by the position that it reads from
 *   neuron  as head, with each MLP divided into its neurons and its bias
 * The bias of an attention layer is b_O + b_V W_O: an attention row sums to 1, so b_V is the same
 * in every run and belongs to no head (TransformerLens folds it into b_O for that reason).
 */
#ifndef OGPT_PROBES_ATTRIBUTION_COMPONENTS_H
#define OGPT_PROBES_ATTRIBUTION_COMPONENTS_H

#include "model/gpt.h"

typedef enum AttributionGrain {
    GRAIN_LAYER,
    GRAIN_PART,
    GRAIN_HEAD,
    GRAIN_SOURCE,
    GRAIN_NEURON
} AttributionGrain;
#define ATTRIBUTION_GRAIN_NAMES "layer|part|head|source|neuron"

typedef enum ComponentKind {
    COMPONENT_TOKEN,
    COMPONENT_POSITION,
    COMPONENT_LAYER,
    COMPONENT_ATTENTION,
    COMPONENT_HEAD,
    COMPONENT_SOURCE,
    COMPONENT_ATTENTION_BIAS,
    COMPONENT_MLP,
    COMPONENT_NEURON,
    COMPONENT_MLP_BIAS,
    COMPONENT_BIAS /* of the reader: b_f W_U + b_U, or the probe's */
} ComponentKind;

typedef struct Component {
    ComponentKind kind;
    int layer, head, neuron, source; /* -1 where it has none */
} Component;

/* What wrote into the stream that is read: n_attention attention layers and n_mlp MLPs. */
typedef struct ComponentList {
    AttributionGrain grain;
    int n_attention, n_mlp; /* equal, or one MLP less (resid_mid) */
    int n_heads, n_neurons;
    int n_sources; /* positions of a sequence */
    bool back;     /* source k is k positions before the reader, else position k */
    size_t n;      /* components, the bias of the reader included */
    size_t stride; /* components of one whole layer */
} ComponentList;

/* The list for a stream site (resid_pre, resid_mid, resid_post) of a block. */
ComponentList components_of(const GptConfig *cfg, AttributionGrain grain, HookSite site, int layer);
/* By number, in the order in which they write. */
Component component_at(const ComponentList *list, size_t index);
/* The first component of a layer, and of its MLP; neurons and sources follow each other. */
size_t component_layer(const ComponentList *list, int layer);
size_t component_mlp(const ComponentList *list, int layer);

#define COMPONENT_NAME_MAX 32
/* "tok", "pos", "layer3", "attn3", "L3H5", "L3H5@7" (position 7) or "L3H5@-2" (2 positions before
 * the reader), "attn3.bias", "mlp3", "L3N17", "mlp3.bias", "bias". */
void component_name(char out[COMPONENT_NAME_MAX], const ComponentList *list, Component what);
const char *attribution_grain_name(AttributionGrain grain); /* static */

#endif
