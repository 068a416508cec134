/* model/train/trainer_step.c - one step: gradients by lanes, a fixed tree of sums, the update.
 *
 * Threads decide only who does a job, never what a job is: lanes, micro-batches, chunks of the
 * parameter vector and update jobs depend on configuration and options alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "model/train/trainer.h"
#include "num/profile/profile.h"

int64_t train_batch(const TrainOptions *o, int64_t step, int64_t steps)
{
    double share = o->batch_ramp > 0 ? (double)step / (o->batch_ramp * (double)steps) : 1;
    if (share >= 1 || o->batch_from <= 0) {
        return o->batch;
    }
    double games = (double)o->batch_from + share * (double)(o->batch - o->batch_from);
    return (int64_t)(games / (double)o->lanes) * o->lanes;
}

int train_layers(const TrainOptions *o, const GptConfig *cfg, int64_t step, int64_t steps)
{
    int doublings = 0;
    if (o->layers_from <= 0 || step + 1 >= steps) {
        return cfg->n_layers;
    }
    for (int64_t n = o->layers_from; n < cfg->n_layers; n *= 2) {
        doublings++;
    }
    double done = doublings * ((double)step / (o->layers_until * (double)steps));
    return done >= doublings ? cfg->n_layers : (int)o->layers_from << (int)done;
}

int64_t train_steps_between_reports(const TrainOptions *o, int64_t steps)
{
    return o->report_every > 0 ? o->report_every : steps > 20 * 200 ? steps / 20 : 200;
}

int64_t train_games(const TrainOptions *o, int64_t steps)
{
    return train_games_until(o, steps, steps);
}

int64_t train_games_until(const TrainOptions *o, int64_t end, int64_t steps)
{
    int64_t games = 0, step = 0;
    while (step < end && o->batch_from > 0) { /* one round for each size of batch */
        int64_t batch = train_batch(o, step, steps), low = step + 1, high = end;
        if (batch == o->batch) {
            break;
        }
        while (low < high) { /* the first step with a larger batch */
            int64_t middle = low + (high - low) / 2;
            if (train_batch(o, middle, steps) > batch) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        games += (low - step) * batch;
        step = low;
    }
    return games + (end - step) * o->batch;
}

int64_t train_steps(const TrainOptions *o, int64_t games)
{
    int64_t low = (games + o->batch - 1) / o->batch;
    low = low < 1 ? 1 : low;
    /* Small batches at the start need more steps; at most as many as if all batches were small. */
    int64_t high = o->batch_from > 0 ? (games + o->batch_from - 1) / o->batch_from : low;
    high = high < low ? low : high;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (train_games(o, middle) < games) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t trainer_micro_games(const GptConfig *cfg, const TrainOptions *options)
{
    size_t lane_games = (size_t)(options->batch / options->lanes);
    size_t games = 512 / (size_t)cfg->n_ctx;
    games = games < 1 ? 1 : games;
    return games < lane_games ? games : lane_games;
}

static const Kernels *kernels_of(const TrainOptions *options)
{
    return strcmp(options->precision, "bf16") == 0 ? kernels_bf16() : kernels_fast();
}

/* Add the processor time of all workers since *start to the profile, and restart the clock. */
static void note(const Trainer *t, ProfileKind kind, double *start)
{
    if (t->options->profile) {
        double now = clock_process_seconds();
        profile_add(kind, now - *start, 0);
        *start = now;
    }
}

static bool uses_muon(const TrainOptions *options, const TensorSpec *spec)
{
    return spec->group == GROUP_MATRIX && strcmp(options->optimizer, "muon") == 0;
}

/* The jobs of an update; with `jobs` NULL they are only counted. Matrices come first, because they
 * are the long jobs. */
static size_t list_jobs(UpdateJob *jobs, const Gpt *gpt, const TrainOptions *options)
{
    size_t n = 0;
    for (int muon = 1; muon >= 0; muon--) {
        for (size_t i = 0; i < gpt->n_specs; i++) {
            const TensorSpec *spec = &gpt->specs[i];
            if (spec->group == GROUP_FROZEN || uses_muon(options, spec) != (muon == 1)) {
                continue;
            }
            size_t piece = muon ? spec->count : TRAINER_CHUNK;
            for (size_t begin = 0; begin < spec->count; begin += piece) {
                size_t count = spec->count - begin < piece ? spec->count - begin : piece;
                if (jobs) {
                    jobs[n] = (UpdateJob){.spec = spec,
                                          .begin = spec->offset + begin,
                                          .count = count,
                                          .muon = muon == 1};
                }
                n++;
            }
        }
    }
    return n;
}

static size_t scratch_of(const Gpt *gpt, const TrainOptions *options)
{
    size_t most = 0;
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        if (uses_muon(options, spec)) {
            size_t count = muon_scratch(spec->rows, spec->cols);
            most = count > most ? count : most;
        }
    }
    return most;
}

