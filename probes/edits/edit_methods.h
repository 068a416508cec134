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
    /* Class that each square should be read as after the edit; gradient alone asks. */
    uint8_t target[BOARD_SQUARES];
} EditSquares;

/* The squares of a case in the words of task "mine" (turned to the case's colours by the side to
 * move after the last move, or by ply parity, for labels "parity") or "colour". */
EditSquares edit_squares(const BoardTerms *terms, const EditCase *edit);
/* The control of gradient: the same squares, and every one shall stay as it is. */
EditSquares edit_kept_squares(const BoardTerms *terms, const EditCase *edit);
/* The control: the same change at other squares, drawn by (seed, RNG_DIRECTION, index) among those
 * that hold the same state (any other square, where there is none), each used once. */
EditSquares edit_wrong_squares(const BoardTerms *terms, const EditCase *edit,
                               const GameVariant *variant, uint64_t seed, size_t index);

/* Scratch of edit_row: floats for rows of this width. */
#define EDIT_ROW_SCRATCH(width) (4 * (size_t)(width))
/* Change one row x (d_model) of `layer` by the plan, which passes edit_plan_check. */
void edit_row(float *x, float *scratch, const EditPlan *plan, const BoardDirections *directions,
              int layer, const EditSquares *squares);

#endif
