/* report/specs/train_figures.h - figures of training, for train_result.c. */
#ifndef OGPT_REPORT_SPECS_TRAIN_FIGURES_H
#define OGPT_REPORT_SPECS_TRAIN_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart errors_parts[] = {{.x = "games", .y = {"excess", "strict_error"}}};
static const FigurePart board_parts[] = {{.x = "games", .y = {"board_accuracy"}}};
static const FigurePart loss_parts[] = {{.x = "games", .y = {"loss", "floor"}}};
static const FigureSpec curve_figures[] = {
    {"curves", "Training: excess over the floor, and strict errors", FIGURE_LINES,
     FIGURE_PARTS(errors_parts), .x = {"games", .log = true}, .y.log = true, .apart = true},
    {"loss", "Training: loss and its floor", FIGURE_LINES, FIGURE_PARTS(loss_parts),
     .x = {"games", .log = true}, .y.label = "loss"},
    {"board", "Training: squares that a probe reads right", FIGURE_LINES, FIGURE_PARTS(board_parts),
     .x = {"games", .log = true}},
};

#endif
