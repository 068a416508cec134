/* cli/commands/network/train_watch.h - what a person sees of a training run: progress, held-out
 * errors, the quick probe's curve, the profile, the result. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_TRAIN_WATCH_H
#define OGPT_CLI_COMMANDS_NETWORK_TRAIN_WATCH_H

#include "cli/study.h"
#include "report/results/train_result.h"
#include "model/train/train.h"
#include "probes/board/quick_probe.h"

typedef struct TrainWatch {
    Context *context;
    GameSource *held_out; /* borrowed */
    int64_t probe_every;  /* steps; 0: never */
    QuickProbe *probe;    /* NULL without probe_every */
    const char *corpus;   /* its path; NULL: fresh games */
    bool generated;       /* random games: the floor means something */
    Progress progress;
    double strict_error; /* of the last report; NaN before the first */
} TrainWatch;

/* Train with an observer of its own, report on stderr and into the store, fill the tables of the
 * result. Returns 0 or OGPT_E*. */
int train_watched(TrainWatch *watch, const TrainJob *job);

#endif
