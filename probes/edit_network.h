/* probes/edit_network.h - the predictor that edits a network at its hook sites.
 *
 * One forward pass answers a query: the cases of a chunk are padded to the longest (attention
 * looks back only, so the pads behind a case's last move change nothing), and the row of each
 * case's last position is changed at every edited layer. A probe of task "mine" is turned to
 * the case's colours by the side to move after the last move (by ply parity, for labels
 * "parity").
 */
#ifndef OGPT_PROBES_EDIT_NETWORK_H
#define OGPT_PROBES_EDIT_NETWORK_H

#include "probes/intervene.h"

typedef struct EditNetwork EditNetwork;

/* gpt and probe are borrowed. Random directions and wrong squares are functions of (seed,
 * RNG_DIRECTION, case index). Plans must pass edit_plan_check. Returns 0 or OGPT_ENOMEM. */
int edit_network_new(EditNetwork **out, const Gpt *gpt, const Probe *probe, size_t n_workers,
                     uint64_t seed);
void edit_network_free(EditNetwork *network);
/* Valid while the network lives. */
EditPredictor edit_network_predictor(EditNetwork *network);

/* Change one row x (d_model) of `layer` by the plan, for a case whose first probe class of each
 * square is from_class[i] and whose new one is to_class[i]. direction is scratch (d_model). */
void edit_row(float *x, float *direction, const EditPlan *plan, const Probe *probe, int layer,
              const int *squares, const int *from_class, const int *to_class, int n_squares);

#endif
