/* probes/sae/training/sae_train.c - contract in probes/sae/training/sae_train.h: the loop. */
#include "probes/sae/training/sae_train.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/sae/training/sae_trainer.h"

#define GATHER_ROWS 512         /* of a job */
#define CHECKPOINT_SECONDS 20.0 /* between two checkpoints, unless steps are given */
#define TALK_SECONDS 0.25       /* between two talks of ranks, */
#define TALK_STEPS 64.0         /* but so many steps at most */
#define THRESHOLD_RATE 0.01     /* of the moving mean */
#define THRESHOLD_STEPS 10.0    /* it is of a tenth of the steps at most */
#define L0_WEIGHT 1.0           /* jumprelu: of (L0 / l0 - 1)^2, in units of d */
#define L1_RATE 0.005           /* the most that the penalty moves a step towards its goal */
#define L1_STEPS 10.0           /* or so much over all steps of a shorter training, */
#define L1_RATE_MOST 0.02       /* but no faster than L0 follows */

const SaeTrainOptions SAE_TRAIN_DEFAULT = {
    .kind = SAE_BATCHTOPK,
    .k = 32,
    .activations = 10000000,
    .batch = 4096,
    .warmup = -1,
    .dead_after = 1000000,
};

void sae_train_complete(SaeTrainOptions *options)
{
    const int64_t steps = options->activations / options->batch;
    if (!(options->lr > 0)) {
        options->lr = 2e-4 / sqrt((double)options->features / 16384);
    }
    if (options->warmup < 0) {
        options->warmup = steps / 10 < 1000 ? steps / 10 : 1000;
    }
    if (options->report_every < 1) {
        options->report_every = steps / 200 > 0 ? steps / 200 : 1;
    }
}

const char *sae_train_check(const SaeTrainOptions *options)
{
    if (options->features < 1 || options->features > SAE_FEATURES_MAX) {
        return "the number of features must be from 1 to 262144";
    }
    if (sae_has_k(options->kind) && (options->k < 1 || options->k > options->features)) {
        return "k must be from 1 to the number of features";
    }
    if (options->kind == SAE_JUMPRELU && !(options->l0 > 0)) {
        return "jumprelu needs a goal for L0";
    }
    if ((options->kind == SAE_STANDARD || options->kind == SAE_GATED) && !(options->l1 > 0)) {
        return "standard and gated need a weight of the penalty, or its first value";
    }
    if (options->kind == SAE_MATRYOSHKA && options->features < 1 << (SAE_GROUPS_MAX - 1)) {
        return "matryoshka needs at least 16 features";
    }
    if (options->batch < 1 || options->activations < options->batch) {
        return "the activations are fewer than one batch";
    }
    if (options->batch > UINT32_MAX / 2 / (int64_t)options->features) {
        return "the batch times the features is too large";
    }
    if (options->dead_after < 0 || options->dead_after > SAE_DEAD_MOST) {
        return "silence is counted up to 16,000,000 rows";
    }
    return NULL;
}

/* ---- memory ---- */

static size_t carve(SaeTrainer *trainer, Arena *arena, const SaeStream *stream,
                    const SaeTrainOptions *options)
{
    const size_t batch = (size_t)options->batch;
    const SaeNet *net = &trainer->net;
    size_t bytes = sae__state_carve(trainer, arena, stream);
#define PIECE(count, size)                                                                         \
    (bytes += arena_piece_bytes(count, size), arena ? arena_take(arena, count, size) : NULL)
    trainer->joins = PIECE((size_t)ranks_count(), sizeof(*trainer->joins));
    trainer->x = PIECE(stream->block_rows * net->d_in, sizeof(float));
    trainer->batch = PIECE(batch * net->d_in, sizeof(float));
    trainer->batch_out = trainer->batch;
    trainer->y = NULL;
    if (stream->has_target) {
        trainer->y = PIECE(stream->block_rows * net->d_out, sizeof(float));
        trainer->batch_out = PIECE(batch * net->d_out, sizeof(float));
    }
#undef PIECE
    return bytes;
}

size_t sae_train_bytes(const SaeStream *stream, const SaeTrainOptions *options, const Work *work)
{
    SaeTrainer trainer = {
        .net = sae__net_layout(options->kind, stream->d_in, stream->d_out, options->features)};
    /* the autoencoder is made while the trainer still stands */
    const size_t result = options->features * (stream->d_in + stream->d_out + 3) * sizeof(float);
    /* the first rank has one state of another's, to save it */
    const size_t other = ranks_count() > 1 ? sae__state_carve(&trainer, NULL, stream) : 0;
    return carve(&trainer, NULL, stream, options) + result + other +
           sae__step_bytes(&trainer.net, options, work_workers(work));
}

