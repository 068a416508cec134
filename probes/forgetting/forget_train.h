/* probes/forgetting/forget_train.h - the three networks that are trained, each in a run directory
 * of its own: there, back, same. A run that was stopped goes on; one that is finished is taken. */
#ifndef OGPT_PROBES_FORGETTING_FORGET_TRAIN_H
#define OGPT_PROBES_FORGETTING_FORGET_TRAIN_H

#include "model/train/train.h"
#include "probes/forgetting/forgetting.h"

enum { FORGET_POINTS_MAX = 40 }; /* checkpoints after 1, 2, 4, ... steps, and the last */

/* All borrowed. */
typedef struct ForgetPlan {
    const ModelFile *before;
    GameSource *const *learn;    /* (N_FORGET_NETWORKS) what each learns; NULL for before */
    const char *corpus;          /* of the new games, for the manifest; NULL: random ones */
    const char *folder;          /* the run directories lie below it */
    const TrainOptions *options; /* of all three; NULL: nothing is learned, all are `before` */
    const char *command_line;
} ForgetPlan;

typedef struct ForgetRuns {
    char path[N_FORGET_NETWORKS][FILES_PATH_MAX]; /* of each network's last checkpoint */
    char hash[N_FORGET_NETWORKS][HASH_HEX_SIZE];
    size_t n_points; /* checkpoints of `back`, by step */
    int64_t steps[FORGET_POINTS_MAX];
    char points[FORGET_POINTS_MAX][FILES_PATH_MAX];
} ForgetRuns;

/* tick("steps"), of all three. Returns 0 or as train_run. */
int forget_train(ForgetRuns *out, const ForgetPlan *plan, const Work *work);

#endif
