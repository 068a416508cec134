/* probes/artefacts/convert_goal.c - where a conversion goes: what may be put there, and whether
 * it is there already. Contract in probes/artefacts/convert.h. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "probes/artefacts/convert.h"
#include "model/checkpoint.h"
#include "probes/board/probe.h"
#include "probes/artefacts/probe_layout.h"

/* A probe of ours, or a file in the published probe's layout. */
int conversion_is_probe(bool *out, const char *path)
{
    PathKind ours = PATH_MISSING, theirs = PATH_MISSING, kind = PATH_MISSING;
    int rc = path_kind_in(&ours, path, "probe.json");
    rc = rc ? rc : path_kind_in(&theirs, path, PROBE_LAYOUT_FILE);
    rc = rc ? rc : path_kind(&kind, path);
    *out = rc == 0 && (ours == PATH_FILE || theirs == PATH_FILE);
    if (rc == 0 && kind == PATH_FILE) {
        rc = probe_layout_recognise(out, path);
    }
    return rc;
}

/* Whether the directory that `path` is to lie in is a run's: every step-* there is a checkpoint. */
static bool is_in_run(const char *path)
{
    char parent[FILES_PATH_MAX];
    char **names = NULL;
    size_t n = 0;
    bool is = false;
    if (path_parent(parent, path) != 0 || dir_list(&names, &n, parent) != 0) {
        return false; /* not there, or found out again where something is put into it */
    }
    for (size_t i = 0; i < n; i++) {
        is = is || run_step_of_name(names[i]) >= 0;
    }
    names_free(names, n);
    return is;
}

/* Whether `path` is the place of a run's own probe. */
static bool is_probe_of_run(const char *path)
{
    const char *name = strrchr(path, '/');
    return strcmp(name ? name + 1 : path, PROBE_FOLDER) == 0;
}

/* Why nothing may be put in the place of dst, with --force or without; NULL when it may. */
static const char *goal_fault(const Conversion *c)
{
    bool probe = false;
    if (is_in_run(c->dst) && !(c->probe && is_probe_of_run(c->dst))) {
        return "lies in the directory of a run";
    }
    if (path_holds(c->dst, c->src)) {
        return "holds what is to be converted";
    }
    PathKind kind, listed, state;
    if (path_kind(&kind, c->dst) != 0 || path_kind_in(&listed, c->dst, MANIFEST_NAME) != 0 ||
        path_kind_in(&state, c->dst, "train") != 0) {
        return "cannot be looked at";
    }
    if (kind == PATH_MISSING) {
        return NULL;
    }
    if (listed != PATH_FILE) {
        return "exists and is no model, probe or conversion of ours (no MANIFEST.json in it)";
    }
    if (state == PATH_DIRECTORY) {
        return "is a checkpoint with the state of its training";
    }
    if (conversion_is_probe(&probe, c->dst) != 0 || probe != c->probe) {
        return probe ? "holds a probe" : "holds a model";
    }
    return NULL;
}

int conversion_check_goal(const Conversion *c)
{
    const char *fault = goal_fault(c);
    return !fault ? 0
                  : err_set(OGPT_EUSAGE,
                            "%s: %s, so no %s is put in its place; choose "
                            "another name",
                            c->dst, fault, c->probe ? "probe" : "model");
}

/* Whether what is being published equals what is there already, by its hashes. */
static int same_as_published(bool *out, const char *dst, const Publish *publish,
                             const char *const *names, size_t n)
{
    Js *old = NULL;
    PathKind kind;
    int rc = path_kind(&kind, dst);
    *out = rc == 0 && kind == PATH_DIRECTORY && manifest_verify(&old, dst) == 0;
    for (size_t i = 0; rc == 0 && *out && i < n; i++) {
        char path[FILES_PATH_MAX], hash[HASH_HEX_SIZE];
        const char *listed = manifest_file_sha256(old, names[i]);
        rc = publish_path(path, publish, names[i]);
        rc = rc ? rc : sha256_file(hash, path);
        *out = rc == 0 && listed && strcmp(listed, hash) == 0;
    }
    js_free(old);
    return rc;
}

/* Refuse to replace a model together with the probe that lies in its directory: replacing removes
 * everything there. */
static int check_probe_inside(const Conversion *c)
{
    char probe[FILES_PATH_MAX];
    PathKind kind;
    int rc = path_join(probe, c->dst, PROBE_FOLDER);
    rc = rc ? rc : path_kind(&kind, probe);
    return rc || kind != PATH_DIRECTORY
               ? rc
               : err_set(OGPT_EUSAGE,
                         "%s: a probe lies there, and replacing %s would remove it; move it away "
                         "first, or choose another name",
                         probe, c->dst);
}

int conversion_publish(Conversion *c, Publish *publish, const Js *fields, const char *tensors,
                       const char *config)
{
    const char *const names[] = {tensors, config};
    PathKind kind = PATH_MISSING;
    int rc = same_as_published(&c->already, c->dst, publish, names, config ? 2 : 1);
    rc = rc ? rc : path_kind(&kind, c->dst);
    c->already = c->already && !c->force;
    if (rc == 0 && !c->already && kind == PATH_DIRECTORY && !c->force) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: holds something else than this conversion makes; name another "
                     "directory, or replace it with --force",
                     c->dst);
    }
    rc = rc || c->already ? rc : check_probe_inside(c);
    if (rc == 0 && !c->already) {
        return publish_commit(publish, fields);
    }
    publish_abort(publish);
    return rc;
}

int conversion_load(const Conversion *c, ModelFile *out, const char *path)
{
    char *warning = NULL;
    int rc = model_load(out, path, &warning);
    if (warning) {
        c->warn(c->context, warning);
        mem_free(warning);
    }
    return rc;
}
