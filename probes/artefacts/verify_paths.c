/* probes/artefacts/verify_paths.c - contract in probes/artefacts/verify_paths.h. */
#include "probes/artefacts/verify_paths.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/database/db.h"
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
#include "probes/sae/sae.h"

#define HASH_SHOWN 12 /* digits of a hash that tell models apart for people */

/* A sound model among the paths, and a probe: they are compared when all paths have been seen. */
struct SoundModel {
    char path[FILES_PATH_MAX];
    char hash[HASH_HEX_SIZE];
    GptConfig cfg;
};

void verify_finding(void *context, const char *line)
{
    VerifyPaths *paths = context;
    paths->finding(paths->context, paths->item, line);
    paths->item->n_findings++;
    text_add(&paths->item->text, "%s\n", line);
}

/* Damage is a finding; what says nothing about the file (memory, permissions) ends the run. */
static int finding_of(VerifyPaths *paths, int rc)
{
    if (rc != OGPT_EFORMAT && rc != OGPT_EVERSION) {
        return rc;
    }
    verify_finding(paths, err_message());
    return 0;
}

/* ---- each kind ---- */

static int corpus_examine(VerifyPaths *paths)
{
    CorpusReport report;
    int rc = corpus_verify(&report, paths->item->path, verify_finding, paths);
    paths->games += report.games;
    paths->bad_blocks += report.bad_blocks;
    paths->illegal_games += report.illegal_games;
    snprintf(paths->item->about, sizeof(paths->item->about),
             "corpus, %llu games replayed, %llu plies, %llu duplicates",
             (unsigned long long)report.games, (unsigned long long)report.plies,
             (unsigned long long)report.duplicates);
    return rc;
}

static void model_add(void *context, const ModelFile *model)
{
    VerifyPaths *paths = context;
    const GptConfig *cfg = &model->gpt->cfg;
    GameRules rules = RULES_CLASSIC;
    if (subject_rules(&rules, model->manifest, model->path) != 0) {
        verify_finding(paths, err_message());
        return;
    }
    const Vocab *vocab = vocab_by_size(cfg->d_vocab, rules);
    if (!vocab || cfg->n_ctx > vocab->n_ctx) {
        err_set(OGPT_EFORMAT,
                "%s: d_vocab %d, n_ctx %d: expected those of a board: 61 and at most 59, 33 and "
                "31, 13 and 11; other programs' models play no Othello here",
                model->path, cfg->d_vocab, cfg->n_ctx);
        verify_finding(paths, err_message());
        return;
    }
    snprintf(paths->item->about, sizeof(paths->item->about),
             "model of %dx%d, %d layers, d_model %d, hash %.*s", vocab->variant->size,
             vocab->variant->size, cfg->n_layers, cfg->d_model, HASH_SHOWN, model->model_hash);
    if (paths->n_models == paths->room) {
        const size_t room = paths->room == 0 ? 4 : 2 * paths->room;
        SoundModel *wider = mem_realloc(paths->models, room, sizeof(*wider), "models");
        if (!wider) {
            paths->rc = OGPT_ENOMEM;
            return;
        }
        paths->models = wider;
        paths->room = room;
    }
    SoundModel *added = &paths->models[paths->n_models++];
    *added = (SoundModel){.cfg = *cfg};
    snprintf(added->path, sizeof(added->path), "%s", model->path);
    snprintf(added->hash, sizeof(added->hash), "%s", model->model_hash);
}

static int probe_examine(VerifyPaths *paths)
{
    Probe probe;
    int rc = probe_load(&probe, paths->item->path);
    if (rc == 0) {
        snprintf(paths->item->about, sizeof(paths->item->about),
                 "probe of task %s, %d layer%s, fitted on model %.*s", probe.task, probe.n_layers,
                 probe.n_layers == 1 ? "" : "s", HASH_SHOWN, probe.model_hash);
        paths->item->probe = true;
        probe_release(&probe);
    }
    return rc;
}

