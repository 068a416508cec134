/* probes/scores.h - how well predicted labels match the true ones, with intervals by game.
 *
 * accuracy   share of cells (position x square) predicted right
 * board      share of positions whose every square is right
 * nonempty   share of right cells among squares that hold a disc
 * flipped    share of right cells among discs that were turned over at least once
 * Intervals are 95 % percentile bootstraps over games (num/stats.h); a score without a single
 * cell is NaN.
 */
#ifndef OGPT_PROBES_SCORES_H
#define OGPT_PROBES_SCORES_H

#include "num/stats.h"
#include "probes/positions.h"

typedef struct ProbeScore {
    Interval accuracy, board, nonempty, flipped;
} ProbeScore;

/* Positions with their true labels and the masks that the scores need. */
typedef struct LabelledSet {
    PositionSet set;
    size_t n_squares;
    uint8_t *labels;    /* (n_positions, n_squares) */
    uint64_t *occupied; /* (n_positions) row-major masks */
    uint64_t *flipped;
} LabelledSet;

/* Draw positions as positions_draw does, and label them. */
int labelled_draw(LabelledSet *out, GameSource *source, const Task *task,
                  LabelConvention convention, size_t n_games, int plies, uint64_t seed, Pool *pool);
void labelled_release(LabelledSet *set);

/* predicted (n_positions, n_squares) of rows x at layer index i of a probe. */
int predict_probe(uint8_t *predicted, const Probe *probe, int i, const float *x, size_t n,
                  Pool *pool);
int score_predictions(ProbeScore *out, const LabelledSet *truth, const uint8_t *predicted,
                      uint64_t seed, Pool *pool);

#endif
