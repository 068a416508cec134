/* probes/attribution/components.c - contract in probes/attribution/components.h. */
#include "probes/attribution/components.h"

#include <assert.h>
#include <stdio.h>

enum { FIRST_LAYER = 2 }; /* behind tok and pos */

/* Components of the attention of a layer. */
static size_t of_attention(const ComponentList *list)
{
    size_t heads = (size_t)list->n_heads;
    switch (list->grain) {
    case GRAIN_LAYER: return 0;
    case GRAIN_PART: return 1;
    case GRAIN_SOURCE: return heads * (size_t)list->n_sources + 1;
    default: return heads + 1;
    }
}

static size_t of_mlp(const ComponentList *list)
{
    return list->grain == GRAIN_NEURON ? (size_t)list->n_neurons + 1 : 1;
}

ComponentList components_of(const GptConfig *cfg, AttributionGrain grain, HookSite site, int layer)
{
    assert(site == HOOK_RESID_PRE || site == HOOK_RESID_MID || site == HOOK_RESID_POST);
    ComponentList list = {.grain = grain,
                          .n_attention = layer + (site == HOOK_RESID_PRE ? 0 : 1),
                          .n_mlp = layer + (site == HOOK_RESID_POST ? 1 : 0),
                          .n_heads = cfg->n_heads,
                          .n_neurons = cfg->d_mlp,
                          .n_sources = cfg->n_ctx};
    list.stride = of_attention(&list) + of_mlp(&list);
    list.n = component_layer(&list, list.n_mlp) + 1;
    if (list.n_attention > list.n_mlp) {
        list.n += grain == GRAIN_LAYER ? 1 : of_attention(&list);
    }
    return list;
}

size_t component_layer(const ComponentList *list, int layer)
{
    return FIRST_LAYER + (size_t)layer * list->stride;
}

size_t component_mlp(const ComponentList *list, int layer)
{
    return component_layer(list, layer) + of_attention(list);
}

/* Component k of the attention of a layer. */
static Component attention_part(const ComponentList *list, int layer, size_t k)
{
    Component out = {COMPONENT_ATTENTION_BIAS, layer, -1, -1, -1};
    if (list->grain == GRAIN_PART) {
        out.kind = COMPONENT_ATTENTION;
    } else if (k + 1 < of_attention(list)) {
        bool source = list->grain == GRAIN_SOURCE;
        size_t each = source ? (size_t)list->n_sources : 1;
        out.kind = source ? COMPONENT_SOURCE : COMPONENT_HEAD;
        out.head = (int)(k / each);
        out.source = source ? (int)(k % each) : -1;
    }
    return out;
}

Component component_at(const ComponentList *list, size_t index)
{
    Component out = {COMPONENT_TOKEN, -1, -1, -1, -1};
    if (index + 1 == list->n) {
        out.kind = COMPONENT_BIAS;
    } else if (index < FIRST_LAYER) {
        out.kind = index == 0 ? COMPONENT_TOKEN : COMPONENT_POSITION;
    } else {
        int layer = (int)((index - FIRST_LAYER) / list->stride);
        size_t k = (index - FIRST_LAYER) % list->stride;
        if (list->grain == GRAIN_LAYER) {
            return (Component){COMPONENT_LAYER, layer, -1, -1, -1};
        }
        if (k < of_attention(list)) {
            return attention_part(list, layer, k);
        }
        k -= of_attention(list);
        out = (Component){COMPONENT_MLP, layer, -1, -1, -1};
        if (list->grain == GRAIN_NEURON) {
            bool neuron = k < (size_t)list->n_neurons;
            out.kind = neuron ? COMPONENT_NEURON : COMPONENT_MLP_BIAS;
            out.neuron = neuron ? (int)k : -1;
        }
    }
    return out;
}

void component_name(char out[COMPONENT_NAME_MAX], const ComponentList *list, Component what)
{
    switch (what.kind) {
    case COMPONENT_TOKEN: snprintf(out, COMPONENT_NAME_MAX, "tok"); break;
    case COMPONENT_POSITION: snprintf(out, COMPONENT_NAME_MAX, "pos"); break;
    case COMPONENT_LAYER: snprintf(out, COMPONENT_NAME_MAX, "layer%d", what.layer); break;
    case COMPONENT_ATTENTION: snprintf(out, COMPONENT_NAME_MAX, "attn%d", what.layer); break;
    case COMPONENT_HEAD: snprintf(out, COMPONENT_NAME_MAX, "L%dH%d", what.layer, what.head); break;
    case COMPONENT_SOURCE:
        snprintf(out, COMPONENT_NAME_MAX, "L%dH%d@%s%d", what.layer, what.head,
                 list->back ? "-" : "", what.source);
        break;
    case COMPONENT_ATTENTION_BIAS:
        snprintf(out, COMPONENT_NAME_MAX, "attn%d.bias", what.layer);
        break;
    case COMPONENT_MLP: snprintf(out, COMPONENT_NAME_MAX, "mlp%d", what.layer); break;
    case COMPONENT_NEURON:
        snprintf(out, COMPONENT_NAME_MAX, "L%dN%d", what.layer, what.neuron);
        break;
    case COMPONENT_MLP_BIAS: snprintf(out, COMPONENT_NAME_MAX, "mlp%d.bias", what.layer); break;
    case COMPONENT_BIAS: snprintf(out, COMPONENT_NAME_MAX, "bias"); break;
    }
}

const char *attribution_grain_name(AttributionGrain grain)
{
    static const char *const names[] = {"layer", "part", "head", "source", "neuron"};
    return names[grain];
}
