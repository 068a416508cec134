/* probes/edits/edit_plan.h - what an edit of the residual stream is: method, site, layers, scale.
 *
 * Symbols, for one edited square:
 *   x         the row of the site at the last position of the case
 *   w_k, b_k  the probe's weights and bias of state k of the square
 *   u         unit(w_to - w_from)
 *   c         the coordinate of x along u, 0 on the probe's boundary between the two states:
 *             u.x + (b_to - b_from) / ||w_to - w_from||; with ignore_bias u.x
 *   s         the scale; in units of r it means s * ||x||
 * Methods:
 *   add              x += s * u. With direction "target" u = unit(w_to), the published variant
 *   project          x -= (s + 1) * c * u, so c becomes -s * c: 1 negates the coordinate
 *   set              x += (s - c) * u, so c becomes s
 *   gradient         x += s * (x* - x), x* found from x by Adam (below)
 *   mean-difference  as add, but w_k is the mean of x over the positions whose square is in
 *                    state k (probes/edits/edit_means.h), and no probe is asked
 *   sae              x += s * d, d the change of the features that say the states of the square:
 *                    those of the old one are clamped to 0, those of the new one to their mean
 *                    (probes/features/features_handles.h); `features` of each state
 *
 * gradient: `steps` steps of Adam on x, until the probe, linear or with a hidden layer, reads the
 * true board with the edited squares changed. Squares that are not edited weigh 0.2. A rate q in
 * units of r means q times the root mean square of x. The descent also mends squares that the probe
 * misread, so the edited network may do better than the unedited one on its own board (closed above
 * 1). The arm repair (probes/edits/arms.h) measures how much of the effect is mending.
 *
 * mean-difference: an absolute scale multiplies the difference itself, so 1 adds w_to - w_from.
 *
 * Several layers are edited one after another: each edit acts on the result of the edits before it.
 * Several squares are edited one after another in the same row (gradient and sae: together). With
 * positions "all", the change found at the last position is added at every position of the case.
 *
 * Ref: Nanda, Lee, Wattenberg 2023 (add); repository mech_int_othelloGPT (project); Li et al.,
 * ICLR 2023 (gradient); Marks & Tegmark 2023 (mean-difference).
 */
#ifndef OGPT_PROBES_EDITS_EDIT_PLAN_H
#define OGPT_PROBES_EDITS_EDIT_PLAN_H

#include "model/gpt.h"
#include "probes/board/direction_set.h"

#define EDIT_MAX_LAYERS 64
#define PROBE_LAYER_OWN (-2) /* every edited layer uses the directions of its own probe */

/* METHOD(constant, name, function, scales worth trying: SHARES of the row's norm, FACTORS, or ONE).
 * The function edit_row_... is in probes/edits/edit_methods.c. */
#define EDIT_METHODS(METHOD)                                                                       \
    METHOD(ADD, "add", add, SHARES)                                                                \
    METHOD(PROJECT, "project", project, FACTORS)                                                   \
    METHOD(SET, "set", set, SHARES)                                                                \
    METHOD(GRADIENT, "gradient", gradient, ONE)                                                    \
    METHOD(MEAN_DIFFERENCE, "mean-difference", mean_difference, FACTORS)                           \
    METHOD(SAE, "sae", sae, FACTORS)

typedef enum EditMethod {
#define EDIT_METHOD_CONSTANT(constant, name, function, scales) METHOD_##constant,
    EDIT_METHODS(EDIT_METHOD_CONSTANT)
#undef EDIT_METHOD_CONSTANT
        N_EDIT_METHODS
} EditMethod;

/* "add|project|...", for option tables. */
#define EDIT_METHOD_BAR(constant, name, function, scales) "|" name
#define EDIT_METHOD_NAMES (&(EDIT_METHODS(EDIT_METHOD_BAR))[1])

typedef struct EditScale {
    double value;
    bool relative; /* in units of r, the norm of the edited row */
} EditScale;

typedef enum EditDirection {
    DIRECTION_DIFFERENCE, /* unit(w_to - w_from) */
    DIRECTION_TARGET      /* unit(w_to); method add only */
} EditDirection;
#define EDIT_DIRECTION_NAMES "difference|target"

typedef enum EditPositions { POSITIONS_LAST, POSITIONS_ALL } EditPositions;
#define EDIT_POSITION_NAMES "last|all"

