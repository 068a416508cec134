/* probes/dictionaries/coverage_rank.h - for each pair the features that tell it, best first.
 *
 * A classifier is a feature and a threshold (coverage.h). Its lead on a pair is its F1 there minus
 * its F1 on boards of other games at the same plies: what is often true is said rightly by whatever
 * is often on, and that is taken off. The lead of a feature is that of its best threshold. On a
 * square a feature counts for one class only, the one where its lead is largest: so no feature
 * stands for two states of one square.
 */
#ifndef OGPT_PROBES_DICTIONARIES_COVERAGE_RANK_H
#define OGPT_PROBES_DICTIONARIES_COVERAGE_RANK_H

#include "probes/dictionaries/coverage.h"

typedef struct CoverageRank {
    size_t most;
    size_t n[COVERAGE_PAIRS]; /* features of the pair; at most `most` */
    uint32_t *features;       /* (pairs, most) by falling lead, of equal ones the lowest; owned */
    double *leads;            /* (pairs, most), above 0; owned */
} CoverageRank;

/* own, other: counts of the same levels, by the boards of these games and of other games. Returns 0
 * or OGPT_ENOMEM; coverage_rank_release in both cases. */
int coverage_rank(CoverageRank *out, const CoverageCounts *own, const CoverageCounts *other,
                  size_t most);
void coverage_rank_release(CoverageRank *rank);
/* The features of a pair and how many they are, at most `most`. */
const uint32_t *coverage_ranked(size_t *n, const CoverageRank *rank, int square, int class,
                                size_t most);

#endif