static int trainer_init(SaeTrainer *trainer, const SaeTrainSet *set, const Work *work)
{
    const SaeTrainJob *job = &set->jobs[(size_t)ranks_own() < set->n ? ranks_own() : 0];
    const SaeStream *stream = job->stream;
    *trainer = (SaeTrainer){.job = job, .options = job->options, .stream = stream, .set = set};
    trainer->steps = job->options->activations / job->options->batch;
    trainer->net =
        sae__net_layout(job->options->kind, stream->d_in, stream->d_out, job->options->features);
    trainer->at.threshold = -1;
    trainer->at.l1 = job->options->l1;
    int rc = arena_init(&trainer->arena, carve(trainer, NULL, stream, job->options),
                        "training of an autoencoder");
    if (rc == 0) {
        carve(trainer, &trainer->arena, stream, job->options);
        rc = sae__step_init(&trainer->step, &trainer->net, job->options, work_workers(work));
    }
    return rc;
}

static void trainer_release(SaeTrainer *trainer)
{
    sae__step_release(&trainer->step);
    arena_release(&trainer->arena);
}

/* ---- rows ---- */

static int fill_block(SaeTrainer *trainer, const Work *work)
{
    const Work quiet = work_quiet(work);
    int rc = trainer->stream->fill(trainer->stream->context, trainer->x, trainer->y,
                                   &trainer->block_n, trainer->at.block, &quiet);
    if (rc == 0 && trainer->block_n < (size_t)trainer->options->batch) {
        rc = err_set(OGPT_EUSAGE,
                     "a filling of the shuffle buffer has %zu rows, fewer than a batch of %lld: "
                     "take a larger buffer or a smaller batch",
                     trainer->block_n, (long long)trainer->options->batch);
    }
    trainer->filled = rc == 0;
    return rc;
}

/* Mean, and the scale that makes the mean of |x - mean|^2 the width. */
static int measure(float *mean, double *scale, const float *rows, size_t n, size_t d)
{
    double *sum = mem_calloc(d, sizeof(double), "a mean"), spread = 0;
    if (!sum) {
        return OGPT_ENOMEM;
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < d; c++) {
            sum[c] += rows[r * d + c];
        }
    }
    for (size_t c = 0; c < d; c++) {
        mean[c] = (float)(sum[c] / (double)n);
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < d; c++) {
            const double off = (double)rows[r * d + c] - mean[c];
            spread += off * off;
        }
    }
    mem_free(sum);
    if (!(spread > 0) || !isfinite(spread)) {
        return err_set(OGPT_ENUM,
                       "the activations %s: nothing can be learned of them; choose another site "
                       "or layer, or check the model (ogpt verify)",
                       spread == 0 ? "do not vary" : "are not finite");
    }
    *scale = sqrt((double)d * (double)n / spread);
    return 0;
}

/* The first block, and the first weights of an autoencoder that has no checkpoint. */
static int begin(SaeTrainer *trainer, const Work *work)
{
    const SaeNet *net = &trainer->net;
    int rc = fill_block(trainer, work);
    if (!sae__ranks_trains(trainer)) {
        return rc;
    }
    rc = rc ? rc : measure(trainer->mean, &trainer->scale, trainer->x, trainer->block_n, net->d_in);
    trainer->scale_out = trainer->scale;
    if (rc == 0 && trainer->y) {
        rc = measure(trainer->mean_out, &trainer->scale_out, trainer->y, trainer->block_n,
                     net->d_out);
    }
    if (rc == 0) {
        sae__net_draw(&trainer->net, trainer->options->seed);
    }
    return rc;
}

static void gather_row(float *out, const float *row, const float *mean, double scale, size_t d)
{
    for (size_t c = 0; c < d; c++) {
        out[c] = (row[c] - mean[c]) * (float)scale;
    }
}