static int sae_examine(VerifyPaths *paths)
{
    Sae *sae = NULL;
    int rc = sae_open(&sae, paths->item->path);
    if (rc == 0) {
        snprintf(paths->item->about, sizeof(paths->item->about),
                 "autoencoder (%s), %zu features of %s, layer %d, trained on model %.*s",
                 sae_kind_name(sae->cfg.kind), sae->cfg.features, hook_site_name(sae->cfg.site),
                 sae->cfg.layer, HASH_SHOWN, sae->cfg.model_hash);
    }
    sae_free(sae);
    return rc;
}

/* What ogpt convert wrote for another library: every tensor there, in its shape, finite. */
static int converted_examine(VerifyPaths *paths, const char *layout)
{
    LayoutFiles files;
    Gpt *gpt = NULL;
    int rc = layout_parse(layout) >= 0
                 ? layout_files_find(&files, paths->item->path)
                 : err_set(OGPT_EFORMAT, "%s: MANIFEST.json: unknown layout \"%.40s\"",
                           paths->item->path, layout);
    rc = rc ? rc : layout_read(&gpt, (Layout)layout_parse(layout), &files, 0);
    gpt_free(gpt);
    snprintf(paths->item->about, sizeof(paths->item->about), "model in layout %s", layout);
    return rc;
}

/* The probe that lies in the directory of a model or of a run, if there is one: undamaged, and of
 * this network. A run goes on without its probe, which is then of an earlier step: no finding. */
static int inner_probe_examine(VerifyPaths *paths, size_t n_models, bool match)
{
    char path[FILES_PATH_MAX], about[sizeof(paths->item->about)];
    Probe probe = {0};
    PathKind kind;
    int rc = path_join(path, paths->item->path, PROBE_FOLDER);
    rc = rc ? rc : path_kind(&kind, path);
    if (rc != 0 || kind != PATH_DIRECTORY) {
        return rc;
    }
    rc = probe_load(&probe, path);
    if (rc == 0 && match && paths->n_models > n_models) {
        const SoundModel *own = &paths->models[n_models];
        rc = probe_check_model(&probe, path, own->hash, &own->cfg);
    }
    if (rc == 0) {
        snprintf(about, sizeof(about), "%s", paths->item->about);
        snprintf(paths->item->about, sizeof(paths->item->about), "%.300s, with a probe of task %s",
                 about, probe.task);
    }
    probe_release(&probe);
    return finding_of(paths, rc);
}

/* A directory with a manifest: which kind it is, by the files listed. A manifest that does not
 * verify says by its faults what is wrong with either. */
static int publication_examine(VerifyPaths *paths, const RunVerify *verify)
{
    Js *manifest = NULL;
    int rc = manifest_verify(&manifest, paths->item->path);
    const char *layout = js_str_of(js_member(manifest, "layout")); /* of ogpt convert */
    bool model = manifest_file_sha256(manifest, "model.safetensors");
    if (rc == 0 && model && layout) {
        rc = converted_examine(paths, layout);
    } else if (rc == 0 && model) {
        const size_t n_models = paths->n_models;
        rc = model_verify(paths->item->path, verify);
        rc = rc ? rc : inner_probe_examine(paths, n_models, true);
    } else if (rc == 0 && manifest_file_sha256(manifest, "probe.safetensors")) {
        rc = probe_examine(paths);
    } else if (rc == 0 && manifest_file_sha256(manifest, "sae_weights.safetensors")) {
        rc = sae_examine(paths);
    } else if (rc == 0) {
        snprintf(paths->item->about, sizeof(paths->item->about), "published files");
    }
    js_free(manifest);
    return rc;
}

static int run_examine(VerifyPaths *paths, const RunVerify *verify)
{
    size_t n_steps = 0;
    char newest[sizeof(paths->item->about)];
    int rc = run_verify(&n_steps, paths->item->path, verify);
    snprintf(newest, sizeof(newest), "%s", paths->item->about);
    snprintf(paths->item->about, sizeof(paths->item->about),
             "run, %zu checkpoint%s, newest a %.300s", n_steps, n_steps == 1 ? "" : "s", newest);
    return rc ? rc : inner_probe_examine(paths, paths->n_models, false);
}