/* The arrays of a run: sized (base NULL) or carved by the same list. */
static size_t carve_arrays(Trainer *t, Arena *arena, size_t n_numbers, size_t n_ctx)
{
    const TrainOptions *o = t->options;
    size_t batch = (size_t)o->batch;
    struct {
        void **field;
        size_t count, size;
    } arrays[] = {
        {(void **)&t->lane_gradients, (size_t)o->lanes * n_numbers, sizeof(float)},
        {(void **)&t->momentum, n_numbers, sizeof(float)},
        {(void **)&t->second, n_numbers, sizeof(float)},
        {(void **)&t->average, o->average > 0 ? n_numbers : 0, sizeof(float)},
        {(void **)&t->scratch, t->n_tapes * t->scratch_count, sizeof(float)},
        {(void **)&t->jobs, t->n_jobs, sizeof(UpdateJob)},
        {(void **)&t->moves, batch * GAME_MAX_MOVES, 1},
        {(void **)&t->input, batch * n_ctx, 1},
        {(void **)&t->target, batch * n_ctx, 1},
        {(void **)&t->lane_loss, (size_t)o->lanes, sizeof(double)},
        {(void **)&t->chunk_norm, t->n_chunks, sizeof(double)},
        {(void **)&t->cuts, (size_t)ranks_count() + 1, sizeof(size_t)},
    };
    size_t n_bytes = 0;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (arrays[i].count == 0) {
            continue;
        }
        n_bytes += arena_piece_bytes(arrays[i].count, arrays[i].size);
        if (arena) {
            *arrays[i].field = arena_take(arena, arrays[i].count, arrays[i].size);
        }
    }
    return n_bytes;
}

static void set_counts(Trainer *t, const Gpt *gpt, size_t n_threads)
{
    t->n_tapes = n_threads;
    t->micro = trainer_micro_games(&gpt->cfg, t->options);
    t->scratch_count = scratch_of(gpt, t->options);
    t->n_jobs = list_jobs(NULL, gpt, t->options);
    t->n_chunks = (gpt->n_numbers + TRAINER_CHUNK - 1) / TRAINER_CHUNK;
}

size_t train_bytes(const GptConfig *cfg, const TrainOptions *options, size_t n_threads)
{
    Gpt *gpt = NULL;
    if (gpt_new(&gpt, cfg) != 0) {
        return 0;
    }
    Trainer t = {.options = options};
    set_counts(&t, gpt, n_threads);
    size_t n_bytes = carve_arrays(&t, NULL, gpt->n_numbers, (size_t)cfg->n_ctx) +
                     n_threads * tape_bytes(cfg, t.micro, TAPE_TRAIN, kernels_of(options)) +
                     2 * gpt->n_numbers * sizeof(float); /* weights; their copy while saving */
    gpt_free(gpt);
    return n_bytes;
}

