/* model/train/train.h - training: batches in, checkpoints out, the same bits at any thread count.
 *
 * The batch is cut into `lanes` fixed lanes of micro-batches, and the gradients of the lanes are
 * summed in a fixed tree, so the number of threads only decides who does which lane. Whatever is
 * reported beyond the loss comes from the caller's observer.
 */
#ifndef OGPT_MODEL_TRAIN_TRAIN_H
#define OGPT_MODEL_TRAIN_TRAIN_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/checkpoint.h"
#include "model/gpt.h"
#include "model/speed.h"

typedef struct TrainOptions {
    const char *optimizer; /* "adamw" or "muon" */
    const char *schedule;  /* "cosine", "constant", "trapezoid" */
    const char *precision; /* of the factors of products: "f32" or "bf16" (num/gemm_bf16.h) */
    int64_t steps;         /* total; 0: fixed from `minutes` before the first step */
    double minutes;        /* with steps 0: the speed of the first batches decides the steps once;
                            * the number is stored, and all that follows is deterministic */
    int64_t batch;         /* games a step; a multiple of lanes */
    int64_t batch_from;    /* games of the first step, rising to `batch`; 0: `batch` throughout */
    double batch_ramp;     /* share of the steps over which they rise */
    int64_t lanes;
    int64_t layers_from; /* blocks of the first steps, with the others silent; 0: all throughout
                          * (train_layers_complete) */
    double layers_until; /* share of the steps after which all blocks are in use */
    double lr;           /* peak rate of the block matrices */
    double lr_embed, lr_position, lr_head, lr_vector; /* AdamW rates of the rest */
    double warmup;                                    /* share of the steps */
    double cooldown;                                  /* trapezoid: share of the steps at the end */
    double weight_decay;
    double beta1, beta2, momentum;
    double clip;              /* global gradient norm; 0: none */
    double average;           /* decay of the weight average that is saved as the model; 0: none */
    bool profile;             /* count time and work by kernel (num/profile/profile.h) */
    int64_t checkpoint_every; /* steps; 0: only at the end */
    int64_t report_every;     /* steps between observer->report; 0: train_steps_between_reports's */
    int64_t keep; /* newest checkpoints that stay; TRAIN_KEEP_*; 0: as the run did so far */
    uint64_t seed;
} TrainOptions;

/* Two, so that a run can go on if the newest is damaged. ALL: every checkpoint stays. LOG2: so do
 * those after 1, 2, 4, 8, ... steps, which are made whatever checkpoint_every says. What is kept
 * is no part of the result, so it may change when a run goes on; it does only if it is asked for.
 */
#define TRAIN_KEEP_NEWEST 2
#define TRAIN_KEEP_ALL (-1)
#define TRAIN_KEEP_LOG2 (-2)
/* "all", "log2" or a number from 2; OGPT_EUSAGE. */
int train_keep_parse(int64_t *out, const char *text);

extern const TrainOptions TRAIN_OPTIONS_DEFAULT;
/* Games of one step (0-based): from batch_from to batch on a straight line over the first
 * batch_ramp of the steps, rounded down to whole lanes. Why small batches first: while the loss is
 * high, a noisy gradient is good enough (McCandlish et al. 2018). */
int64_t train_batch(const TrainOptions *options, int64_t step, int64_t steps);
/* Blocks in use in one step (0-based): layers_from at first, doubled at equal distances until all
 * are in use at layers_until, and in the last step at any rate. Why few blocks first: their steps
 * cost less, and teach as much a game while much is left to learn; the other blocks join without
 * changing what the network computes, because they write zeros at first (after Gong et al. 2019 and
 * Chen et al. 2016, who copy blocks; measured in docs/RECIPES.md). */
int train_layers(const TrainOptions *options, const GptConfig *cfg, int64_t step, int64_t steps);
/* FLOPs of a run from one step (0-based) to its end. */
double train_flops(const TrainOptions *options, const GptConfig *cfg, int64_t step, int64_t steps);
/* Steps between reports of a run of so many steps: as told, else a twentieth of the run, at least
 * 200. Why not oftener: scoring held-out games takes as long as some dozen steps. */
int64_t train_steps_between_reports(const TrainOptions *options, int64_t steps);
#define TRAIN_MAX_STEPS 99999999 /* eight digits in the names of steps */
/* Games of a run of so many steps, and the fewest steps that see at least so many games. */
int64_t train_games(const TrainOptions *options, int64_t steps);
/* Games of the first `step` of so many steps. */
int64_t train_games_until(const TrainOptions *options, int64_t step, int64_t steps);
int64_t train_steps(const TrainOptions *options, int64_t games);
/* Fill in what the caller left open. Rates that are not positive (or NaN) get the value that suits
 * the optimizer: first lr, then lr_vector, then the others from lr_vector. precision "auto" becomes
 * the one that this processor multiplies fastest; batch_ramp becomes 0.5. */