typedef struct EditPlan {
    EditMethod method;
    HookSite site;
    uint64_t layers; /* bit l: edited in block l */
    EditScale scale;
    int probe_layer; /* every edited layer uses the directions of this one; or PROBE_LAYER_OWN */
    bool ignore_bias;
    EditDirection direction;
    EditPositions positions;
    int steps;      /* method gradient: 1..EDIT_MAX_STEPS */
    EditScale rate; /* method gradient: above 0, at most 1 */
    int features;   /* method sae: of each state, 1..BoardMover.most; 0: to be chosen */
} EditPlan;

#define EDIT_MAX_STEPS 100000
#define EDIT_FEATURES 2 /* of a state, where nothing chooses */
/* A hundred steps, which may move a coordinate by about two fifths of the row's root mean square:
 * a share, because networks differ in the length of their rows. The preset li-gradient has the
 * published steps and rate. */
#define EDIT_STEPS 100
#define EDIT_RATE "0.004r"
#define EDIT_RATE_DEFAULT                                                                          \
    {                                                                                              \
        0.004, true                                                                                \
    }
/* add, at the end of every block, last position, directions of each layer's own probe. */
#define EDIT_PLAN_FIELDS                                                                           \
    .site = HOOK_RESID_POST, .scale = {1.0, false}, .probe_layer = PROBE_LAYER_OWN,                \
    .steps = EDIT_STEPS, .rate = EDIT_RATE_DEFAULT
#define EDIT_PLAN_DEFAULT ((EditPlan){EDIT_PLAN_FIELDS})

/* PRESET(name, fields that differ from the default): published edits of an 8-layer network. */
#define EDIT_PRESETS(PRESET)                                                                       \
    PRESET("nanda-flip", .site = HOOK_ATTN_OUT, .layers = 0xfc, .scale = {2.3, false},             \
           .probe_layer = 5, .direction = DIRECTION_TARGET)                                        \
    PRESET("nanda-erase", .site = HOOK_ATTN_OUT, .layers = 0xff, .scale = {1.3, false},            \
           .probe_layer = 5, .direction = DIRECTION_TARGET)                                        \
    PRESET("notebook-flip", .method = METHOD_PROJECT, .layers = 1 << 4, .ignore_bias = true)       \
    PRESET("li-gradient", .method = METHOD_GRADIENT, .layers = 0xf8, .steps = 1000,                \
           .rate = {1e-3, false})
#define EDIT_PRESET_BAR(name, ...) "|" name
#define EDIT_PRESET_NAMES (&(EDIT_PRESETS(EDIT_PRESET_BAR))[1])

/* Each of these returns 0, or OGPT_EUSAGE naming the text and what was expected. */
/* The whole plan of a published edit: method, site, layers, scale, direction and the rest. */
int edit_preset_parse(EditPlan *out, const char *name);
/* "2.3" or "0.5r". */
int edit_scale_parse(EditScale *out, const char *text);
/* "0.001" or "0.004r". */
int edit_rate_parse(EditScale *out, const char *text);
/* Borrowed, static. */
const char *edit_method_name(EditMethod method);
const char *edit_direction_name(EditDirection direction);
const char *edit_positions_name(EditPositions positions);
/* "1,3-5,7"; out holds 192 bytes: 64 layers of at most three characters. */
void edit_layers_print(char out[192], uint64_t layers);
void edit_scale_print(char out[32], EditScale scale);

/* Layers of the network that an edit may use: those that have directions, or a fitted probe. */
uint64_t edit_layers_possible(const BoardDirections *directions, const GptConfig *cfg);
/* Refuse what cannot be done: a task without board states, a site of another width than that of the
 * directions, a layer without a fitted probe, directions of a probe with a hidden layer, a scale in
 * r where the method has no length, steps, rate or features out of range. Method mean-difference
 * takes the directions of class means, method sae features, all others a probe's. OGPT_EUSAGE. */
int edit_plan_check(const EditPlan *plan, const BoardDirections *directions, const GptConfig *cfg);

/* Change a plan of method sae to rows of this site and layer, with so many features. */
void edit_plan_place(EditPlan *plan, HookSite site, int layer, int features);
/* Whether the number of features is still to be chosen. */
bool edit_plan_lacks_features(const EditPlan *plan);
/* The plans to be tried for tuning, in order: `base` with every choice of layers and every scale of
 * the method's list; for sae also, if `features` is 0, with every number of features of a list.
 * Layers: every run of neighbouring layers, one layer alone included; for
 * gradient, which is slow, one layer alone, and from each layer to the last. Layers or a scale that
 * are given are not varied. Owned (mem_free). Returns 0 or OGPT_ENOMEM. */
int edit_plans_to_try(EditPlan **out, size_t *n, const EditPlan *base, bool any_layers,
                      bool any_scale, uint64_t possible);

#endif
