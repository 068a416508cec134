/* report/figure_spec.h - what the picture of a table is: which columns go where.
 *
 * A figure is declared beside the columns of its table (TableSpec.figures) and drawn from the same
 * rows that text, CSV and JSON print; what draws it is report/figures/. One figure has parts, and a
 * part takes rows of one table: so controls that have a table of their own come into the picture of
 * the layers. Only columns are named here; names, units and digits are those of the columns.
 *
 * Rows of a part go into panels (`facet`), within a panel into series (`series`, or one for each
 * of several `y`), within a series to points. What that looks like is the kind of the figure:
 *
 *   LINES   x and y are numbers or layers; a series is a line with markers, its interval whiskers
 *           or a band. A part without x is a line across. Several `y` with `apart` are panels.
 *   DOTS    x is a text, a line of the picture; y lies across, with its interval. The order is
 *           that of the rows.
 *   MATRIX  x are the columns, `series` the rows, y the value of a cell.
 *   BOARD   x is a square ("c4"), y its value, `state` what lies there ("black", "white"), `mark`
 *           whether it is outlined and crossed, `note` whether in dashes. With `to` a row is an
 *           arrow from square x to that square, as wide as y.
 *   GRAPH   x is an edge ("h0.3->h2.1.q"), y its score.
 */
#ifndef OGPT_REPORT_FIGURE_SPEC_H
#define OGPT_REPORT_FIGURE_SPEC_H

#include <stdbool.h>
#include <stddef.h>

typedef enum FigureKind {
    FIGURE_LINES,
    FIGURE_DOTS,
    FIGURE_MATRIX,
    FIGURE_BOARD,
    FIGURE_GRAPH
} FigureKind;

#define FIGURE_Y_MAX 8

/* Keys of columns, NULL where a figure has no use for one. */
typedef struct FigurePart {
    const char *table;   /* name of its table; NULL: the one that declares the figure */
    const char *also[3]; /* DOTS: words that the name begins with: "layer 4 - history" */
    const char *x;
    const char *y[FIGURE_Y_MAX]; /* shown in this order; NULL behind the last */
    const char *series;          /* each word is a series */
    const char *name;            /* of a series or panel without a word; NULL: heading of y */
    const char *facet, *within;  /* each word is a panel; with `within`, each pair of words */
    const char *where, *is;      /* only rows whose `where` is one of the words "a|b"; "": none */
    const char *common; /* only rows with the whole number that most rows have; it follows `name` */
    const char *state, *mark, *note, *to;
} FigurePart;

#define FIGURE_LABEL_PANEL "@" /* of x: the axis has the name of its panel */

typedef struct FigureAxis {
    const char *label; /* NULL: heading of the column */
    bool log;          /* values of 0 and below are left out */
    bool zero;         /* a linear axis begins at 0, whatever the values */
} FigureAxis;

typedef struct FigureSpec {
    const char *name;  /* of --figure: "accuracy" */
    const char *title; /* line above the picture */
    FigureKind kind;
    const FigurePart *parts;
    size_t n_parts;
    FigureAxis x, y;
    const char *rows; /* MATRIX: what its rows are */
    bool main;        /* goes before the figures of tables that come earlier */
    bool apart;       /* each of several `y` in a panel of its own */
    bool signs;       /* MATRIX, BOARD: colours tell signs apart, white is 0 */
    size_t most;      /* DOTS, GRAPH: only so many, those of the largest size; 0: all */
} FigureSpec;

/* Members of a FigureSpec for an array of parts, and of a TableSpec for an array of figures. */
#define FIGURE_PARTS(list) .parts = list, .n_parts = sizeof(list) / sizeof((list)[0])
#define TABLE_FIGURES(list) .figures = list, .n_figures = sizeof(list) / sizeof((list)[0])

#endif