int trainer_init(Trainer *t, const GptConfig *cfg, const TrainOptions *options, GameSource *source,
                 Pool *pool, const TrainObserver *observer)
{
    *t = (Trainer){.options = options, .source = source, .pool = pool, .observer = observer};
    t->keep = options->keep;
    t->vocab = vocab_of(source_variant(source));
    if (cfg->d_vocab != t->vocab->d_vocab || cfg->n_ctx != t->vocab->n_ctx) {
        return err_set(OGPT_EFORMAT,
                       "the network's d_vocab/n_ctx are %d/%d, games of this board need %d/%d; "
                       "use a network for the same --size",
                       cfg->d_vocab, cfg->n_ctx, t->vocab->d_vocab, t->vocab->n_ctx);
    }
    int rc = gpt_new(&t->gpt, cfg);
    if (rc != 0) {
        return rc;
    }
    set_counts(t, t->gpt, pool ? pool_size(pool) : 1);
    size_t n_ctx = (size_t)cfg->n_ctx;
    rc = arena_init(&t->arena, carve_arrays(t, NULL, t->gpt->n_numbers, n_ctx), "training");
    if (rc != 0) {
        return rc;
    }
    carve_arrays(t, &t->arena, t->gpt->n_numbers, n_ctx);
    list_jobs(t->jobs, t->gpt, options);
    trainer_cut_updates(t);
    t->tapes = mem_calloc(t->n_tapes, sizeof(Tape *), "tapes");
    if (!t->tapes) {
        return OGPT_ENOMEM;
    }
    const Kernels *kernels = kernels_of(options);
    kernels = options->profile ? profile_start(kernels) : kernels;
    for (size_t i = 0; rc == 0 && i < t->n_tapes; i++) {
        rc = tape_new(&t->tapes[i], cfg, t->micro, TAPE_TRAIN, kernels);
    }
    return rc;
}

void trainer_release(Trainer *t)
{
    for (size_t i = 0; t->tapes && i < t->n_tapes; i++) {
        tape_free(t->tapes[i]);
    }
    mem_free(t->tapes);
    arena_release(&t->arena);
    gpt_free(t->gpt);
    *t = (Trainer){0};
}

typedef struct LaneWork {
    Trainer *trainer;
    size_t batch; /* games */
    float scale;  /* 1 / scored positions of the batch */
    size_t first; /* lane of this rank */
} LaneWork;

static int lane_job(void *context, size_t job, size_t worker)
{
    const LaneWork *work = context;
    Trainer *t = work->trainer;
    size_t lane = work->first + job;
    size_t T = (size_t)t->gpt->cfg.n_ctx;
    size_t games = work->batch / (size_t)t->options->lanes;
    float *gradient = t->lane_gradients + lane * t->gpt->n_numbers;
    Tape *tape = t->tapes[worker];
    double loss = 0;
    for (size_t done = 0; done < games; done += t->micro) {
        size_t B = games - done < t->micro ? games - done : t->micro;
        size_t at = (lane * games + done) * T;
        gpt_forward(t->gpt, tape, t->input + at, B, T, NULL);
        loss += gpt_loss(tape, t->target + at, work->scale);
        gpt_backward(t->gpt, tape, t->input + at, done > 0, gradient);
    }
    t->lane_loss[lane] = loss;
    return 0;
}

int trainer_gradient(Trainer *t, BatchSums *sums)
{
    size_t batch = (size_t)train_batch(t->options, t->at.step, t->at.steps);
    t->gpt->in_use = train_layers(t->options, &t->gpt->cfg, t->at.step, t->at.steps);
    double start = clock_process_seconds();
    uint64_t collisions = source_collisions(t->source);
    int rc = source_fetch(t->source, t->moves, t->at.games, batch, t->pool);
    if (rc != 0) {
        return rc;
    }
    t->at.collisions += source_collisions(t->source) - collisions;
    size_t positions = batch_encode(t->input, t->target, t->vocab, t->moves, batch);
    *sums = (BatchSums){.positions = (double)positions, .games = batch};
    sums->floor = batch_floor_sum(t->vocab->variant, t->moves, batch);
    note(t, PROFILE_BATCH, &start);
    LaneWork work = {
        .trainer = t, .batch = batch, .scale = positions > 0 ? 1.0f / (float)positions : 0};
    size_t lanes = (size_t)t->options->lanes, end;
    ranks_share(&work.first, &end, lanes, ranks_own());
    rc = pool_run(t->pool, end - work.first, lane_job, &work);
    if (rc == 0 && t->observer->lanes_done) {
        t->observer->lanes_done(t->observer->context, t->at.step, t->gpt, t->lane_gradients);
    }
    start = clock_process_seconds();
    rc = rc ? rc : trainer_sum_lanes(t);
    rc = rc ? rc : ranks_gather(t->lane_loss, lanes, sizeof(t->lane_loss[0]), 0);
    if (rc) {
        return rc;
    }
    note(t, PROFILE_SUMS, &start);
    for (int64_t lane = 0; lane < t->options->lanes; lane++) {
        sums->loss += t->lane_loss[lane];
    }
    return 0;
}

