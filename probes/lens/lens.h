/* probes/lens/lens.h - what a network would answer if it ended here, and where "here" can be.
 *
 * Logit lens at a place with residual stream x:  softmax(W_U LN_f(x) + b_U); the LayerNorm's mean
 * and scale are those of x itself, never those of the last layer (nostalgebraist 2020).
 * Tuned lens: the same behind a translator  x -> x + x A + b  of the place (Belrose et al. 2023,
 * arXiv:2303.08112). A = 0, b = 0 is the logit lens.
 *
 * Places, in the order of the pass: the embedding (resid_pre of block 0), then for each block
 * resid_mid and resid_post. resid_pre of block l > 0 is resid_post of block l - 1: one array. The
 * last place is what the network itself reads its answer from.
 *
 * Lenses of the fast implementation go through gpt_forward_part behind the last block: the very
 * kernels of the pass on the very rows, so the lens at the last place has the bits of the logits.
 * lens_ref.h is the plain one.
 */
#ifndef OGPT_PROBES_LENS_LENS_H
#define OGPT_PROBES_LENS_LENS_H

#include "base/work.h"
#include "model/gpt.h"
#include "probes/activations/positions.h"

#define LENS_PLACES_MAX (2 * LAYERS_MAX - 1)

/* Places of a network of n_layers blocks. */
int lens_places(int n_layers);
HookSite lens_site(int place);
/* The block of a place; LAYER_EMBED at place 0. */
int lens_layer(int place);
/* The place behind a block, or of the embedding. */
int lens_post(int layer);

/* A translator for each place; an entry without a matrix is the logit lens. */
typedef struct LensBank {
    int n_places;
    size_t d_model;
    float *matrix[LENS_PLACES_MAX]; /* (d_model, d_model) A; y = x + x A + b */
    float *bias[LENS_PLACES_MAX];   /* (d_model) b */
} LensBank;

/* All places without a translator. */
LensBank lens_bank_empty(const GptConfig *cfg);
/* Give a place the translator A = 0, b = 0. Returns 0 or OGPT_ENOMEM. */
int lens_bank_add(LensBank *bank, int place);
void lens_bank_release(LensBank *bank);
/* The translators of the same network with its residual coordinates in another order: coordinate c
 * becomes order[c]. out is made by it; owned. Returns 0 or OGPT_ENOMEM. */
int lens_bank_permuted(LensBank *out, const LensBank *bank, const uint32_t *order);

/* ---- rows ---- */

/* Rows of the residual stream at all places, at the positions of a set. */
typedef struct LensRows {
    size_t n, d_model;
    int n_places;
    float *x[LENS_PLACES_MAX]; /* (n, d_model); owned */
} LensRows;

/* work: the pool. Returns as activations_capture. Owned: lens_rows_release. */
int lens_rows_capture(LensRows *out, const Gpt *gpt, const PositionSet *set, const Work *work);
void lens_rows_release(LensRows *rows);
/* Bytes of these rows. */
size_t lens_rows_bytes(const GptConfig *cfg, size_t n_positions);

#endif
