/* probes/graph/outputs.c - what each sender wrote, from the sites of a pass. */
#include "probes/graph/outputs.h"

#include <string.h>

static const real *block_tensor(const Gpt *gpt, size_t field, int layer)
{
    return gpt->params + field + (size_t)layer * gpt->map.block_stride;
}

void outputs_want(Hooks *hooks, const Graph *graph)
{
    uint64_t all = hook_all_layers(graph->n_layers);
    hooks->sites[HOOK_RESID_PRE] |= 1;
    hooks->sites[HOOK_Z] |= all;
    hooks->sites[HOOK_MLP_OUT] |= all;
}

void outputs_of_head(real *out, const Gpt *gpt, int layer, int head, const real *z, size_t n)
{
    size_t C = (size_t)gpt->cfg.d_model, HS = (size_t)gpt->cfg.d_head, first = (size_t)head * HS;
    const real *w = block_tensor(gpt, gpt->map.W_O, layer) + first * C;
    const real *b = block_tensor(gpt, gpt->map.b_V, layer) + first;
    memset(out, 0, n * C * sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < HS; j++) {
            real value = z[i * C + first + j] - b[j];
            for (size_t c = 0; c < C; c++) {
                out[i * C + c] += value * w[j * C + c];
            }
        }
    }
}

void outputs_take(real *out, size_t rows, const Graph *graph, const Gpt *gpt,
                  const HookPoint *point)
{
    size_t C = (size_t)gpt->cfg.d_model, n = point->B * point->T;
    size_t first = point->first * point->T; /* rows of the sequences before these */
    if (point->site == HOOK_Z) {
        for (int head = 0; head < graph->n_heads; head++) {
            size_t s = graph_sender_index(graph, (Sender){SENDER_HEAD, point->layer, head});
            outputs_of_head(out + (s * rows + first) * C, gpt, point->layer, head, point->value, n);
        }
    } else if (point->site == HOOK_MLP_OUT ||
               (point->site == HOOK_RESID_PRE && point->layer == 0)) {
        SenderKind kind = point->site == HOOK_MLP_OUT ? SENDER_MLP : SENDER_INPUT;
        size_t s = graph_sender_index(graph, (Sender){kind, point->layer, -1});
        memcpy(out + (s * rows + first) * C, point->value, n * C * sizeof(*out));
    }
}

void outputs_constant(real *out, const Gpt *gpt, int layer)
{
    size_t C = (size_t)gpt->cfg.d_model;
    memset(out, 0, C * sizeof(*out));
    for (int l = 0; l < layer; l++) {
        const real *b_O = block_tensor(gpt, gpt->map.b_O, l);
        const real *b_V = block_tensor(gpt, gpt->map.b_V, l);
        const real *W_O = block_tensor(gpt, gpt->map.W_O, l);
        for (size_t c = 0; c < C; c++) {
            out[c] += b_O[c];
        }
        for (size_t j = 0; j < C; j++) {
            for (size_t c = 0; c < C; c++) {
                out[c] += b_V[j] * W_O[j * C + c];
            }
        }
    }
}
