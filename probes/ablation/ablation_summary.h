/* probes/ablation/ablation_summary.h - effects added up: intervals by game, ranks, shares, groups
 * and pairs.
 *
 * An interval resamples games (num/statistics/stats.h): every mean is the ratio of a sum over
 * positions to their number, both by game.
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_SUMMARY_H
#define OGPT_PROBES_ABLATION_ABLATION_SUMMARY_H

#include "num/statistics/stats.h"
#include "probes/ablation/ablation.h"

#define ABLATION_PARTS_SHOWN 3

/* One set, over all positions. Differences are ablated minus clean. */
typedef struct AblationRow {
    Interval total, direct, repair;     /* means of TE, DE, R; nats of logit */
    Interval share;                     /* sum of R / sum of DE */
    Interval wrong, strict;             /* more wrong moves; more strict errors */
    double norm;                        /* mean part of the LayerNorm in R */
    double moved;                       /* mean largest change of a logit */
    size_t parts[ABLATION_PARTS_SHOWN]; /* senders with the largest |mean part| of R, falling */
    double part[ABLATION_PARTS_SHOWN];  /* their means */
} AblationRow;

/* A row for each set of a result. Returns 0, OGPT_EINTR, OGPT_ENOMEM. */
int ablation_rows(AblationRow *out, const AblationResult *result,
                  const AblationPositions *positions, const Work *work);

/* Rank correlation (Spearman) of n numbers; ties share their mean rank. NaN where all are equal.
 * Returns 0 or OGPT_ENOMEM. */
int ablation_spearman(double *out, const double *a, const double *b, size_t n);

/* How much of the direct effect the rest of the network makes up for, over sets and positions:
 *   repair  sum of sign(DE) R / sum of |DE|; 0: nothing, 1: all of it; below 0: it adds
 *   norm    the part of the LayerNorm in it
 *   top     repair over the 2 % of (set, position) with the largest |DE| (Rushing and Nanda 2024)
 * Each is NaN if the mean |DE| that it is a share of is below ABLATION_ROUNDING.
 */
#define ABLATION_ROUNDING 1e-4 /* nats; DE comes out to about 1e-5 (identity error of a run) */
typedef struct AblationShare {
    size_t n; /* sets */
    Interval repair, norm, top;
} AblationShare;
/* Over sets first, first + step, ... of a result, n of them. Returns 0 or OGPT_ENOMEM. */
int ablation_share(AblationShare *out, const AblationResult *result,
                   const AblationPositions *positions, size_t first, size_t step, size_t n,
                   const Work *work);

/* ---- groups: the strongest units together, against random groups of as many ---- */

/* Units are chosen on games with even numbers and scored on the others, so that being chosen does
 * not count as an effect. */
typedef struct AblationGroups {
    size_t size, draws;
    AblationUnit *chosen;                /* (size) the largest mean |TE|; owned */
    Interval total, wrong, strict;       /* of all of them together */
    Interval random_total, random_wrong; /* mean over random groups; low, high: their quantiles
                                          * 2.5 and 97.5 % */
    Interval random_strict;
    AblationUnit least;                 /* the unit with the smallest |mean DE| on even games */
    Interval least_direct, least_total; /* its effects on the others */
} AblationGroups;

/* units (n): of one kind; singles: their result by one kind of ablation, set first + i * step for
 * unit i. Returns as ablation_run; OGPT_EUSAGE unless 0 < size < n. */
typedef struct AblationSingles {
    const AblationResult *result;
    size_t first, step;
    const AblationUnit *units;
    size_t n;
    AblationKind kind;
} AblationSingles;
int ablation_groups(AblationGroups *out, const AblationInputs *in, const AblationSingles *singles,
                    size_t size, size_t draws, const Work *work);
void ablation_groups_release(AblationGroups *groups);

/* ---- pairs ---- */

/* Two heads: together and alone. */
typedef struct AblationPair {
    AblationUnit a, b;
    Interval total; /* TE of both */
    Interval extra; /* TE(both) - TE(a) - TE(b) */
    /* Conditional co-ablation (CoAx, arXiv:2607.01940): comp(b|a) = mean |m(a) - m(a and b)| -
     * mean |m - m(b)|: how much more b matters once a is gone. A backup of a has the largest. */
    Interval b_after_a, a_after_b;
} AblationPair;
typedef struct AblationPairs {
    size_t n, n_positions;
    AblationPair *pairs; /* (n) owned */
    double identity_error;
} AblationPairs;
/* All pairs of these units. Returns as ablation_run. */
int ablation_pairs(AblationPairs *out, const AblationInputs *in, const AblationUnit *units,
                   size_t n, AblationKind kind, const Work *work);
void ablation_pairs_release(AblationPairs *pairs);

#endif
