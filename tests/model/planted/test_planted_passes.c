/* Planted networks in passes of model/, with hooks and gradients, fast and plain kernels: what the
 * truth says about parts and about gradients; LayerNorms that are constants. Twins fail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "planted_passes.h"

/* ---- parts, and gradients at parts ---- */

static double estimate_of_part(const Passes *p, const PlantedPart *part)
{
    size_t first, width;
    HookSite site = site_of(p, part, &first, &width);
    int layer = part->node == PLANTED_INPUT ? 0 : part->layer;
    double sum = 0;
    for (size_t t = 0; t < p->truth.n_tokens; t++) {
        for (size_t c = first; c < first + width; c++) {
            size_t at = t * p->clean->widths[site] + c;
            sum += ((double)p->clean->values[site][layer][at] -
                    (double)p->corrupt->values[site][layer][at]) *
                   (double)p->clean->gradients[site][layer][at];
        }
    }
    return sum;
}

static void check_parts(Passes *p)
{
    for (size_t i = 0; i + 1 < p->truth.n_parts; i++) {
        p->edited = &p->truth.parts[i];
        if (i > 0) {
            p->corrupted = false;
            compare(p, "total of part", i, lost(p), p->edited->total);
        }
        p->corrupted = true;
        compare(p, "effect of part", i, lost(p), p->edited->effect);
        compare(p, "estimate of part", i, estimate_of_part(p, p->edited), p->edited->estimate);
    }
    p->edited = NULL;
}

/* ---- gradients at edges ---- */

/* What a part writes into the stream in a pass, out (n_tokens,C). */
static void write_of(const Passes *p, double *out, const PassRows *rows, const PlantedPart *part)
{
    size_t C = (size_t)p->gpt->cfg.d_model, first, width;
    HookSite site = site_of(p, part, &first, &width);
    int layer = part->node == PLANTED_INPUT ? 0 : part->layer;
    const float *w = p->gpt->params + (size_t)layer * p->gpt->map.block_stride + p->gpt->map.W_O;
    for (size_t t = 0; t < p->truth.n_tokens; t++) {
        for (size_t c = 0; c < C; c++) {
            const float *row = rows->values[site][layer] + t * C;
            double sum = part->node == PLANTED_HEAD ? 0 : (double)row[c];
            for (size_t j = first; part->node == PLANTED_HEAD && j < first + width; j++) {
                sum += (double)row[j] * (double)w[j * C + c];
            }
            out[t * C + c] = sum;
        }
    }
}

/* change (n_tokens,C) of the stream becomes that of the output of a LayerNorm. */
static void through_norm(const Passes *p, double *change, const float *w)
{
    size_t C = (size_t)p->gpt->cfg.d_model;
    for (size_t t = 0; t < p->truth.n_tokens; t++) {
        double mean = 0;
        for (size_t c = 0; c < C; c++) {
            mean += change[t * C + c] / (double)C;
        }
        for (size_t c = 0; c < C; c++) {
            change[t * C + c] =
                (change[t * C + c] - mean) * (double)w[c] / sqrt((double)p->gpt->cfg.eps);
        }
    }
}

static double estimate_of_edge(const Passes *p, const PlantedEdge *edge)
{
    const PlantedPart *to = &p->truth.parts[edge->to], *from = &p->truth.parts[edge->from];
    const TensorMap *map = &p->gpt->map;
    const size_t W[] = {map->W_Q, map->W_K, map->W_V};
    size_t C = (size_t)p->gpt->cfg.d_model, n = p->truth.n_tokens * C, first, width;
    static double change[T_MAX * 256], other[T_MAX * 256];
    int layer = to->node == PLANTED_LOGITS ? PLANTED_LAYERS - 1 : to->layer;
    const float *block = p->gpt->params + (size_t)layer * map->block_stride;
    double sum = 0;
    write_of(p, change, p->clean, from);
    write_of(p, other, p->corrupt, from);
    for (size_t i = 0; i < n; i++) {
        change[i] -= other[i];
    }
    if (to->node != PLANTED_HEAD) { /* at the output of the LayerNorm, or of the stream */
        HookSite site = to->node == PLANTED_MLP ? HOOK_LN2 : HOOK_RESID_POST;
        if (to->node == PLANTED_MLP) {
            through_norm(p, change, block + map->ln2_w);
        }
        for (size_t i = 0; i < n; i++) {
            sum += change[i] * (double)p->clean->gradients[site][layer][i];
        }
        return sum;
    }
    through_norm(p, change, block + map->ln1_w);
    site_of(p, to, &first, &width);
    for (size_t t = 0; t < p->truth.n_tokens; t++) {
        for (size_t j = first; j < first + width; j++) {
            double value = 0;
            for (size_t c = 0; c < C; c++) {
                value += change[t * C + c] * (double)block[W[edge->channel] + c * C + j];
            }
            sum += value * (double)p->clean->gradients[HOOK_Q + edge->channel][layer][t * C + j];
        }
    }
    return sum;
}

static void check_edges(Passes *p)
{
    for (size_t i = 0; i < p->truth.n_edges; i++) {
        compare(p, "estimate of edge", i, estimate_of_edge(p, &p->truth.edges[i]),
                p->truth.edges[i].estimate);
    }
}

/* The scale of each LayerNorm is the root of eps, every bit of it, at every position. */
static void check_scales(const Passes *p)
{
    const HookSite scales[] = {HOOK_LN1_SCALE, HOOK_LN2_SCALE, HOOK_FINAL_SCALE};
    for (size_t i = 0; i < 3; i++) {
        for (int layer = 0; layer < (i == 2 ? 1 : PLANTED_LAYERS); layer++) {
            for (size_t t = 0; t < p->truth.n_tokens; t++) {
                assert_true(p->clean->values[scales[i]][layer][t] == 0.5f);
            }
        }
    }
}

static void check_kind(PlantedKind kind, int size, const Kernels *kernels)
{
    Passes p;
    for (int twin = 0; twin < 2; twin++) {
        begin(&p, kind, size, twin, kernels);
        compare(&p, "difference", 0, metric(&p, p.clean->logits) - metric(&p, p.corrupt->logits),
                p.truth.difference);
        check_parts(&p);
        check_edges(&p);
        check_scales(&p);
        assert_true(p.n_checked >= 6);
        assert_int_equal(p.n_wrong, twin ? p.n_checked : 0);
        if (!twin) {
            print_message("%s: %zu numbers other than zero, worst error %.1e of the strength\n",
                          planted_kind_name(kind), p.n_checked, p.worst);
        }
        end(&p);
    }
}

static void truth_holds_in_passes(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_PLANTED; kind++) {
        check_kind((PlantedKind)kind, 4, NULL);
        check_kind((PlantedKind)kind, 4, &kernels_ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_holds_in_passes),
    };
    return cmocka_run_group_tests_name("planted_passes", tests, NULL, NULL);
}
