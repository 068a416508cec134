/* cli/commands/network/train_watch.h - what a person sees of a training run: progress, held-out
 * errors, the quick probe's curve, the profile, the result. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_TRAIN_WATCH_H
#define OGPT_CLI_COMMANDS_NETWORK_TRAIN_WATCH_H

#include "cli/command.h"
#include "model/train/train.h"
#include "probes/board/quick_probe.h"

#define TRAIN_HELD_OUT_GAMES 1024 /* scored at every report */

typedef struct TrainWatch {
    Context *context;
    GameSource *held_out;      /* borrowed */
    const TrainOptions *train; /* of this run */
    int64_t probe_every;       /* steps; 0: never */
    QuickProbe *probe;         /* NULL without probe_every */
    bool generated;            /* random games: the floor means something */
    Progress progress;
    double strict_error; /* of the last report; NaN before the first */
} TrainWatch;

/* Train, report on stderr and into the store, print the result. Returns 0 or OGPT_E*. */
int train_watched(TrainWatch *watch, const char *run_path, const GptConfig *cfg,
                  const TrainOptions *options, GameSource *source, const Gpt *init,
                  const Js *about);

#endif
