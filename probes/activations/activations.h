/* probes/activations/activations.h - rows of the residual stream (or any hook site) at chosen
 * positions.
 *
 * The caller provides the memory: activations_bytes says how much. Games go
 * through the network by probes/activations/passes.h; the row of a position does not depend on the
 * number of workers.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_H
#define OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_H

#include "base/spill/spill.h"
#include "base/work.h"
#include "model/gpt.h"
#include "probes/activations/positions.h"

/* Which rows: a site at some layers, ascending, at most LAYERS_MAX. LAYER_EMBED is the input of
 * block 0 whatever the site. */
typedef struct SiteLayers {
    HookSite site;
    const int *layers; /* (n), borrowed */
    int n;
} SiteLayers;

/* Bytes of the rows of one layer. */
size_t activations_bytes(size_t n_positions, size_t width);
/* Bytes that a capture needs besides the rows: one tape a worker. */
size_t activations_scratch_bytes(const GptConfig *cfg, const Work *work);

/* rows[i] (n_positions, width) = the site's values at layers[i], for i in 0..n-1. Position t of a
 * game is read after the network has seen moves 0..t. work: the pool; tick("games"). Returns 0,
 * OGPT_EFORMAT (the board of the model and of the positions differ), OGPT_ENUM (not finite; layer
 * and game named), OGPT_EINTR, OGPT_ENOMEM. */
int activations_capture(float *const *rows, const PositionSet *set, const Gpt *gpt,
                        const SiteLayers *where, const Work *work);

/* The same rows of one layer (where->n is 1) into a spill, in the place of an array of them. At
 * most piece_bytes are in memory at a time, but never fewer than the rows of one pass. Errors as
 * above, and OGPT_EIO. */
int activations_spill(Spill *out, const PositionSet *set, const Gpt *gpt, const SiteLayers *where,
                      size_t piece_bytes, const Work *work);

/* The same layer by layer: visit is called with the rows (n_positions, width) of layers[index], in
 * order; they live until it returns. Layers are captured in groups that fit in work->memory_bytes
 * (0: all of them), at least one, so a smaller number means more passes over the games. A visit's
 * error ends the call. tick("layers", visited, n). */
typedef int (*ActivationVisit)(void *context, int index, const float *rows);
int activations_visit(const PositionSet *set, const Gpt *gpt, const SiteLayers *where,
                      ActivationVisit visit, void *context, const Work *work);

#endif
