/* report/specs/edit_figures.h - figures of edits, for the tables in edit_tables.c. */
#ifndef OGPT_REPORT_SPECS_EDIT_FIGURES_H
#define OGPT_REPORT_SPECS_EDIT_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart errors_parts[] = {
    {.x = "method",
     .y = {"edit_error", "null_error", "self_error", "random_error", "wrong_square_error",
           "probe_error", "repair_error"},
     .facet = "cases_file"},
};
static const FigurePart closed_parts[] = {
    {.x = "method",
     .y = {"closed", "random_closed", "wrong_square_closed", "probe_closed", "repair_closed"},
     .facet = "cases_file"},
};
static const FigureSpec result_figures[] = {
    {"closed", "How much of the error an edit of the board takes away", FIGURE_DOTS,
     FIGURE_PARTS(closed_parts), .y = {"closed", .zero = true}},
    {"errors", "Wrong moves a case, judged by the edited board", FIGURE_DOTS,
     FIGURE_PARTS(errors_parts), .y = {"wrong moves", .zero = true}},
};

static const FigurePart sweep_parts[] = {
    {.x = "scale", .y = {"error"}, .series = "layers", .facet = "method"},
};
static const FigureSpec sweep_figures[] = {
    {"sweep", "Error of the edit, by layers and scale", FIGURE_MATRIX, FIGURE_PARTS(sweep_parts),
     .rows = "layers", .x.label = "scale", .y.label = "wrong moves"},
};

static const FigurePart by_layer_parts[] = {{.x = "layer", .y = {"edit_error"}}};
static const FigureSpec by_layer_figures[] = {
    {"by-layer", "The same edit in one layer alone", FIGURE_LINES, FIGURE_PARTS(by_layer_parts),
     .y = {"wrong moves a case", .zero = true}},
};

static const FigurePart crosstalk_parts[] = {
    {.x = "layer", .y = {"others", "random", "wrong_square", "turned"}},
};
static const FigureSpec crosstalk_figures[] = {
    {"crosstalk", "Squares read differently after the edit", FIGURE_LINES,
     FIGURE_PARTS(crosstalk_parts), .y = {"squares a case", .zero = true}},
};

#endif
