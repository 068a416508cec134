/* probes/controls.h - what a probe has to beat before its accuracy means anything.
 *
 * majority      the commonest class of a square at that ply in the training positions
 * history       the same solver on the raw move history, without any network
 * random_model  the same solver on a network of the same shape with untrained weights
 * shuffled      the same solver on labels of other games at the same ply: chance
 */
#ifndef OGPT_PROBES_CONTROLS_H
#define OGPT_PROBES_CONTROLS_H

#include "probes/scores.h"
#include "probes/solver.h"

typedef enum Control {
    CONTROL_MAJORITY,
    CONTROL_HISTORY,
    CONTROL_RANDOM_MODEL,
    CONTROL_SHUFFLED,
    N_CONTROLS
} Control;

/* "majority", "history", "random_model", "shuffled". */
const char *control_name(Control control);

/* predicted (n_positions of test, n_squares): majority by square and ply of the training
 * positions; a ply that was never drawn takes the square's majority over all plies. */
int majority_predict(uint8_t *predicted, const LabelledSet *train, const LabelledSet *test,
                     size_t n_classes);

/* Numbers a position: for each playable square, by the mover and by the other side, whether it
 * was played and how long ago (1/n for the newest of n possible moves, growing with age). */
size_t history_width(const Vocab *vocab);
/* rows (n_positions, history_width): the raw move history of each position. */
int history_rows(float *rows, const PositionSet *set, LabelConvention convention, Pool *pool);

/* shuffled (n_positions, n_squares): the labels of another game at the same ply, the same other
 * game for all positions of a game as long as it is long enough. Games are paired by
 * (seed, RNG_SHUFFLE). */
int shuffled_labels(uint8_t *shuffled, const PositionSet *set, const Task *task,
                    LabelConvention convention, uint64_t seed, Pool *pool);

#endif
