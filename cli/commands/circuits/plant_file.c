/* cli/commands/circuits/plant_file.c - publishing a planted network. Contract in the header. */
#include "cli/commands/circuits/plant_file.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/edits/case_file.h"
#include "datasets/vocab.h"
#include "probes/board/probe.h"
#include "probes/cases/pairs.h"

/* The "planted" object in config.json of a directory, owned; NULL when there is none. */
static Js *planted_read(const char *path)
{
    char config[FILES_PATH_MAX];
    Js *json = NULL, *found = NULL;
    if (path_join(config, path, "config.json") == 0 && js_parse_file(&json, config, 1 << 20) == 0) {
        const Js *planted = js_member(js_member(json, "ogpt"), "planted");
        found = js_type(planted) == JS_OBJECT ? js_keep(planted) : NULL;
        js_free(json);
    }
    return found;
}

/* A directory of this name would be taken for the newest checkpoint of a run. */
static bool is_step_name(const char *path)
{
    const char *name = strrchr(path, '/');
    return run_step_of_name(name ? name + 1 : path) >= 0;
}

int plant_file_check(const char *path)
{
    PathKind kind;
    size_t n_stale = 0;
    int rc = path_kind(&kind, path);
    if (rc == 0 && is_step_name(path)) {
        return err_set(OGPT_EUSAGE, "%s: is the name of a checkpoint of a run; choose another name",
                       path);
    }
    if (rc == 0 && kind != PATH_MISSING) {
        Js *planted = kind == PATH_DIRECTORY ? planted_read(path) : NULL;
        bool ours = planted;
        js_free(planted);
        if (!ours) {
            return err_set(OGPT_EUSAGE,
                           "%s: exists and is no planted network, so none is put in its place; "
                           "choose another name",
                           path);
        }
    }
    return rc ? rc : path_clean_stale(&n_stale, path);
}

static Js *planted_write(const PlantedOptions *options)
{
    Js *planted = js_object();
    js_set_str(planted, "kind", planted_kind_name(options->kind));
    js_set_int(planted, "size", options->size);
    js_set_int(planted, "seed", (int64_t)options->seed);
    js_set_num(planted, "strength", options->strength);
    js_set(planted, "twin", js_bool(options->twin));
    return planted;
}

/* What is in the place already: the same network, another one, nothing. */
static int compare_published(bool *same, const char *path, const char *model_hash,
                             const Js *planted)
{
    char *there = NULL, *wanted = NULL;
    Js *manifest = NULL, *old = planted_read(path);
    int rc = 0;
    *same = false;
    if (!old) {
        return 0; /* nothing: plant_file_check let nothing else pass */
    }
    if (manifest_verify(&manifest, path) == 0) {
        const char *hash = manifest_file_sha256(manifest, "model.safetensors");
        *same = hash && strcmp(hash, model_hash) == 0;
    }
    if (!*same) {
        rc = js_print(&there, old, 0);
        rc = rc ? rc : js_print(&wanted, planted, 0);
        rc = rc ? rc
                : err_set(OGPT_EUSAGE,
                          "%s: holds another planted network, %s, or a damaged one; wanted %s; "
                          "name another directory, or replace it with --force",
                          path, there, wanted);
    }
    mem_free(there);
    mem_free(wanted);
    js_free(manifest);
    js_free(old);
    return rc;
}

/* Replacing a directory removes everything in it. */
static int check_probe_inside(const char *path)
{
    char probe[FILES_PATH_MAX];
    PathKind kind = PATH_MISSING;
    int rc = path_join(probe, path, PROBE_FOLDER);
    rc = rc ? rc : path_kind(&kind, probe);
    return rc || kind == PATH_MISSING
               ? rc
               : err_set(OGPT_EUSAGE,
                         "%s: a probe lies there, and replacing %s would remove it; move it away "
                         "first, or choose another name",
                         probe, path);
}

int plant_file_publish(bool *already, char model_hash[HASH_HEX_SIZE], const Context *context,
                       const Gpt *gpt, const PlantedOptions *options)
{
    const char *path = context->args[1];
    Publish *publish = NULL;
    Js *planted = planted_write(options), *about = js_object(), *fields = js_object();
    js_set(about, "planted", js_keep(planted));
    js_set(fields, "planted", js_keep(planted));
    *already = false;
    int rc = disk_preflight(path, gpt->n_numbers * sizeof(float));
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc == 0) {
        rc = model_save(publish, model_hash, gpt, about, false);
        rc = rc || context->force ? rc : compare_published(already, path, model_hash, planted);
        rc = rc || *already ? rc : check_probe_inside(path);
        if (rc || *already) {
            publish_abort(publish);
        } else {
            rc = publish_commit(publish, fields);
        }
    }
    js_free(planted);
    js_free(about);
    js_free(fields);
    return rc;
}

int plant_file_pairs(const Context *context, const char *path, const PlantedTruth *truth)
{
    const GameVariant *variant = game_variant(truth->size);
    const Vocab *vocab = vocab_of(variant);
    GamePair pair = {.n_moves = (int)truth->n_tokens,
                     .target = 1ULL << vocab->sq_of_tok[truth->target],
                     .other = 1ULL << vocab->sq_of_tok[truth->other]};
    const PairSet set = {.variant = variant, .pairs = &pair, .n = 1, .n_of = {[PAIR_CHOSEN] = 1}};
    char *text = NULL;
    size_t n_bytes = 0;
    memset(pair.clean, SQ_NONE, sizeof(pair.clean));
    memset(pair.corrupt, SQ_NONE, sizeof(pair.corrupt));
    for (size_t t = 0; t < truth->n_tokens; t++) {
        pair.clean[t] = vocab->sq_of_tok[truth->clean[t]];
        pair.corrupt[t] = vocab->sq_of_tok[truth->corrupt[t]];
    }
    int rc = pair_derive(&pair, variant);
    rc = rc ? rc : pairs_print(&text, &n_bytes, &set);
    rc = rc ? rc : casefile_publish(context, path, text, n_bytes, "pairs");
    mem_free(text);
    return rc;
}
