/* probes/board/controls.h - what a probe has to beat before its accuracy means anything.
 *
 * - majority: the commonest class of a square at that ply in the training positions.
 *
 * - history: the same solver on the raw move history, without any network.
 *
 * - history_mlp: a hidden layer of HISTORY_HIDDEN units on the raw move history, which is what can
 *   be computed from the moves without a model of the game. It begins as the linear fit (newton)
 *   of that history and is trained by adamw on the same games; its epoch (or the start) is chosen
 *   on the validation games. It beats the linear history clearly with 160,000 positions, and
 *   slightly with 10,000.
 *
 * - random_model: the same solver on a network of the same shape with untrained weights.
 *
 * - shuffled: the same solver, fitted and scored on labels of other games at the same ply, which is
 *   chance. A position says nothing about another game except its ply, so no reader can expect
 *   more than the majority there.
 *
 * - planted: the same solver on a random board that is written linearly into noise, where the best
 *   possible reader gets PLANTED_ACCURACY of the cells. A solver that misses this by more than
 *   PLANTED_SLACK misses boards elsewhere too.
 */
#ifndef OGPT_PROBES_BOARD_CONTROLS_H
#define OGPT_PROBES_BOARD_CONTROLS_H

#include "probes/board/scores.h"
#include "probes/solvers/solver.h"

typedef enum Control {
    CONTROL_MAJORITY,
    CONTROL_HISTORY,
    CONTROL_HISTORY_MLP,
    CONTROL_RANDOM_MODEL,
    CONTROL_SHUFFLED,
    CONTROL_PLANTED,
    N_CONTROLS
} Control;

/* Used like a Control: the majority, scored on the labels of CONTROL_SHUFFLED. */
#define CONTROL_CHANCE N_CONTROLS

#define HISTORY_HIDDEN 512
#define PLANTED_ACCURACY 0.995
#define PLANTED_SLACK 0.005

/* "majority", "history", "history_mlp", "random_model", "shuffled", "planted". */
const char *control_name(Control control);

/* predicted (n_positions of test, n_squares): the majority by square and ply over the training
 * positions. A ply that was never drawn takes the square's majority over all plies. Returns 0 or
 * OGPT_ENOMEM. */
int majority_predict(uint8_t *predicted, const LabelledSet *train, const LabelledSet *test,
                     size_t n_classes);

/* Numbers in the history of a position. For each playable square, and for mover and other side: 1
 * if that side played it, and its age (1/n for the newest of n possible moves). */
size_t history_width(const Vocab *vocab);
/* rows (n_positions, history_width): the raw move history of each position. Errors as
 * positions_visit. */
int history_rows(float *rows, const PositionSet *set, LabelConvention convention, const Work *work);

/* shuffled (n_positions, n_squares): the labels of another game at the same ply. All positions of a
 * game take the same other game where it is long enough. Games are paired by
 * (work->seed, RNG_SHUFFLE). */
int shuffled_labels(uint8_t *shuffled, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work);

/* A planted board: labels (n, n_squares) drawn evenly and independently, and rows x
 * (n, n_squares * n_classes) of unit normal noise with `planted_signal` added to the coordinate
 * square * n_classes + label. The squares are independent, so the best reader takes the
 * largest coordinate of a square. It is right with the probability that
 * a + z_0 > z_1 .. z_(K-1):  integral of phi(z - a) Phi(z)^(K-1) dz. planted_signal
 * solves that for a. Position i is a function of (work->seed, RNG_CONTROL, stream, i); the splits
 * use the streams 0, 1 and 2.
 */
double planted_signal(double accuracy, size_t n_classes);
int planted_rows(float *x, uint8_t *labels, size_t n, size_t n_squares, size_t n_classes,
                 uint64_t stream, const Work *work);

#endif
