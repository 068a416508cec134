/* probes/activations/activations_write.h - activations as .npy files for notebooks, shard by shard.
 *
 * OUT/index.json           what was asked for, of which model and corpus, and the list of shards
 * OUT/shard-00000/         whole games, in the order of the corpus
 *   blocks.3.hook_resid_post.npy   (rows, width) <f4, one file a layer
 *   labels.npy             (rows, size, size) |u1, classes of the task in the order of index.json
 *   game.npy               (rows) <i8, number of the game in the corpus, from 0
 *   ply.npy                (rows) |u1, moves that the network has seen: t + 1
 *   MANIFEST.json          sizes and SHA-256
 *
 * A shard holds as many games as fit in memory_bytes and is published whole (base/manifest.h). The
 * same call goes on after a kill: shards whose manifest verifies are kept, the others are made
 * again, and the bytes are those of an unbroken call.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_WRITE_H
#define OGPT_PROBES_ACTIVATIONS_ACTIVATIONS_WRITE_H

#include "datasets/corpus.h"
#include "probes/activations/activations.h"

typedef struct ActivationsOptions {
    const char *task;   /* of labels.npy: TASK_NAMES */
    const char *labels; /* "mover" or "parity" */
    HookSite site;
    int n_layers;           /* 1 at least */
    int layers[LAYERS_MAX]; /* ascending; LAYER_EMBED with resid_post only */
    unsigned split_mask;    /* bits 1 << Split */
    size_t n_games;         /* the first of these splits */
    int plies;              /* drawn of each game; 0: all */
    uint64_t ply_mask;      /* bit t: with plies 0, only these positions; 0: all */
    uint64_t seed;          /* of the drawn plies */
    size_t memory_bytes;    /* of the rows of a shard */
} ActivationsOptions;

typedef struct ActivationsReport {
    size_t n_games, n_rows, n_shards, n_kept, shard_games;
    size_t memory_bytes;    /* announced: rows of a shard, labels, tapes */
    uint64_t bytes;         /* of all arrays */
    uint64_t n_tokens;      /* that went through the network in this call */
    double capture_seconds; /* in which they did */
    char corpus_hash[HASH_HEX_SIZE + 32];
} ActivationsReport;

typedef struct ActivationsObserver {
    void *context;
    void (*start)(void *context, const ActivationsReport *so_far); /* before anything is captured */
    void (*shard)(void *context, size_t done, size_t n_shards);
} ActivationsObserver;

/* replace: begin anew in place of activations made with other options; anything else at `path` is
 * never touched. Returns 0, OGPT_EUSAGE (options; what is at `path`; made with other options: the
 * difference is named), OGPT_ELOCKED, OGPT_EFORMAT, OGPT_EIO (also: not enough room on the disk),
 * OGPT_ENUM, OGPT_EINTR (finished shards stay), OGPT_ENOMEM. */
int activations_write(ActivationsReport *out, const char *path, bool replace,
                      const ModelFile *model, Corpus *corpus, const ActivationsOptions *options,
                      Pool *pool, const ActivationsObserver *observer);

#endif
