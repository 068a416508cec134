/* datasets/labels.h - what a position means: boards, movers and square states as labels.
 *
 * Position t of an n-move game, t = 0..n-2: the network has seen moves 0..t, the board is the
 * one after move t, the prediction is move t+1. The mover is the side really to move next.
 */
#ifndef OGPT_DATASETS_LABELS_H
#define OGPT_DATASETS_LABELS_H

#include "game/board.h"

/* Class numbers of the board task "mine", as in probe files. */
enum { LABEL_EMPTY = 0, LABEL_THEIRS = 1, LABEL_MINE = 2 };
/* Class numbers of the task "colour". */
enum { LABEL_WHITE = 1, LABEL_BLACK = 2 };

typedef enum LabelConvention {
    LABELS_MOVER, /* mine = discs of the side really to move */
    LABELS_PARITY /* the published convention: ply parity, inverted after a pass */
} LabelConvention;

/* labels[size*size], row-major (rows = ranks, row 1 first), of a board after move t. */
void labels_mine(uint8_t *labels, const GameVariant *variant, const Board *after, int t,
                 LabelConvention convention);
void labels_colour(uint8_t *labels, const GameVariant *variant, const Board *after);

/* Legal moves by the lenient rule of the published code: empty squares where either side
 * would turn a disc over, without asking who has to move. */
uint64_t lenient_moves(const GameVariant *variant, const Board *after);

#endif
