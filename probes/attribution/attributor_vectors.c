/* probes/attribution/attributor_vectors.c - what components wrote, as vectors and coefficients. */
#include <string.h>

#include "probes/attribution/attributor_internal.h"
#include "probes/graph/outputs.h"

bool attributor__is_coarse(ComponentKind kind)
{
    return kind != COMPONENT_SOURCE && kind != COMPONENT_NEURON && kind != COMPONENT_BIAS;
}

static const real *block_tensor(const Gpt *gpt, size_t field, int layer)
{
    return gpt->params + field + (size_t)layer * gpt->map.block_stride;
}

/* Rows first .. of (L, writes->n, width). */
static const real *rows_of(const Attributor *a, const Writes *writes, const real *site, int layer,
                           size_t width)
{
    return site + ((size_t)layer * writes->n + a->first) * width;
}

/* out (n rows, stride apart) = or += rows (n, C). */
static void put(real *out, size_t stride, const real *rows, size_t n, size_t C, bool add)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < C; c++) {
            out[i * stride + c] = rows[i * C + c] + (add ? out[i * stride + c] : 0);
        }
    }
}

/* a->rows (n, C) = what a whole attention layer wrote. */
static void attention_rows(Attributor *a, const Writes *writes, int layer)
{
    const real *z = rows_of(a, writes, writes->z, layer, a->C);
    a->kernels->linear_fwd(a->rows, z, block_tensor(a->gpt, a->gpt->map.W_O, layer),
                           block_tensor(a->gpt, a->gpt->map.b_O, layer), a->n, a->C, a->C,
                           a->scratch);
}

/* The vectors of one component into out, `stride` apart. */
static void component_rows(real *out, size_t stride, Attributor *a, const Writes *writes,
                           Component what)
{
    const Gpt *gpt = a->gpt;
    size_t n = a->n, C = a->C;
    switch (what.kind) {
    case COMPONENT_TOKEN:
    case COMPONENT_POSITION:
        for (size_t i = 0; i < n; i++) {
            size_t row = writes->rows[a->first + i];
            const real *from = what.kind == COMPONENT_TOKEN
                                   ? gpt->params + gpt->map.W_E + writes->tokens[row] * C
                                   : gpt->params + gpt->map.W_pos + row % writes->T * C;
            memcpy(out + i * stride, from, C * sizeof(*out));
        }
        break;
    case COMPONENT_HEAD:
        outputs_of_head(a->rows, gpt, what.layer, what.head,
                        rows_of(a, writes, writes->z, what.layer, C), n);
        put(out, stride, a->rows, n, C, false);
        break;
    case COMPONENT_ATTENTION:
    case COMPONENT_LAYER:
        attention_rows(a, writes, what.layer);
        put(out, stride, a->rows, n, C, false);
        if (what.kind == COMPONENT_LAYER && what.layer < a->list->n_mlp) {
            put(out, stride, rows_of(a, writes, writes->mlp, what.layer, C), n, C, true);
        }
        break;
    case COMPONENT_MLP:
        put(out, stride, rows_of(a, writes, writes->mlp, what.layer, C), n, C, false);
        break;
    default: /* the two biases: the same at every row */
        if (what.kind == COMPONENT_ATTENTION_BIAS) {
            writes_attention_bias(a->rows, gpt, what.layer);
        } else {
            memcpy(a->rows, block_tensor(gpt, gpt->map.b_out, what.layer), C * sizeof(*out));
        }
        for (size_t i = 0; i < n; i++) {
            memcpy(out + i * stride, a->rows, C * sizeof(*out));
        }
    }
}

void attributor__vectors(Attributor *a, const Writes *writes)
{
    for (size_t j = 0; j < a->n_coarse; j++) {
        component_rows(a->vectors + j * a->C, a->n_coarse * a->C, a, writes,
                       component_at(a->list, a->coarse[j]));
    }
}

void attributor__parts(Attributor *a, const Writes *writes)
{
    for (size_t e = 0; e < a->n_parts; e++) {
        component_rows(a->parts + e * a->C, a->n_parts * a->C, a, writes,
                       attribution_eraser(a->list, e));
    }
}

/* ---- blocks ---- */

static void neuron_blocks(Attributor *a, const Writes *writes,
                          void (*add)(Attributor *, const WriteBlock *))
{
    size_t M = (size_t)a->list->n_neurons;
    for (int layer = 0; layer < a->list->n_mlp; layer++) {
        WriteBlock block = {.vectors = block_tensor(a->gpt, a->gpt->map.W_out, layer),
                            .m = M,
                            .n_rows = a->n,
                            .coefficient = rows_of(a, writes, writes->post, layer, M),
                            .first = component_mlp(a->list, layer)};
        add(a, &block);
    }
}

/* One head at rows i .. i+n_rows-1, which belong to one sequence. */
static void source_block(Attributor *a, const Writes *writes, const WriteBlock *rows, int layer,
                         int head, void (*add)(Attributor *, const WriteBlock *))
{
    size_t C = a->C, T = writes->T, NH = (size_t)a->list->n_heads;
    size_t game = writes->rows[a->first + rows->row] / T;
    const real *v = writes->v + ((size_t)layer * writes->B + game) * T * C;
    WriteBlock block = *rows;
    outputs_of_head(a->rows, a->gpt, layer, head, v, block.m);
    block.vectors = a->rows;
    block.coefficient = a->coefficient;
    block.first = component_layer(a->list, layer) + (size_t)head * (size_t)a->list->n_sources;
    for (size_t i = 0; i < block.n_rows; i++) {
        const real *pattern = rows_of(a, writes, writes->pattern, layer, NH * T) +
                              ((block.row + i) * NH + (size_t)head) * T;
        memcpy(a->coefficient + i * block.m, pattern, block.m * sizeof(*pattern));
    }
    add(a, &block);
}

static void source_blocks(Attributor *a, const Writes *writes,
                          void (*add)(Attributor *, const WriteBlock *))
{
    size_t ply[ATTRIBUTION_ROWS];
    const size_t *rows = writes->rows + a->first;
    for (size_t i = 0, end; i < a->n; i = end) {
        for (end = i; end < a->n && rows[end] / writes->T == rows[i] / writes->T; end++) {
            ply[end - i] = rows[end] % writes->T;
        }
        WriteBlock block = {.m = ply[end - 1 - i] + 1, .row = i, .n_rows = end - i, .ply = ply};
        for (int layer = 0; layer < a->list->n_attention; layer++) {
            for (int head = 0; head < a->list->n_heads; head++) {
                source_block(a, writes, &block, layer, head, add);
            }
        }
    }
}

void attributor__blocks(Attributor *a, const Writes *writes,
                        void (*add)(Attributor *a, const WriteBlock *block))
{
    for (size_t i = 0; i < a->n; i++) {
        WriteBlock block = {.vectors = a->vectors + i * a->n_coarse * a->C,
                            .m = a->n_coarse,
                            .row = i,
                            .n_rows = 1,
                            .index = a->coarse};
        add(a, &block);
    }
    if (a->list->grain == GRAIN_NEURON) {
        neuron_blocks(a, writes, add);
    } else if (a->list->grain == GRAIN_SOURCE) {
        source_blocks(a, writes, add);
    }
}
