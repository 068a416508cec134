/* cli/commands/common/made_model.c - contract in made_model.h. */
#include "cli/commands/common/made_model.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "probes/board/probe.h"

/* The object of this name in config.json of a directory, owned; NULL when there is none. */
static Js *read_made(const char *path, const char *word)
{
    char config[FILES_PATH_MAX];
    Js *json = NULL, *found = NULL;
    if (path_join(config, path, "config.json") == 0 && js_parse_file(&json, config, 1 << 20) == 0) {
        const Js *made = js_member(js_member(json, "ogpt"), word);
        found = js_type(made) == JS_OBJECT ? js_keep(made) : NULL;
        js_free(json);
    }
    return found;
}

/* *out: each member of `known` has the same value in `made`. */
static int holds_known(bool *out, const Js *made, const Js *known)
{
    const char *key = NULL;
    const Js *value = NULL;
    int rc = 0;
    *out = true;
    for (void *it = NULL; rc == 0 && *out && js_next(known, &it, &key, &value);) {
        char *there = NULL, *wanted = NULL;
        const Js *member = js_member(made, key);
        rc = member ? js_print(&there, member, 0) : 0;
        rc = rc ? rc : js_print(&wanted, value, 0);
        *out = rc == 0 && there && strcmp(there, wanted) == 0;
        mem_free(there);
        mem_free(wanted);
    }
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

/* Another network is in the place. */
static int replace(const Context *context, const char *path, const char *word, const Js *made,
                   const Js *known)
{
    char *there = NULL, *wanted = NULL;
    int rc = 0;
    if (context->force) {
        return check_probe_inside(path);
    }
    rc = js_print(&there, made, 0);
    rc = rc ? rc : js_print(&wanted, known, 0);
    rc = rc ? rc
            : err_set(OGPT_EUSAGE,
                      "%s: holds another %s network, %s, or a damaged one; wanted %s; name another "
                      "directory, or replace it with --force",
                      path, word, there, wanted);
    mem_free(there);
    mem_free(wanted);
    return rc;
}

/* A directory of this name would be taken for the newest checkpoint of a run. */
static bool is_step_name(const char *path)
{
    char name[FILES_PATH_MAX];
    snprintf(name, sizeof(name), "%s", path);
    for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--) {
        name[n - 1] = '\0';
    }
    const char *slash = strrchr(name, '/');
    return run_step_of_name(slash ? slash + 1 : name) >= 0;
}

int made_model_check(const Context *context, const char *path, const char *word, const Js *known)
{
    PathKind kind;
    size_t n_stale = 0;
    bool same = true;
    int rc = path_kind(&kind, path);
    if (rc == 0 && is_step_name(path)) {
        return err_set(OGPT_EUSAGE, "%s: is the name of a checkpoint of a run; choose another name",
                       path);
    }
    Js *made = rc == 0 && kind == PATH_DIRECTORY ? read_made(path, word) : NULL;
    if (rc == 0 && kind != PATH_MISSING && !made) {
        return err_set(OGPT_EUSAGE,
                       "%s: exists and is no %s network, so none is put in its place; choose "
                       "another name",
                       path, word);
    }
    rc = rc || !made ? rc : holds_known(&same, made, known);
    rc = rc || same ? rc : replace(context, path, word, made, known);
    js_free(made);
    return rc ? rc : path_clean_stale(&n_stale, path);
}

/* What is in the place already: the same network, another one, nothing. */
static int compare_made(bool *same, const Context *context, const char *path,
                        const char *model_hash, const char *word, const Js *what)
{
    Js *manifest = NULL, *made = read_made(path, word);
    *same = false;
    if (!made) {
        return 0; /* nothing: made_model_check let nothing else pass */
    }
    if (manifest_verify(&manifest, path) == 0) {
        const char *hash = manifest_file_sha256(manifest, "model.safetensors");
        *same = hash && strcmp(hash, model_hash) == 0;
    }
    int rc = *same ? 0 : replace(context, path, word, made, what);
    js_free(manifest);
    js_free(made);
    return rc;
}

int made_model_publish(bool *already, char model_hash[HASH_HEX_SIZE], const Context *context,
                       const char *path, const Gpt *gpt, const char *word, const Js *what)
{
    Publish *publish = NULL;
    Js *about = js_object();
    js_set(about, word, js_keep(what));
    *already = false;
    int rc = disk_preflight(path, gpt->n_numbers * sizeof(float));
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc == 0) {
        rc = model_save(publish, model_hash, gpt, about, false);
        rc = rc ? rc : compare_made(already, context, path, model_hash, word, what);
        if (rc || *already) {
            publish_abort(publish);
        } else {
            rc = publish_commit(publish, about);
        }
    }
    js_free(about);
    return rc;
}
