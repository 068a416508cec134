/* probes/attribution/readout.h - what a component is attributed to: linear functions of a stream.
 *
 *   logits  column k is the logit of token k + 1 (a move). Behind the final LayerNorm, whose scale
 *           is kept or computed again: logit = ((x - mean x) / s * w_f + b_f) . W_U[:,k] + b_U[k],
 *           so direction k = (w_f * W_U[:,k]) minus its mean, constant k = b_f . W_U[:,k] + b_U[k]
 *   board   column k is the score of one class minus that of another at square k. No LayerNorm
 *           lies between the stream and the probe, so nothing has to be frozen
 *
 * The directions are made for the computation and forgotten; the weights of the network stay as
 * they are on file.
 */
#ifndef OGPT_PROBES_ATTRIBUTION_READOUT_H
#define OGPT_PROBES_ATTRIBUTION_READOUT_H

#include "model/gpt.h"

typedef struct Readout {
    size_t width, n_columns;
    real *direction; /* (width, n_columns), owned */
    real *constant;  /* (n_columns), owned */
    real *random;    /* (width, n_columns): random directions, each as long as its column; owned */
    bool normed;     /* behind the final LayerNorm */
    HookSite site;   /* of the stream that is read */
    int layer;
    real eps; /* of the LayerNorm */
} Readout;

/* All moves. Returns 0 or OGPT_ENOMEM. */
int readout_of_logits(Readout *out, const Gpt *gpt);
/* Columns given by others: their directions (width, n_columns) and constants. */
int readout_of_columns(Readout *out, size_t width, size_t n_columns, const float *direction,
                       const float *constant);
void readout_release(Readout *readout);
/* Fill `random` by (seed, RNG_DIRECTION, column): the control. Without a mean where the columns
 * have none. */
void readout_draw_random(Readout *readout, uint64_t seed);

#endif
