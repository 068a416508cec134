/* report/draw.h - Othello boards and curves as plain text. */
#ifndef OGPT_REPORT_DRAW_H
#define OGPT_REPORT_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "game/board.h"

/* One board to be drawn: discs by colour (a decoded board need not be a possible one). */
typedef struct DrawBoard {
    const char *title; /* cut to the width of the board */
    uint64_t black, white;
    uint64_t moves;  /* empty squares drawn as '*': legal moves */
    uint64_t marked; /* squares with a '!' behind them: those that differ, the edited one */
} DrawBoard;

/* The true board with its legal moves as marks. */
DrawBoard draw_of_board(const char *title, const GameVariant *variant, const Board *board);

/* X black, O white, . empty, * legal move; letters are columns, digits rows, row 1 on top. */
void draw_board(Text *text, const GameVariant *variant, const Board *board, uint64_t marks);
/* n boards side by side, each under its title (no line for titles when all are ""). */
void draw_boards(Text *text, const GameVariant *variant, const DrawBoard *boards, size_t n);
/* The line that explains the signs. */
void draw_legend(Text *text);

/* A curve of n points (x ascending; NaN points are left out) as 64 x 12 characters with the
 * range of both axes. Nothing for fewer than two points. */
void draw_curve(Text *text, const char *title, const char *x_name, const double *x, const double *y,
                size_t n);

#endif
