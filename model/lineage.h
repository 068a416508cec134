/* model/lineage.h - which games a network was trained on: in its own run, and in the earlier runs
 * that made its starting weights (ogpt train --init-from).
 *
 * A manifest names the games of its own run as "corpus_hash" (identity of a GameSource) and
 * "games", and "split_rule": how a corpus was divided (datasets/split.h). about.earlier lists those
 * of earlier runs: [{"games_of": identity, "games": number, "split_rule": rule}, ...]. A network
 * that started from random weights has an empty about.options.init-from instead of the list; a copy
 * of it has an empty list. Any other manifest leaves the start unknown: that counts as one earlier
 * run without a name.
 */
#ifndef OGPT_MODEL_LINEAGE_H
#define OGPT_MODEL_LINEAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/js.h"

/* One run. */
typedef struct TrainedOn {
    const char *games_of; /* borrowed from the manifest; NULL if it does not say */
    int64_t games;        /* how many, counted from the first; over all epochs of a corpus */
    const char *split;    /* rule that divided the corpus, borrowed; NULL if it does not say */
} TrainedOn;

/* Number of runs in a manifest (may be NULL), its own included: at least 1. */
size_t lineage_length(const Js *manifest);
/* Run `index`, oldest first; the last is the manifest's own. */
TrainedOn lineage_at(const Js *manifest, size_t index);
/* Whether one of the runs was trained on these games. */
bool lineage_names(const Js *manifest, const char *games_of);
/* about.earlier for a run that starts from this network: all its runs. Owned. */
Js *lineage_write(const Js *manifest);
/* about.earlier for a copy of this network: all its runs but the last. Owned. */
Js *lineage_earlier(const Js *manifest);

#endif
