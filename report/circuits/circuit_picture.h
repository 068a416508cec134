/* report/circuits/circuit_picture.h - a circuit drawn: layers from the input below to the logits
 * above, as SVG without any other program, or as text for graphviz. */
#ifndef OGPT_REPORT_CIRCUITS_CIRCUIT_PICTURE_H
#define OGPT_REPORT_CIRCUITS_CIRCUIT_PICTURE_H

#include "report/circuits/circuit_result.h"

/* A stand-alone SVG document. The width of an edge is the size of its score, its colour the sign
 * and, below a head, its end the channel: q left, k in the middle, v right. `title` is plain text.
 */
void circuit_picture_svg(Text *out, const CircuitFindings *found, const char *title);
/* The same as a digraph in the language of graphviz. */
void circuit_picture_dot(Text *out, const CircuitFindings *found, const char *title);

#endif
