/* report/specs/circuit_figures.h - figures of ogpt circuit, for circuit_result.c. */
#ifndef OGPT_REPORT_SPECS_CIRCUIT_FIGURES_H
#define OGPT_REPORT_SPECS_CIRCUIT_FIGURES_H

#include "report/figure_spec.h"

#define CIRCUIT_SCORES "exact", "atp", "atp_qk", "atp_drop", "atp_star", "eap_ig", "clean_corrupted"
static const FigurePart edges_parts[] = {{.x = "edge", .y = {CIRCUIT_SCORES}}};
static const FigureSpec strongest_figures[] = {
    {"graph", "The strongest edges, from the input up to the logits", FIGURE_GRAPH,
     FIGURE_PARTS(edges_parts), .main = true},
};
/* The same from all edges, which the database keeps. */
static const FigureSpec edges_figures[] = {
    {"graph", "The 50 strongest edges, from input up to logits", FIGURE_GRAPH,
     FIGURE_PARTS(edges_parts), .main = true, .most = 50},
};

static const FigurePart compare_parts[] = {{.x = "method", .y = {"spearman", "precision_at_50"}}};
static const FigureSpec compare_figures[] = {
    {"estimates", "Estimates against the exact effects of all edges", FIGURE_DOTS,
     FIGURE_PARTS(compare_parts), .y = {"agreement", .zero = true}},
};

static const FigurePart faithfulness_parts[] = {{.x = "edges", .y = {"f"}, .series = "method"}};
static const FigureSpec faithfulness_figures[] = {
    {"faithfulness", "What the strongest edges keep of the answer", FIGURE_LINES,
     FIGURE_PARTS(faithfulness_parts), .x = {"edges kept", .log = true}},
};

#endif
