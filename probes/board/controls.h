/* probes/board/controls.h - what a probe has to beat before its accuracy means anything.
 *
 * majority      the commonest class of a square at that ply in the training positions
 * history       the same solver on the raw move history, without any network
 * history_mlp   a network with one hidden layer of HISTORY_HIDDEN on the raw move history: what
 *               can be worked out of the moves without a model of the game. Begins as the linear
 *               fit (newton) of that history, is trained by adamw on the same games, and its epoch
 *               (the beginning included) is chosen on the validation games. It passes the linear
 *               history by much with 160,000 positions and by little with 10,000
 * random_model  the same solver on a network of the same shape with untrained weights
 * shuffled      the same solver on labels of other games at the same ply, fitted on them and
 *               scored on them: chance. Nothing in a position tells of another game but the ply, so
 *               whatever was fitted, it can expect no more there than the majority
 * planted       the same solver on a random board written linearly into noise, of which the best
 *               possible reader gets PLANTED_ACCURACY of the cells: what the solver must find.
 *               A solver that misses it by more than PLANTED_SLACK misses boards elsewhere too
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

/* In place of a Control: the majority, scored on the labels of CONTROL_SHUFFLED. */
#define CONTROL_CHANCE N_CONTROLS

#define HISTORY_HIDDEN 512
#define PLANTED_ACCURACY 0.995
#define PLANTED_SLACK 0.005

/* "majority", "history", "history_mlp", "random_model", "shuffled", "planted". */
const char *control_name(Control control);

/* predicted (n_positions of test, n_squares): majority by square and ply of the training
 * positions; a ply that was never drawn takes the square's majority over all plies. */
int majority_predict(uint8_t *predicted, const LabelledSet *train, const LabelledSet *test,
                     size_t n_classes);

/* Numbers a position: for each playable square, by the mover and by the other side, whether it
 * was played and how long ago (1/n for the newest of n possible moves, growing with age). */
size_t history_width(const Vocab *vocab);
/* rows (n_positions, history_width): the raw move history of each position. */
int history_rows(float *rows, const PositionSet *set, LabelConvention convention, const Work *work);

/* shuffled (n_positions, n_squares): the labels of another game at the same ply, the same other
 * game for all positions of a game as long as it is long enough. Games are paired by
 * (work->seed, RNG_SHUFFLE). */
int shuffled_labels(uint8_t *shuffled, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work);

/* A planted board: labels (n, n_squares) drawn evenly and independently, and rows x
 * (n, n_squares * n_classes) of unit normal noise with `planted_signal` added to the coordinate
 * square * n_classes + label. Squares are independent of one another and of all else, so the best
 * reader takes the largest of a square's coordinates, and is right with the chance that
 * a + z_0 > z_1 .. z_(K-1):  integral of phi(z - a) Phi(z)^(K-1) dz. planted_signal solves that for
 * a. Position i is made by (work->seed, RNG_CONTROL, stream and i): streams are 0, 1, 2 for the
 * splits.
 */
double planted_signal(double accuracy, size_t n_classes);
int planted_rows(float *x, uint8_t *labels, size_t n, size_t n_squares, size_t n_classes,
                 uint64_t stream, const Work *work);

#endif
