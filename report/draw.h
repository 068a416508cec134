/* report/draw.h - Othello boards and curves as plain text. */
#ifndef OGPT_REPORT_DRAW_H
#define OGPT_REPORT_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "game/board.h"
#include "report/text_style.h"

/* One board to be drawn: discs by colour (a decoded board need not be a possible one). A square has
 * at most one mark behind it, the first of those below that it has; colour repeats what marks and
 * '*' say. */
typedef struct DrawBoard {
    const char *title; /* cut to the width of the board */
    uint64_t black, white;
    uint64_t moves;  /* empty squares drawn as '*': legal moves */
    uint64_t wrong;  /* '!': what is read there is not so */
    uint64_t edited; /* '+' */
    uint64_t chosen; /* '<': the move that was played or is asked about */
} DrawBoard;

/* The true board with its legal moves as marks. */
DrawBoard draw_of_board(const char *title, const GameVariant *variant, const Board *board);

/* n boards, as many side by side as fit the width (0: all), an empty line between rows of boards;
 * each under its title (no line for titles when all are ""). X black, O white, . empty, * legal
 * move, with style.unicode filled and open discs; letters are columns, digits rows, row 1 on top.
 */
void draw_boards(Text *text, const GameVariant *variant, const DrawBoard *boards, size_t n,
                 TextStyle style);
/* The line that explains the signs: those of discs and moves, and the marks on the boards. */
void draw_legend(Text *text, const DrawBoard *boards, size_t n, TextStyle style);

/* A curve of n points (x ascending; NaN points are left out) as 64 x 12 characters with the
 * range of both axes. Nothing for fewer than two points. */
void draw_curve(Text *text, const char *title, const char *x_name, const double *x, const double *y,
                size_t n);

#endif
