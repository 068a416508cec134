/* model/lineage.h - which games a network was trained on: those of its own run, and those of the
 * runs whose weights it started from (ogpt train --init-from).
 *
 * A manifest names its own run's games as "corpus_hash" (identity of a GameSource) and "games",
 * and the earlier runs' in about.earlier: [{"games_of": identity, "games": number}, ...]. A network
 * that started from nothing has no such list but an empty about.options.init-from, its copies an
 * empty list. Anything else is unknown, and counts as one earlier run without a name.
 */
#ifndef OGPT_MODEL_LINEAGE_H
#define OGPT_MODEL_LINEAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/js.h"

/* One run. */
typedef struct TrainedOn {
    const char *games_of; /* borrowed from the manifest; NULL when it does not say */
    int64_t games;        /* how many, from the first one on; of a corpus over all epochs */
} TrainedOn;

/* How many runs a manifest (may be NULL) tells of, its own one included: at least 1. */
size_t lineage_length(const Js *manifest);
/* Run `index`, oldest first; the last one is its own. */
TrainedOn lineage_at(const Js *manifest, size_t index);
/* Whether one of them was trained on these games. */
bool lineage_names(const Js *manifest, const char *games_of);
/* What a run that starts from this network stores as about.earlier: all of them. Owned. */
Js *lineage_write(const Js *manifest);
/* What a copy of this network stores there: all but the last. Owned. */
Js *lineage_earlier(const Js *manifest);

#endif
