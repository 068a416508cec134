/* probes/edits/edit_network.h - the predictor that edits a network at its hook sites.
 *
 * Everything before the last position of a case is computed once and kept (model/prefix.h). Every
 * arm and plan that asks about the same cases starts from there. The cache is found by the tokens
 * of the cases, so it cannot be out of date. Only the last position runs again, from the first
 * edited layer on. A plan with positions "all" runs the whole network, and adds the change found at
 * the last position at every position of the case.
 *
 * Arm random moves a row along the random direction of the case. Arm wrong square makes the same
 * edit of another square that holds the same state. Both make, layer by layer, a change as long as
 * that of arm edit. Arm repair is the descent of the edit, with all squares as they are; its length
 * is its own. Arm probe is method add along the directions of edit_network_rival.
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
/* From now on this probe (borrowed) answers EditQuery.classes. Required if the directions are class
 * means and classes are asked for. */
void edit_network_read_with(EditNetwork *network, const Probe *reader);
/* From now on arm probe can be asked for: the directions (borrowed) of a linear probe, as wide as
 * the edited rows, with the layers of the plans. */
void edit_network_rival(EditNetwork *network, const BoardDirections *probe);
/* Bytes of the caches of one worker; twice as many after a plan with positions "all". */
size_t edit_network_bytes(const GptConfig *cfg);
/* Valid while the network lives. */
EditPredictor edit_network_predictor(EditNetwork *network);

#endif
