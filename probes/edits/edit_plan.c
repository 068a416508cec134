/* probes/edits/edit_plan.c - checking edit plans, and listing those worth trying. */
#include "probes/edits/edit_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

uint64_t edit_layers_possible(const BoardDirections *directions, const GptConfig *cfg)
{
    uint64_t layers = 0;
    for (int i = 0; i < directions->n_layers; i++) {
        int layer = directions->layers[i];
        if (layer >= 0 && layer < cfg->n_layers && layer < EDIT_MAX_LAYERS &&
            directions->fitted[i]) {
            layers |= 1ULL << layer;
        }
    }
    return layers;
}

static int check_layer(const BoardDirections *directions, int layer)
{
    int i = direction_layer_index(directions, layer);
    if (i < 0 || !directions->fitted[i]) {
        return err_set(OGPT_EUSAGE,
                       "the probe has no layer %d; edit layers it was fitted for, or fit it with "
                       "ogpt probe fit --layers all",
                       layer);
    }
    return 0;
}

static int check_gradient(const EditPlan *plan)
{
    if (plan->steps < 1 || plan->steps > EDIT_MAX_STEPS) {
        return err_set(OGPT_EUSAGE, "--steps %d: expected 1 to %d", plan->steps, EDIT_MAX_STEPS);
    }
    if (!(plan->rate.value > 0.0 && plan->rate.value <= 1.0)) {
        return err_set(OGPT_EUSAGE, "--rate %g: expected a number above 0, at most 1",
                       plan->rate.value);
    }
    return 0;
}

/* The conditions of each method on its scale, its direction and the probe. */
static int check_method(const EditPlan *plan, const BoardDirections *directions)
{
    const char *name = edit_method_name(plan->method);
    const char *needed = plan->method == METHOD_SAE               ? "features of an autoencoder"
                         : plan->method == METHOD_MEAN_DIFFERENCE ? "class means"
                                                                  : "a probe";
    const char *owner = directions->mover   ? "features of an autoencoder"
                        : directions->probe ? "a probe"
                                            : "class means";
    if (plan->scale.relative && (plan->method == METHOD_PROJECT || plan->method == METHOD_SAE ||
                                 plan->method == METHOD_GRADIENT)) {
        return err_set(
            OGPT_EUSAGE,
            "--scale %gr: %s scales what it finds, not a length; give a number without r",
            plan->scale.value, name);
    }
    if (plan->direction != DIRECTION_DIFFERENCE && plan->method != METHOD_ADD) {
        return err_set(OGPT_EUSAGE, "--direction %s goes with method add, not with %s",
                       edit_direction_name(plan->direction), name);
    }
    if (strcmp(needed, owner) != 0) {
        return err_set(OGPT_EUSAGE, "method %s needs directions of %s, these are of %s", name,
                       needed, owner);
    }
    if (plan->method == METHOD_SAE &&
        (plan->features < 1 || plan->features > directions->mover->most)) {
        return err_set(OGPT_EUSAGE, "--per-state %d: expected 1 to %d features", plan->features,
                       directions->mover->most);
    }
    if (plan->method == METHOD_GRADIENT) {
        return check_gradient(plan);
    }
    if (directions->probe && directions->probe->n_hidden > 0) {
        return err_set(OGPT_EUSAGE,
                       "method %s needs the directions of a linear probe, this one has %d hidden "
                       "units; use method gradient, or a linear probe",
                       name, directions->probe->n_hidden);
    }
    return 0;
}

int edit_plan_check(const EditPlan *plan, const BoardDirections *directions, const GptConfig *cfg)
{
    size_t width = hook_width(cfg, plan->site, (size_t)cfg->n_ctx);
    int rc = 0;
    if (strcmp(directions->terms.task, "mine") != 0 &&
        strcmp(directions->terms.task, "colour") != 0) {
        return err_set(OGPT_EUSAGE,
                       "the probe's task is \"%s\"; an edit requires the state of every square: a "
                       "probe of task mine or colour",
                       directions->terms.task);
    }
    if (!hook_site_serves(plan->site, HOOK_USE_VECTOR)) {
        return err_set(OGPT_EUSAGE, "rows of %s cannot be edited along directions; expected %s",
                       hook_site_name(plan->site), HOOK_NAMES_VECTOR);
    }
    if (width != directions->width) {
        return err_set(OGPT_EUSAGE,
                       "rows of %s are %zu wide, the directions %zu; edit a site of "
                       "the probe's width",
                       hook_site_name(plan->site), width, directions->width);
    }
    rc = check_method(plan, directions);
    if (rc != 0) {
        return rc;
    }
    if (plan->layers == 0 || (cfg->n_layers < 64 && plan->layers >> cfg->n_layers != 0)) {
        return err_set(OGPT_EUSAGE, "no layer to edit, or one beyond the model's %d",
                       cfg->n_layers);
    }
    if (plan->probe_layer != PROBE_LAYER_OWN) {
        return check_layer(directions, plan->probe_layer);
    }
    for (int l = 0; l < cfg->n_layers && l < EDIT_MAX_LAYERS && rc == 0; l++) {
        if (plan->layers >> l & 1) {
            rc = check_layer(directions, l);
        }
    }
    return rc;
}

