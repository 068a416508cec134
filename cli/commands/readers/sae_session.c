/* cli/commands/readers/sae_session.c - contract in cli/commands/readers/sae_session.h. */
#include "cli/commands/readers/sae_session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/commands/common/game_input.h"
#include "report/readers/sae_result.h"

/* ---- what is asked for ---- */

/* The options of one value. */
static int options_of(SaeTrainOptions *out, const SaeSession *session, int index)
{
    const SaeCommand *given = session->given;
    const SaeSweepItem item = sae_sweep_item(&session->sweep, index);
    *out = SAE_TRAIN_DEFAULT;
    sae_sweep_set(out, &item);
    out->features = given->features > 0 ? (size_t)given->features : 8 * session->stream.d_in;
    out->activations = given->activations;
    out->batch = given->batch;
    out->lr = given->lr;
    out->dead_after = given->dead_after;
    out->checkpoint_every = given->checkpoint_every;
    out->seed = session->context->seed + (uint64_t)item.seed;
    const char *reason = NULL;
    sae_train_complete(out);
    reason = sae_train_check(out);
    return reason ? err_set(OGPT_EUSAGE, "%s: %s", session->context->command->name, reason) : 0;
}

static int choose_site(SaeSession *session)
{
    const SaeCommand *given = session->given;
    const ModelFile *model = &session->inputs.subject.model;
    LayerList layers = given->layers;
    const bool coder = session->sweep.kinds[0] == SAE_TRANSCODER;
    if (layers.word != LAYERS_LISTED) {
        layers =
            (LayerList){.word = LAYERS_LISTED, .n = 1, .layers = {model->gpt->cfg.n_layers / 2}};
    }
    int rc = layers_resolve(&layers, model->gpt->cfg.n_layers, true, model->path);
    session->rows.layer = layers.layers[0];
    session->rows.site = coder ? HOOK_LN2 : (HookSite)given->site;
    session->rows.site_out = coder ? HOOK_MLP_OUT : session->rows.site;
    if (rc == 0 && coder && context_given(session->context, "site") && given->site != HOOK_LN2) {
        rc =
            err_set(OGPT_EUSAGE, "--kind transcoder goes from ln2_normalized to mlp_out: leave out "
                                 "--site");
    }
    if (rc == 0 && session->rows.layer == LAYER_EMBED &&
        (coder || session->rows.site != HOOK_RESID_POST)) {
        rc = err_set(OGPT_EUSAGE, "the embedding layer belongs to --site resid_post only");
    }
    return rc;
}

/* ---- inputs ---- */

static int open_games(SaeSession *session)
{
    const uint64_t seed = session->context->seed;
    return session->given->corpus
               ? source_corpus(&session->source, session->inputs.corpus, 1U << SPLIT_TRAIN, true,
                               seed)
               : source_fresh(&session->source, session->inputs.subject.variant, seed, RNG_FRESH);
}

/* Rows to train on, and what is said of them in every file. */
static int open_rows(SaeSession *session)
{
    const Subject *subject = &session->inputs.subject;
    session->rows.gpt = session->front ? session->front : subject->model.gpt;
    session->rows.vocab = subject->vocab;
    session->rows.source = session->source;
    session->rows.block_games = (size_t)session->given->buffer;
    session->kept.from = session->stream = sae_stream_network(&session->rows);
    session->about = (SaeConfig){.site = session->rows.site,
                                 .site_out = session->rows.site_out,
                                 .layer = session->rows.layer};
    snprintf(session->about.model_hash, sizeof(session->about.model_hash), "%s",
             subject->model.model_hash);
    snprintf(session->about.games, sizeof(session->about.games), "%s",
             source_identity(session->source));
    if (session->stream.block_rows < (size_t)session->given->batch) {
        return err_set(OGPT_EUSAGE,
                       "--buffer %lld holds at most %zu rows, fewer than a batch of %lld: take a "
                       "larger buffer or a smaller batch",
                       (long long)session->given->buffer, session->stream.block_rows,
                       (long long)session->given->batch);
    }
    return 0;
}

/* ---- what is there ---- */

