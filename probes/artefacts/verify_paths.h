/* probes/artefacts/verify_paths.h - what lies at a path, and whether it is still what was
 * written: corpus, model, run, probe, activations, conversion, autoencoder. */
#ifndef OGPT_PROBES_ARTEFACTS_VERIFY_PATHS_H
#define OGPT_PROBES_ARTEFACTS_VERIFY_PATHS_H

#include "base/text.h"
#include "model/gpt.h"

/* One of the paths. A probe is clean only when it belongs to a model among the others: so nothing
 * is concluded before all of them have been seen. */
typedef struct VerifyItem {
    const char *path;
    char about[512]; /* what it is, for the line of a clean one */
    bool probe;      /* a sound one */
    size_t n_findings;
    Text text; /* a line a finding; of a probe, where it belongs */
} VerifyItem;

typedef struct SoundModel SoundModel;

typedef struct VerifyPaths VerifyPaths;
struct VerifyPaths {
    VerifyItem *items; /* one a path */
    int n_items;
    void (*finding)(void *context, const VerifyItem *item, const char *line);
    /* A database that is no corpus, with its application id: 0 or OGPT_E*, as for the others. */
    int (*database)(VerifyPaths *paths, uint32_t id);
    void *context;    /* of the two */
    VerifyItem *item; /* under examination */
    uint64_t games, bad_blocks, illegal_games;
    SoundModel *models; /* among the paths; owned: mem_free */
    size_t n_models, room;
    int rc; /* of a callback that ran out of memory */
};

/* Note a finding about the item under examination; `paths` is a VerifyPaths. */
void verify_finding(void *paths, const char *line);
/* Examine all paths of the items, then probes against the models among them. Damage is a finding;
 * what says nothing about a file (memory, permissions, an interrupt) is returned. */
int verify_paths(VerifyPaths *paths);

#endif
