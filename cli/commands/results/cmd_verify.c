/* cli/commands/results/cmd_verify.c - ogpt verify: is each file still what was written? */
#include "cli/command.h"

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

typedef struct VerifyOptions {
    bool settle;
} VerifyOptions;

/* A sound model among the paths, and a probe: they are compared when all paths have been seen. */
typedef struct SoundModel {
    char path[FILES_PATH_MAX];
    char hash[HASH_HEX_SIZE];
    GptConfig cfg;
} SoundModel;

/* One of the paths. A probe is clean only when it belongs to a model among the others: so nothing
 * is concluded before all of them have been seen. */
typedef struct Item {
    const char *path;
    char about[512]; /* what it is, for the line of a clean one */
    bool probe;      /* a sound one */
    size_t n_findings;
    Text text; /* a line a finding; of a probe, where it belongs */
} Item;

typedef struct Verdict {
    Item *items; /* one a path */
    int n_items;
    Item *item; /* under examination */
    Js *findings;
    Js *rows; /* the same for the store */
    uint64_t games, bad_blocks, illegal_games;
    SoundModel *models;
    size_t n_models, room;
    int rc; /* of a callback that ran out of memory */
} Verdict;

static void finding_add(void *context, const char *line)
{
    Verdict *verdict = context;
    Js *row = js_object();
    js_set_str(row, "path", verdict->item->path);
    js_set_str(row, "finding", line);
    js_push(verdict->rows, row);
    js_push(verdict->findings, js_str(line));
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

static int paths_examine(Verdict *verdict)
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

/* Refuse to settle where every path is known to be something else than a results database. */
static int settle_check(const Context *context)
{
    for (int i = 0; i < context->n_args; i++) {
        uint32_t id = 0;
        if (!dir_exists(context->args[i]) &&
            (db_application_id(&id, context->args[i]) != 0 || id == STORE_APPLICATION_ID)) {
            return 0; /* one, or what is told later: a damaged or missing file */
        }
    }
    return err_set(OGPT_EUSAGE,
                   "--settle means nothing with %s, expected a results database among the paths, "
                   "found none; name it (ogpt-results.db), or leave --settle out",
                   context->args[0]);
}

static void settled_say(void *context, const char *line)
{
    context_say(context, "%s", line);
}

/* Put right what can be, in each results database among the paths. */
static int paths_settle(Context *context)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        uint32_t id = 0;
        Store *store = NULL;
        if (!file_exists(context->args[i]) || db_application_id(&id, context->args[i]) != 0 ||
            id != STORE_APPLICATION_ID) {
            continue;
        }
        rc = store_open(&store, context->args[i]);
        rc = rc ? rc : store_settle(store, settled_say, context);
        store_close(store);
    }
    return rc;
}

/* The entries of all paths in the document; their lines, and one for a path without findings. */
static Js *items_conclude(Text *text, const Verdict *verdict)
{
    Js *items = js_array();
    for (int i = 0; i < verdict->n_items; i++) {
        const Item *item = &verdict->items[i];
        Js *entry = js_object();
        js_set_str(entry, "path", item->path);
        js_set_str(entry, "about", item->about);
        js_set_int(entry, "findings", (int64_t)item->n_findings);
        js_push(items, entry);
        if (item->n_findings == 0) {
            text_add(text, "%s: %s: clean\n", item->path, item->about);
        }
        text_add(text, "%s", item->text.data ? item->text.data : "");
        text->failed = text->failed || item->text.failed;
    }
    return items;
}

/* Rows, result and exit code. */
static int verdict_report(Context *context, const Verdict *verdict)
{
    const size_t n = js_length(verdict->findings);
    Text text = {0};
    int rc = store_add_all(context->store, context->run, "findings", verdict->rows);
    if (rc != 0) {
        return rc;
    }
    Js *document = js_object();
    js_set(document, "findings", js_keep(verdict->findings));
    js_set(document, "items", items_conclude(&text, verdict));
    js_set_int(document, "paths", context->n_args);
    js_set_int(document, "games", (int64_t)verdict->games);
    js_set_int(document, "bad_blocks", (int64_t)verdict->bad_blocks);
    js_set_int(document, "illegal_games", (int64_t)verdict->illegal_games);
    if (context->n_args > 1 || n > 0) {
        text_add(&text, "%d path%s, %llu games: ", context->n_args, context->n_args == 1 ? "" : "s",
                 (unsigned long long)verdict->games);
        text_add(&text, n == 0 ? "clean\n" : "%zu finding%s\n", n, n == 1 ? "" : "s");
    }
    rc = context_result(context, document, text.failed ? NULL : text.data);
    text_release(&text);
    if (rc == 0 && n > 0) {
        rc = err_set(OGPT_EFORMAT,
                     "verify: %zu finding%s; make the damaged files again, or take another copy", n,
                     n == 1 ? "" : "s");
    }
    return rc;
}

static int verify_run(Context *context)
{
    const VerifyOptions *options = context->options;
    int rc = options->settle ? settle_check(context) : 0;
    rc = rc != 0
             ? rc
             : context_run_begin(context, context->n_args == 1 ? context->args[0] : NULL, false);
    if (rc != 0) {
        return rc;
    }
    Verdict verdict = {.findings = js_array(), .rows = js_array()};
    verdict.items = mem_calloc((size_t)context->n_args, sizeof(*verdict.items), "paths");
    rc = !verdict.items ? OGPT_ENOMEM : options->settle ? paths_settle(context) : 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        verdict.items[verdict.n_items++].path = context->args[i];
    }
    rc = rc ? rc : paths_examine(&verdict);
    rc = rc ? rc : verdict_report(context, &verdict);
    for (int i = 0; i < verdict.n_items; i++) {
        text_release(&verdict.items[i].text);
    }
    mem_free(verdict.items);
    js_free(verdict.findings);
    js_free(verdict.rows);
    mem_free(verdict.models);
    return rc;
}

#define AT(field) offsetof(VerifyOptions, field)
static const OptionSpec specs[] = {
    {"settle", OPT_FLAG, AT(settle),
     .help = "before, end the rows of killed runs and drop those of checkpoints that are gone"},
};

const Command cmd_verify = {
    .name = "verify",
    .arguments = "PATH...",
    .summary = "check files completely: corpus, model, run, probe, activations, results",
    .examples = "ogpt verify games.ogpc\n"
                "ogpt verify runs/tiny probe            whether they belong together, too\n"
                "ogpt verify ogpt-results.db --settle   end the rows of killed runs first",
    .options = specs,
    .n_options = sizeof(specs) / sizeof(specs[0]),
    .options_bytes = sizeof(VerifyOptions),
    .min_args = 1,
    .max_args = -1,
    .uses = USES_STORE,
    .run = verify_run,
};
