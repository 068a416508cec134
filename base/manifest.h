/* base/manifest.h - publishing a directory of files, and trusting one.
 *
 * Publishing (docs/RELIABILITY.md): files are written into ".tmp-<pid>-<name>/" beside the goal,
 * each fsynced. MANIFEST.json is written last: size and SHA-256 of each file, the caller's fields,
 * and "manifest_sha256", the SHA-256 of the compact print of all members before it. Then the
 * directory is fsynced and renamed, and its parent fsynced. Readers trust only a directory whose
 * manifest verifies.
 */
#ifndef OGPT_BASE_MANIFEST_H
#define OGPT_BASE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/js.h"

#define MANIFEST_NAME "MANIFEST.json" /* in a directory that was published, and in no other */

typedef struct Publish Publish;

/* Start publishing directory `path`. Refuses an existing one (OGPT_EUSAGE) unless `replace`,
 * in which case the old one is renamed away at commit and removed once the new one is in place. */
int publish_begin(Publish **out, const char *path, bool replace);
/* Write one file. `name` may contain one '/' ("train/optim.safetensors"). */
int publish_file(Publish *publish, const char *name, const void *data, size_t n_bytes);
/* Path of a file inside the temporary directory, into out[FILES_PATH_MAX], for writers that stream.
 * They must fsync and close the file, then register it with publish_adopt. */
int publish_path(char *out, const Publish *publish, const char *name);
int publish_adopt(Publish *publish, const char *name);
/* Write the manifest with `fields` (object; its members are copied in order) and rename into
 * place. Always frees the handle; after an error the temporary directory is removed. OGPT_EUSAGE:
 * the manifest has more than 64 MiB, which manifest_verify would not read. */
int publish_commit(Publish *publish, const Js *fields);
void publish_abort(Publish *publish);

/* Verify that `path` has a MANIFEST.json with a correct hash of itself, and that every file it
 * lists has the listed size and SHA-256. *out (may be NULL): the parsed manifest, owned. Returns 0,
 * OGPT_EIO (no such directory), OGPT_EFORMAT (message: file, expected, found). */
int manifest_verify(Js **out, const char *path);
/* SHA-256 (hex, borrowed from the manifest) of one listed file; NULL when not listed. */
const char *manifest_file_sha256(const Js *manifest, const char *name);

#endif
