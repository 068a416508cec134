/* probes/sae/training/sae_making.c - contract in probes/sae/training/sae_making.h. */
#include "probes/sae/training/sae_making.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/manifest.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/sae/training/sae_trainer.h"

/* One that is trained now. */
typedef struct MakingItem {
    int index;
    FileLock lock;
    SaeTrainOptions options;
    Js *about;
    char *inputs;
} MakingItem;

typedef struct MakingRun {
    const SaeMaking *making;
    const Work *work;
    MakingItem *items; /* (room) */
    SaeTrainJob *jobs; /* (room) */
    size_t n, room;    /* items of this round; a rank each */
    int n_done, n_there;
} MakingRun;

static Js *about_of(const SaeMaking *making, const SaeTrainOptions *options, int index)
{
    const SaeSweepItem item = sae_sweep_item(making->sweep, index);
    return sae_sweep_about(options, making->about, &item, making->buffer);
}

/* *there: on all ranks what the first finds. */
static int find(bool *there, const SaeMaking *making, const Js *about, const char *path)
{
    int rc = 0;
    *there = false;
    if (ranks_first() && !making->replace) {
        rc = sae_sweep_find(there, path, about);
    }
    rc = ranks_agree(rc);
    return rc ? rc : ranks_broadcast(there, sizeof(*there), 0);
}

int sae_making_look(const SaeMaking *making)
{
    int rc = 0;
    for (int i = 0; i < making->sweep->n && rc == 0; i++) {
        const SaeSweepItem item = sae_sweep_item(making->sweep, i);
        SaeMade *made = &making->made[i];
        SaeTrainOptions options;
        sae_sweep_options(&options, making->sweep, i, making->common);
        Js *about = about_of(making, &options, i);
        snprintf(made->path, sizeof(made->path), "%s", making->out);
        rc = making->sweep->n > 1 ? path_join(made->path, making->out, item.name) : 0;
        snprintf(made->checkpoint, FILES_PATH_MAX, "%.*s.training", FILES_PATH_MAX - 16,
                 made->path);
        rc = rc ? rc : find(&made->there, making, about, made->path);
        js_free(about);
    }
    return rc;
}

/* ---- a round ---- */

/* Once as well as twice. */
static void item_release(MakingItem *item)
{
    file_unlock(&item->lock);
    mem_free(item->inputs);
    js_free(item->about);
    item->inputs = NULL;
    item->about = NULL;
}

/* One that is there already: what a process left beside it that was killed just behind publishing
 * goes, if it is a checkpoint and no other process is at work. */
static int clean_beside(const SaeMade *made)
{
    FileLock lock = {.fd = -1};
    Js *manifest = NULL;
    int rc = ranks_first() ? manifest_verify(&manifest, made->checkpoint) : OGPT_EIO;
    const char *kind = js_str_of(js_member(manifest, "kind"));
    const bool left = rc == 0 && kind && strcmp(kind, SAE_STATE_KIND) == 0;
    js_free(manifest);
    rc = left && file_lock_beside(&lock, made->path) == 0 ? dir_discard(made->checkpoint) : 0;
    file_unlock(&lock);
    return rc;
}

/* Take one into the round, unless another process made it meanwhile. */
static int item_take(MakingRun *run, int index)
{
    const SaeMaking *making = run->making;
    MakingItem *item = &run->items[run->n];
    SaeMade *made = &making->made[index];
    char parent[FILES_PATH_MAX];
    *item = (MakingItem){.index = index, .lock = {.fd = -1}};
    sae_sweep_options(&item->options, making->sweep, index, making->common);
    item->about = about_of(making, &item->options, index);
    int rc = js_print(&item->inputs, item->about, 0);
    if (ranks_first()) {
        rc = rc ? rc : path_parent(parent, made->path);
        rc = rc ? rc : dir_create(parent);
        rc = rc ? rc : file_lock_beside(&item->lock, made->path);
    }
    rc = ranks_agree(rc);
    rc = rc ? rc : find(&made->there, making, item->about, made->path);
    if (rc || made->there) {
        item_release(item);
        run->n_there += made->there;
        return rc;
    }
    run->n++;
    return 0;
}

static int on_report(void *context, const SaeReport *report)
{
    const MakingRun *run = context;
    const SaeMaking *making = run->making;
    const int n = making->sweep->n - run->n_there;
    const double rows = (double)making->common->activations;
    const SaeMakingReport out = {.index = run->items[0].index,
                                 .together = run->n,
                                 .rows = rows * run->n_done + (double)report->rows * (double)run->n,
                                 .total = rows * n,
                                 .training = report};
    return making->report ? making->report(making->context, &out) : 0;
}

/* Publish one, on the first rank; its checkpoint and its lock go. */
static int publish(void *context, size_t job, Sae *sae)
{
    MakingRun *run = context;
    MakingItem *item = &run->items[job];
    const SaeMade *made = &run->making->made[item->index];
    PathKind left = PATH_MISSING;
    int rc = sae_save(sae, made->path, item->about);
    rc = rc ? rc : path_kind(&left, made->checkpoint);
    rc = rc || left != PATH_DIRECTORY ? rc : dir_discard(made->checkpoint);
    item_release(item);
    sae_free(sae);
    return rc;
}

static int train_round(MakingRun *run)
{
    const SaeMaking *making = run->making;
    const double began = clock_seconds();
    for (size_t i = 0; i < run->n; i++) {
        run->jobs[i] = (SaeTrainJob){.stream = making->stream,
                                     .options = &run->items[i].options,
                                     .about = making->about,
                                     .checkpoint = making->made[run->items[i].index].checkpoint,
                                     .inputs = run->items[i].inputs,
                                     .context = run,
                                     .report = ranks_first() ? on_report : NULL};
    }
    const SaeTrainSet set = {.jobs = run->jobs, .n = run->n, .context = run, .take = publish};
    int rc = sae_train_set(&set, run->work);
    for (size_t i = 0; i < run->n; i++) {
        making->made[run->items[i].index].seconds = clock_seconds() - began;
    }
    run->n_done += (int)run->n;
    return rc;
}

int sae_making_run(const SaeMaking *making, const Work *work)
{
    const int n = making->sweep->n, ranks = ranks_count();
    MakingRun run = {.making = making, .work = work, .room = (size_t)(n < ranks ? n : ranks)};
    run.items = mem_calloc(run.room, sizeof(*run.items), "autoencoders of a round");
    run.jobs = mem_calloc(run.room, sizeof(*run.jobs), "autoencoders of a round");
    int rc = run.items && run.jobs ? 0 : OGPT_ENOMEM, at = 0;
    for (int i = 0; i < n; i++) {
        run.n_there += making->made[i].there;
    }
    while (at < n && rc == 0) {
        for (run.n = 0; at < n && run.n < run.room && rc == 0; at++) {
            const SaeMade *made = &making->made[at];
            rc = made->there ? clean_beside(made) : item_take(&run, at);
        }
        rc = rc || run.n == 0 ? rc : train_round(&run);
        for (size_t i = 0; i < run.n; i++) {
            item_release(&run.items[i]);
        }
    }
    mem_free(run.items);
    mem_free(run.jobs);
    return rc;
}
