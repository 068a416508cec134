/* cli/commands/results/verify_paths.c - contract in cli/commands/results/verify_paths.h. */
#include "cli/commands/results/verify_paths.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/process.h"
#include "datasets/corpus.h"
#include "datasets/vocab.h"
#include "model/layouts/layouts.h"
#include "model/run_verify.h"
#include "probes/activations/activations_verify.h"
#include "probes/board/probe.h"
#include "store/check.h"

#define HASH_SHOWN 12 /* digits of a hash that tell models apart for people */

/* A sound model among the paths, and a probe: they are compared when all paths have been seen. */
struct SoundModel {
    char path[FILES_PATH_MAX];
    char hash[HASH_HEX_SIZE];
    GptConfig cfg;
};

static void finding_add(void *context, const char *line)
{
    Verdict *verdict = context;
    table_row(verdict->findings);
    table_text(verdict->findings, "path", verdict->item->path);
    table_text(verdict->findings, "finding", line);
    verdict->item->n_findings++;
    text_add(&verdict->item->text, "%s\n", line);
}

/* Damage is a finding; what says nothing about the file (memory, permissions) ends the run. */
static int finding_of(Verdict *verdict, int rc)
{
    if (rc != OGPT_EFORMAT && rc != OGPT_EVERSION) {
        return rc;
    }
    finding_add(verdict, err_message());
    return 0;
}

/* ---- each kind ---- */

static int corpus_examine(Verdict *verdict)
{
    CorpusReport report;
    int rc = corpus_verify(&report, verdict->item->path, finding_add, verdict);
    verdict->games += report.games;
    verdict->bad_blocks += report.bad_blocks;
    verdict->illegal_games += report.illegal_games;
    snprintf(verdict->item->about, sizeof(verdict->item->about),
             "corpus, %llu games replayed, %llu plies, %llu duplicates",
             (unsigned long long)report.games, (unsigned long long)report.plies,
             (unsigned long long)report.duplicates);
    return rc;
}

/* Results that belong to a run in progress are read as they stand. */
static int results_examine(Verdict *verdict)
{
    Store *store = NULL;
    size_t n_runs = 0;
    int rc = store_open_read(&store, verdict->item->path);
    rc = rc ? rc : store_verify(&n_runs, store, finding_add, verdict);
    store_close(store);
    snprintf(verdict->item->about, sizeof(verdict->item->about), "results, %zu runs", n_runs);
    return rc;
}

static void model_add(void *context, const ModelFile *model)
{
    Verdict *verdict = context;
    const GptConfig *cfg = &model->gpt->cfg;
    const Vocab *vocab = vocab_by_size(cfg->d_vocab);
    if (!vocab || cfg->n_ctx > vocab->n_ctx) {
        err_set(OGPT_EFORMAT,
                "%s: d_vocab %d, n_ctx %d: expected those of a board: 61 and at most 59, 33 and "
                "31, 13 and 11; other programs' models play no Othello here",
                model->path, cfg->d_vocab, cfg->n_ctx);
        finding_add(verdict, err_message());
        return;
    }
    snprintf(verdict->item->about, sizeof(verdict->item->about),
             "model of %dx%d, %d layers, d_model %d, hash %.*s", vocab->variant->size,
             vocab->variant->size, cfg->n_layers, cfg->d_model, HASH_SHOWN, model->model_hash);
    if (verdict->n_models == verdict->room) {
        const size_t room = verdict->room == 0 ? 4 : 2 * verdict->room;
        SoundModel *wider = mem_realloc(verdict->models, room, sizeof(*wider), "models");
        if (!wider) {
            verdict->rc = OGPT_ENOMEM;
            return;
        }
        verdict->models = wider;
        verdict->room = room;
    }
    SoundModel *added = &verdict->models[verdict->n_models++];
    *added = (SoundModel){.cfg = *cfg};
    snprintf(added->path, sizeof(added->path), "%s", model->path);
    snprintf(added->hash, sizeof(added->hash), "%s", model->model_hash);
}

static int probe_examine(Verdict *verdict)
{
    Probe probe;
    int rc = probe_load(&probe, verdict->item->path);
    if (rc == 0) {
        snprintf(verdict->item->about, sizeof(verdict->item->about),
                 "probe of task %s, %d layer%s, fitted on model %.*s", probe.task, probe.n_layers,
                 probe.n_layers == 1 ? "" : "s", HASH_SHOWN, probe.model_hash);
        verdict->item->probe = true;
        probe_release(&probe);
    }
    return rc;
}

/* What ogpt convert wrote for another library: every tensor there, in its shape, finite. */
static int converted_examine(Verdict *verdict, const char *layout)
{
    LayoutFiles files;
    Gpt *gpt = NULL;
    int rc = layout_parse(layout) >= 0
                 ? layout_files_find(&files, verdict->item->path)
                 : err_set(OGPT_EFORMAT, "%s: MANIFEST.json: unknown layout \"%.40s\"",
                           verdict->item->path, layout);
    rc = rc ? rc : layout_read(&gpt, (Layout)layout_parse(layout), &files, 0);
    gpt_free(gpt);
    snprintf(verdict->item->about, sizeof(verdict->item->about), "model in layout %s", layout);
    return rc;
}

