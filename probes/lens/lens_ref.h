/* probes/lens/lens_ref.h - the lens and its objective by plain loops in double: the specification.
 *
 * Nothing here calls a kernel. tests/probes/lens/ holds lens.h, lens_fit.h and lens_measure.h to
 * it.
 */
#ifndef OGPT_PROBES_LENS_LENS_REF_H
#define OGPT_PROBES_LENS_LENS_REF_H

#include "probes/lens/lens.h"

/* logits (d_vocab) of row x (d_model) behind x + x A + b; matrix NULL: the logit lens. Returns 0 or
 * OGPT_ENOMEM. */
int lens_ref_logits(double *logits, const Gpt *gpt, const float *x, const float *matrix,
                    const float *bias);
/* KL in nats from softmax(a) to softmax(b), both of V logits. */
double lens_ref_kl(const double *a, const double *b, size_t V);

#endif
