/* cli/commands/readers/sae_session.c - contract in cli/commands/readers/sae_session.h. */
#include "cli/commands/readers/sae_session.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/ranks/ranks.h"
#include "cli/commands/common/game_input.h"
#include "report/readers/sae_result.h"

/* ---- what is asked for ---- */

/* What all of the sweep have; each of them is sound. */
static int read_options(SaeSession *session)
{
    const SaeCommand *given = session->given;
    SaeTrainOptions *common = &session->options;
    const char *reason = NULL;
    *common = SAE_TRAIN_DEFAULT;
    common->features = given->features > 0 ? (size_t)given->features : 8 * session->stream.d_in;
    common->activations = given->activations;
    common->batch = given->batch;
    common->lr = given->lr;
    common->dead_after = given->dead_after;
    common->checkpoint_every = given->checkpoint_every;
    common->seed = session->context->seed;
    for (int i = 0; i < session->sweep.n && !reason; i++) {
        SaeTrainOptions options;
        sae_sweep_options(&options, &session->sweep, i, common);
        reason = sae_train_check(&options);
    }
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

static int on_report(void *context, const SaeMakingReport *r)
{
    SaeSession *session = context;
    const SaeSweepItem item = sae_sweep_item(&session->sweep, r->index);
    char detail[128], more[32] = "";
    if (r->together > 1) { /* those of a round need not follow each other: some are there */
        snprintf(more, sizeof(more), " and %zu more", r->together - 1);
    }
    snprintf(session->label, sizeof(session->label), "%s, %s %g, seed %llu (%d%s of %d)",
             sae_kind_name(item.kind), item.swept, item.value,
             (unsigned long long)session->context->seed + (unsigned)item.seed, r->index + 1, more,
             session->sweep.n);
    snprintf(detail, sizeof(detail), "loss %.4f  L0 %.1f  explained %.2f %%  dead %.1f %%",
             r->training->loss, r->training->l0, 100 * r->training->explained,
             100 * r->training->dead);
    session->progress.total = r->total;
    progress_step(&session->progress, r->rows, detail);
    return 0;
}

/* Every place, before any is trained. */
static int look_at_all(SaeSession *session)
{
    const int n = session->sweep.n;
    int there = 0;
    session->made = mem_calloc((size_t)n, sizeof(*session->made), "places of autoencoders");
    session->making = (SaeMaking){.sweep = &session->sweep,
                                  .stream = &session->stream,
                                  .common = &session->options,
                                  .about = &session->about,
                                  .buffer = session->given->buffer,
                                  .out = session->given->out,
                                  .replace = session->context->force,
                                  .made = session->made,
                                  .context = session,
                                  .report = on_report};
    int rc = session->made ? sae_making_look(&session->making) : OGPT_ENOMEM;
    for (int i = 0; i < n && rc == 0; i++) {
        there += session->made[i].there;
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
    rc = rc ? rc : read_options(session);
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

/* Autoencoders of the same rows in several rounds: the first one's blocks are kept for the others,
 * as many as there is memory for. Returns the bytes that they may take. */
static size_t keep_blocks(SaeSession *session, size_t taken)
{
    const SaeStream *from = &session->kept.from;
    const size_t block =
        from->block_rows * (from->d_in + (from->has_target ? from->d_out : 0)) * sizeof(float);
    const size_t room = ((size_t)session->given->memory << 20) - taken;
    /* a block has fewer rows than it has room for: games end early */
    const size_t needed = (size_t)session->given->activations / (from->block_rows / 5 * 4 + 1) + 2;
    if (session->sweep.n <= ranks_count() || room < block) { /* or all are made in one round */
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
    for (int i = 0; i < session->sweep.n; i++) {
        SaeTrainOptions options;
        sae_sweep_options(&options, &session->sweep, i, &session->options);
        const size_t own = sae_train_bytes(&session->stream, &options, &work);
        bytes = own > bytes ? own : bytes;
    }
    const size_t passes = passes_bytes(cfg, TAPE_FORWARD, 0, &work);
    int rc = context_check_memory(bytes + passes, session->given->memory,
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

int sae_session_run(SaeSession *session)
{
    const Work work = {.pool = session->context->pool, .seed = session->context->seed};
    session->progress = progress_begin(session->context, session->label, "rows",
                                       (double)session->given->activations * session->sweep.n);
    int rc = sae_making_run(&session->making, &work);
    progress_end(&session->progress);
    sae_kept_release(&session->kept);
    return rc;
}

int sae_session_report(Table *table, const SaeSession *session)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < session->sweep.n && ranks_first(); i++) {
        Sae *sae = NULL;
        rc = sae_open(&sae, session->made[i].path);
        if (rc == 0) {
            sae_train_report(table, sae, session->made[i].path, session->made[i].seconds);
        }
        sae_free(sae);
    }
    return rc;
}
