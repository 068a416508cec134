/* probes/illusion/illusion_fit.h - what is measured before directions are tried: gradients of
 * pairs, what the answer reads of a row, how rows vary; and directions that are trained on pairs.
 */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_FIT_H
#define OGPT_PROBES_ILLUSION_ILLUSION_FIT_H

#include "base/work.h"
#include "probes/cases/pairs.h"
#include "probes/illusion/illusion_space.h"
#include "probes/steering/steer_bank.h"

/* Rows of pairs at a site, all layers, at the last position. */
typedef struct IllusionRows {
    size_t n, n_layers, width;
    float *difference; /* (n, n_layers, width) row of the second history minus that of the first */
    float *gradient;   /* (n, n_layers, width) d (m) / d (row of the first), m = -Delta of the pair,
                        * so that it rises towards the second; owned both */
} IllusionRows;
/* work: tick("gradients"). Returns 0, OGPT_EFORMAT (a history longer than the context), OGPT_EINTR,
 * OGPT_ENOMEM. */
int illusion_rows(IllusionRows *out, const Gpt *gpt, const PairSet *pairs, HookSite site,
                  const Work *work);
void illusion_rows_release(IllusionRows *rows);

/* gram (n_layers, width, width) = mean of J^T J over the first histories of the first n pairs, J =
 * d (logits less their mean) / d row. The same bits for any number of workers. */
int illusion_gram(double *gram, const Gpt *gpt, const PairSet *pairs, size_t n, HookSite site,
                  const Work *work);

/* The trained direction of a square: w of length 1 with the largest sum over its pairs of
 * (d . w)(g . w), which is the effect of a patch along w to first order, d and g as above. It is
 * the first eigenvector of the symmetric part of sum d g^T, by shifted power steps from `start`
 * until the residual is ILLUSION_RESIDUAL of the shifted eigenvalue, or ILLUSION_STEPS are done; a
 * square without pairs keeps its start. Returns 0, OGPT_EINTR or OGPT_ENOMEM.
 *
 * A stand-in: training by gradient descent on the same pairs (distributed alignment search, Geiger
 * et al. 2023, arXiv:2303.02536) goes for the effect itself, this for its first order. And it may
 * fit a few pairs of a square too well: illusion_study.h reports its effect on the training pairs
 * too. */
#define ILLUSION_RESIDUAL 1e-3
enum { ILLUSION_STEPS = 1000 };
int illusion_trained(SteerBank *out, const IllusionRows *rows, const PairSet *pairs,
                     const SteerBank *start, const Work *work);

/* dormant[b] (n_layers, n_groups), for each bank of directions of one site: 1 where the rows vary
 * less along the vector of the bank than along 95 % of ILLUSION_DRAWS random directions of the row
 * space. The games go through the network once for all banks. Returns as activations_visit. */
enum { ILLUSION_DRAWS = 200 };
int illusion_dormant(uint8_t *const *dormant, const SteerBank *const *banks, size_t n_banks,
                     const IllusionSpace *spaces, const Gpt *gpt, const SteerFit *fit,
                     const Work *work);

#endif
