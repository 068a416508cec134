/* probes/attribution/attribution.h - direct attribution: how much each component adds to a number
 * that is read from the stream.
 *
 * A row reads number = sum_k weight[k] * column k of a Readout. With r = sum_k weight[k] *
 * direction k, component c contributes
 *   frozen      c . r / s, s the LayerNorm's scale in this run (1 where there is none). The
 *               contributions and the constant add up to the number (Elhage et al. 2021)
 *   recomputed  the number minus the number without c, LayerNorm computed again of x - c: what
 *               removing c on the direct path does, all else as it was. Does not add up
 * s = sqrt(var x + eps). Random and shuffled contributions are those to a random direction as long
 * as r, and to the number that other weights ask for: controls.
 */
#ifndef OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_H
#define OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_H

#include "num/kernels.h"
#include "probes/attribution/readout.h"
#include "probes/attribution/writes.h"

#define ATTRIBUTION_ROWS 64 /* rows that are computed at a time */

/* Results of some rows, n <= ATTRIBUTION_ROWS; J components, K columns. The component of the last
 * index is the constant. */
typedef struct AttributionValues {
    size_t n;
    double *frozen;           /* (n,J) */
    double *recomputed;       /* (n,J); equal to frozen where there is no LayerNorm */
    double *random;           /* (n,J) */
    double *shuffled;         /* (n,J); zeros without other weights */
    double *magnitude;        /* (n,J) mean over the columns of |contribution|; behind a LayerNorm
                               * of contributions minus their mean over the columns, which softmax
                               * does not see */
    double *random_magnitude; /* (n,J) the same of the random columns */
    double *total;            /* (n,K) sum of all contributions to each column */
    real *all;                /* (n,J,K) every contribution to every column, frozen; NULL unless
                               * asked for */
} AttributionValues;

/* One worker's scratch and results. */
typedef struct Attributor Attributor;
size_t attributor_bytes(const GptConfig *cfg, const ComponentList *list, size_t n_columns,
                        bool all);
/* gpt, list and readout are borrowed; kernels: by which products are made. `all`: fill `all`.
 * Returns 0 or OGPT_ENOMEM. */
int attributor_new(Attributor **out, const Gpt *gpt, const ComponentList *list,
                   const Readout *readout, const Kernels *kernels, bool all);
void attributor_free(Attributor *attributor);

/* Rows first .. first+n-1 of what a pass wrote, n <= ATTRIBUTION_ROWS. weights (n,K) and shuffled
 * (n,K; or NULL) belong to these rows. The results are borrowed until the next call. */
const AttributionValues *attributor_rows(Attributor *attributor, const Writes *writes,
                                         const real *weights, const real *shuffled, size_t first,
                                         size_t n);

/* How much of a component's write x one later write y takes back: -sum x . y / sum x . x over rows.
 * The sums of the rows of the last attributor_rows are added to dot and self.
 *
 *   grain layer, part, head: of all components of the list
 *   grain neuron: neurons against later attention layers and MLPs, the others against nothing
 *   grain source: nothing */
typedef struct AttributionErasure {
    size_t n_erasers;
    float *dot;   /* (J, n_erasers) sum of x . y, owned */
    double *self; /* (J) sum of x . x, owned */
} AttributionErasure;
size_t attribution_erasers(const ComponentList *list);
/* Eraser e as a component of its own grain, and whether it writes behind component c. */
Component attribution_eraser(const ComponentList *list, size_t eraser);
bool attribution_erases(const ComponentList *list, size_t eraser, size_t component);
void attributor_add_erasure(AttributionErasure *sums, Attributor *attributor, const Writes *writes);

#endif
