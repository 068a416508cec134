/* tests/model/planted/planted_passes.h - passes of planted networks with hooks: what every site
 * held in the clean and the corrupt run, gradients of the metric, and one part taken away or
 * patched. */
#ifndef OGPT_TESTS_PLANTED_PASSES_H
#define OGPT_TESTS_PLANTED_PASSES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/planted/planted.h"

enum { T_MAX = PLANTED_MAX_TOKENS, ROW_MAX = T_MAX * 1024 };

/* Everything that hooks saw in one pass, by site and layer. */
typedef struct PassRows {
    float values[N_HOOK_SITES][PLANTED_LAYERS][ROW_MAX],
        gradients[N_HOOK_SITES][PLANTED_LAYERS][ROW_MAX];
    size_t widths[N_HOOK_SITES];
    float logits[256];
} PassRows;

/* A network, its truth, and what is done in the next pass. */
typedef struct Passes {
    PlantedTruth truth;
    const Kernels *kernels;
    Gpt *gpt;
    Tape *tape;
    PassRows *clean, *corrupt, *keep; /* keep: what is filled now, or NULL */
    bool twin, corrupted;             /* the edit: the corrupt run's value, else zero */
    const PlantedPart *edited;
    float (*mix)[T_MAX * 256]; /* resid_pre of block 0 instead, or NULL */
    const float *heads;        /* (n_tokens,C) z of block 0 instead, or NULL */
    const float *neurons;      /* (n_tokens,M) of block 1 instead, or NULL */
    size_t n_checked, n_wrong;
    double worst;
} Passes;

/* Where a part writes: its site, its first column and the number of columns. */
static HookSite site_of(const Passes *p, const PlantedPart *part, size_t *first, size_t *width)
{
    size_t HS = (size_t)p->gpt->cfg.d_head;
    *first = part->node == PLANTED_HEAD     ? (size_t)part->index * HS
             : part->node == PLANTED_NEURON ? (size_t)part->index
                                            : 0;
    *width = part->node == PLANTED_HEAD     ? HS
             : part->node == PLANTED_NEURON ? 1
                                            : (size_t)p->gpt->cfg.d_model;
    return part->node == PLANTED_HEAD     ? HOOK_Z
           : part->node == PLANTED_NEURON ? HOOK_POST
           : part->node == PLANTED_MLP    ? HOOK_MLP_OUT
                                          : HOOK_RESID_PRE;
}

static void edit_rows(Passes *p, const HookPoint *point)
{
    size_t first, width;
    const PlantedPart *part = p->edited;
    int layer = part->node == PLANTED_INPUT ? 0 : part->layer;
    if (site_of(p, part, &first, &width) != point->site || layer != point->layer) {
        return;
    }
    for (size_t t = 0; t < point->T; t++) {
        for (size_t c = first; c < first + width; c++) {
            size_t at = t * point->width + c;
            point->value[at] = p->corrupted ? p->corrupt->values[point->site][layer][at] : 0;
        }
    }
}

static void look(void *context, const HookPoint *point)
{
    Passes *p = context;
    size_t bytes = point->T * point->width * sizeof(float);
    if (point->gradient) {
        memcpy(p->clean->gradients[point->site][point->layer], point->gradient, bytes);
        return;
    }
    if (p->mix && point->site == HOOK_RESID_PRE && point->layer == 0) {
        memcpy(point->value, *p->mix, bytes);
    }
    if (p->heads && point->site == HOOK_Z && point->layer == 0) {
        memcpy(point->value, p->heads, bytes);
    }
    if (p->neurons && point->site == HOOK_POST && point->layer == 1) {
        memcpy(point->value, p->neurons, bytes);
    }
    if (p->edited) {
        edit_rows(p, point);
    }
    if (p->keep) {
        assert_true(bytes <= sizeof(p->keep->values[0][0]));
        p->keep->widths[point->site] = point->width;
        memcpy(p->keep->values[point->site][point->layer], point->value, bytes);
    }
}

static Hooks every_site(Passes *p)
{
    Hooks hooks = {.fn = look, .context = p};
    for (int site = 0; site < N_HOOK_SITES; site++) {
        hooks.sites[site] = hook_site_outside((HookSite)site) ? 1 : (1U << PLANTED_LAYERS) - 1;
    }
    return hooks;
}

/* Logits behind the last token, borrowed. */
static const float *pass(Passes *p, const uint8_t *tokens)
{
    Hooks hooks = every_site(p);
    size_t n = p->truth.n_tokens;
    return gpt_forward(p->gpt, p->tape, tokens, 1, n, &hooks) +
           (n - 1) * (size_t)p->gpt->cfg.d_vocab;
}

static double metric(const Passes *p, const float *logits)
{
    return (double)logits[p->truth.target] - (double)logits[p->truth.other];
}

/* m(clean) - m of the pass as p says. */
static double lost(Passes *p)
{
    return metric(p, p->clean->logits) - metric(p, pass(p, p->truth.clean));
}

static PassRows *keep_pass(Passes *p, const uint8_t *tokens)
{
    PassRows *rows = calloc(1, sizeof(*rows));
    p->keep = rows;
    memcpy(rows->logits, pass(p, tokens), (size_t)p->gpt->cfg.d_vocab * sizeof(float));
    p->keep = NULL;
    return rows;
}

static void begin(Passes *p, PlantedKind kind, int size, bool twin, const Kernels *kernels)
{
    PlantedOptions options = {.kind = kind, .size = size, .seed = 3, .twin = twin};
    *p = (Passes){.kernels = kernels, .twin = twin};
    assert_int_equal(planted_make(&p->gpt, &options), 0);
    assert_int_equal(planted_truth(&p->truth, &options), 0);
    assert_int_equal(tape_new(&p->tape, &p->gpt->cfg, 1, TAPE_GRADIENT, kernels), 0);
    p->corrupt = keep_pass(p, p->truth.corrupt);
    p->clean = keep_pass(p, p->truth.clean);
    /* Gradients of m at every site, in the clean run. */
    static float dlogits[T_MAX * 256];
    size_t V = (size_t)p->gpt->cfg.d_vocab, last = (p->truth.n_tokens - 1) * V;
    memset(dlogits, 0, sizeof(dlogits));
    dlogits[last + p->truth.target] = 1;
    dlogits[last + p->truth.other] = -1;
    Hooks hooks = every_site(p);
    gpt_gradient(p->gpt, p->tape, p->truth.clean, dlogits, &hooks, NULL);
}

static void end(Passes *p)
{
    free(p->clean);
    free(p->corrupt);
    tape_free(p->tape);
    gpt_free(p->gpt);
}

/* As in test_planted.c: on a twin every truth that is not zero must be wrong. */
static void compare(Passes *p, const char *what, size_t index, double found, double truth)
{
    bool wrong = !(fabs(found - truth) <= PLANTED_TOLERANCE * p->truth.strength);
    p->worst = fmax(p->worst, fabs(found - truth) / p->truth.strength);
    p->n_checked += truth != 0;
    p->n_wrong += wrong && truth != 0;
    if (wrong && (!p->twin || truth == 0)) {
        fail_msg("%s, board %d, %s kernels: %s %zu: expected %.9g, found %.9g",
                 planted_kind_name(p->truth.kind), p->truth.size,
                 p->kernels ? p->kernels->name : "fast", what, index, truth, found);
    }
}

#endif
