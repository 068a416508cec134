/* probes/graph/pair_metric.h - Delta: one number of an answer that a pair of runs is compared by.
 *
 *   Delta = mean logit of the moves that are legal on the clean board only
 *         - mean logit of the moves that are legal on the corrupt board only
 *
 * One side empty: the moves legal on both boards take its place (with both empty sides, a
 * transposition: mean logit of the legal moves minus mean logit of the other empty squares, so that
 * the metric is not zero where the effect must be). A chosen pair names one move for either side,
 * and they take the place of both sets, legal or not. Delta is linear in the logits: metric =
 * weights . logits, and `weights` is d metric / d logits for gpt_gradient and prefix_gradient.
 *
 * An effect is a ratio of means over pairs, never a mean of ratios: (patched - base) / (other -
 * base), numerator and denominator of each pair kept apart until bootstrap_ratio
 * (num/statistics/stats.h).
 */
#ifndef OGPT_PROBES_GRAPH_PAIR_METRIC_H
#define OGPT_PROBES_GRAPH_PAIR_METRIC_H

#include "datasets/vocab.h"
#include "num/real.h"
#include "probes/cases/pairs.h"

/* weights (d_vocab), zero outside the two sets. Their sum is 0, so Delta does not depend on a
 * constant that is added to all logits. */
void pair_weights(real *weights, const Vocab *vocab, const GamePair *pair);
/* weights . logits, added up in double precision. */
double pair_delta(const real *weights, const real *logits, int d_vocab);
/* What Delta of these pairs compares, in words (static); of none, and of transpositions alone: the
 * moves of one board with its other empty squares. */
const char *pair_metric_words(const GamePair *pairs, size_t n);

#endif
