/* datasets/generate.h - fill a corpus file with random legal games, in parallel. */
#ifndef OGPT_DATASETS_GENERATE_H
#define OGPT_DATASETS_GENERATE_H

#include "base/pool.h"
#include "datasets/corpus.h"

#define GENERATOR_VERSION "uniform-1" /* changes when (seed, index) gives another game */

typedef struct GenerateProgress {
    uint64_t games_done, games_total;
} GenerateProgress;

typedef struct GenerateResult {
    uint64_t games, plies;
    uint64_t games_made_now; /* by this call; fewer than games when it went on */
    double seconds;
    char content_hash[HASH_HEX_SIZE];
} GenerateResult;

/* Make games 0..n_games-1 of (seed, RNG_GENERATE) into the corpus at `path`; goes on with what
 * is missing; where nothing is missing, the blocks are checked (OGPT_EFORMAT). Asks
 * interrupt_pending() between chunks (OGPT_EINTR after committing). The content hash does not
 * depend on the number of workers. `progress` may be NULL. */
int generate_corpus(GenerateResult *out, const char *path, const GameVariant *variant,
                    uint64_t seed, uint64_t n_games, Pool *pool,
                    void (*progress)(void *context, const GenerateProgress *), void *context);

#endif
