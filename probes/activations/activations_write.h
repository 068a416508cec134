/* probes/activations/activations_write.h - activations as .npy files for notebooks, shard by shard.
 *
 * OUT/index.json           the options, the hashes of model and corpus, the list of shards
 * OUT/shard-00000/         whole games, in the order of the corpus
 *   blocks.3.hook_resid_post.npy   (rows, width) <f4, one file a layer
 *   labels.npy             (rows, size, size) |u1, classes of the task in the order of index.json
 *   game.npy               (rows) <i8, number of the game in the corpus, from 0
 *   ply.npy                (rows) |u1, moves that the network has seen: t + 1
 *   MANIFEST.json          sizes and SHA-256
 *
 * A shard holds as many games as fit in work->memory_bytes and is published whole
 * (base/manifest.h). After a kill, the same call continues: it keeps the shards whose manifest
 * verifies and makes the others again. The bytes are those of a call that was never killed.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_WRITE_H
#define OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_WRITE_H

#include "probes/activations/activations.h"
#include "probes/activations/subject.h"

#define ACTIVATIONS_MEMORY ((size_t)256 << 20)

struct ActivationsReport;

typedef struct ActivationsOptions {
    const char *task;   /* of labels.npy: TASK_NAMES */
    const char *labels; /* "mover" or "parity" */
    HookSite site;
    int n_layers;           /* 1 at least */
    int layers[LAYERS_MAX]; /* ascending; LAYER_EMBED with resid_post only */
    unsigned split_mask;    /* bits 1 << Split */
    size_t n_games;         /* the first of these splits */
    int plies;              /* drawn from each game; 0: all */
    uint64_t ply_mask;      /* only with plies 0: bit t takes position t; 0: all */
    bool replace;           /* begin again where activations were made with other options */
    /* NULL, or called once with the plan before anything is captured. */
    void (*announce)(void *context, const struct ActivationsReport *planned);
    void *context; /* of announce */
} ActivationsOptions;

typedef struct ActivationsReport {
    size_t n_games, n_rows, n_shards, n_kept, shard_games;
    double flops;           /* of the passes forward of all games, roughly */
    size_t memory_bytes;    /* planned for rows of a shard, labels, tapes */
    uint64_t bytes;         /* of all arrays */
    uint64_t n_tokens;      /* pushed through the network in this call */
    double capture_seconds; /* in which they did */
    char corpus_hash[HASH_HEX_SIZE + 32];
} ActivationsReport;

/* Write what is missing at `path`. Only activations are ever replaced; anything else at `path` is
 * never touched. work: the pool, the seed of the drawn plies, memory_bytes for the rows of a shard
 * (0: ACTIVATIONS_MEMORY), tick("shards"). Returns 0, OGPT_EUSAGE (bad options; `path` holds
 * something else, or activations of other options: the difference is named), OGPT_ELOCKED,
 * OGPT_EFORMAT, OGPT_EIO (or not enough room on the disk), OGPT_ENUM, OGPT_EINTR (finished shards
 * stay), OGPT_ENOMEM. */
int activations_write(ActivationsReport *out, const char *path, const Subject *subject,
                      Corpus *corpus, const ActivationsOptions *options, const Work *work);

#endif
