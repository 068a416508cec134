/* probes/edits/edit_methods.h - the methods of probes/edits/edit_plan.h, as they change rows.
 *
 * One table, one function a method. A row is what a hook site holds at one position of one case.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_METHODS_H
#define OGPT_PROBES_EDITS_EDIT_METHODS_H

#include "game/board.h"
#include "probes/board/direction_set.h"
#include "probes/cases/cases.h"
#include "probes/edits/edit_plan.h"

/* The edited squares: indices row-major over the board, numbers of classes. */
typedef struct EditSquares {
    int n;
    int squares[CASE_MAX_SQUARES], from[CASE_MAX_SQUARES], to[CASE_MAX_SQUARES];
    /* The class that the probe shall read on each square after the edit; for method gradient. */
    uint8_t target[BOARD_SQUARES];
} EditSquares;

/* The edited squares of a case, in the words of task "colour" or "mine". For "mine" the side to
 * move after the last move is "mine"; for labels "parity" the side of the ply's parity. */
EditSquares edit_squares(const BoardTerms *terms, const EditCase *edit);
/* For arm repair: the same squares, and every square shall stay as it is. */
EditSquares edit_kept_squares(const BoardTerms *terms, const EditCase *edit);
/* For arm wrong square: the same change at other squares, drawn by (seed, RNG_DIRECTION, index)
 * among those that hold the same state, or among all others if there is none; each is used once. */
EditSquares edit_wrong_squares(const BoardTerms *terms, const EditCase *edit,
                               const GameVariant *variant, uint64_t seed, size_t index);

/* Floats of scratch that edit_row needs for rows of this width, and as many as a mover asks for. */
#define EDIT_ROW_SCRATCH(width) (4 * (size_t)(width))
/* Change one row x (width) of `layer` by the plan, which must pass edit_plan_check. */
void edit_row(float *x, float *scratch, const EditPlan *plan, const BoardDirections *directions,
              int layer, const EditSquares *squares);

#endif
