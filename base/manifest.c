/* base/manifest.c - see manifest.h. */
#define _GNU_SOURCE
#include "base/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/files_new.h"
#include "base/hash.h"

#define MANIFEST_MAX_BYTES ((size_t)64 << 20) /* some 480,000 files */
#define INDENT 2
#define OWN_HASH "manifest_sha256"

struct Publish {
    char goal[FILES_PATH_MAX];
    char parent[FILES_PATH_MAX];
    char temporary[FILES_PATH_MAX]; /* being filled */
    char old[FILES_PATH_MAX]; /* the directory that is replaced, until the new one is in place */
    bool replace;
    Js *files; /* name -> {size, sha256}, in the order written */
};

/* ---- names inside a directory ---- */

/* A part is [A-Za-z0-9][A-Za-z0-9._-]{0,63}: nothing in it leaves the directory or hides. */
static bool part_is_valid(const char *part, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "._-";
    return length >= 1 && length <= 64 && strspn(part, letters) >= length &&
           !strchr("._-", part[0]);
}

static bool name_is_valid(const char *name)
{
    size_t length = strlen(name), first = strcspn(name, "/");
    return part_is_valid(name, first) &&
           (first == length || part_is_valid(name + first + 1, length - first - 1)) &&
           strcmp(name, MANIFEST_NAME) != 0;
}

/* ---- writing ---- */

void publish_abort(Publish *publish)
{
    if (!publish) {
        return;
    }
    struct stat info;
    if (publish->temporary[0] != 0 && (lstat(publish->temporary, &info) == 0 || errno != ENOENT)) {
        /* the earlier error matters more than a directory that stays behind */
        char *message = mem_strdup(err_message(), "an error message");
        dir_remove(publish->temporary);
        if (message) {
            err_set(OGPT_EIO, "%s", message);
            mem_free(message);
        }
    }
    js_free(publish->files);
    mem_free(publish);
}

static int temporary_create(Publish *publish)
{
    PathKind kind;
    int rc = path_kind(&kind, publish->temporary);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        /* the system reuses pids: an earlier process with ours left it */
        rc = dir_remove(publish->temporary);
    }
    rc = rc ? rc : dir_create(publish->parent);
    if (rc == 0 && mkdir(publish->temporary, 0777) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: directory cannot be created", publish->temporary);
    }
    return rc;
}

int publish_begin(Publish **out, const char *path, bool replace)
{
    *out = NULL;
    struct stat info;
    PathKind kind;
    int seen = path__entry(&kind, &info, path);
    if (seen == 0 && !replace && kind != PATH_MISSING) {
        return err_set(OGPT_EUSAGE,
                       "%s: exists already; choose another name, or replace it with --force", path);
    }
    if (seen == 0 && kind != PATH_MISSING && kind != PATH_DIRECTORY) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected a directory to replace, found a %s; choose another name", path,
                       path__kind(&info));
    }
    Publish *publish = seen ? NULL : mem_calloc(1, sizeof(*publish), path);
    if (!publish) {
        return seen ? seen : OGPT_ENOMEM;
    }
    publish->replace = replace;
    publish->files = js_object();
    int rc = path_parent(publish->parent, path);
    rc = rc ? rc : path__beside(publish->old, PREFIX_OLD, path);
    rc = rc ? rc : path__beside(publish->temporary, PREFIX_NEW, path);
    if (rc == 0) {
        snprintf(publish->goal, sizeof(publish->goal), "%s", path); /* shorter than `temporary` */
        rc = temporary_create(publish);
    }
    if (rc != 0) {
        publish_abort(publish);
        return rc;
    }
    *out = publish;
    return 0;
}

int publish_path(char *out, const Publish *publish, const char *name)
{
    if (!name_is_valid(name)) {
        return err_set(OGPT_EUSAGE,
                       "%s: \"%s\" cannot name a published file; expected letters, digits and "
                       "'._-', at most one '/'",
                       publish->goal, name);
    }
    int rc = path_join(out, publish->temporary, name);
    if (rc == 0 && strchr(name, '/')) {
        char parent[FILES_PATH_MAX];
        rc = path_parent(parent, out);
        rc = rc ? rc : dir_create(parent);
    }
    return rc;
}

static int file_register(Publish *publish, const char *name, uint64_t size,
                         const char hex[HASH_HEX_SIZE])
{
    if (js_has(publish->files, name)) {
        return err_set(OGPT_EUSAGE, "%s: file \"%s\" is published twice", publish->goal, name);
    }
    Js *entry = js_object();
    js_set_int(entry, "size", (int64_t)size);
    js_set_str(entry, "sha256", hex);
    js_set(publish->files, name, entry);
    return 0;
}

