/* probes/board/scores.h - how well predicted labels match the true ones, with intervals over games.
 *
 * accuracy   share of cells (position x square) that are right
 * board      share of positions with every square right
 * nonempty   share of right cells among the squares that hold a disc
 * flipped    share of right cells among the discs that were turned over at least once
 * f1         tasks with two classes: F1 = 2 hits / (said + true) of class 1, as published for the
 *            task "flipped". Other tasks: the mean F1 of the classes that occur or are predicted,
 *            without an interval
 * of_class   for each class: precision = hits / said, recall = hits / true, F1
 *
 * Intervals are 95 % percentile bootstraps over games (num/statistics/stats.h); a score without a
 * single cell is NaN.
 */
#ifndef OGPT_PROBES_BOARD_SCORES_H
#define OGPT_PROBES_BOARD_SCORES_H

#include "num/statistics/stats.h"
#include "probes/activations/positions.h"
#include "probes/board/probe.h"

typedef struct ClassScore {
    Interval f1;
    double precision, recall;
    uint64_t n_true, n_said, n_hits; /* cells */
} ClassScore;

typedef struct ProbeScore {
    Interval accuracy, board, nonempty, flipped, f1;
    ClassScore of_class[TASK_MAX_CLASSES]; /* zero beyond the classes of the task */
} ProbeScore;

/* Positions with their true labels and the masks that the scores need. */
typedef struct LabelledSet {
    PositionSet set;
    size_t n_squares, n_classes;
    uint8_t *labels;    /* (n_positions, n_squares) */
    uint64_t *occupied; /* (n_positions) row-major masks */
    uint64_t *flipped;
} LabelledSet;

/* Draw positions as positions_draw does, and label them. Owned: labelled_release. */
int labelled_draw(LabelledSet *out, GameSource *source, const Task *task,
                  LabelConvention convention, size_t n_games, int plies, const Work *work);
/* Label the positions that out->set holds. */
int labelled_fill(LabelledSet *out, const Task *task, LabelConvention convention, const Work *work);
void labelled_release(LabelledSet *set);

/* predicted (n_positions, n_squares) of rows x at layer index i of a probe. */
int predict_probe(uint8_t *predicted, const Probe *probe, int i, const float *x, size_t n,
                  const Work *work);
/* Compute all scores of predicted (n_positions, n_squares). work->seed seeds the bootstrap. */
int score_predictions(ProbeScore *out, const LabelledSet *truth, const uint8_t *predicted,
                      const Work *work);

/* The sums behind the scores, game by game. Paired tests use them too (paired.h). */
typedef enum ScoreKind {
    SCORE_CELLS,
    SCORE_BOARDS,
    SCORE_NONEMPTY,
    SCORE_FLIPPED,
    N_SCORES
} ScoreKind;

typedef struct GameSums {
    size_t n_games;
    double *right[N_SCORES], *total[N_SCORES]; /* (n_games) each; one block, at right[0] */
} GameSums;

/* Count predicted (n_positions, n_squares). Owned: game_sums_release. 0 or OGPT_ENOMEM. */
int game_sums_count(GameSums *out, const LabelledSet *truth, const uint8_t *predicted);
void game_sums_release(GameSums *sums);

/* 2 hits / (said + true); NaN for 0 / 0. */
double f1_of_counts(double hits, double said, double there);
/* ProbeScore.f1 from the F1 of each class. */
double f1_of_task(const double *f1_of_class, size_t n_classes);

#endif