static int gather_rows(void *context, size_t job, size_t worker)
{
    SaeTrainer *trainer = context;
    const SaeNet *net = &trainer->net;
    const size_t batch = (size_t)trainer->options->batch;
    const uint64_t shuffle = SAE_DRAW_SHUFFLE + trainer->at.block;
    for (size_t r = job * GATHER_ROWS; r < (job + 1) * GATHER_ROWS && r < batch; r++) {
        const uint64_t i = rng_permute(trainer->options->seed, RNG_SAE, shuffle,
                                       (uint64_t)trainer->at.offset + r, trainer->block_n);
        gather_row(trainer->batch + r * net->d_in, trainer->x + i * net->d_in, trainer->mean,
                   trainer->scale, net->d_in);
        if (trainer->y) {
            gather_row(trainer->batch_out + r * net->d_out, trainer->y + i * net->d_out,
                       trainer->mean_out, trainer->scale_out, net->d_out);
        }
    }
    return 0;
}

/* The rows of the next step: by all ranks, also by those that do not take it. */
static int next_batch(SaeTrainer *trainer, const Work *work)
{
    const int64_t batch = trainer->options->batch;
    int rc = trainer->filled ? 0 : fill_block(trainer, work);
    if (rc == 0 && trainer->at.offset + batch > (int64_t)trainer->block_n) {
        trainer->at.block++;
        trainer->at.offset = 0;
        rc = fill_block(trainer, work);
    }
    rc = rc || !sae__ranks_trains(trainer)
             ? rc
             : pool_run(work->pool, ((size_t)batch + GATHER_ROWS - 1) / GATHER_ROWS, gather_rows,
                        trainer);
    trainer->at.offset += rc ? 0 : batch;
    return rc;
}

/* ---- a step ---- */

static double dead_share(const SaeTrainer *trainer)
{
    size_t n = 0;
    for (size_t j = 0; j < trainer->net.m; j++) {
        n += trainer->dead[j];
    }
    return (double)n / (double)trainer->net.m;
}

static void count_silence(SaeTrainer *trainer)
{
    const float batch = (float)trainer->options->batch;
    for (size_t j = 0; j < trainer->net.m; j++) {
        const float silent = trainer->step.fired[j] ? 0 : trainer->silent[j] + batch;
        trainer->silent[j] = silent < SAE_DEAD_MOST ? silent : SAE_DEAD_MOST;
    }
    sae__state_mark_dead(trainer);
}

static void note_sums(SaeTrainer *trainer)
{
    const SaeSums *sums = &trainer->step.sums;
    SaeCounters *at = &trainer->at;
    const SaeTrainOptions *options = trainer->options;
    at->error += sums->error;
    at->power += sums->power;
    at->active += sums->active;
    at->rows += (double)options->batch;
    if (sums->least > 0) {
        const double least =
            THRESHOLD_STEPS / (double)trainer->steps; /* short runs forget faster */
        const double rate = least > THRESHOLD_RATE ? (least < 1 ? least : 1) : THRESHOLD_RATE;
        at->threshold =
            at->threshold < 0 ? sums->least : (1 - rate) * at->threshold + rate * sums->least;
    }
    const bool moves = options->kind == SAE_STANDARD || options->kind == SAE_GATED;
    if (moves && options->l0 > 0) {
        const double off = log((sums->active / (double)options->batch + 1e-3) / options->l0);
        const double rate = fmin(fmax(L1_RATE, L1_STEPS / (double)trainer->steps), L1_RATE_MOST);
        at->l1 *= exp(rate * (off > 1 ? 1 : off < -1 ? -1 : off));
    }
}

static int train_step(SaeTrainer *trainer, const Work *work)
{
    const SaeTrainOptions *options = trainer->options;
    const double share = sae__penalty_share(options, trainer->at.step, trainer->steps);
    const SaeAsk ask = {.rows = (size_t)options->batch,
                        .k = options->k,
                        .l1 = trainer->at.l1 * share,
                        .l0 = options->l0,
                        .l0_weight = L0_WEIGHT * (double)trainer->net.d_out * share,
                        .dead = trainer->dead,
                        .path = options->path};
    int rc = sae__step_run(&trainer->step, trainer->batch, trainer->batch_out, &ask, work);
    if (rc == 0 && trainer->job->gradient) {
        trainer->job->gradient(trainer->job->context, trainer->at.step, trainer->step.gradient,
                               trainer->net.n);
    }
    rc = rc ? rc : sae__update(trainer, work);
    if (rc == 0 && !isfinite(trainer->step.sums.error)) {
        rc = err_set(OGPT_ENUM, "step %lld: the error is not finite; try a smaller --lr",
                     (long long)trainer->at.step + 1);
    }
    if (rc == 0) {
        count_silence(trainer);
        note_sums(trainer);
    }
    return rc;
}

