/* probes/activations/activations_verify.h - is a folder of activations still what was written?
 *
 * The folder is that of probes/activations/activations_write.h. Checked are: index.json is one of
 * activations; the manifest and files of every shard that is there; that the shard belongs to the
 * model and corpus of the index; that every array has the rows that the index promises. Shards are
 * made in order, so one that is missing before another is damage; missing ones at the end are those
 * of a call that was interrupted. What dead processes left is found, too.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_VERIFY_H
#define OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define ACTIVATIONS_INDEX_MAX_BYTES (16 << 20)

typedef struct ActivationsFound {
    char site[64], model_hash[HASH_HEX_SIZE];
    size_t n_shards, n_there; /* promised, and on the disk, damaged ones included */
    int64_t n_rows;           /* promised */
} ActivationsFound;

/* Whether `path` holds an index.json of activations. */
bool activations_is_folder(const char *path);

/* `finding` gets one line a fault. Returns 0 when the folder could be examined, with or without
 * findings; OGPT_EFORMAT (index.json), OGPT_EIO, OGPT_EINTR, OGPT_ENOMEM. */
int activations_verify(ActivationsFound *out, const char *path,
                       void (*finding)(void *context, const char *line), void *context);

#endif
