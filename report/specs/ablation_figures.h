/* report/specs/ablation_figures.h - figures of ogpt ablate, for ablation_result.c. */
#ifndef OGPT_REPORT_SPECS_ABLATION_FIGURES_H
#define OGPT_REPORT_SPECS_ABLATION_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart effects_parts[] = {
    {.x = "unit", .y = {"total", "direct"}, .facet = "kind"},
};
static const FigurePart head_parts[] = {
    {.x = "number",
     .y = {"total"},
     .series = "layer",
     .facet = "kind",
     .where = "unit_kind",
     .is = "head"},
};
static const FigureSpec unit_figures[] = {
    {"units", "Units taken out: total and direct effect", FIGURE_DOTS, FIGURE_PARTS(effects_parts),
     .y = {"effect (nats)", .zero = true}, .most = 12},
    {"heads", "Heads taken out: total effect", FIGURE_MATRIX, FIGURE_PARTS(head_parts),
     .rows = "layer", .x.label = "head", .y.label = "effect (nats)", .signs = true},
};

static const FigurePart share_parts[] = {
    {.x = "kind", .y = {"share", "norm_share", "top_share"}, .facet = "unit_kind"},
};
static const FigureSpec share_figures[] = {
    {"repair", "How much of the direct effect is made up for", FIGURE_DOTS,
     FIGURE_PARTS(share_parts), .y = {"share of the direct effect", .zero = true}},
};

static const FigurePart curve_parts[] = {{.x = "layer", .y = {"total"}, .series = "change"}};
static const FigureSpec curve_figures[] = {
    {"blocks", "Blocks left out, and exchanged with the next", FIGURE_LINES,
     FIGURE_PARTS(curve_parts), .y = {"effect (nats)", .zero = true}},
};

#endif
