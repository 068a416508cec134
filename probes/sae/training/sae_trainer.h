/* probes/sae/training/sae_trainer.h - the inside of a training. Private to this room.
 *
 * sae_train.c is the loop, sae_update.c Adam, sae_state.c saving and going on, sae_ranks.c what
 * ranks send each other.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_TRAINER_H
#define OGPT_PROBES_SAE_TRAINING_SAE_TRAINER_H

#include "probes/sae/training/sae_net.h"

#define SAE_DEAD_MOST 16000000        /* rows of silence are counted so far: exact in a float */
#define SAE_STATE_KIND "sae training" /* of its manifest */

/* What must survive a kill besides the arrays. */
typedef struct SaeCounters {
    int64_t step;
    uint64_t block;   /* the block that the next batch is taken from */
    int64_t offset;   /* rows of it that are used up */
    double threshold; /* moving mean of the smallest kept; -1 before the first */
    double l1;
    double error, power, active, rows; /* since the last report */
    double loss, l0, explained;        /* of the last report */
} SaeCounters;

typedef struct SaeTrainer {
    const SaeTrainJob *job; /* of this rank; one that trains none has the first one's shape */
    const SaeTrainOptions *options;
    const SaeStream *stream;
    int64_t steps;
    SaeNet net;
    SaeStep step;
    float *moment, *second; /* (n) */
    float *silent;          /* (m) rows since a feature was active, at most SAE_DEAD_MOST */
    uint8_t *dead;          /* (m) */
    float *mean, *mean_out; /* (d_in), (d_out): the same array without targets */
    double scale, scale_out;
    float *x, *y; /* the block; y NULL without targets */
    size_t block_n;
    bool filled;              /* whether the block is in memory */
    float *batch, *batch_out; /* (batch, d); the same array without targets */
    SaeCounters at;
    double saved, began;      /* seconds */
    int64_t began_step, talk; /* talk: the step before which ranks talk again */
    /* The ranks together: `at` has the step of the one that is behind most. Autoencoder r joins in
     * at step joins[r], where its checkpoint is; from then on its own step is this. */
    const SaeTrainSet *set;
    int64_t *joins; /* (set->n) */
    Arena arena;
} SaeTrainer;

/* The rate of step (0-based), and the share of the penalty. */
double sae__rate(const SaeTrainOptions *options, int64_t step, int64_t steps);
double sae__penalty_share(const SaeTrainOptions *options, int64_t step, int64_t steps);
/* One step of Adam. OGPT_ENUM names the step and the first tensor whose gradient is not finite. */
int sae__update(SaeTrainer *trainer, const Work *work);

/* Publish the state; read it if there is one (*found). */
int sae__state_save(SaeTrainer *trainer);
int sae__state_load(bool *found, SaeTrainer *trainer);

/* What a state has of arrays: from the arena, or (arena NULL) their bytes. */
size_t sae__state_carve(SaeTrainer *trainer, Arena *arena, const SaeStream *stream);
/* trainer->dead from trainer->silent. */
void sae__state_mark_dead(SaeTrainer *trainer);
/* Whether this rank's autoencoder takes the step that comes. */
bool sae__ranks_trains(const SaeTrainer *trainer);
/* Every checkpoint that is there, to the rank that goes on from it; sets joins and at. */
int sae__ranks_load(SaeTrainer *trainer);
/* The checkpoints of all that have joined. */
int sae__ranks_save(SaeTrainer *trainer);
/* All states to the first rank, which calls `made` with each. */
int sae__ranks_collect(SaeTrainer *trainer, int (*made)(const SaeTrainer *state, size_t job));

#endif
