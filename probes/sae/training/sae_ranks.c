/* probes/sae/training/sae_ranks.c - states of the autoencoders that ranks train, between them and
 * the first rank, which alone reads and writes files. See probes/sae/training/sae_trainer.h. */
#include <string.h>

#include "base/arena.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/sae/training/sae_trainer.h"

enum { STATE_PARTS = 9 };

bool sae__ranks_trains(const SaeTrainer *trainer)
{
    const size_t own = (size_t)ranks_own();
    return own < trainer->set->n && trainer->at.step >= trainer->joins[own];
}

/* ---- one state ---- */

/* The state of autoencoder `job` on the first rank: that of its own trainer, or memory for
 * another's. */
static int state_open(SaeTrainer *state, const SaeTrainer *trainer, size_t job)
{
    const SaeTrainJob *of = &trainer->set->jobs[job];
    const SaeStream *stream = of->stream;
    if (job == 0) {
        *state = *trainer;
        state->arena = (Arena){0};
        return 0;
    }
    *state = (SaeTrainer){.job = of,
                          .options = of->options,
                          .stream = stream,
                          .steps = trainer->steps,
                          .net = sae__net_layout(of->options->kind, stream->d_in, stream->d_out,
                                                 of->options->features)};
    int rc = arena_init(&state->arena, sae__state_carve(state, NULL, stream),
                        "the state of another rank's autoencoder");
    if (rc == 0) {
        sae__state_carve(state, &state->arena, stream);
    }
    return rc;
}

static size_t state_parts(RanksPart out[STATE_PARTS], SaeTrainer *state, int rank)
{
    const SaeNet *net = &state->net;
    const RanksPart parts[STATE_PARTS] = {
        {net->params, net->n * sizeof(float), rank},
        {state->moment, net->n * sizeof(float), rank},
        {state->second, net->n * sizeof(float), rank},
        {state->silent, net->m * sizeof(float), rank},
        {state->mean, net->d_in * sizeof(float), rank},
        {&state->at, sizeof(state->at), rank},
        {&state->scale, sizeof(state->scale), rank},
        {&state->scale_out, sizeof(state->scale_out), rank},
        {state->mean_out, net->d_out * sizeof(float), rank}}; /* last: not without targets */
    memcpy(out, parts, sizeof(parts));
    return state->stream->has_target ? STATE_PARTS : STATE_PARTS - 1;
}

static int state_send(SaeTrainer *state, int to)
{
    RanksPart parts[STATE_PARTS];
    return ranks_exchange(parts, state_parts(parts, state, to), NULL, 0);
}

static int state_receive(SaeTrainer *state, int from)
{
    RanksPart parts[STATE_PARTS];
    int rc = ranks_exchange(NULL, 0, parts, state_parts(parts, state, from));
    sae__state_mark_dead(state);
    return rc;
}

/* ---- all of them ---- */

/* *place: where its checkpoint is; step 0: there is none. */
static int load_one(SaeCounters *place, SaeTrainer *trainer, size_t job)
{
    SaeTrainer state = {0};
    bool found = false;
    int rc = 0;
    if (ranks_first()) {
        rc = state_open(&state, trainer, job);
        rc = rc ? rc : sae__state_load(&found, &state);
        *place = rc == 0 && found ? state.at : *place;
    }
    rc = ranks_agree(rc);
    rc = rc ? rc : ranks_broadcast(place, sizeof(*place), 0);
    if (rc == 0 && job > 0 && place->step > 0 && (ranks_first() || (size_t)ranks_own() == job)) {
        rc = ranks_first() ? state_send(&state, (int)job) : state_receive(trainer, 0);
    } else if (rc == 0 && job == 0 && found) {
        trainer->at = state.at;
        trainer->scale = state.scale;
        trainer->scale_out = state.scale_out;
    }
    arena_release(&state.arena);
    return rc;
}

int sae__ranks_load(SaeTrainer *trainer)
{
    const SaeTrainSet *set = trainer->set;
    SaeCounters least = {0};
    int rc = 0;
    for (size_t job = 0; job < set->n && rc == 0; job++) {
        SaeCounters place = {0};
        rc = set->jobs[job].checkpoint ? load_one(&place, trainer, job) : 0;
        trainer->joins[job] = place.step;
        least = job == 0 || place.step < least.step ? place : least;
    }
    trainer->at.step = least.step;
    trainer->at.block = least.block;
    trainer->at.offset = least.offset;
    return rc;
}

/* On the first rank the state of `job`, until its arena is released. Nobody sends before all know
 * that the first rank has room for it. */
static int collect_one(SaeTrainer *state, SaeTrainer *trainer, size_t job)
{
    int rc = ranks_agree(ranks_first() ? state_open(state, trainer, job) : 0);
    if (rc || job == 0) {
        return rc;
    }
    if (ranks_first()) {
        return state_receive(state, (int)job);
    }
    return (size_t)ranks_own() == job ? state_send(trainer, 0) : 0;
}

static int save_one(SaeTrainer *trainer, size_t job)
{
    SaeTrainer state = {0};
    int rc = collect_one(&state, trainer, job);
    if (ranks_first()) {
        rc = rc ? rc : sae__state_save(&state);
        arena_release(&state.arena);
    }
    return ranks_agree(rc);
}

int sae__ranks_save(SaeTrainer *trainer)
{
    const SaeTrainSet *set = trainer->set;
    int rc = 0;
    for (size_t job = 0; job < set->n && rc == 0; job++) {
        if (set->jobs[job].checkpoint && trainer->at.step >= trainer->joins[job]) {
            rc = save_one(trainer, job);
        }
    }
    trainer->saved = clock_seconds();
    return rc;
}

int sae__ranks_collect(SaeTrainer *trainer, int (*made)(const SaeTrainer *state, size_t job))
{
    int rc = 0;
    for (size_t job = 0; job < trainer->set->n && rc == 0; job++) {
        SaeTrainer state = {0};
        rc = collect_one(&state, trainer, job);
        if (ranks_first()) {
            state.set = trainer->set;
            rc = rc ? rc : made(&state, job);
            arena_release(&state.arena);
        }
        rc = ranks_agree(rc);
    }
    return rc;
}
