/* probes/edit_plan.h - what an edit of the residual stream is: method, site, layers, scale.
 *
 * u = unit(w_to - w_from), the probe's direction from the old to the new state of the edited
 * square; x = the row of the site at the last position of the case.
 *   add       x += scale * u; with a scale in units of r, x += scale * ||x|| * u
 *   project   x -= (scale + 1) * c * u, c the coordinate of x along u, so c becomes -scale * c.
 *             c is measured from the probe's boundary between the two states (where both scores
 *             are equal): c = u.x + (b_to - b_from) / ||w_to - w_from||. For a probe without
 *             bias, or with ignore_bias, this is the published notebook variant.
 * Several layers are edited one after another, each on what the layers before it left. Several
 * squares are edited one after another in the same row.
 * Ref: Nanda, Lee, Wattenberg 2023 (add); repository mech_int_othelloGPT (project).
 */
#ifndef OGPT_PROBES_EDIT_PLAN_H
#define OGPT_PROBES_EDIT_PLAN_H

#include "model/gpt.h"
#include "probes/probe.h"

#define EDIT_MAX_LAYERS 64
#define PROBE_LAYER_OWN (-2) /* every edited layer uses the directions of its own probe */

typedef enum EditMethod { METHOD_ADD, METHOD_PROJECT } EditMethod;

typedef struct EditScale {
    double value;
    bool relative; /* in units of r, the norm of the edited row; method add only */
} EditScale;

typedef struct EditPlan {
    EditMethod method;
    HookSite site;
    uint64_t layers; /* bit l: edited in block l */
    EditScale scale;
    int probe_layer; /* whose directions every edited layer uses, or PROBE_LAYER_OWN */
    bool ignore_bias;
} EditPlan;

/* "3", "2-5", "1,3,6" -> bits. OGPT_EUSAGE names the text and what was expected. */
int edit_layers_parse(uint64_t *out, const char *text, int n_layers);
/* The shortest such text; out holds 192 bytes: 64 layers of at most three characters. */
void edit_layers_print(char out[192], uint64_t layers);
/* "2.3" or "0.5r". OGPT_EUSAGE. */
int edit_scale_parse(EditScale *out, const char *text);
void edit_scale_print(char out[32], EditScale scale);

/* Layers of the network that an edit may use: those the probe is fitted for. */
uint64_t edit_layers_possible(const Probe *probe, const GptConfig *cfg);
/* Refuse what cannot be done: a task without board states, a site of another width than the
 * probe's, a layer without a fitted probe, r with project. OGPT_EUSAGE or OGPT_EFORMAT. */
int edit_plan_check(const EditPlan *plan, const Probe *probe, const GptConfig *cfg);

/* The plans to be tried for tuning, in order: `base` with every choice of layers (one layer
 * alone; for add also from one layer to the last) and every scale of the method's list; where
 * layers or scale is fixed, only that one. Owned (mem_free). Returns 0 or OGPT_ENOMEM. */
int edit_plans_to_try(EditPlan **out, size_t *n, const EditPlan *base, bool any_layers,
                      bool any_scale, uint64_t possible);

#endif
