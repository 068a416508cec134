/* probes/dictionaries/vote.h - the board, put together from the features that are nearly always
 * right.
 *
 * At a threshold t a feature votes for a pair (coverage.h) if, on the fit rows, at least
 * VOTE_FIRINGS of its firings f > t f_max are right about it and at least VOTE_PRECISION of all of
 * them are. On other rows a pair is said where one of its voters fires. F1 = 2 hits / (said +
 * there) over all rows and pairs together (Karvonen et al. 2024, arXiv:2408.00113); "masked" leaves
 * empty squares out of votes and boards. A square may be said to be two things at once: one of them
 * is then wrong.
 */
#ifndef OGPT_PROBES_DICTIONARIES_VOTE_H
#define OGPT_PROBES_DICTIONARIES_VOTE_H

#include "probes/dictionaries/coverage.h"

#define VOTE_PRECISION 0.95
#define VOTE_FIRINGS 10

enum { VOTE_ALL, VOTE_MASKED, VOTE_MASKS };

/* Who votes for what. */
typedef struct VoteTable {
    size_t features;
    uint64_t *pairs; /* (features, thresholds, classes) squares as bits; owned */
    uint64_t *best;  /* the same, of the one voter of each pair with most right firings; owned */
} VoteTable;
/* Returns 0 or OGPT_ENOMEM. */
int vote_table_make(VoteTable *out, const CoverageCounts *fit);
void vote_table_release(VoteTable *table);

/* Features with a vote at a threshold; pairs with a voter, and how many voters such a pair has. */
typedef struct VoteShape {
    double features, pairs, voters;
} VoteShape;
VoteShape vote_shape(const VoteTable *table, size_t threshold);

/* Sums over the rows of a game. */
typedef struct VoteSums {
    double hits[VOTE_MASKS], said[VOTE_MASKS], there[VOTE_MASKS];
    double best; /* hits (VOTE_ALL) of the best voter of each pair alone */
} VoteSums;
/* sums (thresholds, n_games). work: the pool. Returns 0, OGPT_EINTR. */
int vote_count(VoteSums *sums, const VoteTable *table, const uint8_t *levels,
               const CoverageRows *rows, const Work *work);
/* F1 of sums (n_games). */
double vote_f1(const VoteSums *sums, size_t n_games, int mask);
/* The threshold of largest F1; the lowest of equal ones. sums (thresholds, n_games). */
size_t vote_threshold(const VoteSums *sums, size_t n_games, int mask);
/* The same with its interval over games. replicates: NULL, or room for BOOTSTRAP_REPLICATES; draw r
 * is that of coverage_score. Returns 0 or OGPT_ENOMEM. */
int vote_score(Interval *out, double *replicates, const VoteSums *sums, size_t n_games, int mask,
               uint64_t seed);

#endif
