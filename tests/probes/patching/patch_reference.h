/* tests/probes/patching/patch_reference.h - patched edges, as slowly as the definition says it: one
 * pair, one pass over all positions, plain sums in double precision. See probes/patching/edges.h.
 */
#ifndef OGPT_TESTS_PROBES_PATCHING_PATCH_REFERENCE_H
#define OGPT_TESTS_PROBES_PATCHING_PATCH_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probes/graph/outputs.h"
#include "probes/patching/edges.h"

typedef struct Reference {
    const EdgeQuestion *question;
    const uint8_t *patched; /* (n_edges); NULL: a plain run */
    size_t T, C;
    real *other, *here; /* (n_senders, T, C) */
    real *x;            /* (T, C) in front of the next receivers */
    double *scale;      /* (2 L + 1, T) of the base run */
    bool scales;        /* this run is the base run: write them */
} Reference;

static inline double reference_scale(const real *x, size_t C, double eps, double *mean)
{
    double sum = 0.0, square = 0.0;
    for (size_t c = 0; c < C; c++) {
        sum += x[c];
    }
    *mean = sum / (double)C;
    for (size_t c = 0; c < C; c++) {
        square += (x[c] - *mean) * (x[c] - *mean);
    }
    return sqrt(square / (double)C + eps);
}

/* row (C) = LayerNorm of x[t] + the patched differences. Returns whether anything is patched. */
static inline bool reference_read(double *row, const Reference *ref, size_t receiver, size_t norm,
                                  size_t t, const real *w, const real *b)
{
    const Graph *graph = ref->question->graph;
    real x[512];
    bool any = false;
    double mean, scale;
    memcpy(x, ref->x + t * ref->C, ref->C * sizeof(*x));
    for (size_t s = 0; ref->patched && s < graph_sees(graph, receiver); s++) {
        if (ref->patched[graph_first_edge(graph, receiver) + s]) {
            any = true;
            for (size_t c = 0; c < ref->C; c++) {
                size_t at = (s * ref->T + t) * ref->C + c;
                x[c] += ref->other[at] - ref->here[at];
            }
        }
    }
    scale = reference_scale(x, ref->C, (double)ref->question->gpt->cfg.eps, &mean);
    if (ref->question->norm == PATCH_FROZEN) {
        scale = ref->scale[norm * ref->T + t];
    }
    for (size_t c = 0; c < ref->C; c++) {
        row[c] = (x[c] - mean) / scale * w[c] + b[c];
    }
    return any;
}

static inline void reference_heads(const Reference *ref, ReceiverKind kind, const HookPoint *point)
{
    const Gpt *gpt = ref->question->gpt;
    const TensorMap *map = &gpt->map;
    const real *p = gpt->params + (size_t)point->layer * map->block_stride;
    const real *W = p + (kind == RECEIVER_Q ? map->W_Q : kind == RECEIVER_K ? map->W_K : map->W_V);
    const real *b = p + (kind == RECEIVER_Q ? map->b_Q : kind == RECEIVER_K ? map->b_K : map->b_V);
    size_t HS = (size_t)gpt->cfg.d_head, C = ref->C;
    double row[512];
    for (size_t t = ref->question->scope == PATCH_ALL ? 0 : ref->T - 1; t < ref->T; t++) {
        for (size_t h = 0; h < (size_t)gpt->cfg.n_heads; h++) {
            size_t receiver =
                graph_receiver_index(ref->question->graph, (Receiver){kind, point->layer, (int)h});
            if (reference_read(row, ref, receiver, (size_t)point->layer, t, p + map->ln1_w,
                               p + map->ln1_b)) {
                for (size_t j = h * HS; j < (h + 1) * HS; j++) {
                    double sum = b[j];
                    for (size_t c = 0; c < C; c++) {
                        sum += row[c] * W[c * C + j];
                    }
                    point->value[t * C + j] = (real)sum;
                }
            }
        }
    }
}

static inline void reference_rows(const Reference *ref, Receiver receiver, const HookPoint *point)
{
    const Gpt *gpt = ref->question->gpt;
    const TensorMap *map = &gpt->map;
    bool mlp = receiver.kind == RECEIVER_MLP;
    const real *p = gpt->params + (mlp ? (size_t)receiver.layer * map->block_stride : 0);
    size_t L = (size_t)gpt->cfg.n_layers, norm = mlp ? L + (size_t)receiver.layer : 2 * L;
    double row[512];
    for (size_t t = ref->question->scope == PATCH_ALL ? 0 : ref->T - 1; t < ref->T; t++) {
        if (reference_read(row, ref, graph_receiver_index(ref->question->graph, receiver), norm, t,
                           p + (mlp ? map->ln2_w : map->lnf_w),
                           p + (mlp ? map->ln2_b : map->lnf_b))) {
            for (size_t c = 0; c < ref->C; c++) {
                point->value[t * ref->C + c] = (real)row[c];
            }
        }
    }
}