/* What one is made from, and where it is made; owned, NULL when out of memory or after an error. */
static Js *about_of(SaeSession *session, int index)
{
    const SaeSweepItem item = sae_sweep_item(&session->sweep, index);
    return options_of(&session->options, session, index)
               ? NULL
               : sae_sweep_about(&session->options, &session->about, &item, session->given->buffer);
}

/* Every place, before any is trained. */
static int look_at_all(SaeSession *session)
{
    const int n = session->sweep.n;
    int rc = 0, there = 0;
    session->made = mem_calloc((size_t)n, sizeof(*session->made), "places of autoencoders");
    rc = session->made ? 0 : OGPT_ENOMEM;
    for (int i = 0; i < n && rc == 0; i++) {
        const SaeSweepItem item = sae_sweep_item(&session->sweep, i);
        SaeMade *made = &session->made[i];
        snprintf(made->path, sizeof(made->path), "%s", session->given->out);
        rc = n > 1 ? path_join(made->path, session->given->out, item.name) : 0;
        rc = rc ? rc : options_of(&session->options, session, i);
        Js *about = rc ? NULL : about_of(session, i);
        rc = rc || session->context->force ? rc : sae_sweep_find(&made->there, made->path, about);
        there += made->there;
        js_free(about);
    }
    if (rc == 0 && there > 0 && n > 1) {
        context_say(session->context, "%d of %d autoencoders are in %s, made with these options",
                    there, n, session->given->out);
    } else if (rc == 0 && there > 0) {
        context_say(session->context, "%s is there, made with these options", session->given->out);
    }
    return rc;
}

int sae_session_open(SaeSession *session, Context *context, const SaeCommand *given,
                     const char *values)
{
    *session = (SaeSession){.context = context, .given = given};
    const SweepWords words = {.kind = given->kind,
                              .k = given->k,
                              .l0 = given->l0,
                              .l1 = given->l1,
                              .values = values,
                              .seeds = (int)given->seeds};
    Subject *subject = &session->inputs.subject;
    int rc = sae_sweep_read(&session->sweep, &words);
    rc = rc ? rc : context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc ? rc : choose_site(session);
    rc = rc ? rc : open_games(session);
    rc = rc ? rc : sae_stream_front(&session->front, subject->model.gpt, session->rows.layer);
    rc = rc ? rc : open_rows(session);
    return rc ? rc : look_at_all(session);
}

void sae_session_release(SaeSession *session)
{
    sae_kept_release(&session->kept);
    gpt_free(session->front);
    source_free(session->source);
    context_inputs_release(&session->inputs);
    mem_free(session->made);
}

/* ---- memory ---- */

/* Several autoencoders of the same rows: the first one's blocks are kept for the others, as many as
 * there is memory for. Returns the bytes that they may take. */
static size_t keep_blocks(SaeSession *session, size_t taken)
{
    const SaeStream *from = &session->kept.from;
    const size_t block =
        from->block_rows * (from->d_in + (from->has_target ? from->d_out : 0)) * sizeof(float);
    const size_t room = ((size_t)session->given->memory << 20) - taken;
    /* a block has fewer rows than it has room for: games end early */
    const size_t needed = (size_t)session->given->activations / (from->block_rows / 5 * 4 + 1) + 2;
    if (session->sweep.n < 2 || room < block) {
        return 0;
    }
    session->kept.n = needed < room / block ? needed : room / block;
    session->stream = sae_stream_kept(&session->kept);
    return session->kept.n * block;
}

int sae_session_announce(SaeSession *session)
{
    const Context *context = session->context;
    const Work work = {.pool = context->pool};
    const GptConfig *cfg = &session->rows.gpt->cfg;
    size_t bytes = 0;
    int rc = 0;
    for (int i = 0; i < session->sweep.n && rc == 0; i++) {
        rc = options_of(&session->options, session, i);
        const size_t own = rc ? 0 : sae_train_bytes(&session->stream, &session->options, &work);
        bytes = own > bytes ? own : bytes;
    }
    const size_t passes = passes_bytes(cfg, TAPE_FORWARD, 0, &work);
    rc = rc ? rc
            : context_check_memory(bytes + passes, session->given->memory,
                                   "a smaller --buffer, --batch or --features");
    const size_t kept = rc ? 0 : keep_blocks(session, bytes + passes);
    const size_t mib = ((bytes + passes + kept) >> 20) + 1;
    if (rc == 0) {
        context_say(context,
                    "%zu features of %zu numbers, %s of layer %d, %lld rows in batches of %lld, a "
                    "shuffle buffer of %zu rows, %zu MiB of memory, %zu threads, seed %llu",
                    session->options.features, session->stream.d_in,
                    hook_site_name(session->rows.site), session->rows.layer,
                    (long long)session->options.activations, (long long)session->options.batch,
                    session->stream.block_rows, mib, context->threads,
                    (unsigned long long)context->seed);
    }
    return rc;
}

