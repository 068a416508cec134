/* probes/illusion/illusion_space.h - which part of a direction anything behind its site can read.
 *
 * mlp_post    the rows x are read by W_out alone: out = x W_out. What is orthogonal to the columns
 *             of W_out is the null space, and nothing behind it ever sees it. At 512 to 128 it has
 *             at least 384 dimensions
 *
 * resid_post  everything is read a little. In place of the row space stands the space of the
 *             largest eigenvalues of G = E[J^T J], J = d (logits less their mean) / d x at the last
 *             position: the fewest of them that hold the asked share of the trace
 *
 * v_row is the part of v in that space, v_null the rest. If the space is all there is, v_row has
 * the bits of v. (Makelov et al. 2023, arXiv:2311.17030.)
 */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_SPACE_H
#define OGPT_PROBES_ILLUSION_ILLUSION_SPACE_H

#include "base/rng.h"
#include "model/gpt.h"

typedef struct IllusionSpace {
    size_t width, rank;
    double *basis; /* (rank, width) orthonormal rows; owned */
} IllusionSpace;

/* What W_out of a layer reads of mlp_post. Columns whose rest behind those before them is below
 * 1e-6 of their length are counted as dependent. Returns 0 or OGPT_ENOMEM. */
int illusion_space_of_weights(IllusionSpace *out, const Gpt *gpt, int layer);
/* The eigenvectors of g (width,width), symmetric and positive. kept: share of the trace, above 0
 * and at most 1. Returns 0 or OGPT_ENOMEM. */
int illusion_space_of_gram(IllusionSpace *out, const double *g, size_t width, double kept);
void illusion_space_release(IllusionSpace *space);

/* row, null (width) = the two parts of v. */
void illusion_split(float *row, float *null, const IllusionSpace *space, const float *v);
/* out (width) = a random direction of length 1, of which this share of the squared length is in the
 * null space (as far as there is one, and a row space). scratch (2 * width). */
void illusion_random(float *out, float *scratch, const IllusionSpace *space, double null_share,
                     Rng *rng);

#endif