/* Lists of scales worth trying. SHARES: of the row's norm, because networks differ in the length of
 * their rows; several layers together need the small ones. FACTORS: of the change that the method
 * finds, from half of it to a large overshoot. ONE: that change alone, where trying is slow. */
static const EditScale scales_SHARES[] = {{0.05, true}, {0.1, true}, {0.15, true}, {0.2, true},
                                          {0.3, true},  {0.4, true}, {0.6, true},  {0.8, true}};
static const EditScale scales_FACTORS[] = {{0.5, false}, {0.75, false}, {1, false}, {1.5, false},
                                           {2, false},   {3, false},    {4, false}, {6, false}};
static const EditScale scales_ONE[] = {{1, false}};
enum { MAX_SCALES = 8 };

static const struct {
    const EditScale *scales;
    size_t n;
} grids[N_EDIT_METHODS] = {
#define EDIT_METHOD_GRID(constant, name, function, scales)                                         \
    [METHOD_##constant] = {scales_##scales, sizeof(scales_##scales) / sizeof(scales_##scales[0])},
    EDIT_METHODS(EDIT_METHOD_GRID)
#undef EDIT_METHOD_GRID
};

static const int features_tried[] = {1, 2, 4, 8, 16};
enum { MAX_FEATURES = sizeof(features_tried) / sizeof(features_tried[0]) };

void edit_plan_place(EditPlan *plan, HookSite site, int layer, int features)
{
    plan->site = site;
    plan->layers = 1ULL << layer;
    plan->probe_layer = PROBE_LAYER_OWN;
    plan->features = features;
}

bool edit_plan_lacks_features(const EditPlan *plan)
{
    return plan->method == METHOD_SAE && plan->features == 0;
}

static size_t add_plans(EditPlan *plans, size_t n, const EditPlan *base, uint64_t layers,
                        bool any_scale)
{
    const bool any_features = edit_plan_lacks_features(base);
    for (size_t k = 0; k < (any_features ? MAX_FEATURES : 1); k++) {
        for (size_t s = 0; s < (any_scale ? grids[base->method].n : 1); s++) {
            plans[n] = *base;
            plans[n].layers = layers;
            plans[n].scale = any_scale ? grids[base->method].scales[s] : base->scale;
            plans[n].features = any_features ? features_tried[k] : base->features;
            n++;
        }
    }
    return n;
}

int edit_plans_to_try(EditPlan **out, size_t *n, const EditPlan *base, bool any_layers,
                      bool any_scale, uint64_t possible)
{
    size_t n_layers = (size_t)__builtin_popcountll(possible);
    size_t most = any_layers ? n_layers * (n_layers + 1) / 2 : 1;
    EditPlan *plans =
        mem_alloc(most * MAX_SCALES * MAX_FEATURES, sizeof(*plans), "plans to be tried");
    *out = plans;
    *n = 0;
    if (!plans) {
        return OGPT_ENOMEM;
    }
    if (!any_layers) {
        *n = add_plans(plans, 0, base, base->layers, any_scale);
        return 0;
    }
    for (int first = 0; first < EDIT_MAX_LAYERS; first++) {
        uint64_t layers = 0;
        for (int last = first; last < EDIT_MAX_LAYERS && possible >> last & 1; last++) {
            bool to_the_end = last + 1 == EDIT_MAX_LAYERS || possible >> (last + 1) == 0;
            layers |= 1ULL << last;
            if (base->method != METHOD_GRADIENT || last == first || to_the_end) {
                *n = add_plans(plans, *n, base, layers, any_scale);
            }
        }
    }
    return 0;
}
