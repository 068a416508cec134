/* probes/edit_plan.c - reading, writing, checking and listing edit plans. */
#include "probes/edit_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* One layer number at *text; false when there is none. */
static bool read_layer(int *out, const char **text)
{
    char *end;
    long value;

    if (**text < '0' || **text > '9') {
        return false;
    }
    value = strtol(*text, &end, 10);
    *out = value < EDIT_MAX_LAYERS ? (int)value : EDIT_MAX_LAYERS;
    *text = end;
    return true;
}

int edit_layers_parse(uint64_t *out, const char *text, int n_layers)
{
    const char *at = text;
    uint64_t layers = 0;

    for (;;) {
        int first, last;

        if (!read_layer(&first, &at)) {
            break;
        }
        last = first;
        if (*at == '-') {
            at++;
            if (!read_layer(&last, &at)) {
                break;
            }
        }
        if (first > last || last >= n_layers || last >= EDIT_MAX_LAYERS) {
            return err_set(OGPT_EUSAGE,
                           "--layers \"%s\": layers %d-%d, the model has layers 0 to %d", text,
                           first, last, n_layers - 1);
        }
        for (int l = first; l <= last; l++) {
            layers |= 1ULL << l;
        }
        if (*at == '\0') {
            *out = layers;
            return 0;
        }
        if (*at++ != ',') {
            break;
        }
    }
    return err_set(OGPT_EUSAGE,
                   "--layers \"%s\": expected a layer, a range or a list such as 3, 2-5 or 1,3,6, "
                   "or auto",
                   text);
}

void edit_layers_print(char out[192], uint64_t layers)
{
    size_t used = 0;

    out[0] = '\0';
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        int last = l;

        if ((layers >> l & 1) == 0) {
            continue;
        }
        while (last + 1 < EDIT_MAX_LAYERS && (layers >> (last + 1) & 1)) {
            last++;
        }
        used += (size_t)snprintf(out + used, 192 - used, last > l ? "%s%d-%d" : "%s%d",
                                 used ? "," : "", l, last);
        l = last;
    }
}

int edit_scale_parse(EditScale *out, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    out->relative = *end == 'r';
    out->value = value;
    if (end == text || strcmp(end, out->relative ? "r" : "") != 0 || !isfinite(value) ||
        value < 0 || value > 1e6) {
        return err_set(OGPT_EUSAGE,
                       "--scale \"%s\": expected a number of 0 to 1e6, such as 2.3, or with r for "
                       "shares of the residual's norm, such as 0.5r, or auto",
                       text);
    }
    return 0;
}

void edit_scale_print(char out[32], EditScale scale)
{
    snprintf(out, 32, "%g%s", scale.value, scale.relative ? "r" : "");
}

uint64_t edit_layers_possible(const Probe *probe, const GptConfig *cfg)
{
    uint64_t layers = 0;

    for (int i = 0; i < probe->n_layers; i++) {
        int layer = probe->layers[i];

        if (layer >= 0 && layer < cfg->n_layers && layer < EDIT_MAX_LAYERS && probe->fitted[i]) {
            layers |= 1ULL << layer;
        }
    }
    return layers;
}

static int check_layer(const Probe *probe, int layer)
{
    int i = probe_layer_index(probe, layer);

    if (i < 0 || !probe->fitted[i]) {
        return err_set(OGPT_EUSAGE,
                       "the probe has no layer %d; edit layers it was fitted for, or fit it with "
                       "ogpt probe fit --layers all",
                       layer);
    }
    return 0;
}

int edit_plan_check(const EditPlan *plan, const Probe *probe, const GptConfig *cfg)
{
    size_t width = hook_width(cfg, plan->site, (size_t)cfg->n_ctx);
    int code = 0;

    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE,
                       "the probe's task is \"%s\"; an edit needs the state of every square: a "
                       "probe of task mine or colour",
                       probe->task);
    }
    if (plan->site == HOOK_PATTERN || width != (size_t)probe->d_model) {
        return err_set(OGPT_EUSAGE,
                       "rows of hook_%s are %zu wide, directions of the probe %d; edit a site of "
                       "the probe's width",
                       hook_site_name(plan->site), width, probe->d_model);
    }
    if (plan->method == METHOD_PROJECT && plan->scale.relative) {
        return err_set(OGPT_EUSAGE,
                       "--scale %gr: project scales a coordinate, not a length; give "
                       "a number without r",
                       plan->scale.value);
    }
    if (plan->layers == 0 || (cfg->n_layers < 64 && plan->layers >> cfg->n_layers != 0)) {
        return err_set(OGPT_EUSAGE, "no layer to edit, or one beyond the model's %d",
                       cfg->n_layers);
    }
    if (plan->probe_layer != PROBE_LAYER_OWN) {
        return check_layer(probe, plan->probe_layer);
    }
    for (int l = 0; l < cfg->n_layers && l < EDIT_MAX_LAYERS && code == 0; l++) {
        if (plan->layers >> l & 1) {
            code = check_layer(probe, l);
        }
    }
    return code;
}

/* Scales worth trying: for add, shares of the row's norm, because networks differ in how long
 * their rows are (several layers together want the small ones); for project, from half a
 * reflection to an overshoot. */
static const EditScale add_scales[] = {
    {0.05, true}, {0.1, true}, {0.2, true}, {0.4, true}, {0.8, true}};
static const EditScale project_scales[] = {
    {0.5, false}, {1, false}, {1.5, false}, {2, false}, {4, false}};
enum { N_SCALES = sizeof add_scales / sizeof add_scales[0] };

static size_t add_plans(EditPlan *plans, size_t n, const EditPlan *base, uint64_t layers,
                        bool any_scale)
{
    const EditScale *scales = base->method == METHOD_ADD ? add_scales : project_scales;

    for (size_t s = 0; s < (any_scale ? N_SCALES : 1); s++) {
        plans[n] = *base;
        plans[n].layers = layers;
        plans[n].scale = any_scale ? scales[s] : base->scale;
        n++;
    }
    return n;
}

int edit_plans_to_try(EditPlan **out, size_t *n, const EditPlan *base, bool any_layers,
                      bool any_scale, uint64_t possible)
{
    EditPlan *plans =
        mem_alloc((size_t)2 * EDIT_MAX_LAYERS * N_SCALES, sizeof *plans, "plans to be tried");

    *out = plans;
    *n = 0;
    if (!plans) {
        return OGPT_ENOMEM;
    }
    if (!any_layers) {
        *n = add_plans(plans, 0, base, base->layers, any_scale);
        return 0;
    }
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        uint64_t from_here = possible & ~0ULL << l;

        if ((possible >> l & 1) == 0) {
            continue;
        }
        *n = add_plans(plans, *n, base, 1ULL << l, any_scale);
        if (base->method == METHOD_ADD && from_here != 1ULL << l) {
            *n = add_plans(plans, *n, base, from_here, any_scale);
        }
    }
    return 0;
}
