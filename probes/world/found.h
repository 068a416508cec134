/* probes/world/found.h - positions on which a network erred, as a corpus. */
#ifndef OGPT_PROBES_WORLD_FOUND_H
#define OGPT_PROBES_WORLD_FOUND_H

#include "probes/world/adversary.h"

/* Check that a probe can be read by world_adversary: squares as mine, theirs, empty, every layer
 * fitted. OGPT_EUSAGE naming what it is. */
int world_check_probe(const Probe *probe, const char *path);
/* Write the games that were lost, up to the illegal move, as a corpus of source "import" (they are
 * not finished); *n_saved: how many, 0: no file is made. A corpus that is there is replaced with
 * `force`; without, it must hold the same games. Returns 0, OGPT_EUSAGE, OGPT_EIO, OGPT_ENOMEM. */
int world_found_save(size_t *n_saved, const char *path, const GameVariant *variant,
                     const AdversaryGame *games, size_t n, bool force);

#endif
