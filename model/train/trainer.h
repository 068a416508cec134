/* model/train/trainer.h - the inside of a training run. Private to model/.
 *
 * train.c is the loop, trainer_step.c one update, trainer_state.c saving and going on.
 */
#ifndef OGPT_MODEL_TRAIN_TRAINER_H
#define OGPT_MODEL_TRAIN_TRAINER_H

#include "model/train/train.h"
#include "num/optimisers/optim.h"

#define TRAINER_CHUNK 16384 /* numbers of the parameter vector in one job of a sum */

/* What must survive a kill, besides the arrays; written to train/state.json. */
typedef struct TrainCounters {
    int64_t step, steps;
    uint64_t games, tokens;
    uint64_t collisions; /* held-out games met and replaced */
    int64_t report_due;  /* 1: the report of this step was interrupted and is still owed */
    double loss_sum, floor_sum, position_sum; /* since the last report */
    double last_loss, last_floor;             /* of the last report; 0 before the first */
    double seconds;
    double gradient_norm; /* of the last step */
} TrainCounters;

/* One job of an update: a whole matrix for Muon, or a range of numbers for AdamW. */
typedef struct UpdateJob {
    const TensorSpec *spec;
    size_t begin, count; /* numbers in the parameter vector */
    bool muon;
} UpdateJob;

typedef struct Trainer {
    const TrainOptions *options;
    const Vocab *vocab;
    GameSource *source;
    Pool *pool;
    const TrainObserver *observer;
    Gpt *gpt;
    float *lane_gradients; /* (lanes, n_numbers); lane 0 ends up with the sum */
    float *momentum;       /* (n_numbers) AdamW's first moment, or Muon's */
    float *second;         /* (n_numbers) AdamW's second moment */
    float *average;        /* (n_numbers) or NULL */
    Tape **tapes;          /* one a worker */
    float *scratch;        /* (workers, scratch_count) for Muon */
    size_t n_tapes, scratch_count, micro;
    UpdateJob *jobs;
    size_t n_jobs;
    uint8_t *moves, *input, *target; /* one batch */
    double *lane_loss, *chunk_norm;
    size_t n_chunks;
    size_t *cuts; /* (ranks + 1) bytes of the parameter vector: where each rank's updates begin */
    Arena arena;
    TrainCounters at;
    int64_t keep; /* of the options, or of the run that goes on */
} Trainer;

/* Games in a micro-batch: about 512 tokens. It depends on the configuration only, because it fixes
 * the order of sums. */
size_t trainer_micro_games(const GptConfig *cfg, const TrainOptions *options);

int trainer_init(Trainer *trainer, const GptConfig *cfg, const TrainOptions *options,
                 GameSource *source, Pool *pool, const TrainObserver *observer);
void trainer_release(Trainer *trainer);

/* Gradient of the games at.games .. +train_batch into lane 0; fills loss, floor and positions. */
typedef struct BatchSums {
    double loss, floor, positions;
    size_t games;
} BatchSums;
int trainer_gradient(Trainer *trainer, BatchSums *sums);
/* Check, clip and apply. OGPT_ENUM names the step and the first tensor that is not finite. */
int trainer_update(Trainer *trainer);
/* Sum the gradients of all lanes into lane 0, in a fixed tree over the lanes, whichever rank has
 * which; all ranks get the sum. Fills chunk_norm. 0 or what ended the job. */
int trainer_sum_lanes(Trainer *trainer);
/* Its two parts: of this rank's lanes alone, and behind messages what lies across ranks. */
int trainer_sum_own(Trainer *trainer);
int trainer_sum_crossing(Trainer *trainer);
/* Fill cuts: each rank updates a stretch of the parameter vector, of about equal cost. */
void trainer_cut_updates(Trainer *trainer);
/* Whether this rank does a job of the update; all then gather the weights. */
bool trainer_updates_here(const Trainer *trainer, const UpdateJob *job);
/* Give all ranks the moments and the average, which between two calls each rank has of its own
 * stretch alone. 0 or what ended the job. */
int trainer_collect(Trainer *trainer);
/* Give all ranks the state that the first has read from a checkpoint; *found: it has one. */
int trainer_share_state(Trainer *trainer, bool *found);
/* The rate of step `step` (0-based) as a share of its peak. */
double trainer_rate(const Trainer *trainer, int64_t step);

/* The first tensor with a number that is not finite, in a vector laid out like gpt->params; NULL if
 * there is none. */
const char *trainer_bad_tensor(const Gpt *gpt, const float *vector);

/* Publish a checkpoint. OGPT_ENUM if one of its arrays is not finite: then nothing is written. */
int trainer_save(Trainer *trainer, char path[FILES_PATH_MAX], char model_hash[HASH_HEX_SIZE],
                 const char *run_path, const Js *about);
/* Resume from the newest checkpoint; *found says whether there is one. OGPT_EUSAGE if it was made
 * with other options; more steps are no other option if the steps so far would be the same. */
int trainer_resume(Trainer *trainer, bool *found, char path[FILES_PATH_MAX],
                   char model_hash[HASH_HEX_SIZE], const char *run_path, const Js *about);
/* Remove all checkpoints but those that `keep` of the options names, and the two newest. */
int trainer_prune(const char *run_path, int64_t keep);

#endif
