/* report/specs/geometry_figures.h - figures of probe geometry, for geometry_tables.c. */
#ifndef OGPT_REPORT_SPECS_GEOMETRY_FIGURES_H
#define OGPT_REPORT_SPECS_GEOMETRY_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart cosine_parts[] = {
    {.x = "layer",
     .y = {"value"},
     .series = "measure",
     .facet = "probe",
     .where = "measure",
     .is = "neighbour_cosine|other_cosine|random_cosine|halves_cosine"},
};
static const FigurePart matrix_parts[] = {
    {.x = "other_layer",
     .y = {"value"},
     .series = "layer",
     .facet = "probe",
     .where = "measure",
     .is = "layer_cosine"},
};
static const FigurePart share_parts[] = {
    {.x = "layer",
     .y = {"value"},
     .series = "measure",
     .facet = "probe",
     .where = "measure",
     .is = "ply_r2|board_r2|shuffled_r2"},
};
static const FigureSpec geometry_figures[] = {
    {"layers", "One square's direction at two layers: mean cosine", FIGURE_MATRIX,
     FIGURE_PARTS(matrix_parts), .rows = "layer", .x.label = "layer", .y.label = "mean cosine",
     .signs = true},
    {"cosines", "Directions of the squares of a layer", FIGURE_LINES, FIGURE_PARTS(cosine_parts),
     .y = {"mean cosine, or its size", .zero = true}},
    {"explained", "Variance of a layer that ply and board explain", FIGURE_LINES,
     FIGURE_PARTS(share_parts), .y = {"share of the variance", .zero = true}},
};

#endif
