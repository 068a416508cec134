/* probes/feature_circuits/feature_circuit_pair.h - every node of one pair: what patching it does,
 * what gradients say that it would do, and what the first k nodes do together.
 *
 * A node is patched by setting its part of the rows to that of the other run, everything else kept:
 *   x' = x + sum over patched nodes of (a_i(other) - a_i(base)) d_i [+ error(other) - error(base)]
 * at all positions that may change, and the network goes on from there. Sums are taken from the
 * nearer end, so that no node is the base run and all nodes are the other run's rows, bit for bit.
 *
 *   exact  Delta(patched) - Delta(base), one pass a node that differs; others cannot do anything
 *   atp    sum over positions of (a_i(other) - a_i(base)) d_i . gradient at the base run
 *   ig     the same with the mean gradient at m rows between base and other, at (k + 1/2) / m
 *          (integrated gradients: Sundararajan et al. 2017; of features: Marks et al. 2024,
 *          arXiv:2403.19647)
 *
 * Orders put the nodes of a pair, the error left out, by falling |score|; random orders are means
 * of FEATURE_DRAWS.
 */
#ifndef OGPT_PROBES_FEATURE_CIRCUITS_PAIR_H
#define OGPT_PROBES_FEATURE_CIRCUITS_PAIR_H

#include "base/enums.h"
#include "probes/feature_circuits/feature_circuit_basis.h"
#include "probes/feature_circuits/feature_circuit_lab.h"

/* X(enumerator, name): scores of a node, and orders by them. */
#define FEATURE_ORDERS(X)                                                                          \
    X(FEATURE_EXACT, "exact")                                                                      \
    X(FEATURE_ATP, "atp")                                                                          \
    X(FEATURE_IG, "ig")                                                                            \
    X(FEATURE_RANDOM, "random")
typedef enum FeatureOrder { FEATURE_ORDERS(ENUM_ID) N_FEATURE_ORDERS } FeatureOrder;
#define N_FEATURE_SCORES FEATURE_RANDOM /* exact, atp, ig */
#define FEATURE_CHANGE N_FEATURE_SCORES /* plane: sum of |a_i(other) - a_i(base)| */
#define N_FEATURE_PLANES (FEATURE_CHANGE + 1)
const char *feature_circuit_order_name(FeatureOrder order); /* static */

#define FEATURE_DRAWS 4
enum { N_FEATURE_COUNTS = 20 };
extern const size_t feature_circuit_counts[N_FEATURE_COUNTS]; /* k of the curves, rising */

/* What a pair gives: numbers, so that a journal can keep them. In front: */
enum {
    FEATURE_HEAD_RUNS,                         /* Delta of the base run, of the other run */
    FEATURE_HEAD_BASE = FEATURE_HEAD_RUNS + 2, /* Delta with the base rows put in */
    FEATURE_HEAD_WHOLE,                        /* Delta with all rows of the other run */
    FEATURE_HEAD_ATP,                          /* gradient . (rows of other - rows of base) */
    FEATURE_HEAD_IDENTITY, /* largest |sum of atp over nodes - that| / sum of |atp|, of all bases */
    FEATURE_HEAD_SPLIT, /* largest |base + all nodes - other| of a number of a row, over the largest
                         * |other - base| */
    N_FEATURE_HEAD
};
/* Then for each basis N_FEATURE_PLANES planes of n + 1 nodes, the error last; Delta minus that of
 * the base rows with all nodes but the error; the same of the first k nodes of each order. */
typedef struct FeatureLayout {
    size_t n_bases, n;
    size_t first[N_FEATURE_BASES], nodes[N_FEATURE_BASES]; /* nodes: n + 1 of a basis */
} FeatureLayout;
FeatureLayout feature_circuit_pair_layout(const FeatureBasis *bases, size_t n_bases);
/* Places of a plane (nodes), of "all nodes but the error", of a curve (N_FEATURE_COUNTS). */
size_t feature_circuit_pair_plane(const FeatureLayout *layout, size_t basis, size_t plane);
size_t feature_circuit_pair_all(const FeatureLayout *layout, size_t basis);
size_t feature_circuit_pair_curve(const FeatureLayout *layout, size_t basis, FeatureOrder order);

typedef struct FeaturePair FeaturePair; /* one worker's memory */
size_t feature_circuit_pair_bytes(const FeatureQuestion *question, const FeatureBasis *bases,
                                  size_t n_bases);
/* Borrows all. Owned: feature_circuit_pair_free. Returns 0 or OGPT_ENOMEM. */
int feature_circuit_pair_new(FeaturePair **out, const FeatureQuestion *question,
                             const FeatureBasis *bases, size_t n_bases);
void feature_circuit_pair_free(FeaturePair *pair);
/* values (layout.n) of pair number `index`; random orders by seed. brief: no single node is patched
 * exactly but the error, and curves are left out (zeros). Returns 0 or OGPT_ENOMEM. */
int feature_circuit_pair_measure(double *values, FeaturePair *pair, size_t index, uint64_t seed,
                                 bool brief);

#endif