void train_options_complete(TrainOptions *options);
/* Fill in layers_from and layers_until where they are 0: half of the blocks, and 0.9. All blocks
 * stay in use where a run cannot grow, because its first weights use all of them (from_weights) or
 * because it could not be made longer (a constant rate). OGPT_EUSAGE: one is given that then means
 * nothing. */
int train_layers_complete(TrainOptions *options, const GptConfig *cfg, bool from_weights);
/* NULL when sound, else a one-line reason (static). */
const char *train_options_check(const TrainOptions *options);
/* OGPT_EUSAGE if there are more ranks than lanes; train_run asks it, too. */
int train_check_ranks(const TrainOptions *options);

typedef struct TrainReport {
    int64_t step, steps;      /* steps done, total */
    uint64_t games;           /* seen so far in this run, resumed part included */
    double loss, floor;       /* mean a token over the batches since the last report */
    double lr, gradient_norm; /* of the last step; lr that of the blocks' matrices */
    double games_per_second;  /* since the last report; over the whole run for an owed report */
    double seconds_left; /* at the speed of this session, with the blocks that will be in use */
    const Gpt *gpt;      /* the weights that would be saved now (averaged) */
} TrainReport;

typedef struct TrainObserver {
    void *context;
    /* Called once the total number of steps is known; `resumed` is the step the run starts at. */
    int (*started)(void *context, int64_t steps, int64_t resumed);
    /* Every report_every steps and at the end. A non-zero return stops the run with that code.
     * After OGPT_EINTR the run is saved first; the report is then owed, and made on resuming. */
    int (*report)(void *context, const TrainReport *report);
    /* After every step, with step, steps, games, seconds_left, and the loss and floor since the
     * last report. */
    void (*stepped)(void *context, const TrainReport *report);
    /* A damaged checkpoint was skipped; `line` says which and why. */
    void (*warned)(void *context, const char *line);
    /* After a checkpoint is published at `path`, and again when a run resumes from it. */
    int (*saved)(void *context, int64_t step, const char *path, const char *model_hash);
    /* After the backward passes of the lanes and before their sum. `gradient` is lane 0's, laid out
     * like gpt->params; it may be changed, which is how tests inject faults. */
    void (*lanes_done)(void *context, int64_t step, Gpt *gpt, float *gradient);
} TrainObserver;

typedef struct TrainResult {
    int64_t step, steps;
    uint64_t games, tokens;
    uint64_t collisions; /* training games that were held-out games, replaced (datasets/batch.h) */
    double loss, floor, seconds;
    double tokens_per_second; /* of the gradients and updates of this call, without reports and
                               * checkpoints; of the whole run if this call had nothing to do */
    double flops_per_second;  /* the same, with the blocks that were in use */
    char model_hash[HASH_HEX_SIZE];
    char path[FILES_PATH_MAX];
} TrainResult;

/* What to train, from what, into what. Everything is borrowed. */
typedef struct TrainJob {
    const char *run_path;
    const GptConfig *cfg;
    const TrainOptions *options;
    GameSource *source;
    const char *corpus_path; /* as typed, for about; NULL: fresh games */
    const Gpt *init;         /* starting weights of a new run; NULL: drawn from the seed */
    /* Stored in every manifest and config.json. Its member "options" (an object) is compared on
     * resume: a run made with other options is OGPT_EUSAGE, which names the difference. */
    const Js *about;
    const TrainObserver *observer; /* NULL: nobody */
} TrainJob;

/* Make TrainJob.about: "options" holds what must be equal for a run to be resumed, "earlier" the
 * runs that made the starting weights. init: the model file of job->init, or NULL. Owned. */
Js *train_about(const TrainJob *job, const ModelFile *init, const char *command_line);

/* Train into the run directory, going on from its newest verified checkpoint; a finished run
 * returns its result at once. More steps than the run was planned for are made if it then has the
 * bits of a run of that length from the start, which is so if every step so far had the same rate
 * and batch (schedule constant without warm-up); otherwise OGPT_EUSAGE says which step did not.
 * Only the pool of `work` is used: the seed is an option, and progress goes to the observer.
 * Errors: OGPT_ENUM (step and first bad tensor; the last checkpoint is intact), OGPT_EINTR (after a
 * checkpoint; before the first step there is nothing to save), OGPT_ELOCKED, OGPT_EIO, OGPT_ENOMEM.
 */
int train_run(TrainResult *out, const TrainJob *job, const Work *work);

/* How long the steps of a run take, roughly, from its start and without reports: "about 3 min"
 * (model/speed.h); with a length in minutes, that length. */
void train_estimate(char out[SPEED_TEXT], const GptConfig *cfg, const TrainOptions *options,
                    Pool *pool);

/* Bytes that train_run holds at its peak, without the network it starts from and without what its
 * observer allocates. */
size_t train_bytes(const GptConfig *cfg, const TrainOptions *options, size_t n_threads);

#endif