/* ---- reports, and the result ---- */

static int report(SaeTrainer *trainer)
{
    SaeCounters *at = &trainer->at;
    const SaeTrainOptions *options = trainer->options;
    at->loss = at->error / at->rows / (double)trainer->net.d_out;
    at->l0 = at->active / at->rows;
    at->explained = 1 - at->error / at->power;
    at->error = at->power = at->active = at->rows = 0;
    const double seconds = clock_seconds() - trainer->began;
    const SaeReport line = {.step = at->step,
                            .steps = trainer->steps,
                            .rows = at->step * options->batch,
                            .loss = at->loss,
                            .l0 = at->l0,
                            .explained = at->explained,
                            .dead = dead_share(trainer),
                            .l1 = at->l1,
                            .rows_per_second =
                                (double)((at->step - trainer->began_step) * options->batch) /
                                (seconds > 0 ? seconds : 1)};
    return trainer->job->report ? trainer->job->report(trainer->job->context, &line) : 0;
}

/* From centred and scaled rows to rows as they are. With x_n = (x - mean) s, f counted in units of
 * the rebuilt rows: W_enc and W_dec stay (a transcoder's W_enc is scaled), biases and thresholds
 * are divided by the scale. */
static void fold(Sae *sae, const SaeTrainer *trainer)
{
    const SaeNet *net = &trainer->net;
    const float *p = net->params;
    const double in = trainer->scale, out = trainer->scale_out;
    const bool coder = net->kind == SAE_TRANSCODER;
    memcpy(sae->w_enc, p + net->w_enc, net->m * net->d_in * sizeof(float));
    memcpy(sae->w_dec, p + net->w_dec, net->m * net->d_out * sizeof(float));
    for (size_t c = 0; c < net->d_out; c++) {
        sae->b_dec[c] = (float)(trainer->mean_out[c] + p[net->b_dec + c] / out);
    }
    for (size_t j = 0; j < net->m; j++) {
        double bias = p[net->b_enc + j];
        for (size_t c = 0; c < net->d_in && coder; c++) {
            float *w = sae->w_enc + j * net->d_in + c;
            bias -= in * *w * trainer->mean[c];
            *w = (float)(*w * in / out);
        }
        sae->b_enc[j] = (float)(bias / out);
        if (sae->r_mag) {
            sae->r_mag[j] = p[net->extra + j];
            sae->b_mag[j] = (float)(p[net->b_mag + j] / out);
        }
        if (sae->theta) {
            const double theta =
                net->kind == SAE_JUMPRELU ? p[net->extra + j] : trainer->at.threshold;
            sae->theta[j] = (float)((theta > 0 ? theta : 0) / out);
        }
    }
    sae_prepare(sae);
}

/* Hand over what was trained. */
static int finish(const SaeTrainer *trainer, size_t job)
{
    const SaeTrainOptions *options = trainer->options;
    const SaeNet *net = &trainer->net;
    const bool moves = net->kind == SAE_STANDARD || net->kind == SAE_GATED;
    SaeConfig cfg = trainer->job->about ? *trainer->job->about : (SaeConfig){0};
    cfg.kind = net->kind;
    cfg.d_in = net->d_in;
    cfg.d_out = net->d_out;
    cfg.features = net->m;
    cfg.k = sae_has_k(net->kind) ? options->k : 0;
    cfg.l1 = moves ? trainer->at.l1 : 0;
    cfg.l0 = sae_has_k(net->kind) ? 0 : options->l0;
    cfg.scale = trainer->scale;
    cfg.scale_out = trainer->scale_out;
    cfg.activations = trainer->steps * options->batch;
    cfg.batch = options->batch;
    cfg.lr = options->lr;
    cfg.seed = options->seed;
    cfg.loss = trainer->at.loss;
    cfg.mean_l0 = trainer->at.l0;
    cfg.explained = trainer->at.explained;
    cfg.dead = options->dead_after > 0 && cfg.activations >= options->dead_after
                   ? dead_share(trainer)
                   : NAN; /* too few rows to tell */
    Sae *sae = NULL;
    int rc = sae_new(&sae, &cfg);
    if (rc == 0) {
        fold(sae, trainer);
        rc = trainer->set->take(trainer->set->context, job, sae);
    }
    return rc;
}

/* ---- the loop ---- */

