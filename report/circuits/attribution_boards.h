/* report/circuits/attribution_boards.h - an attribution in one game, drawn over the board. */
#ifndef OGPT_REPORT_CIRCUITS_ATTRIBUTION_BOARDS_H
#define OGPT_REPORT_CIRCUITS_ATTRIBUTION_BOARDS_H

#include "report/circuits/attribution_result.h"

#define ATTRIBUTION_MAPS_MAX 8

/* The position: the board, and what is asked. */
void attribution_game(Text *text, const AttributionFindings *findings);
/* A map for each of n components (indices in order) of what it adds to every column; at grain
 * source first a map of which earlier move wrote the number, all heads together. Nothing if no game
 * was typed. */
void attribution_boards(Text *text, const AttributionFindings *findings, const size_t *order,
                        size_t n);

#endif
