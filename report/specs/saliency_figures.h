/* report/specs/saliency_figures.h - figures of saliency, for saliency_result.c. */
#ifndef OGPT_REPORT_SPECS_SALIENCY_FIGURES_H
#define OGPT_REPORT_SPECS_SALIENCY_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart square_parts[] = {
    {.x = "square", .y = {"effect"}, .state = "from_state", .mark = "deciding", .facet = "move"}};
static const FigureSpec square_figures[] = {
    {"saliency", "Change of a move's log-odds when one square is edited", FIGURE_BOARD,
     FIGURE_PARTS(square_parts), .y.label = "change (nats)", .signs = true},
};

#endif
