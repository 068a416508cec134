/* probes/circuits/grades.h - how well a ranking of edges (or nodes) finds what exact patching
 * finds.
 *
 * Truth and ranking are sizes: |effect| of the ratio of sums over pairs, |score|. K is how many of
 * the truth are looked for.
 *
 *   spearman     rank correlation of the two over everything, ties sharing their mean rank
 *   precision    share of the ranking's first K that are among the truth's first K
 *   cost of verified recall   how many must be verified by exact patching, in the ranking's order,
 *                until 90 % (rounded up) or all of the truth's first K have been found (Kramar et
 *                al. 2024, section 4.1)
 *   worst miss   the largest true size among those that the ranking puts behind its first K
 *
 * Equal sizes keep the order of their numbers. Intervals: 95 % of GRADE_REPLICATES bootstraps over
 * pairs, truth and ranking drawn alike. A ranking is compared with the first one replicate by
 * replicate, so the interval of the difference is paired.
 */
#ifndef OGPT_PROBES_CIRCUITS_GRADES_H
#define OGPT_PROBES_CIRCUITS_GRADES_H

#include "base/work.h"
#include "num/statistics/stats.h"

#define GRADE_REPLICATES 200
#define GRADE_ORDERS 200 /* random ones */

typedef enum GradeNumber {
    GRADE_SPEARMAN,
    GRADE_PRECISION,
    GRADE_COST_90,
    GRADE_COST_100,
    GRADE_WORST_MISS,
    N_GRADES
} GradeNumber;

typedef struct GradeTruth {
    size_t n_pairs, n;         /* pairs; edges or nodes */
    const double *effect;      /* (n_pairs, n) exact numerators */
    const double *denominator; /* (n_pairs) */
    size_t top;                /* K, 1..n */
} GradeTruth;

typedef struct GradeRanking {
    /* scores (n) with pair i counted weight[i] times; NULL: once each. Thread-safe. */
    void (*scores)(double *scores, const void *context, const double *weight);
    const void *context;
} GradeRanking;

typedef struct Grade {
    Interval number[N_GRADES];
    Interval minus_first[N_GRADES]; /* this ranking minus the first; NaN for random orders */
    size_t missed;                  /* which one is the worst miss; n: none is missed */
} Grade;

/* Grades of n_rankings rankings. Ticks "resamples". The same bits for any number of workers and of
 * ranks.
 * Returns 0, OGPT_EUSAGE (top; no pairs), OGPT_EINTR, OGPT_ENOMEM. */
int grade_rankings(Grade *out, const GradeTruth *truth, const GradeRanking *rankings,
                   size_t n_rankings, const Work *work);
/* Grades of random orders of (seed of the work, RNG_CONTROL): value is the mean of GRADE_ORDERS,
 * the interval 95 % of them. */
int grade_random(Grade *out, const GradeTruth *truth, const Work *work);

/* size (n) of every effect: |sum of weight * effect / sum of weight * denominator|. */
void grade_truth_sizes(double *size, const GradeTruth *truth, const double *weight);
/* low and high of an interval: the 95 % of n numbers, NaN left out; sorts them. */
void grade_percentiles(Interval *out, double *values, size_t n);
/* order (n): numbers by falling |size|. Returns 0 or OGPT_ENOMEM. */
int grade_order(uint32_t *order, const double *size, size_t n);

#endif
