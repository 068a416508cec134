/* probes/world/found.h - positions on which a network erred, as a corpus and as edits of their
 * boards. */
#ifndef OGPT_PROBES_WORLD_FOUND_H
#define OGPT_PROBES_WORLD_FOUND_H

#include "probes/cases/cases.h"
#include "probes/world/adversary.h"

/* Check that a probe can be read by world_adversary: squares as mine, theirs, empty, every layer
 * fitted. OGPT_EUSAGE naming what it is. */
int world_check_probe(const Probe *probe, const char *path);
/* Write the games that were lost, up to the illegal move, as a corpus of source "import" (they are
 * not finished), as corpus_make does: complete or not at all. *n_saved: how many. With 0 nothing is
 * made, and what is there stays. A corpus that is there is replaced with `force`; without, it must
 * hold the same moves. Returns as corpus_check_goal and corpus_make. */
int world_found_save(size_t *n_saved, const char *path, const GameVariant *variant,
                     const AdversaryGame *games, size_t n, bool force);
/* A flip at the end of each game that was lost (cases_at): of the board on which the network
 * erred. Returns as cases_at; cases_release in any case. */
int world_found_cases(CaseSet *out, const GameVariant *variant, const AdversaryGame *games,
                      size_t n, const Work *work);

#endif
