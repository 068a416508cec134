/* probes/circuits/acdc.h - a circuit by pruning: drop every edge that can be dropped.
 *
 * ACDC (Conmy et al. 2023, algorithm 1): receivers from the logits backwards, and for each the
 * edges into it, one after the other; an edge carries the other run from now on if the distance of
 * the current circuit from the full network grows by less than tau. What was dropped before stays
 * dropped while the next edge is tried, so the circuit depends on the order. Two orders:
 *
 *   last-first   senders from the last to the first, receivers as the graph numbers them, backwards
 *   first-last   senders from the first to the last; blocks and their MLPs backwards too, but the
 *                queries, keys and values of a block forwards
 *
 * An edge into a head or MLP that nobody reads any more does nothing and is dropped untried.
 */
#ifndef OGPT_PROBES_CIRCUITS_ACDC_H
#define OGPT_PROBES_CIRCUITS_ACDC_H

#include "probes/patching/edges.h"

typedef enum AcdcDistance {
    ACDC_KL,   /* mean KL(full || current) over pairs, nats, all logits */
    ACDC_DELTA /* |sum Delta(full) - Delta(current)| / |sum Delta(full) - Delta(other)| */
} AcdcDistance;
#define ACDC_DISTANCE_NAMES "kl|delta"
const char *acdc_distance_name(AcdcDistance distance); /* static */

typedef enum AcdcOrder { ACDC_LAST_FIRST, ACDC_FIRST_LAST, N_ACDC_ORDERS } AcdcOrder;
const char *acdc_order_name(AcdcOrder order); /* static */

typedef struct AcdcOptions {
    AcdcDistance distance;
    double tau; /* > 0 */
    AcdcOrder order;
} AcdcOptions;

typedef struct AcdcCircuit {
    size_t n_edges, n_kept, n_tried;
    uint8_t *kept;   /* (n_edges) 0 or 1, owned */
    double *growth;  /* (n_edges) of the distance when the edge was tried; NaN: untried; owned */
    double distance; /* of the circuit from the full network */
} AcdcCircuit;

/* runs: of the question. Uses work->journal (stage "acdc " and the options), ticks "receivers".
 * Returns 0, OGPT_EUSAGE (tau), OGPT_EINTR, OGPT_ENOMEM or an error of the journal. */
int acdc_run(AcdcCircuit *out, EdgeRuns *runs, const EdgeQuestion *question,
             const AcdcOptions *options, const Work *work);
void acdc_release(AcdcCircuit *circuit);
/* Edges of both over edges of either; NaN if both are empty. */
double acdc_jaccard(const uint8_t *a, const uint8_t *b, size_t n_edges);

#endif