/* What comes before the next step; of all ranks the last of these counts. */
enum { GO_ON, SAVE, STOP };

/* Agree on it, and on the steps until ranks ask again: a quarter of a second of the slowest. */
static int agree_on_next(int64_t *next, SaeTrainer *trainer)
{
    const int64_t every = trainer->options->checkpoint_every, step = trainer->at.step;
    const double now = clock_seconds(), seconds = now - trainer->began;
    const bool due = every > 0 ? step % every == 0 : now - trainer->saved >= CHECKPOINT_SECONDS;
    const int64_t done = step - trainer->began_step;
    int64_t fewest = -(int64_t)fmin(fmax(TALK_SECONDS * (double)done / seconds, 1), TALK_STEPS);
    *next = interrupt_pending() ? STOP : due && done > 0 ? SAVE : GO_ON;
    int rc = ranks_most(next);
    rc = rc ? rc : ranks_most(&fewest);
    fewest = ranks_count() == 1 || done == 0 ? -1 : fewest;
    trainer->talk = step - fewest;
    if (every > 0 && trainer->talk > (step / every + 1) * every) {
        trainer->talk = (step / every + 1) * every;
    }
    return rc;
}

static int stopped(SaeTrainer *trainer)
{
    int rc = trainer->at.step > 0 ? sae__ranks_save(trainer) : 0;
    return rc ? rc
              : err_set(OGPT_EINTR, "stopped after step %lld of %lld; %s",
                        (long long)trainer->at.step, (long long)trainer->steps,
                        trainer->job->checkpoint ? "the same command goes on from there"
                                                 : "nothing is kept");
}

/* An error of one rank alone ends the job (base/ranks/ranks.h). */
static int one_step(SaeTrainer *trainer, const Work *work)
{
    const bool trains = sae__ranks_trains(trainer);
    int rc = next_batch(trainer, work);
    rc = rc || !trains ? rc : train_step(trainer, work);
    trainer->at.step += rc == 0;
    const int64_t step = trainer->at.step;
    if (rc == 0 && (step == trainer->steps || step % trainer->options->report_every == 0)) {
        rc = ranks_agree(trains ? report(trainer) : 0);
    }
    return rc;
}

static int loop(SaeTrainer *trainer, const Work *work)
{
    int rc = 0;
    while (trainer->at.step < trainer->steps && rc == 0) {
        int64_t next = GO_ON;
        rc = trainer->at.step < trainer->talk ? 0 : agree_on_next(&next, trainer);
        rc = rc || next != SAVE ? rc : sae__ranks_save(trainer);
        rc = rc ? rc : next == STOP ? OGPT_EINTR : one_step(trainer, work);
        if (rc == OGPT_EINTR) {
            return stopped(trainer);
        }
        work_tick(work, "rows", (double)(trainer->at.step * trainer->options->batch),
                  (double)(trainer->steps * trainer->options->batch));
    }
    return rc;
}

static int check_set(const SaeTrainSet *set)
{
    const char *reason = set->n > 0 && set->n <= (size_t)ranks_count()
                             ? NULL
                             : "one autoencoder a rank is trained at a time";
    for (size_t i = 0; i < set->n && !reason; i++) {
        reason = sae_train_check(set->jobs[i].options);
    }
    return reason ? err_set(OGPT_EUSAGE, "sae train: %s", reason) : 0;
}

int sae_train_set(const SaeTrainSet *set, const Work *work)
{
    SaeTrainer trainer = {0};
    int rc = check_set(set);
    rc = rc ? rc : blas_init();
    rc = ranks_agree(rc ? rc : trainer_init(&trainer, set, work));
    rc = rc ? rc : sae__ranks_load(&trainer);
    rc = rc || trainer.at.step > 0 ? rc : ranks_agree(begin(&trainer, work));
    trainer.began = trainer.saved = clock_seconds();
    trainer.began_step = trainer.at.step;
    rc = rc ? rc : loop(&trainer, work);
    rc = rc ? rc : sae__ranks_collect(&trainer, finish);
    trainer_release(&trainer);
    return rc;
}

static int take_one(void *context, size_t job, Sae *sae)
{
    *(Sae **)context = sae;
    return 0;
}

int sae_train(Sae **out, const SaeTrainJob *job, const Work *work)
{
    const SaeTrainSet set = {.jobs = job, .n = 1, .context = out, .take = take_one};
    *out = NULL;
    return sae_train_set(&set, work);
}
