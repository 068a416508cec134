/* probes/circuits/estimates.h - what every edge would do if it were patched, estimated from
 * gradients: a few passes for all edges, where the truth (edges_exact) takes a pass an edge.
 *
 * For an edge (u, v), with the gradient of the metric by what v reads, LayerNorm included:
 *
 *   atp              (a_u(other) - a_u(base)) . d m / d x_v at the base run. For nodes: attribution
 *                    patching (Nanda 2023); for edges the same number is edge attribution patching,
 *                    EAP (Syed, Rager and Conmy 2023)
 *
 *   atp-qk           the same, but an edge into a query or key is not pushed through the linearised
 *                    softmax: sum over the keys of (A_k(patched) - A_k) d m / d A_k, where
 *                    A(patched) is the pattern that the patched query or keys give (Kramar et al.
 *                    2024, QK fix)
 *
 *   atp-drop         GradDrop: the gradient is taken once for each layer l, with what passes back
 *                    through the writes of block l set to zero; the mean over l of |estimate|. An
 *                    edge into block l gets nothing from that pass, so the divisor is L - 1; an
 *                    edge into the logits has no such pass: L. With one layer: |atp|
 *
 *   atp*             both (AtP* of the paper)
 *
 *   eap-ig           the gradient averaged over m runs on embeddings between those of the two runs,
 *                    at base + (k + 1/2) / m (other - base), k = 0..m-1 (Hanna, Pezzelle and
 *                    Belinkov 2024; they take the points k / m, we the midpoints)
 *
 *   clean-corrupted  the mean of the gradients at the two runs
 *
 * Like the truth, an estimate of an edge is a ratio of sums over pairs. The absolute value of
 * GradDrop is taken after the sum over pairs, because that is what the truth is compared by.
 */
#ifndef OGPT_PROBES_CIRCUITS_ESTIMATES_H
#define OGPT_PROBES_CIRCUITS_ESTIMATES_H

#include "base/enums.h"
#include "probes/circuits/circuit_nodes.h"

/* X(enumerator, name) */
#define ESTIMATES(X)                                                                               \
    X(ESTIMATE_ATP, "atp")                                                                         \
    X(ESTIMATE_ATP_QK, "atp-qk")                                                                   \
    X(ESTIMATE_ATP_DROP, "atp-drop")                                                               \
    X(ESTIMATE_ATP_STAR, "atp*")                                                                   \
    X(ESTIMATE_EAP_IG, "eap-ig")                                                                   \
    X(ESTIMATE_CLEAN_CORRUPTED, "clean-corrupted")

typedef enum Estimate { ESTIMATES(ENUM_ID) N_ESTIMATES } Estimate;
const char *estimate_name(Estimate estimate); /* static */
/* GradDrop is a mean of sizes: its scores have no sign. */
bool estimate_signed(Estimate estimate);

#define ESTIMATE_POINTS_MAX 256
enum { ESTIMATE_TRIALS_MAX = 10 }; /* 1, 2, 4, ... 256 and the number asked for */

typedef struct EstimateOptions {
    unsigned wanted; /* bit 1 << Estimate */
    int points;      /* of eap-ig, 1..ESTIMATE_POINTS_MAX */
} EstimateOptions;

/* How well the sum of eap-ig over the edges out of `input`, at all positions, is the whole
 * difference between the two runs (completeness; Sundararajan et al. 2017), by number of points. */
typedef struct EstimateTrial {
    int points;
    double error; /* mean |sum - difference| over mean |difference|, pairs */
} EstimateTrial;

typedef struct EstimateSet {
    size_t n_pairs, n_edges;
    size_t width; /* n_edges, then the nodes (probes/circuits/circuit_nodes.h) */
    int n_layers;
    /* (planes, n_pairs, width) numerators, owned; NULL: not wanted. Planes: one a layer for
     * GradDrop, else one. */
    float *values[N_ESTIMATES];
    double *denominator; /* (n_pairs) Delta(other) - Delta(base), owned */
    EstimateTrial trials[ESTIMATE_TRIALS_MAX];
    int n_trials;    /* 0 without eap-ig */
    double *divisor; /* (width) of GradDrop, owned */
} EstimateSet;

size_t estimates_planes(Estimate estimate, int n_layers);
/* Bytes that estimates_make takes at most, its results included. */
size_t estimates_bytes(const EdgeQuestion *question, const EstimateOptions *options,
                       const Work *work);
/* Ticks "pairs". The same bits for any number of workers and of ranks. Returns 0, OGPT_EFORMAT
 * (pairs of another board or longer than n_ctx), OGPT_EUSAGE (no pairs, points), OGPT_EINTR,
 * OGPT_ENOMEM. */
int estimates_make(EstimateSet *out, const EdgeQuestion *question, const EstimateOptions *options,
                   const Work *work);
void estimates_release(EstimateSet *set);

/* What is scored: the edges (n_edges), or the nodes. */
typedef enum EstimateUnit { ESTIMATE_EDGES, ESTIMATE_NODES } EstimateUnit;
/* scores (units) of one estimate with pair i counted weight[i] times (NULL: once each): signed, but
 * for GradDrop. */
void estimates_scores(double *scores, const EstimateSet *set, Estimate estimate, EstimateUnit unit,
                      const double *weight);

#endif