/* ---- one value ---- */

static int on_report(void *context, const SaeReport *r)
{
    SaeSession *session = context;
    char detail[128];
    snprintf(detail, sizeof(detail), "loss %.4f  L0 %.1f  explained %.2f %%  dead %.1f %%", r->loss,
             r->l0, 100 * r->explained, 100 * r->dead);
    progress_step(&session->progress, session->rows_done + (double)r->rows, detail);
    return 0;
}

/* Train into a checkpoint beside the goal, publish, remove the checkpoint. */
static int make(Sae **out, const char *path, SaeSession *session, const Js *about)
{
    Context *context = session->context;
    char checkpoint[FILES_PATH_MAX], *inputs = NULL, parent[FILES_PATH_MAX];
    PathKind left = PATH_MISSING;
    const Work work = {.pool = context->pool, .seed = context->seed};
    snprintf(checkpoint, sizeof(checkpoint), "%.*s.training", FILES_PATH_MAX - 16, path);
    SaeTrainJob job = {.stream = &session->stream,
                       .options = &session->options,
                       .about = &session->about,
                       .checkpoint = checkpoint,
                       .context = session,
                       .report = on_report};
    int rc = js_print(&inputs, about, 0);
    rc = rc ? rc : path_parent(parent, path);
    rc = rc ? rc : dir_create(parent);
    job.inputs = inputs;
    rc = rc ? rc : sae_train(out, &job, &work);
    rc = rc ? rc : sae_save(*out, path, about);
    rc = rc ? rc : path_kind(&left, checkpoint);
    if (rc == 0 && left == PATH_DIRECTORY) {
        rc = dir_discard(checkpoint);
    }
    mem_free(inputs);
    return rc;
}

/* Unless another process made it meanwhile. */
static int train_one(SaeSession *session, int index)
{
    const SaeSweepItem item = sae_sweep_item(&session->sweep, index);
    SaeMade *made = &session->made[index];
    FileLock lock = {.fd = -1};
    Sae *sae = NULL;
    Js *about = about_of(session, index);
    const double began = clock_seconds();
    int rc = about ? 0 : OGPT_ENOMEM;
    rc = rc || session->sweep.n == 1 ? rc : dir_create(session->given->out);
    rc = rc ? rc : file_lock_beside(&lock, made->path);
    rc = rc || session->context->force ? rc : sae_sweep_find(&made->there, made->path, about);
    snprintf(session->label, sizeof(session->label), "%s, %s %g, seed %llu (%d of %d)",
             sae_kind_name(item.kind), item.swept, item.value,
             (unsigned long long)session->options.seed, index + 1, session->sweep.n);
    if (rc == 0 && !made->there) {
        rc = make(&sae, made->path, session, about);
        session->rows_done += (double)session->options.activations;
    } else {
        session->progress.total -= (double)session->options.activations;
    }
    made->seconds = clock_seconds() - began;
    sae_free(sae);
    file_unlock(&lock);
    js_free(about);
    return rc;
}

int sae_session_run(SaeSession *session)
{
    int rc = 0;
    session->progress = progress_begin(session->context, session->label, "rows",
                                       (double)session->given->activations * session->sweep.n);
    for (int i = 0; rc == 0 && i < session->sweep.n; i++) {
        rc = train_one(session, i);
    }
    progress_end(&session->progress);
    sae_kept_release(&session->kept);
    return rc;
}

int sae_session_report(Table *table, const SaeSession *session)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < session->sweep.n; i++) {
        Sae *sae = NULL;
        rc = sae_open(&sae, session->made[i].path);
        if (rc == 0) {
            sae_train_report(table, sae, session->made[i].path, session->made[i].seconds);
        }
        sae_free(sae);
    }
    return rc;
}