/* A directory with a manifest: which kind it is, by the files listed. A manifest that does not
 * verify says by its faults what is wrong with either. */
static int publication_examine(Verdict *verdict, const RunVerify *verify)
{
    Js *manifest = NULL;
    int rc = manifest_verify(&manifest, verdict->item->path);
    const char *layout = js_str_of(js_member(manifest, "layout")); /* of ogpt convert */
    bool model = manifest_file_sha256(manifest, "model.safetensors") != NULL;
    if (rc == 0 && model && layout) {
        rc = converted_examine(verdict, layout);
    } else if (rc == 0 && model) {
        rc = model_verify(verdict->item->path, verify);
    } else if (rc == 0 && manifest_file_sha256(manifest, "probe.safetensors") != NULL) {
        rc = probe_examine(verdict);
    } else if (rc == 0) {
        snprintf(verdict->item->about, sizeof(verdict->item->about), "published files");
    }
    js_free(manifest);
    return rc;
}

static int run_examine(Verdict *verdict, const RunVerify *verify)
{
    size_t n_steps = 0;
    char newest[sizeof(verdict->item->about)];
    int rc = run_verify(&n_steps, verdict->item->path, verify);
    snprintf(newest, sizeof(newest), "%s", verdict->item->about);
    snprintf(verdict->item->about, sizeof(verdict->item->about),
             "run, %zu checkpoint%s, newest a %.300s", n_steps, n_steps == 1 ? "" : "s", newest);
    return rc;
}

static int activations_examine(Verdict *verdict)
{
    ActivationsFound found;
    int rc = activations_verify(&found, verdict->item->path, finding_add, verdict);
    snprintf(verdict->item->about, sizeof(verdict->item->about),
             "activations of %s, %lld rows, %zu of %zu shards%s, of model %.*s", found.site,
             (long long)found.n_rows, found.n_there, found.n_shards,
             found.n_there < found.n_shards ? " (unfinished)" : "", HASH_SHOWN, found.model_hash);
    return rc;
}

static int path_examine(Verdict *verdict)
{
    const RunVerify verify = {finding_add, model_add, verdict};
    const char *path = verdict->item->path;
    char manifest[FILES_PATH_MAX], index[FILES_PATH_MAX];
    uint32_t id = 0;
    if (dir_exists(path)) {
        int rc = path_join(manifest, path, "MANIFEST.json");
        rc = rc ? rc : path_join(index, path, "index.json");
        if (rc != 0) {
            return rc;
        }
        return file_exists(manifest) ? publication_examine(verdict, &verify)
               : file_exists(index)  ? activations_examine(verdict)
                                     : run_examine(verdict, &verify);
    }
    int rc = db_application_id(&id, path);
    if (rc != 0) {
        return rc;
    }
    if (id == CORPUS_APPLICATION_ID) {
        return corpus_examine(verdict);
    }
    if (id == STORE_APPLICATION_ID) {
        return results_examine(verdict);
    }
    return err_set(OGPT_EFORMAT,
                   "%s: application id 0x%08x: neither a corpus nor a results database", path,
                   (unsigned)id);
}

/* ---- all paths ---- */

/* Whether the probe under examination was fitted on one of the models given, and fits its shape. */
static int probe_match(Verdict *verdict)
{
    const char *path = verdict->item->path;
    Probe probe;
    const SoundModel *own = NULL;
    int rc = probe_load(&probe, path);
    if (rc != 0) {
        return finding_of(verdict, rc);
    }
    for (size_t i = 0; i < verdict->n_models && !own; i++) {
        own = strcmp(verdict->models[i].hash, probe.model_hash) == 0 ? &verdict->models[i] : NULL;
    }
    if (own) {
        rc = probe_check_model(&probe, path, own->hash, &own->cfg);
    } else {
        const SoundModel *first = &verdict->models[0];
        rc = err_set(OGPT_EFORMAT,
                     "%s: fitted on model %.*s, found %zu other model%s here (%s is %.*s); name "
                     "its model, or fit a probe on this one (ogpt probe fit)",
                     path, HASH_SHOWN, probe.model_hash, verdict->n_models,
                     verdict->n_models == 1 ? "" : "s", first->path, HASH_SHOWN, first->hash);
    }
    if (rc == 0) {
        text_add(&verdict->item->text, "%s: belongs to %s\n", path, own->path);
    }
    probe_release(&probe);
    return finding_of(verdict, rc);
}

int verify_paths(Verdict *verdict)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < verdict->n_items; i++) {
        verdict->item = &verdict->items[i];
        rc = finding_of(verdict, path_examine(verdict));
        rc = rc ? rc : verdict->rc;
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR, "verify: interrupted after %d paths", i + 1);
        }
    }
    for (int i = 0; rc == 0 && verdict->n_models > 0 && i < verdict->n_items; i++) {
        verdict->item = &verdict->items[i];
        rc = verdict->item->probe ? probe_match(verdict) : 0;
    }
    return rc;
}
