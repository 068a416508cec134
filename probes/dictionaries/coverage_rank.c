/* probes/dictionaries/coverage_rank.c - see probes/dictionaries/coverage_rank.h. */
#include "probes/dictionaries/coverage_rank.h"

#include "base/arena.h"
#include "base/err.h"

/* The lead of a feature on a pair, by its best threshold; 0: there is none. */
static double lead_of(const CoverageCounts *own, const CoverageCounts *other, size_t feature,
                      size_t pair)
{
    double best = 0;
    for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
        const size_t at = feature * COVERAGE_THRESHOLDS + t;
        const double lead =
            coverage_f1(own->hits[at * COVERAGE_PAIRS + pair], own->said[at], own->there[pair]) -
            coverage_f1(other->hits[at * COVERAGE_PAIRS + pair], other->said[at],
                        other->there[pair]);
        best = lead > best ? lead : best;
    }
    return best;
}

/* Into the list of a pair, behind those that are as good. */
static void insert(CoverageRank *out, size_t pair, size_t feature, double lead)
{
    uint32_t *features = out->features + pair * out->most;
    double *leads = out->leads + pair * out->most;
    size_t at = out->n[pair];
    if (at == out->most && lead <= leads[at - 1]) {
        return;
    }
    at = at == out->most ? at - 1 : out->n[pair]++;
    for (; at > 0 && leads[at - 1] < lead; at--) {
        features[at] = features[at - 1];
        leads[at] = leads[at - 1];
    }
    features[at] = (uint32_t)feature;
    leads[at] = lead;
}

int coverage_rank(CoverageRank *out, const CoverageCounts *own, const CoverageCounts *other,
                  size_t most)
{
    *out = (CoverageRank){.most = most};
    out->features = mem_calloc(COVERAGE_PAIRS * most, sizeof(*out->features), "ranked features");
    out->leads = mem_calloc(COVERAGE_PAIRS * most, sizeof(*out->leads), "ranked features");
    if (!out->features || !out->leads) {
        return OGPT_ENOMEM;
    }
    for (size_t f = 0; f < own->features; f++) {
        for (size_t s = 0; s < own->n_squares; s++) {
            size_t best = 0;
            double leads[COVERAGE_CLASSES];
            for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
                leads[c] = lead_of(own, other, f, c * COVERAGE_SQUARES + s);
                best = leads[c] > leads[best] ? c : best;
            }
            if (leads[best] > 0) {
                insert(out, best * COVERAGE_SQUARES + s, f, leads[best]);
            }
        }
    }
    return 0;
}

void coverage_rank_release(CoverageRank *rank)
{
    mem_free(rank->features);
    mem_free(rank->leads);
    *rank = (CoverageRank){0};
}

const uint32_t *coverage_ranked(size_t *n, const CoverageRank *rank, int square, int class,
                                size_t most)
{
    const size_t pair = (size_t)(class * COVERAGE_SQUARES + square);
    *n = rank->n[pair] < most ? rank->n[pair] : most;
    return rank->features + pair * rank->most;
}
