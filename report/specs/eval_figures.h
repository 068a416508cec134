/* report/specs/eval_figures.h - figures of eval, for eval_result.c. */
#ifndef OGPT_REPORT_SPECS_EVAL_FIGURES_H
#define OGPT_REPORT_SPECS_EVAL_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart errors_parts[] = {{.x = "ply", .y = {"strict_error", "lenient_error"}}};
static const FigurePart loss_parts[] = {{.x = "ply", .y = {"loss", "floor", "kl"}}};
static const FigureSpec ply_figures[] = {
    {"errors", "Predictions that are no legal move, by ply", FIGURE_LINES,
     FIGURE_PARTS(errors_parts), .x.label = "moves seen", .y = {"error", .zero = true}},
    {"loss", "Loss by ply", FIGURE_LINES, FIGURE_PARTS(loss_parts), .x.label = "moves seen",
     .y = {"loss", .zero = true}},
};

#endif
