/* probes/lens/lens_board.h - the board lens: the probe of one layer, read at another.
 *
 *   M[k][l]   share of cells that the probe of layer k reads right from the rows of layer l
 *   M'[k][l]  the same of rows carried there first: the ridge map l -> k, fitted on training rows
 *   cos[k][l] mean over squares of the cosine of the two layers' directions, mine - theirs
 * M[k][k] is what `ogpt probe eval` prints, digit for digit: the same rows, labels and draws.
 * Control: the squares of the predictions exchanged, each goes to another one.
 */
#ifndef OGPT_PROBES_LENS_LENS_BOARD_H
#define OGPT_PROBES_LENS_LENS_BOARD_H

#include "probes/board/scores.h"
#include "probes/lens/lens.h"
#include "probes/lens/lens_ridge.h"

typedef struct LensBoardCell {
    int probe_layer, layer;               /* k, l */
    Interval accuracy, board;             /* M: cells, whole boards */
    Interval moved_accuracy, moved_board; /* M' */
    Interval shuffled;                    /* accuracy with exchanged squares, M */
    double cosine;
} LensBoardCell;

typedef struct LensBoard {
    size_t n;             /* layers of the probe */
    LensBoardCell *cells; /* (n, n): [k][l]; owned */
    Interval majority;    /* cells: the commonest class of square and ply, no network */
} LensBoard;

/* What is read; all borrowed. Rows are those of the network at both sets; designs[p] of the
 * training rows at place p. */
typedef struct LensBoardInputs {
    const Probe *probe; /* of resid_post, finished */
    const LabelledSet *train, *test;
    const LensRows *train_rows, *test_rows;
    const LensDesign *designs;
} LensBoardInputs;

/* work: the pool, the seed of intervals and of the exchange; tick("layers"). Returns 0,
 * OGPT_EINTR, OGPT_ENOMEM. */
int lens_board_read(LensBoard *out, const LensBoardInputs *in, const Work *work);
void lens_board_release(LensBoard *board);

#endif