static int activations_examine(VerifyPaths *paths)
{
    ActivationsFound found;
    int rc = activations_verify(&found, paths->item->path, verify_finding, paths);
    snprintf(paths->item->about, sizeof(paths->item->about),
             "activations of %s, %lld rows, %zu of %zu shards%s, of model %.*s", found.site,
             (long long)found.n_rows, found.n_there, found.n_shards,
             found.n_there < found.n_shards ? " (unfinished)" : "", HASH_SHOWN, found.model_hash);
    return rc;
}

/* A file of text is no kind that can be verified, and is not damaged. 0: it is no text. */
static int text_refuse(const char *path)
{
    char bytes[64];
    FILE *file = fopen(path, "re");
    const size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
    size_t i = 0;
    while (i < n && (bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r' ||
                     (bytes[i] >= ' ' && bytes[i] <= '~'))) {
        i++;
    }
    if (file) {
        fclose(file);
    }
    if (n == 0 || i < n || strncmp(bytes, "SQLite", n < 6 ? n : 6) == 0) {
        return 0;
    }
    return err_set(OGPT_EUSAGE,
                   "%s: a text file; verify checks corpora, results databases and the folders of "
                   "networks, probes and activations (ogpt cases show reads a case file, ogpt "
                   "import games)",
                   path);
}

static int path_examine(VerifyPaths *paths)
{
    const RunVerify verify = {verify_finding, model_add, paths};
    const char *path = paths->item->path;
    uint32_t id = 0;
    PathKind kind = PATH_OTHER, published = PATH_OTHER, activations = PATH_OTHER;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        rc = path_kind_in(&published, path, MANIFEST_NAME);
        rc = rc ? rc : path_kind_in(&activations, path, "index.json");
        return rc                         ? rc
               : published == PATH_FILE   ? publication_examine(paths, &verify)
               : activations == PATH_FILE ? activations_examine(paths)
                                          : run_examine(paths, &verify);
    }
    rc = rc ? rc : db_application_id(&id, path);
    if (rc == OGPT_EFORMAT) {
        const int text = text_refuse(path);
        rc = text ? text : rc;
    }
    if (rc != 0) {
        return rc;
    }
    if (id == CORPUS_APPLICATION_ID) {
        return corpus_examine(paths);
    }
    return paths->database(paths, id);
}

/* ---- all paths ---- */

/* Whether the probe under examination was fitted on one of the models given, and fits its shape. */
static int probe_match(VerifyPaths *paths)
{
    const char *path = paths->item->path;
    Probe probe;
    const SoundModel *own = NULL;
    int rc = probe_load(&probe, path);
    if (rc != 0) {
        return finding_of(paths, rc);
    }
    for (size_t i = 0; i < paths->n_models && !own; i++) {
        own = strcmp(paths->models[i].hash, probe.model_hash) == 0 ? &paths->models[i] : NULL;
    }
    if (own) {
        rc = probe_check_model(&probe, path, own->hash, &own->cfg);
    } else {
        const SoundModel *first = &paths->models[0];
        rc = err_set(OGPT_EFORMAT,
                     "%s: fitted on model %.*s, found %zu other model%s here (%s is %.*s); name "
                     "its model, or fit a probe on this one (ogpt probe fit)",
                     path, HASH_SHOWN, probe.model_hash, paths->n_models,
                     paths->n_models == 1 ? "" : "s", first->path, HASH_SHOWN, first->hash);
    }
    if (rc == 0) {
        text_add(&paths->item->text, "%s: belongs to %s\n", path, own->path);
    }
    probe_release(&probe);
    return finding_of(paths, rc);
}

int verify_paths(VerifyPaths *paths)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < paths->n_items; i++) {
        paths->item = &paths->items[i];
        rc = finding_of(paths, path_examine(paths));
        rc = rc ? rc : paths->rc;
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR, "verify: interrupted after %d paths", i + 1);
        }
    }
    for (int i = 0; rc == 0 && paths->n_models > 0 && i < paths->n_items; i++) {
        paths->item = &paths->items[i];
        rc = paths->item->probe ? probe_match(paths) : 0;
    }
    return rc;
}