const char *trainer_bad_tensor(const Gpt *gpt, const float *vector)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        for (size_t j = 0; j < spec->count; j++) {
            if (!isfinite(vector[spec->offset + j])) {
                return spec->name;
            }
        }
    }
    return NULL;
}

static double rate_of(const TrainOptions *o, const TensorSpec *spec)
{
    switch (spec->group) {
    case GROUP_EMBED: return o->lr_embed;
    case GROUP_POSITION: return o->lr_position;
    case GROUP_HEAD: return o->lr_head;
    case GROUP_VECTOR: return o->lr_vector;
    default: return o->lr;
    }
}

typedef struct UpdateWork {
    Trainer *trainer;
    float gradient_scale;
    double rate; /* share of its peak */
} UpdateWork;

static int update_job(void *context, size_t index, size_t worker)
{
    const UpdateWork *work = context;
    Trainer *t = work->trainer;
    const TrainOptions *o = t->options;
    const UpdateJob *job = &t->jobs[index];
    if (!trainer_updates_here(t, job) || job->spec->layer >= t->gpt->in_use) {
        return 0;
    }
    float lr = (float)(rate_of(o, job->spec) * work->rate);
    float decay = job->spec->decays ? (float)o->weight_decay : 0;
    float *w = t->gpt->params + job->begin, *m = t->momentum + job->begin;
    const float *g = t->lane_gradients + job->begin;
    if (job->muon) {
        MuonStep step = {.lr = lr,
                         .momentum = (float)o->momentum,
                         .weight_decay = decay,
                         .bf16 = strcmp(o->precision, "bf16") == 0};
        muon_step(w, m, g, job->spec->rows, job->spec->cols, work->gradient_scale, &step,
                  t->scratch + worker * t->scratch_count);
    } else {
        AdamWStep step = {.lr = lr,
                          .beta1 = (float)o->beta1,
                          .beta2 = (float)o->beta2,
                          .eps = 1e-8f,
                          .weight_decay = decay,
                          .step = t->at.step + 1};
        adamw_step(w, m, t->second + job->begin, g, job->count, work->gradient_scale, &step);
    }
    if (t->average) {
        /* Early in the run the average forgets faster, so that it loses the initial weights. */
        double now = (double)t->at.step;
        float keep = (float)fmin(o->average, (1 + now) / (10 + now));
        float *a = t->average + job->begin;
#pragma omp simd
        for (size_t i = 0; i < job->count; i++) {
            a[i] = keep * a[i] + (1 - keep) * w[i];
        }
    }
    return 0;
}

double trainer_rate(const Trainer *t, int64_t step)
{
    return schedule_factor((Schedule)schedule_parse(t->options->schedule), step, t->at.steps,
                           t->options->warmup, t->options->cooldown);
}

int trainer_update(Trainer *t)
{
    double square = 0;
    for (size_t i = 0; i < t->n_chunks; i++) {
        square += t->chunk_norm[i];
    }
    t->at.gradient_norm = sqrt(square);
    double factor = trainer_rate(t, t->at.step);
    if (!isfinite(t->at.gradient_norm)) {
        const char *weight = trainer_bad_tensor(t->gpt, t->gpt->params);
        const char *gradient = trainer_bad_tensor(t->gpt, t->lane_gradients);
        return err_set(OGPT_ENUM,
                       "training diverged at step %lld (rate factor %.4g): %s '%s' is not finite; "
                       "the last checkpoint is intact: lower --lr, or go on from it with "
                       "--init-from",
                       (long long)t->at.step, factor, weight ? "weight" : "gradient of",
                       weight ? weight : (gradient ? gradient : "all tensors"));
    }
    double clip = t->options->clip;
    float scale = clip > 0 && t->at.gradient_norm > clip ? (float)(clip / t->at.gradient_norm) : 1;
    UpdateWork work = {.trainer = t, .gradient_scale = scale, .rate = factor};
    double start = clock_process_seconds();
    int rc = pool_run(t->pool, t->n_jobs, update_job, &work);
    rc = rc ? rc : ranks_gather_cut(t->gpt->params, t->cuts);
    note(t, PROFILE_UPDATE, &start);
    return rc;
}