int publish_file(Publish *publish, const char *name, const void *data, size_t n_bytes)
{
    char path[FILES_PATH_MAX], hex[HASH_HEX_SIZE];
    int rc = publish_path(path, publish, name);
    rc = rc ? rc : file_new_write_new(path, data, n_bytes);
    if (rc != 0) {
        return rc;
    }
    sha256_of(hex, data, n_bytes);
    return file_register(publish, name, n_bytes, hex);
}

int publish_adopt(Publish *publish, const char *name)
{
    char path[FILES_PATH_MAX], hex[HASH_HEX_SIZE];
    uint64_t size;
    int rc = publish_path(path, publish, name);
    rc = rc ? rc : file_size(&size, path);
    rc = rc ? rc : sha256_file(hex, path);
    return rc ? rc : file_register(publish, name, size, hex);
}

/* SHA-256 of the compact print of all members of `manifest` but its own hash. */
static int own_hash(char hex[HASH_HEX_SIZE], const Js *manifest)
{
    Js *rest = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(manifest, &it, &key, &value)) {
        if (strcmp(key, OWN_HASH) != 0) {
            js_set(rest, key, js_keep(value));
        }
    }
    char *text;
    int rc = js_print(&text, rest, 0);
    if (rc == 0) {
        sha256_of(hex, text, strlen(text));
        mem_free(text);
    }
    js_free(rest);
    return rc;
}

/* The text of the file: indented for people, one newline at the end. */
static int manifest_text(char **out, const Js *manifest)
{
    char *text;
    int rc = js_print(&text, manifest, INDENT);
    *out = NULL;
    if (rc != 0) {
        return rc;
    }
    size_t length = strlen(text);
    *out = mem_realloc(text, length + 2, 1, MANIFEST_NAME);
    if (!*out) {
        mem_free(text);
        return OGPT_ENOMEM;
    }
    memcpy(*out + length, "\n", 2);
    return 0;
}

/* Readers take no more, so nothing longer is written. */
static int length_check(const char *text, const char *origin)
{
    const size_t length = strlen(text);
    return length <= MANIFEST_MAX_BYTES
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: %s of %zu bytes, expected at most %zu: publish fewer files", origin,
                         MANIFEST_NAME, length, MANIFEST_MAX_BYTES);
}

static int manifest_write(const Publish *publish, const Js *fields)
{
    Js *manifest = js_object();
    char *text = NULL;
    char path[FILES_PATH_MAX], hex[HASH_HEX_SIZE];
    js_set(manifest, "files", js_keep(publish->files));
    void *it = NULL;
    const char *key;
    const Js *value;
    int rc = 0;
    while (fields && rc == 0 && js_next(fields, &it, &key, &value)) {
        if (strcmp(key, OWN_HASH) == 0 || strcmp(key, "files") == 0) {
            rc = err_set(OGPT_EUSAGE, "%s: the manifest writes member \"%s\" itself", publish->goal,
                         key);
        }
        js_set(manifest, key, js_keep(value));
    }
    rc = rc ? rc : own_hash(hex, manifest);
    if (rc == 0) {
        js_set_str(manifest, OWN_HASH, hex);
        rc = manifest_text(&text, manifest);
    }
    rc = rc ? rc : length_check(text, publish->goal);
    rc = rc ? rc : path_join(path, publish->temporary, MANIFEST_NAME);
    rc = rc ? rc : file_new_write_new(path, text, strlen(text));
    mem_free(text);
    js_free(manifest);
    return rc;
}

