/* report/circuits/circuit_picture.h - a circuit as text for graphviz. Its figure is that of its
 * table (report/specs/circuit_figures.h). */
#ifndef OGPT_REPORT_CIRCUITS_CIRCUIT_PICTURE_H
#define OGPT_REPORT_CIRCUITS_CIRCUIT_PICTURE_H

#include "report/circuits/circuit_result.h"

/* A digraph in the language of graphviz: layers from the input below to the logits above. The width
 * of an edge is the size of its score, dashed below 0; at a head its end names the channel. `title`
 * is plain text. */
void circuit_picture_dot(Text *out, const CircuitFindings *found, const char *title);

#endif
