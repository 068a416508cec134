/* probes/activations/activations_verify.c - see probes/activations/activations_verify.h. */
#include "probes/activations/activations_verify.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/js.h"
#include "base/manifest.h"
#include "base/formats/npy.h"
#include "base/process.h"

typedef struct Check {
    const char *path;
    const Js *index;
    void (*finding)(void *context, const char *line);
    void *context;
} Check;

/* A damaged file becomes a finding. Any other error says nothing about the folder and ends the
 * check. */
static int found(const Check *check, int rc)
{
    if (rc == OGPT_EFORMAT) {
        check->finding(check->context, err_message());
        return 0;
    }
    return rc;
}

static int index_read(Js **out, const char *path)
{
    char file[FILES_PATH_MAX];
    int rc = path_join(file, path, "index.json");
    return rc ? rc : js_parse_file(out, file, ACTIVATIONS_INDEX_MAX_BYTES);
}

static bool is_index(const Js *index)
{
    const char *kind = js_str_of(js_member(index, "kind"));
    return kind && strcmp(kind, "activations") == 0;
}

int activations_is_folder(bool *out, const char *path)
{
    Js *index = NULL;
    int rc = index_read(&index, path);
    *out = rc == 0 && is_index(index);
    js_free(index);
    return rc == OGPT_EFORMAT ? 0 : rc;
}

/* Refuse a shard that was made from another model or corpus. */
static int check_origin(const Check *check, const char *shard, const Js *manifest)
{
    static const char *const keys[] = {"model_hash", "corpus_hash"};
    for (int i = 0; i < 2; i++) {
        const char *asked = js_str_of(js_member(check->index, keys[i]));
        const char *there = js_str_of(js_member(manifest, keys[i]));
        if (!asked || !there || strcmp(asked, there) != 0) {
            return err_set(OGPT_EFORMAT, "%s: %s %.12s, expected %.12s as in index.json", shard,
                           keys[i], there ? there : "(none)", asked ? asked : "(none)");
        }
    }
    return 0;
}

static int check_array(const char *shard, const Js *manifest, const char *name, int64_t rows)
{
    char file[FILES_PATH_MAX];
    NpyHeader header;
    if (!name || !manifest_file_sha256(manifest, name)) {
        return err_set(OGPT_EFORMAT, "%s: expected %.80s among its files", shard,
                       name ? name : "an array");
    }
    int rc = path_join(file, shard, name);
    rc = rc ? rc : npy_read_header(&header, file);
    if (rc == 0 && (header.rank < 1 || header.shape[0] != (uint64_t)rows)) {
        rc = err_set(OGPT_EFORMAT, "%s: expected %lld rows as in index.json, found %llu", file,
                     (long long)rows, header.rank < 1 ? 0 : (unsigned long long)header.shape[0]);
    }
    return rc;
}

static int check_shard(const Check *check, const char *shard, int64_t rows)
{
    static const char *const beside[] = {"labels.npy", "game.npy", "ply.npy"};
    const Js *files = js_member(check->index, "files");
    Js *manifest = NULL;
    int rc = manifest_verify(&manifest, shard);
    rc = rc ? rc : check_origin(check, shard, manifest);
    for (size_t i = 0; i < js_length(files) && rc == 0; i++) {
        rc = check_array(shard, manifest, js_str_of(js_at(files, i)), rows);
    }
    for (size_t i = 0; i < 3 && rc == 0; i++) {
        rc = check_array(shard, manifest, beside[i], rows);
    }
    js_free(manifest);
    return rc;
}

/* The path of shard i, and its rows, which are added to out->n_rows. */
static int next_shard(char path[FILES_PATH_MAX], int64_t *rows, ActivationsFound *out,
                      const Check *check, size_t i)
{
    const Js *row = js_at(js_member(check->index, "shards"), i);
    const char *name = js_str_of(js_member(row, "name"));
    *rows = js_int_of(js_member(row, "rows"));
    if (!name || strncmp(name, "shard-", 6) != 0 || strlen(name) > 32 || strchr(name, '/') ||
        *rows < 0 || __builtin_add_overflow(out->n_rows, *rows, &out->n_rows)) {
        return err_set(OGPT_EFORMAT, "%s: index.json: shards[%zu] is not a shard", check->path, i);
    }
    return path_join(path, check->path, name);
}

static int check_shards(ActivationsFound *out, const Check *check)
{
    char path[FILES_PATH_MAX];
    int64_t rows, promised = js_int_of(js_member(check->index, "rows"));
    size_t end = 0; /* one behind the last shard on the disk */
    PathKind kind;
    int rc = 0;
    out->n_shards = js_length(js_member(check->index, "shards"));
    for (size_t i = 0; i < out->n_shards && rc == 0; i++) {
        rc = next_shard(path, &rows, out, check, i);
        rc = rc ? rc : path_kind(&kind, path);
        end = rc == 0 && kind == PATH_DIRECTORY ? i + 1 : end;
    }
    if (rc == 0 && (out->n_shards == 0 || out->n_rows != promised)) {
        rc = err_set(OGPT_EFORMAT, "%s: index.json: %lld rows, its %zu shards hold %lld",
                     check->path, (long long)promised, out->n_shards, (long long)out->n_rows);
    }
    ActivationsFound again = {0};
    for (size_t i = 0; i < end && rc == 0; i++) {
        rc = next_shard(path, &rows, &again, check, i);
        rc = rc ? rc : path_kind(&kind, path);
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR, "%s: interrupted after %zu shards", check->path, i);
        } else if (rc == 0 && kind != PATH_DIRECTORY) {
            rc = found(check, err_set(OGPT_EFORMAT,
                                      "%s: missing, with later shards there; type the command that "
                                      "made the folder again (ogpt activations)",
                                      path));
        } else if (rc == 0) {
            out->n_there++;
            rc = found(check, check_shard(check, path, rows));
        }
    }
    return rc;
}

static int check_leftovers(const Check *check)
{
    char **names = NULL;
    size_t n = 0;
    int rc = dir_list_stale(&names, &n, check->path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = found(check, err_set(OGPT_EFORMAT,
                                  "%s/%s: left by a process that is over; typing the command that "
                                  "made the folder again removes it",
                                  check->path, names[i]));
    }
    names_free(names, n);
    return rc;
}

int activations_verify(ActivationsFound *out, const char *path,
                       void (*finding)(void *context, const char *line), void *context)
{
    Js *index = NULL;
    *out = (ActivationsFound){0};
    int rc = index_read(&index, path);
    if (rc == 0 && !is_index(index)) {
        rc = err_set(OGPT_EFORMAT, "%s: index.json does not describe activations", path);
    }
    if (rc == 0) {
        const char *site = js_str_of(js_member(index, "site"));
        const char *hash = js_str_of(js_member(index, "model_hash"));
        Check check = {path, index, finding, context};
        snprintf(out->site, sizeof(out->site), "%s", site ? site : "?");
        snprintf(out->model_hash, sizeof(out->model_hash), "%s", hash ? hash : "?");
        rc = check_shards(out, &check);
        rc = rc ? rc : check_leftovers(&check);
    }
    js_free(index);
    return rc;
}
