/* model/train/train.c - the training loop: resume from a checkpoint, step, report, save. */
#include "model/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/manifest.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "model/train/trainer.h"
#include "num/blas.h"
#include "num/profile/profile.h"

const TrainOptions TRAIN_OPTIONS_DEFAULT = {
    .optimizer = "muon",
    .schedule = "trapezoid",
    .precision = "f32",
    .steps = 4000,
    .batch = 64,
    .lanes = 8,
    .lr = 0.02,
    .lr_embed = 2e-3,
    .lr_position = 2e-3,
    .lr_head = 2e-3,
    .lr_vector = 2e-3,
    .warmup = 0.02,
    .cooldown = 0.5,
    .weight_decay = 0.01,
    .beta1 = 0.9,
    .beta2 = 0.95,
    .momentum = 0.95,
    .clip = 1.0,
    .average = 0,
    .checkpoint_every = 200,
    .seed = 1,
};

int train_keep_parse(int64_t *out, const char *text)
{
    char *end;
    *out = strcmp(text, "all") == 0    ? TRAIN_KEEP_ALL
           : strcmp(text, "log2") == 0 ? TRAIN_KEEP_LOG2
                                       : 0;
    if (*out != 0) {
        return 0;
    }
    long long n = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || n < TRAIN_KEEP_NEWEST || n > TRAIN_MAX_STEPS) {
        return err_set(OGPT_EUSAGE,
                       "--keep \"%s\": expected all, log2, or a number from %d to %d: with one "
                       "checkpoint a damaged file would end the run",
                       text, TRAIN_KEEP_NEWEST, TRAIN_MAX_STEPS);
    }
    *out = n;
    return 0;
}

const char *train_options_check(const TrainOptions *o)
{
    if (o->lanes < 1 || o->lanes > 256) {
        return "lanes must lie in 1..256";
    }
    if (o->batch < o->lanes || o->batch % o->lanes != 0) {
        return "batch must be a multiple of lanes";
    }
    if (o->batch_from != 0 &&
        (o->batch_from < o->lanes || o->batch_from > o->batch || o->batch_from % o->lanes != 0)) {
        return "batch-from must be a multiple of lanes, at most batch";
    }
    if (o->layers_from < 0 ||
        (o->layers_from > 0 && !(o->layers_until > 0 && o->layers_until <= 1))) {
        return "layers-from needs a layers-until above 0, at most 1";
    }
    if (strcmp(o->optimizer, "adamw") != 0 && strcmp(o->optimizer, "muon") != 0) {
        return "optimizer must be adamw or muon";
    }
    if (schedule_parse(o->schedule) < 0) {
        return "schedule must be constant, cosine or trapezoid";
    }
    if (strcmp(o->precision, "f32") != 0 && strcmp(o->precision, "bf16") != 0) {
        return "precision must be f32 or bf16";
    }
    if (o->steps > TRAIN_MAX_STEPS) {
        return "a run has at most 99999999 steps: fewer games, or larger batches";
    }
    if (o->steps < 0 || (o->steps == 0 && !(o->minutes > 0))) {
        return "steps or minutes must be positive";
    }
    return NULL;
}

/* *out: a signal has reached one of the ranks. All stop after the same step. */
static int stop_asked(bool *out)
{
    int64_t pending = interrupt_pending();
    int rc = ranks_most(&pending);
    *out = pending != 0;
    return rc;
}

/* The total number of steps for --minutes: at least three whole steps are timed, for 1 % of the run
 * (2 to 10 seconds). 0.95 leaves room for reports and checkpoints. The caller resets the weights.
 */
static int steps_for_minutes(int64_t *steps, Trainer *t)
{
    BatchSums sums;
    int done = -1; /* the first step warms caches and pages */
    double start = 0, spent = 0, enough = fmin(fmax(0.6 * t->options->minutes, 2), 10);
    while (done < 3 || spent < enough) {
        bool stop = false;
        int rc = trainer_gradient(t, &sums);
        rc = rc ? rc : trainer_update(t);
        start = done < 0 ? clock_seconds() : start;
        done++;
        spent = clock_seconds() - start;
        rc = rc ? rc : ranks_broadcast(&spent, sizeof(spent), 0);
        rc = rc ? rc : stop_asked(&stop);
        if (rc || stop) {
            return rc ? rc : err_set(OGPT_EINTR, "interrupted before the first step");
        }
    }
    /* Timed with all blocks in use; a run that grows has cheaper steps, too. */
    double all = gpt_config_flops(&t->gpt->cfg) * t->gpt->cfg.n_ctx;
    double share = train_flops(t->options, &t->gpt->cfg, 0, 1000) /
                   (all * (double)train_games(t->options, 1000));
    double n = 0.95 * t->options->minutes * 60 * done / fmax(spent, 1e-3) / share;
    n = fmin(fmax(n, 1), TRAIN_MAX_STEPS); /* steps of full batches */
    *steps = train_steps(t->options, (int64_t)n * t->options->batch);
    *steps = *steps < TRAIN_MAX_STEPS ? *steps : TRAIN_MAX_STEPS;
    return 0;
}