/* fsync the temporary directory and those within it. */
static int directories_sync(const Publish *publish)
{
    void *it = NULL;
    const char *name;
    const Js *entry;
    while (js_next(publish->files, &it, &name, &entry)) {
        char path[FILES_PATH_MAX], parent[FILES_PATH_MAX];
        int rc = 0;
        if (strchr(name, '/')) {
            rc = path_join(path, publish->temporary, name);
            rc = rc ? rc : path_parent(parent, path);
            rc = rc ? rc : dir__sync(parent);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return dir__sync(publish->temporary);
}

/* The new directory takes the goal's name. An old one is renamed away first; if the process dies
 * between the two renames, dir_clean_stale puts it back. */
static int goal_take(const Publish *publish)
{
    struct stat info;
    PathKind kind = PATH_MISSING;
    int rc = publish->replace ? path__entry(&kind, &info, publish->goal) : 0;
    bool aside = kind != PATH_MISSING;
    if (rc != 0) {
        return rc;
    }
    if (aside && rename(publish->goal, publish->old) != 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be replaced", publish->goal);
    }
    if (rename(publish->temporary, publish->goal) != 0) {
        rc = errno == ENOTEMPTY || errno == EEXIST
                 ? err_set(OGPT_EUSAGE, "%s: another process has made it meanwhile", publish->goal)
                 : err_set_errno(OGPT_EIO, "%s: cannot be put in place", publish->goal);
        if (aside && rename(publish->old, publish->goal) != 0) {
            rc = err_set_errno(OGPT_EIO, "%s: the former directory is now %s", publish->goal,
                               publish->old);
        }
        return rc;
    }
    rc = dir__sync(publish->parent);
    return rc == 0 && aside ? dir_remove(publish->old) : rc;
}

int publish_commit(Publish *publish, const Js *fields)
{
    int rc = manifest_write(publish, fields);
    rc = rc ? rc : directories_sync(publish);
    rc = rc ? rc : goal_take(publish);
    publish_abort(publish); /* after success there is no temporary directory to remove */
    return rc;
}

/* ---- reading ---- */

static int entry_verify(const char *dir, const char *name, const Js *entry, const char *origin)
{
    int64_t size;
    uint64_t found_size;
    const char *sha256;
    PathKind kind;
    char path[FILES_PATH_MAX], hex[HASH_HEX_SIZE];
    if (!name_is_valid(name)) {
        return err_set(OGPT_EFORMAT, "%s: \"%s\" cannot name a published file", origin, name);
    }
    int rc = js_get_int(&size, entry, "size", 0, INT64_MAX, origin);
    rc = rc ? rc : js_get_str(&sha256, entry, "sha256", origin);
    rc = rc ? rc : path_join(path, dir, name);
    rc = rc ? rc : path_kind(&kind, path);
    if (rc == 0 && kind != PATH_FILE) {
        rc = err_set(OGPT_EFORMAT, "%s: listed in %s, but missing; use another copy", path,
                     MANIFEST_NAME);
    }
    rc = rc ? rc : file_size(&found_size, path);
    if (rc == 0 && found_size != (uint64_t)size) {
        rc = err_set(OGPT_EFORMAT, "%s: expected %lld bytes, found %llu; use another copy", path,
                     (long long)size, (unsigned long long)found_size);
    }
    rc = rc ? rc : sha256_file(hex, path);
    if (rc == 0 && strcmp(hex, sha256) != 0) {
        rc = err_set(OGPT_EFORMAT, "%s: expected SHA-256 %s, found %s; use another copy", path,
                     sha256, hex);
    }
    return rc;
}

/* The manifest's bytes must be exactly those that manifest_text makes of its content, so that every
 * changed bit is noticed, even one that does not change the JSON's meaning. */
static int text_verify(const Js *manifest, const char *text, size_t length, const char *origin)
{
    const char *listed;
    char hex[HASH_HEX_SIZE];
    int rc = js_get_str(&listed, manifest, OWN_HASH, origin);
    rc = rc ? rc : own_hash(hex, manifest);
    if (rc == 0 && strcmp(hex, listed) != 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: expected the manifest's own SHA-256 %s, found %s; use another copy",
                     origin, listed, hex);
    }
    char *canonical = NULL;
    rc = rc ? rc : manifest_text(&canonical, manifest);
    if (rc == 0 && (strlen(canonical) != length || memcmp(canonical, text, length) != 0)) {
        rc = err_set(OGPT_EFORMAT, "%s: is not laid out as it was published; use another copy",
                     origin);
    }
    mem_free(canonical);
    return rc;
}

static int files_verify(const Js *manifest, const char *path, const char *origin)
{
    const Js *files;
    int rc = js_get_object(&files, manifest, "files", origin);
    void *it = NULL;
    const char *name;
    const Js *entry;
    while (rc == 0 && js_next(files, &it, &name, &entry)) {
        rc = entry_verify(path, name, entry, origin);
    }
    return rc;
}

int manifest_verify(Js **out, const char *path)
{
    char origin[FILES_PATH_MAX];
    void *text = NULL;
    size_t length;
    Js *manifest = NULL;
    if (out) {
        *out = NULL;
    }
    PathKind kind, inside = PATH_OTHER;
    int rc = path_kind(&kind, path);
    if (rc != 0) {
        return rc;
    }
    if (kind != PATH_DIRECTORY) {
        return kind == PATH_FILE
                   ? err_set(OGPT_EFORMAT, "%s: expected a directory, found a file", path)
                   : err_set(OGPT_EIO, "%s: expected a directory, found none", path);
    }
    rc = path_join(origin, path, MANIFEST_NAME);
    rc = rc ? rc : path_kind(&inside, origin);
    if (rc == 0 && inside != PATH_FILE) {
        rc = err_set(OGPT_EFORMAT, "%s: missing; %s was not published completely or is not ours",
                     origin, path);
    }
    rc = rc ? rc : file_read_all(&text, &length, origin, MANIFEST_MAX_BYTES);
    rc = rc ? rc : js_parse(&manifest, text, length, origin);
    rc = rc ? rc : text_verify(manifest, text, length, origin);
    rc = rc ? rc : files_verify(manifest, path, origin);
    mem_free(text);
    if (rc == 0 && out) {
        *out = manifest;
    } else {
        js_free(manifest);
    }
    return rc;
}

const char *manifest_file_sha256(const Js *manifest, const char *name)
{
    return js_str_of(js_member(js_member(js_member(manifest, "files"), name), "sha256"));
}