static inline void reference_scales(const Reference *ref, size_t norm)
{
    double mean;
    for (size_t t = 0; ref->scales && t < ref->T; t++) {
        ref->scale[norm * ref->T + t] = reference_scale(ref->x + t * ref->C, ref->C,
                                                        (double)ref->question->gpt->cfg.eps, &mean);
    }
}

static inline void reference_hook(void *context, const HookPoint *point)
{
    Reference *ref = context;
    size_t L = (size_t)ref->question->gpt->cfg.n_layers, layer = (size_t)point->layer;
    if (point->site == HOOK_RESID_PRE || point->site == HOOK_RESID_MID ||
        (point->site == HOOK_RESID_POST && layer + 1 == L)) {
        memcpy(ref->x, point->value, ref->T * ref->C * sizeof(*ref->x));
        reference_scales(ref, point->site == HOOK_RESID_PRE   ? layer
                              : point->site == HOOK_RESID_MID ? L + layer
                                                              : 2 * L);
    }
    outputs_take(ref->here, ref->T, ref->question->graph, ref->question->gpt, point);
    if (point->site == HOOK_Q || point->site == HOOK_K || point->site == HOOK_V) {
        reference_heads(ref,
                        point->site == HOOK_Q   ? RECEIVER_Q
                        : point->site == HOOK_K ? RECEIVER_K
                                                : RECEIVER_V,
                        point);
    } else if (point->site == HOOK_LN2) {
        reference_rows(ref, (Receiver){RECEIVER_MLP, point->layer, -1}, point);
    } else if (point->site == HOOK_FINAL) {
        reference_rows(ref, (Receiver){RECEIVER_LOGITS, -1, -1}, point);
    }
}

static inline void reference_tokens(uint8_t *tokens, const EdgeQuestion *question, size_t pair,
                                    bool other)
{
    const GamePair *p = &question->pairs[pair];
    bool corrupt = other == (question->direction == PATCH_NOISING);
    for (int t = 0; t < p->n_moves; t++) {
        tokens[t] = question->vocab->tok_of_sq[corrupt ? p->corrupt[t] : p->clean[t]];
    }
}

/* logits (d_vocab) at the last position of one pair's base run with a set of edges patched; patched
 * NULL: of the base run; `plain` other: of the other run. Returns 0 or -1 (memory). */
static inline int reference_run(real *logits, const EdgeQuestion *question, size_t pair,
                                const uint8_t *patched)
{
    size_t T = (size_t)question->pairs[pair].n_moves, C = (size_t)question->gpt->cfg.d_model;
    size_t L = (size_t)question->gpt->cfg.n_layers, V = (size_t)question->gpt->cfg.d_vocab;
    size_t size = question->graph->n_senders * T * C;
    real *memory = calloc(2 * size + T * C, sizeof(real));
    double *scale = calloc((2 * L + 1) * T, sizeof(double));
    Reference ref = {.question = question, .T = T, .C = C, .scale = scale};
    Hooks hooks = {.fn = reference_hook, .context = &ref};
    uint8_t tokens[GAME_MAX_MOVES];
    Tape *tape = NULL;
    if (!memory || !scale || tape_new(&tape, &question->gpt->cfg, 1, TAPE_FORWARD, NULL) != 0) {
        free(memory);
        free(scale);
        return -1;
    }
    for (int site = 0; site < N_HOOK_SITES; site++) {
        hooks.sites[site] = ~0ULL;
    }
    ref.other = memory;
    ref.here = memory; /* the other run writes here what the patched run calls other */
    ref.x = memory + 2 * size;
    reference_tokens(tokens, question, pair, true);
    gpt_forward(question->gpt, tape, tokens, 1, T, &hooks);
    ref.here = memory + size;
    ref.scales = true;
    reference_tokens(tokens, question, pair, false);
    gpt_forward(question->gpt, tape, tokens, 1, T, &hooks);
    ref.scales = false;
    ref.patched = patched;
    const real *all = gpt_forward(question->gpt, tape, tokens, 1, T, &hooks);
    memcpy(logits, all + (T - 1) * V, V * sizeof(*logits));
    tape_free(tape);
    free(memory);
    free(scale);
    return 0;
}

#endif