typedef struct Loop {
    Trainer *trainer;
    const char *run_path;
    const Js *about;
    TrainResult *result;
    double last_time; /* of the last report */
    uint64_t last_games;
    double session_start; /* seconds on the clock; at.seconds counts earlier sessions */
    int64_t session_step; /* steps done before it */
    double earlier_seconds;
    int64_t saved_step;
    double step_seconds; /* spent in gradients and updates: no reports, no checkpoints */
} Loop;

static int save(Loop *loop)
{
    Trainer *t = loop->trainer;
    TrainResult *r = loop->result;
    if (loop->saved_step == t->at.step) {
        return 0;
    }
    int rc = trainer_collect(t);
    if (rc || !ranks_first()) { /* the first writes */
        loop->saved_step = t->at.step;
        return rc;
    }
    t->at.seconds = loop->earlier_seconds + clock_seconds() - loop->session_start;
    rc = trainer_save(t, r->path, r->model_hash, loop->run_path, loop->about);
    if (rc != 0) {
        return rc;
    }
    loop->saved_step = t->at.step;
    if (t->observer->saved) {
        rc = t->observer->saved(t->observer->context, t->at.step, r->path, r->model_hash);
    }
    return rc ? rc : trainer_prune(loop->run_path, t->keep);
}

/* Seconds that the rest of the run takes at the speed of this session, with more blocks in use; for
 * a report owed since a stop, at the speed of the whole run. */
static double seconds_left(const Loop *loop)
{
    const Trainer *t = loop->trainer;
    const GptConfig *cfg = &t->gpt->cfg;
    double left = train_flops(t->options, cfg, t->at.step, t->at.steps);
    bool began = t->at.step > loop->session_step;
    int64_t first = began ? loop->session_step : 0;
    double spent = began ? clock_seconds() - loop->session_start : t->at.seconds;
    double done = train_flops(t->options, cfg, first, t->at.steps) - left;
    return spent * left / fmax(done, 1);
}

static int report(Loop *loop)
{
    Trainer *t = loop->trainer;
    double elapsed = fmax(clock_seconds() - loop->last_time, 1e-9);
    double games = (double)(t->at.games - loop->last_games); /* 0: a report owed since a stop */
    float *kept = t->gpt->params;
    TrainReport r = {
        .step = t->at.step,
        .steps = t->at.steps,
        .games = t->at.games,
        .loss = t->at.loss_sum / t->at.position_sum,
        .floor = t->at.floor_sum / t->at.position_sum,
        .lr = t->options->lr * trainer_rate(t, t->at.step - 1),
        .gradient_norm = t->at.gradient_norm,
        .games_per_second =
            games > 0 ? games / elapsed : (double)t->at.games / fmax(t->at.seconds, 1e-9),
        .gpt = t->gpt,
    };
    r.seconds_left = seconds_left(loop);
    int rc = t->average ? trainer_collect(t) : 0;
    if (rc == 0 && t->observer->report) {
        t->gpt->params = t->average ? t->average : kept;
        t->gpt->in_use = t->gpt->cfg.n_layers; /* probes read behind all blocks */
        rc = ranks_agree(t->observer->report(t->observer->context, &r));
        t->gpt->params = kept;
    }
    if (rc == 0) { /* otherwise the sums are kept for the owed report */
        t->at.report_due = 0;
        t->at.last_loss = loop->result->loss = r.loss;
        t->at.last_floor = loop->result->floor = r.floor;
        t->at.loss_sum = t->at.floor_sum = t->at.position_sum = 0;
    }
    /* The observer's own time is not training time. */
    loop->last_time = clock_seconds();
    loop->last_games = t->at.games;
    return rc;
}

