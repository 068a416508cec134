/* report/specs/feature_circuit_figures.h - figure of ogpt circuit --nodes sae, for
 * feature_circuit_result.c. */
#ifndef OGPT_REPORT_SPECS_FEATURE_CIRCUIT_FIGURES_H
#define OGPT_REPORT_SPECS_FEATURE_CIRCUIT_FIGURES_H

#include "report/figure_spec.h"

static const FigurePart feature_curves_parts[] = {
    {.x = "nodes", .y = {"share"}, .series = "basis", .where = "method", .is = "exact"}};
static const FigureSpec feature_curves_figures[] = {
    {"features", "What the first nodes carry, by exact effect", FIGURE_LINES,
     FIGURE_PARTS(feature_curves_parts), .x = {"nodes patched", .log = true}},
};

#endif
