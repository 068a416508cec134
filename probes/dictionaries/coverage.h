/* probes/dictionaries/coverage.h - how well single features tell what is on a square.
 *
 * A pair is a square and a class (0 empty, 1 theirs, 2 mine). A classifier is a feature and a
 * threshold t = 0, .1, ..., 1: it says the pair where the feature's value f > t f_max, where f_max
 * is the largest value on the fit rows. F1 of a pair = 2 hits / (said + there).
 *
 * Coverage is the mean over the pairs of the F1 of their best classifier (Karvonen et al. 2024,
 * "Measuring Progress in Dictionary Learning for Language Model Interpretability with Board Game
 * Models", arXiv:2408.00113). Who chooses the classifier, and on which rows, is the caller's: the
 * maximum over thousands of features is biased upward on the rows that it is chosen on.
 *
 * A level is how many of the 11 thresholds a value exceeds: the values of a feature are counted
 * once, not once for each threshold. A feature that is silent on the fit rows has level 0
 * everywhere.
 */
#ifndef OGPT_PROBES_DICTIONARIES_COVERAGE_H
#define OGPT_PROBES_DICTIONARIES_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/work.h"
#include "num/statistics/stats.h"

enum {
    COVERAGE_THRESHOLDS = 11,
    COVERAGE_SQUARES = 64, /* a row of labels; squares that a smaller board lacks are ABSENT */
    COVERAGE_CLASSES = 3,
    COVERAGE_PAIRS = COVERAGE_CLASSES * COVERAGE_SQUARES, /* pair = class * 64 + square */
    COVERAGE_ABSENT = 255
};

/* The rows that are counted; borrowed. */
typedef struct CoverageRows {
    size_t n, n_games;
    const uint8_t *labels; /* (n, COVERAGE_SQUARES) class, or COVERAGE_ABSENT */
    const uint32_t *first; /* (n_games + 1) rows of game g: first[g] .. first[g+1]-1 */
    size_t n_squares;      /* of the board, row-major, at the beginning of a row of labels */
} CoverageRows;

typedef struct CoverageCounts {
    size_t n, features, n_squares;
    uint32_t *said;                 /* (features, thresholds); owned */
    uint32_t *hits;                 /* (features, thresholds, pairs); owned */
    uint32_t there[COVERAGE_PAIRS]; /* rows where the pair is true */
} CoverageCounts;

/* The level of a value: how many of t f_max, t = 0 .. 1, it exceeds. */
static inline uint8_t coverage_level(float f, float f_max)
{
    uint8_t level = 0;
    if (!(f > 0) || !(f_max > 0)) {
        return 0;
    }
    while (level < COVERAGE_THRESHOLDS &&
           f > (float)level * f_max / (float)(COVERAGE_THRESHOLDS - 1)) {
        level++;
    }
    return level;
}

/* 0 where nothing is said rightly. */
static inline double coverage_f1(double hits, double said, double there)
{
    return hits > 0 ? 2 * hits / (said + there) : 0;
}

/* Count levels (features, n). Integers: the same for any number of workers. work: the pool. Owned:
 * coverage_counts_release. Returns 0, OGPT_EINTR, OGPT_ENOMEM. */
int coverage_count(CoverageCounts *out, const uint8_t *levels, size_t features,
                   const CoverageRows *rows, const Work *work);
/* The specification: values (n, features) against each threshold, by plain loops. */
int coverage_count_ref(CoverageCounts *out, const float *values, const float *f_max,
                       size_t features, const CoverageRows *rows);
void coverage_counts_release(CoverageCounts *counts);

/* The classifier of each pair. A pair without one (no feature ever says it rightly) has f1 0. */
typedef struct CoverageChoice {
    uint32_t feature[COVERAGE_PAIRS];
    uint8_t threshold[COVERAGE_PAIRS];
    double f1[COVERAGE_PAIRS]; /* on the rows that it was chosen on */
} CoverageChoice;
/* Where F1 is equal, the lowest feature, then the lowest threshold. */
void coverage_choose(CoverageChoice *out, const CoverageCounts *counts);

/* Means over pairs: all classes, and without empty squares ("masked"). */
typedef struct CoverageMean {
    double all, masked;
} CoverageMean;
/* Over all pairs of the board, also those that never occur: as published. */
CoverageMean coverage_mean(const CoverageChoice *choice, size_t n_squares);
/* The same with one threshold for all pairs, the best one: what the published program computes. */
CoverageMean coverage_one_threshold(const CoverageCounts *counts);

/* A choice on other rows. Means are over the pairs that occur there. */
typedef struct CoverageScore {
    Interval all, masked;
    double replicates[2]
                     [BOOTSTRAP_REPLICATES]; /* of all and masked, over games, the classifiers
                                              * held fixed; draw r is the same for every choice */
} CoverageScore;
/* as_published: over all pairs of the board instead. work->seed seeds the bootstrap. Returns 0,
 * OGPT_EINTR, OGPT_ENOMEM. */
int coverage_score(CoverageScore *out, const CoverageChoice *choice, const uint8_t *levels,
                   const CoverageRows *rows, bool as_published, const Work *work);

/* weights (BOOTSTRAP_REPLICATES, n) = how often replicate r draws unit i: the draws of
 * num/statistics/stats.h. */
void coverage_draws(float *weights, size_t n, uint64_t seed);

#endif