static int one_step(Loop *loop)
{
    Trainer *t = loop->trainer;
    BatchSums sums;
    double start = clock_seconds();
    int rc = trainer_gradient(t, &sums);
    rc = rc ? rc : trainer_update(t);
    if (rc) {
        return rc;
    }
    loop->step_seconds += clock_seconds() - start;
    t->at.step++;
    t->at.games += sums.games;
    t->at.tokens += (uint64_t)sums.positions;
    t->at.loss_sum += sums.loss;
    t->at.floor_sum += sums.floor;
    t->at.position_sum += sums.positions;
    if (t->observer->stepped) {
        TrainReport r = {.step = t->at.step,
                         .steps = t->at.steps,
                         .games = t->at.games,
                         .loss = t->at.loss_sum / t->at.position_sum,
                         .floor = t->at.floor_sum / t->at.position_sum,
                         .seconds_left = seconds_left(loop)};
        t->observer->stepped(t->observer->context, &r);
    }
    t->at.report_due = t->at.step == t->at.steps ||
                       t->at.step % train_steps_between_reports(t->options, t->at.steps) == 0;
    return 0;
}

/* What is due after a step: its report, its checkpoint. */
static int close_step(Loop *loop)
{
    const Trainer *t = loop->trainer;
    int64_t every = t->options->checkpoint_every;
    int rc = t->at.report_due ? report(loop) : 0;
    bool kept = t->keep == TRAIN_KEEP_LOG2 && (t->at.step & (t->at.step - 1)) == 0;
    if (rc == 0 && (kept || t->at.step == t->at.steps || (every > 0 && t->at.step % every == 0))) {
        rc = save(loop);
    }
    return rc;
}

static int run_steps(Loop *loop)
{
    Trainer *t = loop->trainer;
    int rc = 0;
    if (t->at.report_due) {
        loop->saved_step = -1; /* the checkpoint on file still owes the report */
        rc = close_step(loop);
    }
    while (rc == 0 && t->at.step < t->at.steps) {
        rc = one_step(loop);
        rc = rc ? rc : close_step(loop);
        bool stop = false;
        rc = rc ? rc : stop_asked(&stop);
        if (rc == 0 && t->at.step < t->at.steps && stop) {
            rc = OGPT_EINTR;
        }
    }
    if (rc == OGPT_EINTR) {
        int saved = save(loop);
        rc = saved != 0
                 ? saved
                 : err_set(OGPT_EINTR, "interrupted at step %lld of %lld; saved %s",
                           (long long)t->at.step, (long long)t->at.steps, loop->result->path);
    }
    return rc;
}

/* Reset everything to before the first step: weights of `init` or from the seed, moments zero. */
static int start_new(Trainer *t, const Gpt *init)
{
    memset(t->momentum, 0, t->gpt->n_numbers * sizeof(float));
    memset(t->second, 0, t->gpt->n_numbers * sizeof(float));
    t->at = (TrainCounters){.steps = t->options->steps};
    if (!init) {
        gpt_init(t->gpt, t->options->seed, RNG_INIT);
        if (t->options->layers_from > 0) {
            gpt_silence(t->gpt, (int)t->options->layers_from);
        }
    } else if (!gpt_config_same_shape(&init->cfg, &t->gpt->cfg)) {
        const GptConfig *want = &t->gpt->cfg, *have = &init->cfg;
        return err_set(OGPT_EFORMAT,
                       "--init-from: expected a network of %d layers, d_model %d, %d heads, d_mlp "
                       "%d, n_ctx %d, d_vocab %d, found %d, %d, %d, %d, %d, %d",
                       want->n_layers, want->d_model, want->n_heads, want->d_mlp, want->n_ctx,
                       want->d_vocab, have->n_layers, have->d_model, have->n_heads, have->d_mlp,
                       have->n_ctx, have->d_vocab);
    } else {
        memcpy(t->gpt->params, init->params, init->n_numbers * sizeof(float));
    }
    if (t->average) {
        memcpy(t->average, t->gpt->params, t->gpt->n_numbers * sizeof(float));
    }
    return 0;
}

static int start_new_run(Trainer *t, const Gpt *init)
{
    int64_t steps = t->options->steps;
    int rc = start_new(t, init);
    if (rc == 0 && steps == 0) {
        /* While steps are timed: the last of one step, so that batches are full. */
        t->at.step = t->at.steps = 1;
        rc = steps_for_minutes(&steps, t);
        rc = rc ? rc : start_new(t, init);
        profile_reset(); /* the timed steps are done again, as the first steps of the run */
    }
    t->at.steps = steps;
    return rc;
}

