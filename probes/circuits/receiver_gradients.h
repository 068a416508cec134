/* probes/circuits/receiver_gradients.h - d metric / d what a receiver reads, from the gradients at
 * hook sites. Private to probes/circuits/.
 *
 * A receiver's own input is the residual stream in front of its LayerNorm. Its gradient through
 * this receiver alone, and everything behind it, comes from the gradient at the receiver's site (q,
 * k or v of one head, ln2_normalized, final_normalized), taken back through the head's own columns
 * of W_Q, W_K or W_V and through the LayerNorm at the input that the pass had:
 *
 *   dx = (g - mean g - xhat mean(g xhat)) / s      g = w dy, xhat = (x - mean x) / s
 *
 * With a frozen scale the last term is gone. The gradient at resid_pre itself would add up all
 * receivers and the stream around them.
 */
#ifndef OGPT_PROBES_CIRCUITS_RECEIVER_GRADIENTS_H
#define OGPT_PROBES_CIRCUITS_RECEIVER_GRADIENTS_H

#include "probes/patching/edges.h"

/* Some rows of one pass: (L, n, C), and (n, C) outside the blocks. */
typedef struct GradientPoint {
    size_t n;
    real *pre, *mid, *last;    /* the stream before attention, before the MLP, after the end */
    real *dq, *dk, *dv, *dln2; /* d metric / d q, k, v, ln2_normalized */
    real *dfinal;              /* d metric / d final_normalized */
} GradientPoint;

/* d metric / d x of one receiver: out (n, C). */
void receiver_gradient(real *out, const EdgeQuestion *question, const GradientPoint *point,
                       Receiver receiver);

#endif
