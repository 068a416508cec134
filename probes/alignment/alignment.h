/* probes/alignment/alignment.h - rotations between the residual streams of two networks.
 *
 * Rows x of the network `from` and y of `to` behind the same moves of the same games; R is the
 * orthogonal map that makes sum |x R - y|^2 least over the fit games (num/matrices/procrustes.h).
 * No offset is fitted. On the test games:
 *
 *   rest    sum |x R - y|^2 / sum |y - mean|^2: 0 is the same stream turned, 1 as good as the mean
 *           row of the fit games
 *   alpha   1 - sum KL(p || q) / sum KL(p || uniform over all tokens), p uniform over the legal
 *           moves, q the answer of `to` when its rows at this layer are x R: MetaOthello's score
 *
 * The shared map is fitted on the rows of all layers at once, each divided by its size.
 */
#ifndef OGPT_PROBES_ALIGNMENT_ALIGNMENT_H
#define OGPT_PROBES_ALIGNMENT_ALIGNMENT_H

#include "base/enums.h"
#include "base/work.h"
#include "datasets/vocab.h"
#include "model/gpt.h"
#include "num/statistics/stats.h"

#define ALIGNMENT_MAPS(X)                                                                          \
    X(ALIGNMENT_OWN, "own", "fitted at this layer")                                                \
    X(ALIGNMENT_SHARED, "shared", "one for all layers")                                            \
    X(ALIGNMENT_UNPAIRED, "unpaired", "fitted at this layer on rows of other games")               \
    X(ALIGNMENT_RANDOM, "random", "a random rotation")
typedef enum AlignmentMap { ALIGNMENT_MAPS(ENUM_ID) N_ALIGNMENT_MAPS } AlignmentMap;
const char *alignment_map_name(AlignmentMap map); /* static */

/* A network and the vocabulary of the games it was trained on. */
typedef struct AlignmentSide {
    const Gpt *gpt;
    const Vocab *vocab;
} AlignmentSide;

/* Whether both are one network but for the names of its tokens: the same weights, once those of
 * `from` are in the order of `to`. Returns 0, OGPT_ENOMEM. Both fit (alignment_fault). */
int alignment_renamed(bool *renamed, const AlignmentSide *from, const AlignmentSide *to);

/* NULL, or why no map can be fitted between them (static): shape, size, games. */
const char *alignment_fault(const AlignmentSide *from, const AlignmentSide *to);

typedef struct AlignmentRow {
    int layer;   /* LAYER_EMBED, 0, 1, ... */
    double rank; /* directions that the fit rows decide, of d_model */
    Interval rest[N_ALIGNMENT_MAPS];
    Interval alpha[N_ALIGNMENT_MAPS];
    Interval unchanged; /* alpha of `to` with its own rows */
    Interval lead;      /* alpha of the own map minus that of the shared one, on the same games */
} AlignmentRow;

/* rows (n_layers + 1). strict (2): the strict errors of `from` and `to` on the test games, each in
 * its own tokens. Random games by work->seed, all their positions. work: the pool;
 * tick("parts"). Returns 0, OGPT_EUSAGE (alignment_fault), OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int alignment_measure(AlignmentRow *rows, Interval strict[2], const AlignmentSide *from,
                      const AlignmentSide *to, size_t fit_games, size_t test_games,
                      const Work *work);

#endif
