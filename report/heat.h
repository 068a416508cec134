/* report/heat.h - numbers over the board and numbers in a row, drawn in the terminal. */
#ifndef OGPT_REPORT_HEAT_H
#define OGPT_REPORT_HEAT_H

#include "base/text.h"
#include "game/board.h"

/* Shares (0 to 1) of every square as percent under the letters of the columns, row 1 on top; NaN is
 * a dash. With `colour` each cell's background goes from red (the lowest share shown) over yellow
 * to green (the highest); plain text says the same by the numbers alone. `values` is row-major
 * (size, size); `decimals` 0 or 1. */
void draw_heat(Text *text, const GameVariant *variant, const char *title, const double *values,
               int decimals, bool colour);

/* Signed numbers of every square under the letters of the columns, row 1 on top; NaN is a dash.
 * With `colour` a cell is white at 0, blue above it and red below, deepest at the largest size
 * shown. `values` is row-major (size, size). */
void draw_signed(Text *text, const GameVariant *variant, const char *title, const double *values,
                 bool colour);

/* The background of a signed number whose largest size is `largest`, from the 6x6x6 cube of the 256
 * terminal colours: white at 0, blue above it and red below. *letters: a colour that can be read on
 * it. */
int draw_signed_colour(int *letters, double value, double largest);

/* Shares as percent, a line for each name; columns have names or the numbers from 0 on; NaN is a
 * dash. `colour` as in draw_heat. values is row-major (n_rows, n_columns); names are cut to 14
 * characters.
 */
typedef struct HeatGrid {
    const char *title;
    const char *const *names; /* (n_rows) */
    size_t n_rows, n_columns;
    const double *values;
    bool colour;
    const char *const *columns; /* (n_columns) names of at most 6 characters; NULL: numbers */
} HeatGrid;
void draw_grid(Text *text, const HeatGrid *grid);

/* One bar a line from `low` (no bar) to `high` (the whole width), its share in percent behind it.
 * NaN has no bar. names[i] is cut to 14 characters. */
void draw_bars(Text *text, const char *title, const char *const *names, const double *values,
               size_t n, double low, double high);

#endif
