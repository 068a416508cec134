/* probes/feature_circuits/feature_circuit_study.h - all pairs: which features carry the difference
 * between two runs, how few of them, and how well gradients find them; beside other bases.
 *
 * With e_p a number of nats of pair p, its share is the ratio of sums over pairs, sum of e_p over
 * sum of whole_p, whole_p = Delta with all rows of the other run - Delta of the base run. Intervals
 * are over pairs (bootstrap_ratio). A share above 1 or below 0 is possible: effects need not add
 * up.
 */
#ifndef OGPT_PROBES_FEATURE_CIRCUITS_STUDY_H
#define OGPT_PROBES_FEATURE_CIRCUITS_STUDY_H

#include "base/work.h"
#include "num/statistics/stats.h"
#include "probes/feature_circuits/feature_circuit_pair.h"

#define FEATURE_WANTED 5 /* the largest effects of a pair, which estimates must find */

/* How an estimate agrees with the exact effects of a basis, by pair: over the nodes that differ in
 * it, the error among them. Means over pairs, but for the first. */
typedef struct FeatureAgreement {
    Interval pearson;  /* over nodes of all pairs; of random orders NaN */
    Interval spearman; /* of sizes */
    Interval recall;   /* share of the FEATURE_WANTED largest that are among its first as many */
    Interval cost;     /* nodes to verify in its order until all of these are found */
    Interval sum;      /* share: all nodes and the error, each alone, added up */
} FeatureAgreement;

typedef struct FeatureBasisResult {
    const char *name;
    size_t n; /* nodes */
    bool has_error;
    double differ;                            /* nodes that differ in a pair, mean */
    Interval all;                             /* share of all nodes but the error */
    Interval error;                           /* share of the error alone */
    Interval single;                          /* as FeatureAgreement.sum, of the exact effects */
    FeatureAgreement agree[N_FEATURE_ORDERS]; /* those of exact are not filled */
    Interval curve[N_FEATURE_ORDERS][N_FEATURE_COUNTS];
    size_t half, most; /* the first k of the curve by exact effects with a share of 0.5, of 0.8; 0:
                        * none */
} FeatureBasisResult;

/* One feature, or the error. */
typedef struct FeatureScore {
    size_t node;                      /* BasisResult.n: the error */
    size_t pairs;                     /* that it differs in */
    Interval share[N_FEATURE_SCORES]; /* of exact, atp, ig */
    double size;                      /* mean |exact|, over these pairs, nats */
} FeatureScore;

/* The same autoencoder on pairs: the flips, and transpositions, which should show nothing. */
typedef struct FeatureControl {
    size_t n_pairs;
    Interval runs, whole, all, error; /* nats that Delta falls by: the other run; its rows; all
                                       * features; the error */
} FeatureControl;

typedef struct FeatureStudy {
    size_t n_pairs, n_bases;
    FeatureBasisResult bases[N_FEATURE_BASES]; /* features first */
    FeatureScore *scores;                      /* (n_scores) by falling |share|, owned */
    size_t n_scores; /* features that differ in some pair, and the error */
    Interval of_run; /* what the rows carry of the whole run: sum of whole over that of runs */
    double ig_error; /* mean |sum of ig - whole| over mean |whole| */
    double identity; /* largest FEATURE_HEAD_IDENTITY, FEATURE_HEAD_SPLIT of a pair */
    double split;
    double other_error; /* largest |Delta with all rows of the other run - Delta of that run|, nats:
                         * 0 at all positions of the residual stream */
    FeatureControl flips, transpositions;
} FeatureStudy;

/* Bytes that a study takes at most. */
size_t feature_circuit_study_bytes(const FeatureQuestion *question, const Work *work);
/* transpositions (n) may be none. Ticks "pairs"; uses work->journal. The same bits for
 * any number of workers and of ranks. Returns 0, OGPT_EFORMAT (pairs of another board, longer than
 * n_ctx), OGPT_EUSAGE (no pairs), OGPT_EINTR, OGPT_ENOMEM or an error of the journal. */
int feature_circuit_study_run(FeatureStudy *out, const FeatureQuestion *question,
                              const GamePair *transpositions, size_t n, const Work *work);
void feature_circuit_study_release(FeatureStudy *study);

#endif
