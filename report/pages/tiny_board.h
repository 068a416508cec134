/* report/pages/tiny_board.h - boards for pages of which there are thousands: as few bytes as a
 * browser can draw them from, in the colours of the page (pages.css), for the screen and for paper.
 *
 * Values are drawn in TINY_LEVELS steps of their sign's colour, up to the largest; the figure says
 * which value that is, so no number has to be guessed from a colour.
 */
#ifndef OGPT_REPORT_PAGES_TINY_BOARD_H
#define OGPT_REPORT_PAGES_TINY_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "game/board.h"

#define TINY_LEVELS 8

/* One board; squares are bits, a1 is 0. Members may be zero. */
typedef struct TinyBoard {
    int size;             /* 4, 6, 8 */
    const double *values; /* (64), NaN: none; or NULL */
    double largest;       /* of the colour's full strength; 0: the largest of the values */
    uint64_t black, white, turned, last;
    const char *label; /* for people who cannot see it; plain text */
} TinyBoard;
void tiny_board(Text *out, const TinyBoard *board);
/* What all boards of a page refer to; once, in front of them. */
void tiny_board_shared(Text *out, int size);

/* Where the largest values are, by size: "d3 +0.614, e6 -0.0512", at most n; "none" where all are
 * NaN or 0. */
void tiny_board_largest(Text *out, const double *values, int n);

/* A figure of a position: discs, those that the last move turned, that move. caption: HTML of the
 * caller's own words. */
void tiny_position(Text *out, int size, const Board *position, uint64_t turned, int last,
                   const char *caption);
/* A figure of a value a square, whose largest ones are named behind the title; nothing if all are
 * NaN or 0. */
void tiny_values(Text *out, int size, const char *title, const double values[BOARD_SQUARES]);

/* Matrices (n, n): what each row holds, as a little board at its own place on a large board. sq: of
 * each row and column. NaN: none. */
typedef struct TinyGrid {
    int size;
    size_t n;
    const double *values; /* (n, n) */
    const int *sq;        /* (n); NULL: rows from top to bottom, columns from left to right */
    const char *label;
} TinyGrid;
void tiny_grid(Text *out, const TinyGrid *grid);
/* Its largest values by size, at most n: "c4 to d3 +0.614, ..."; with sq NULL by numbers. */
void tiny_grid_largest(Text *out, const TinyGrid *grid, size_t n);
double tiny_grid_most(const TinyGrid *grid); /* largest size of a value; 0 without any */

#endif
