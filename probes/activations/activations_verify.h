/* probes/activations/activations_verify.h - is a folder of activations still what was written?
 *
 * The layout of the folder is described in probes/activations/activations_write.h. The check reads
 * index.json, the manifest and the files of every shard on the disk. It compares the model and the
 * corpus of each shard, and the rows of each array, with the index. Shards are made in order:
 * a missing shard with later ones behind it is damage, missing shards at the end belong to an
 * interrupted call. Leftovers of dead processes are findings too.
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
    size_t n_shards, n_there; /* promised by the index; on the disk, damaged or not */
    int64_t n_rows;           /* promised */
} ActivationsFound;

/* *out: `path` holds an index.json of activations. OGPT_EIO if that cannot be found out. */
int activations_is_folder(bool *out, const char *path);

/* Check the whole folder. `finding` is called with one line for each fault. Returns 0 when the
 * folder could be examined, with or without findings; OGPT_EFORMAT (index.json), OGPT_EIO,
 * OGPT_EINTR, OGPT_ENOMEM. */
int activations_verify(ActivationsFound *out, const char *path,
                       void (*finding)(void *context, const char *line), void *context);

#endif
