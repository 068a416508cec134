/* probes/edits/edit_network.h - the predictor that edits a network at its hook sites.
 *
 * What comes before the last position of a case is computed once and kept (model/prefix.h), and
 * every version and plan that asks about the same cases starts from it; the cache is known by the
 * cases' tokens, so it cannot be stale. Only the last position runs again, from the first edited
 * layer on. A plan with positions "all" runs the whole network and edits every position of the
 * case by the change found at the last one.
 *
 * The random control goes along the case's own random direction; the wrong-square control is the
 * same edit of another square that holds the same state. Both are brought, layer by layer, to the
 * length of the change that the edit made. The repair control is the edit itself with its squares
 * as they are, of whatever length it comes to.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_NETWORK_H
#define OGPT_PROBES_EDITS_EDIT_NETWORK_H

#include "probes/edits/edit_predictor.h"

typedef struct EditNetwork EditNetwork;

/* gpt and directions are borrowed. The probe that owns the directions is the reader, if there is
 * one. Random directions and wrong squares are functions of (seed, RNG_DIRECTION, case index).
 * Plans must pass edit_plan_check. Returns 0 or OGPT_ENOMEM. */
int edit_network_new(EditNetwork **out, const Gpt *gpt, const BoardDirections *directions,
                     size_t n_workers, uint64_t seed);
void edit_network_free(EditNetwork *network);
/* Another probe answers EditQuery.classes; borrowed. Required before classes are asked for if the
 * directions are class means. */
void edit_network_read_with(EditNetwork *network, const Probe *reader);
/* Bytes of one worker's caches; twice that once a plan edits all positions. */
size_t edit_network_bytes(const GptConfig *cfg);
/* Valid while the network lives. */
EditPredictor edit_network_predictor(EditNetwork *network);

#endif
