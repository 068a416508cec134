/* probes/graph/outputs.h - what every sender wrote into the residual stream during a pass.
 *
 * resid_post of the last layer = sum of all senders + the constant part, exactly up to float
 * rounding; outputs_constant is that part.
 */
#ifndef OGPT_PROBES_GRAPH_OUTPUTS_H
#define OGPT_PROBES_GRAPH_OUTPUTS_H

#include "probes/graph/graph.h"

/* Ask for the sites at which outputs_take has something to do: resid_pre of layer 0, z and mlp_out
 * of every layer. Adds to the sites that are set already. */
void outputs_want(Hooks *hooks, const Graph *graph);
/* From inside a hook (of gpt_forward, prefix_fill or prefix_last) on the way forward: write the
 * outputs of the senders of this site into out (n_senders, rows, d_model), where rows = B*T of the
 * point's pass. Other sites: nothing happens. The outputs are taken as the hook finds the site, so
 * call it after an edit of the same site to see the edited output. */
void outputs_take(real *out, size_t rows, const Graph *graph, const Gpt *gpt,
                  const HookPoint *point);
/* out (n, d_model): what one head wrote, from rows of z (n, d_model): its slice of z, minus its
 * b_V, times its slice of W_O. An attention row sums to 1, so b_V W_O is the same in every run: it
 * belongs to the layer, not to a head. */
void outputs_of_head(real *out, const Gpt *gpt, int layer, int head, const real *z, size_t n);
/* out (d_model): what all attention layers below `layer` write whatever happens, the sum of
 * b_O + b_V W_O. n_layers: the constant part of resid_post of the last layer. */
void outputs_constant(real *out, const Gpt *gpt, int layer);

#endif
