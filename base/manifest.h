/* base/manifest.h - publishing a directory of files, and trusting one.
 *
 * Publishing (reliability R3): files are written into ".tmp-<pid>-<name>/" beside the goal,
 * each fsynced; MANIFEST.json (size and SHA-256 of each file, then the caller's fields, last
 * a hash of the manifest itself: member "manifest_sha256" = SHA-256 of the compact print of
 * all members before it) is written last; the directory is fsynced, renamed, and its parent
 * fsynced. Readers trust only a directory whose manifest verifies.
 */
#ifndef OGPT_BASE_MANIFEST_H
#define OGPT_BASE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/js.h"

typedef struct Publish Publish;

/* Start publishing directory `path`. Refuses an existing one (OGPT_EUSAGE) unless `replace`,
 * in which case the old one is renamed away at commit and removed after the new one stands. */
int publish_begin(Publish **out, const char *path, bool replace);
/* Write one file. `name` may hold one '/' ("train/optim.safetensors"). */
int publish_file(Publish *publish, const char *name, const void *data, size_t n_bytes);
/* Path of a file inside the temporary directory, for writers that stream (they must fsync
 * and close); register it with publish_adopt when written. Out is FILES_PATH_MAX bytes. */
int publish_path(char *out, const Publish *publish, const char *name);
int publish_adopt(Publish *publish, const char *name);
/* Write the manifest with `fields` (object; its members are copied in order) and rename into
 * place. Frees the handle whatever happens; on failure the temporary directory is removed. */
int publish_commit(Publish *publish, const Js *fields);
void publish_abort(Publish *publish);

/* Verify that `path` holds a MANIFEST.json whose own hash holds and that every file it lists
 * has the listed size and SHA-256. *out (may be NULL): the parsed manifest, owned. Returns 0,
 * OGPT_EIO (no such directory), OGPT_EFORMAT (message: file, expected, found). */
int manifest_verify(Js **out, const char *path);
/* SHA-256 (hex, borrowed from the manifest) of one listed file; NULL when not listed. */
const char *manifest_file_sha256(const Js *manifest, const char *name);

#endif
