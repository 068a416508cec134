/* probes/activations/activations.h - rows of the residual stream (or any hook site) at chosen
 * positions.
 *
 * Memory is the caller's: activations_bytes says how much before anything is captured. Games go
 * through the network in fixed chunks over the pool; the row of a position does not depend on
 * the number of workers.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_H
#define OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_H

#include "base/pool.h"
#include "model/gpt.h"
#include "probes/activations/positions.h"

/* Bytes of the rows of one layer. */
size_t activations_bytes(size_t n_positions, size_t width);
/* Bytes that a capture needs beside the rows: one tape a worker. */
size_t activations_scratch_bytes(const GptConfig *cfg, size_t n_workers);

/* rows[i] (n_positions, width) = the site's values at layers[i] (LAYER_EMBED: the input of block
 * 0 whatever the site), for i in 0..n_layers-1, at most LAYERS_MAX. Position t of a game
 * is read after the network has seen moves 0..t. Returns 0, OGPT_EFORMAT (the board of the model
 * and of the positions differ), OGPT_ENUM (not finite; layer and game named), OGPT_EINTR,
 * OGPT_ENOMEM. */
int activations_capture(float *const *rows, const PositionSet *set, const Gpt *gpt, HookSite site,
                        const int *layers, int n_layers, Pool *pool);

/* The same layer by layer: visit is called with the rows (n_positions, width) of layers[index], in
 * order; they live until it returns. Layers are captured in groups that fit in memory_bytes, one
 * at least, so a smaller number means more passes over the games. A visit's error ends the call. */
typedef int (*ActivationVisit)(void *context, int index, const float *rows);
int activations_visit(const PositionSet *set, const Gpt *gpt, HookSite site, const int *layers,
                      int n_layers, size_t memory_bytes, ActivationVisit visit, void *context,
                      Pool *pool);

#endif
