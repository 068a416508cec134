/* datasets/generate.h - fill a corpus file with random legal games, in parallel. */
#ifndef OGPT_DATASETS_GENERATE_H
#define OGPT_DATASETS_GENERATE_H

#include "base/work.h"
#include "datasets/corpus.h"

#define GENERATOR_VERSION "uniform-1" /* changes when (seed, index) gives another game */

typedef struct GenerateResult {
    uint64_t games, plies;
    uint64_t games_made_now; /* by this call; fewer than `games` if the corpus had some */
    double seconds;
    char content_hash[HASH_HEX_SIZE];
} GenerateResult;

/* Make games 0..n_games-1 of (work->seed, RNG_GENERATE) into the corpus at `path`. Games that the
 * corpus already holds are kept, also if it was made for fewer games: it is extended, and then the
 * same as one that was made at once. If none is missing, the checksums of its blocks are checked
 * (OGPT_EFORMAT). Asks interrupt_pending() after each chunk and returns OGPT_EINTR once the chunk
 * is committed. Blocks are dealt to ranks (base/ranks/ranks.h); the first writes the file, and all
 * get the result. work->tick counts games of the stage "generate". The content hash does not depend
 * on the number of workers. */
int generate_corpus(GenerateResult *out, const char *path, const GameVariant *variant,
                    uint64_t n_games, const Work *work);

#endif
