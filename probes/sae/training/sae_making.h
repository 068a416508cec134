/* probes/sae/training/sae_making.h - the autoencoders of a sweep at their places on disk: those
 * that are missing are trained, each into a checkpoint beside its place, and published.
 *
 * Ranks (base/ranks/ranks.h) train one each at the same time; only the first rank reads and writes
 * the places. A checkpoint that a kill behind publishing leaves goes with the next call.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_MAKING_H
#define OGPT_PROBES_SAE_TRAINING_SAE_MAKING_H

#include "base/files.h"
#include "probes/sae/training/sae_sweep.h"

/* One of them. */
typedef struct SaeMade {
    char path[FILES_PATH_MAX], checkpoint[FILES_PATH_MAX]; /* the latter beside it */
    bool there;     /* before this call, made from the same */
    double seconds; /* that it took now; those that ranks train together take as long */
} SaeMade;

/* How far it is. */
typedef struct SaeMakingReport {
    int index; /* in the sweep, from 0, of the first of those that are trained together */
    size_t together;
    double rows, total; /* that all autoencoders of the call have seen, and will have seen */
    const SaeReport *training;
} SaeMakingReport;

typedef struct SaeMaking {
    const SaeSweep *sweep; /* borrowed, as all that follows */
    const SaeStream *stream;
    const SaeTrainOptions *common; /* what all have: not kind, value and number of the seed */
    const SaeConfig *about;        /* site, layer, network, games */
    int64_t buffer;                /* games in memory, to tell one autoencoder from another */
    const char *out;               /* the place of the only one, or the folder of all */
    bool replace;                  /* what is at a place goes, whatever it is */
    SaeMade *made;                 /* (sweep->n) the caller's; filled here */
    void *context;
    int (*report)(void *context, const SaeMakingReport *report);
} SaeMaking;

/* Look at every place, before anything is trained: fills path, checkpoint and there. Anything that
 * is in the way is refused, as by sae_sweep_find. */
int sae_making_look(const SaeMaking *making);
/* Train what is missing. Another process that has a place in work is OGPT_ELOCKED. 0; errors as
 * sae_train, of a place, of files. */
int sae_making_run(const SaeMaking *making, const Work *work);

#endif