static int train_locked(TrainResult *out, const TrainJob *job, Pool *pool)
{
    static const TrainObserver nobody = {0};
    const TrainObserver *observer = job->observer ? job->observer : &nobody;
    Trainer t;
    bool found = false;
    size_t n_stale = 0;
    Loop loop = {.trainer = &t,
                 .run_path = job->run_path,
                 .about = job->about,
                 .result = out,
                 .saved_step = -1};
    int rc = trainer_init(&t, job->cfg, job->options, job->source, pool, observer);
    if (ranks_first()) {
        rc = rc ? rc : dir_clean_stale(&n_stale, job->run_path);
        rc = rc ? rc
                : trainer_resume(&t, &found, out->path, out->model_hash, job->run_path, job->about);
    }
    rc = rc ? rc : trainer_share_state(&t, &found);
    rc = rc || found ? rc : start_new_run(&t, job->init);
    if (rc) {
        goto done;
    }
    loop.saved_step = found ? t.at.step : -1;
    if (found) {
        out->loss = t.at.last_loss;
        out->floor = t.at.last_floor;
    }
    loop.earlier_seconds = t.at.seconds;
    loop.last_games = t.at.games;
    if (observer->started) {
        rc = observer->started(observer->context, t.at.steps, t.at.step);
    }
    /* A process that was killed after it published this checkpoint has not reported it. */
    if (rc == 0 && found && observer->saved && ranks_first()) {
        rc = observer->saved(observer->context, t.at.step, out->path, out->model_hash);
    }
    if (rc) {
        goto done;
    }
    loop.session_start = loop.last_time = clock_seconds();
    loop.session_step = t.at.step;
    uint64_t tokens_before = t.at.tokens, games_before = t.at.games;
    if (!found) { /* stores the number of steps: a kill before the next save changes nothing */
        rc = save(&loop);
    }
    rc = rc ? rc : run_steps(&loop);
    /* A run that was already finished keeps the speed at which it was made. */
    bool idle = t.at.tokens == tokens_before;
    double seconds = idle ? loop.earlier_seconds : clock_seconds() - loop.session_start;
    out->step = t.at.step;
    out->steps = t.at.steps;
    out->games = t.at.games;
    out->tokens = t.at.tokens;
    out->collisions = t.at.collisions;
    out->seconds = idle ? seconds : loop.earlier_seconds + seconds;
    out->tokens_per_second = (double)(t.at.tokens - (idle ? 0 : tokens_before)) /
                             fmax(idle ? seconds : loop.step_seconds, 1e-9);
    int64_t first = idle ? 0 : loop.session_step;
    double work = train_flops(job->options, job->cfg, first, t.at.steps) -
                  train_flops(job->options, job->cfg, t.at.step, t.at.steps);
    double games = (double)(t.at.games - (idle ? 0 : games_before));
    out->flops_per_second = out->tokens_per_second * work / fmax(games * job->cfg->n_ctx, 1);
    rc = rc ? rc : ranks_broadcast(out, sizeof(*out), 0);
done:
    trainer_release(&t);
    return rc;
}

/* Refuse a model or a probe as run directory: beside its manifest, steps would never be found. */
static int refuse_published(const char *run_path)
{
    PathKind kind = PATH_MISSING, inside = PATH_MISSING;
    int rc = path_kind(&kind, run_path);
    rc = rc ? rc : path_kind_in(&inside, run_path, MANIFEST_NAME);
    if (rc == 0 && kind == PATH_FILE) {
        rc = err_set(OGPT_EUSAGE, "%s: a file, not a run directory; choose another name", run_path);
    }
    if (rc == 0 && inside == PATH_FILE) {
        rc = err_set(OGPT_EUSAGE, "%s: holds a model or a probe, not a run; choose another name",
                     run_path);
    }
    return rc;
}

int train_run(TrainResult *out, const TrainJob *job, const Work *work)
{
    char lock_path[FILES_PATH_MAX];
    FileLock lock;
    *out = (TrainResult){.loss = NAN, .floor = NAN};
    const char *reason = train_options_check(job->options);
    if (reason) {
        return err_set(OGPT_EUSAGE, "training options: %s", reason);
    }
    if (job->options->layers_from > job->cfg->n_layers) {
        return err_set(OGPT_EUSAGE, "--layers-from %lld: the network has %d blocks",
                       (long long)job->options->layers_from, job->cfg->n_layers);
    }
    int rc = blas_init();
    rc = rc ? rc : train_check_ranks(job->options);
    if (rc || !ranks_first()) { /* the others touch no file of the run */
        return rc ? rc : train_locked(out, job, work->pool);
    }
    rc = rc ? rc : refuse_published(job->run_path);
    rc = rc ? rc : dir_create(job->run_path);
    rc = rc ? rc : path_join(lock_path, job->run_path, "LOCK");
    rc = rc ? rc : file_lock(&lock, lock_path);
    if (rc) {
        return rc;
    }
    rc = train_locked(out, job, work->pool);
    file_unlock(&lock);
    return rc;
}
