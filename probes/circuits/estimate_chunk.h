/* probes/circuits/estimate_chunk.h - the passes of a few pairs. Private to probes/circuits/.
 *
 * Both runs of the pairs, the gradients at the base run (once more for each dropped layer), and the
 * gradients at the points of eap-ig, each at once scored against all senders.
 */
#ifndef OGPT_PROBES_CIRCUITS_ESTIMATE_CHUNK_H
#define OGPT_PROBES_CIRCUITS_ESTIMATE_CHUNK_H

#include "probes/circuits/estimates.h"

/* Pairs of one job: fixed, so that results do not depend on the number of workers. */
#define ESTIMATE_CHUNK_PAIRS 4

/* One worker's memory. */
typedef struct EstimateLab EstimateLab;
size_t estimate_lab_bytes(const EdgeQuestion *question, const EstimateOptions *options);
int estimate_lab_new(EstimateLab **out, const EdgeQuestion *question,
                     const EstimateOptions *options);
void estimate_lab_free(EstimateLab *lab);

/* Where the results of pair i of a chunk go. */
typedef struct EstimateRow {
    const GamePair *pair;
    const real *weights;        /* (d_vocab) of another metric; NULL: Delta */
    float *values[N_ESTIMATES]; /* (width) of plane 0; NULL: not wanted */
    size_t plane;               /* numbers from a plane to the next */
    double *denominator;
    double *sums; /* (n_trials) of eap-ig's edges out of `input`, all positions */
} EstimateRow;

void estimate_chunk(EstimateLab *lab, const EstimateRow *rows, size_t n, const int *trials,
                    int n_trials);

#endif
