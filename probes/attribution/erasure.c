/* probes/attribution/erasure.c - writes that a later component takes back. Contract in
 * probes/attribution/attribution.h. */
#include "probes/attribution/attributor_internal.h"

size_t attribution_erasers(const ComponentList *list)
{
    switch (list->grain) {
    case GRAIN_SOURCE: return 0;
    case GRAIN_NEURON: return (size_t)(list->n_attention + list->n_mlp);
    default: return list->n - 1;
    }
}

Component attribution_eraser(const ComponentList *list, size_t eraser)
{
    if (list->grain != GRAIN_NEURON) {
        return component_at(list, eraser);
    }
    return (Component){eraser % 2 == 0 ? COMPONENT_ATTENTION : COMPONENT_MLP, (int)(eraser / 2), -1,
                       -1, -1};
}

/* When a component writes. */
static int order(Component what)
{
    switch (what.kind) {
    case COMPONENT_TOKEN:
    case COMPONENT_POSITION: return -1;
    case COMPONENT_LAYER:
    case COMPONENT_MLP:
    case COMPONENT_NEURON:
    case COMPONENT_MLP_BIAS: return 2 * what.layer + 1;
    default: return 2 * what.layer;
    }
}

bool attribution_erases(const ComponentList *list, size_t eraser, size_t component)
{
    Component what = component_at(list, component);
    if (what.kind == COMPONENT_BIAS || (list->grain == GRAIN_NEURON && what.neuron < 0)) {
        return false;
    }
    return order(attribution_eraser(list, eraser)) > order(what);
}

/* Every vector of a row with every other. */
static void add_row(AttributionErasure *sums, Attributor *a, const real *vectors)
{
    size_t n = a->n_coarse, C = a->C;
    for (size_t first = 0, some; first < n; first += some) {
        some = n - first < ATTRIBUTION_ROWS ? n - first : ATTRIBUTION_ROWS;
        real *products = a->coefficient; /* (some, n) */
        a->kernels->linear_bwd_inp(products, vectors + first * C, vectors, 0, some, n, C,
                                   a->scratch);
        for (size_t j = 0; j < some; j++) {
            float *to = sums->dot + (first + j) * sums->n_erasers;
            sums->self[first + j] += (double)products[j * n + first + j];
            for (size_t e = 0; e < n; e++) {
                to[e] += (float)products[j * n + e];
            }
        }
    }
}

/* The neurons of a layer against the layers and MLPs behind it. */
static void add_neurons(AttributionErasure *sums, Attributor *a, const Writes *writes, int layer)
{
    size_t M = (size_t)a->list->n_neurons, C = a->C, first = component_mlp(a->list, layer);
    const real *W_out =
        a->gpt->params + a->gpt->map.W_out + (size_t)layer * a->gpt->map.block_stride;
    size_t later = 2 * (size_t)layer + 2, n_later = a->n_parts > later ? a->n_parts - later : 0;
    for (size_t m = 0; m < M; m++) {
        a->norm[m] = 0;
        for (size_t c = 0; c < C; c++) {
            a->norm[m] += (double)W_out[m * C + c] * (double)W_out[m * C + c];
        }
    }
    for (size_t i = 0; i < a->n; i++) {
        const real *g = writes->post + ((size_t)layer * writes->n + a->first + i) * M;
        const real *parts = a->parts + (i * a->n_parts + later) * C;
        real *products = a->coefficient; /* (n_later, M) */
        a->kernels->linear_bwd_inp(products, parts, W_out, 0, n_later, M, C, a->scratch);
        for (size_t m = 0; m < M; m++) {
            float *to = sums->dot + (first + m) * sums->n_erasers + later;
            sums->self[first + m] += (double)(g[m] * g[m]) * a->norm[m];
            for (size_t e = 0; e < n_later; e++) {
                to[e] += (float)(g[m] * products[e * M + m]);
            }
        }
    }
}

void attributor_add_erasure(AttributionErasure *sums, Attributor *a, const Writes *writes)
{
    if (a->list->grain == GRAIN_NEURON) {
        attributor__parts(a, writes);
        for (int layer = 0; layer < a->list->n_mlp; layer++) {
            add_neurons(sums, a, writes, layer);
        }
    } else if (a->list->grain != GRAIN_SOURCE) {
        for (size_t i = 0; i < a->n; i++) {
            add_row(sums, a, a->vectors + i * a->n_coarse * a->C);
        }
    }
}
