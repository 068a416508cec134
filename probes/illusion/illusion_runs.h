/* probes/illusion/illusion_runs.h - a direction and its parts, tried on pairs of positions.
 *
 * A pair (probes/cases/pairs.h): two histories of equal length whose boards differ in the owner of
 * one square. The network runs on the first; its row x at the site, layer and last position is
 * changed towards the second, whose row there is x'. a, b: class means of the rows, where the
 * square is as in the first history and as in the second. The methods:
 *
 *   patch     x += ((x' - x) . w) w / |w|^2
 *             the coordinate along w is interchanged
 *
 *   set       x += ((b - x) . w) w / |w|^2
 *             the coordinate becomes that of the mean
 *
 *   project   x -= 2 ((x - (a + b) / 2) . w) w / |w|^2
 *             it is reflected at the boundary
 *
 *   add       x += ((b - a) . v) w
 *             as long as the means are apart along v
 *
 *   gradient  x += the change that descent through a probe makes, or its part
 *             (probes/edits/edit_plan.h; a probe with its site only)
 *
 * With vectors of class means, add is what `ogpt intervene` calls mean-difference, scale 1.
 *
 * w is one of these. In the first three methods only its line counts, not its length:
 *   full        v, of length 1
 *   row         v_row (probes/illusion/illusion_space.h), as long as it is in v
 *   row-long    v_row at the length of v: differs from row for add and gradient
 *   null        v_null, as long as it is in v
 *   random      control: a random direction of the same share in the null space
 *   random-row  its part in the row space
 */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_RUNS_H
#define OGPT_PROBES_ILLUSION_ILLUSION_RUNS_H

#include "base/enums.h"
#include "base/work.h"
#include "probes/cases/pairs.h"
#include "probes/edits/edit_methods.h"
#include "probes/illusion/illusion_space.h"
#include "probes/steering/steer_bank.h"

#define ILLUSION_METHODS(X)                                                                        \
    X(ILLUSION_PATCH, "patch")                                                                     \
    X(ILLUSION_SET, "set")                                                                         \
    X(ILLUSION_PROJECT, "project")                                                                 \
    X(ILLUSION_ADD, "add")                                                                         \
    X(ILLUSION_GRADIENT, "gradient")
typedef enum IllusionMethod { ILLUSION_METHODS(ENUM_ID) N_ILLUSION_METHODS } IllusionMethod;
const char *illusion_method_name(IllusionMethod method); /* static */

typedef enum IllusionPart {
    ILLUSION_FULL,
    ILLUSION_ROW,
    ILLUSION_ROW_LONG,
    ILLUSION_NULL,
    ILLUSION_RANDOM,
    ILLUSION_RANDOM_ROW,
    N_ILLUSION_PARTS
} IllusionPart;

/* Directions of one origin: (n_layers, n_groups, width) for each part; squares are groups. */
typedef struct IllusionVectors {
    SteerBank of[N_ILLUSION_PARTS];
    double *null_share; /* (n_layers, n_groups) |v_null|^2 / |v|^2; owned */
} IllusionVectors;
/* All parts of the vectors of `full`, which is scaled to length 1 and taken over. spaces
 * (n_layers). Random directions by (seed, RNG_STEER, layer and group). Returns 0 or OGPT_ENOMEM. */
int illusion_vectors_of(IllusionVectors *out, SteerBank *full, const IllusionSpace *spaces,
                        uint64_t seed);
void illusion_vectors_release(IllusionVectors *vectors);

/* One way to change a row. */
typedef struct IllusionSetting {
    const IllusionVectors *vectors;
    IllusionMethod method;
    IllusionPart part;
    int layer;
} IllusionSetting;

/* What one answer says: Delta of the pair (probes/graph/pair_metric.h), and wrong moves by the
 * board of the second history. */
typedef struct IllusionAnswer {
    double delta, wrong;
} IllusionAnswer;

typedef struct IllusionInputs {
    const Gpt *gpt;
    const PairSet *pairs;
    HookSite site;
    const SteerBank *theirs, *mine;    /* class means of squares, theirs and mine, at the site */
    const IllusionSpace *spaces;       /* (n_layers) */
    const BoardDirections *directions; /* of a probe, for ILLUSION_GRADIENT; or NULL */
} IllusionInputs;

typedef struct IllusionRuns {
    size_t n, n_settings;
    IllusionAnswer *base, *source; /* (n): of the first history and of the second; owned */
    double *self;                  /* (n) wrong moves of the first by its own board; owned */
    IllusionAnswer *changed;       /* (n, n_settings); owned */
} IllusionRuns;
/* Every setting on every pair. The same bits for any number of workers. work: tick("pairs").
 * Returns 0, OGPT_EFORMAT (a history longer than the context), OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM.
 */
int illusion_runs(IllusionRuns *out, const IllusionInputs *in, const IllusionSetting *settings,
                  size_t n_settings, const Work *work);
void illusion_runs_release(IllusionRuns *runs);

#endif
