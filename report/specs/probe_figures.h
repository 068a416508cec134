/* report/specs/probe_figures.h - figures of probes, for the tables in probe_tables.c. */
#ifndef OGPT_REPORT_SPECS_PROBE_FIGURES_H
#define OGPT_REPORT_SPECS_PROBE_FIGURES_H

#include "report/figure_spec.h"

/* Controls that read the network have a layer, the best; the others go across. */
#define CONTROLS_AT_LAYER .series = "control", .where = "control", .is = "random_model|shuffled"
#define CONTROLS_ACROSS                                                                            \
    .series = "control", .where = "control", .is = "majority|history|history_mlp|planted"
static const FigurePart accuracy_parts[] = {
    {.x = "layer", .y = {"accuracy"}, .name = "probe"},
    {.table = "controls", .x = "layer", .y = {"accuracy"}, CONTROLS_AT_LAYER},
    {.table = "controls", .y = {"accuracy"}, CONTROLS_ACROSS},
};
static const FigurePart exact_parts[] = {
    {.x = "layer", .y = {"board_exact"}, .name = "probe"},
    {.table = "controls", .x = "layer", .y = {"board_exact"}, CONTROLS_AT_LAYER},
    {.table = "controls", .y = {"board_exact"}, CONTROLS_ACROSS},
};
static const FigureSpec layer_figures[] = {
    {"accuracy", "Squares that a probe reads right, by layer", FIGURE_LINES,
     FIGURE_PARTS(accuracy_parts)},
    {"exact-boards", "Boards that a probe reads without an error, by layer", FIGURE_LINES,
     FIGURE_PARTS(exact_parts), .y.zero = true},
};

static const FigurePart step_parts[] = {
    {.x = "games", .y = {"accuracy"}, .series = "layer"},
};
static const FigureSpec step_figures[] = {
    {"steps", "What a probe reads, over training", FIGURE_LINES, FIGURE_PARTS(step_parts),
     .x = {"games of training", .log = true}},
};

/* A probe shows the layer that the controls are compared with. */
static const FigurePart breakdown_parts[] = {
    {.x = "key",
     .y = {"accuracy"},
     .series = "control",
     .name = "probe",
     .common = "layer",
     .facet = "kind",
     .where = "kind",
     .is = "ply|age|passes"},
};
static const FigurePart square_parts[] = {
    {.x = "name",
     .y = {"accuracy"},
     .name = "probe",
     .common = "layer",
     .facet = "control",
     .where = "kind",
     .is = "square"},
};
static const FigureSpec breakdown_figures[] = {
    {"breakdown", "Where a probe and its controls read right", FIGURE_LINES,
     FIGURE_PARTS(breakdown_parts), .x.label = FIGURE_LABEL_PANEL},
    {"squares", "Squares read right, of each square of the board", FIGURE_BOARD,
     FIGURE_PARTS(square_parts)},
};

static const FigurePart test_parts[] = {
    {.also = {"probe", "layer", "control"}, .x = "against", .y = {"difference"}},
};
static const FigureSpec test_figures[] = {
    {"differences", "Differences on the same games", FIGURE_DOTS, FIGURE_PARTS(test_parts),
     .y.zero = true},
};

#endif
