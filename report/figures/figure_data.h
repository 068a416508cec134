/* report/figures/figure_data.h - the values of a figure, taken out of the rows of tables. */
#ifndef OGPT_REPORT_FIGURES_FIGURE_DATA_H
#define OGPT_REPORT_FIGURES_FIGURE_DATA_H

#include "report/figures/figure.h"

/* Numbers as they are shown: shares times 100. NaN: none. */
typedef struct FigurePoint {
    double x; /* a number, the index of a category, or a square 0..63 */
    double y, low, high;
    int to;     /* square of an arrow's end, -1: none */
    char state; /* 'X' black, 'O' white, '*' empty and legal, '.' empty, '\0': not said */
    bool mark, note;
} FigurePoint;

typedef struct FigureSeries {
    char *name;
    const Column *column; /* of y, NULL: none */
    FigurePoint *points;
    size_t n_points, room;
    double order; /* of its word, if it is a number */
    bool across;  /* a line across: the points have no x */
} FigureSeries;

typedef struct FigureCategory {
    char *name;
    double order;
} FigureCategory;

typedef struct FigurePanel {
    char *name; /* "": the only one */
    FigureSeries *series;
    size_t n_series;
    FigureCategory *categories; /* of x where it is a word */
    size_t n_categories;
    size_t left_out; /* categories, or edges, beyond FigureSpec.most */
} FigurePanel;

typedef struct FigureData {
    const FigureSpec *figure;
    const Column *x; /* of the first part that has one; NULL: none */
    FigurePanel *panels;
    size_t n_panels;
} FigureData;

/* Take the values out. Rows of a table that no source has are no error. OGPT_EUSAGE: a column that
 * the spec names is none of its table; OGPT_ENOMEM. On error there is nothing to release. */
int figure_data_take(FigureData *out, const FigureSpec *figure, const FigureSource *sources,
                     size_t n);
void figure_data_release(FigureData *data);
/* Whether any value is finite, or anything lies on a board. */
bool figure_data_has_values(const FigureData *data);
/* What stands at an axis of y, with its unit: "accuracy (%)". */
void figure_data_label(Text *out, const FigureAxis *axis, const Column *column);
/* A number with the digits of its column. */
void figure_data_number(char out[40], const Column *column, double value);

#endif
