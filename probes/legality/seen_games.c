/* probes/legality/seen_games.c - contract in probes/legality/seen_games.h. */
#include "probes/legality/seen_games.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "model/lineage.h"

#define CHUNK_GAMES 8192 /* made between two looks at progress and interruption */

typedef enum RunKind { KIND_UNKNOWN, KIND_CORPUS, KIND_FRESH } RunKind;

/* What a run was trained on; *seed of fresh games. The identity is read as GameSource writes it. */
static RunKind kind_of(uint64_t *seed, const TrainedOn *run, const GameVariant *variant)
{
    char written[64];
    if (!run->games_of) {
        return KIND_UNKNOWN;
    }
    if (sscanf(run->games_of, "fresh:%*[0-9]:%" SCNu64, seed) == 1) {
        snprintf(written, sizeof(written), "fresh:%d:%" PRIu64, variant->size, *seed);
        return strcmp(run->games_of, written) == 0 ? KIND_FRESH : KIND_UNKNOWN;
    }
    const size_t digits = strspn(run->games_of, "0123456789abcdef");
    return digits == HASH_HEX_SIZE - 1 && run->games_of[digits] == '\0' ? KIND_CORPUS
                                                                        : KIND_UNKNOWN;
}

TrainingGames training_games(const Js *manifest, const GameVariant *variant)
{
    const TrainingGames silent = {.unknown = "the manifest does not name all training games"};
    TrainingGames found = {0};
    if (variant->size == 4) {
        return (TrainingGames){.unknown = "4x4 has only 60,060 games"};
    }
    for (size_t i = 0; i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        uint64_t seed;
        switch (kind_of(&seed, &run, variant)) {
        case KIND_UNKNOWN: return silent;
        case KIND_CORPUS: found.corpus = true; break;
        case KIND_FRESH:
            if (__builtin_add_overflow(found.fresh, (uint64_t)run.games, &found.fresh)) {
                return silent;
            }
            break;
        }
    }
    return found;
}

typedef struct Search {
    GameSource *training;
    uint8_t *moves; /* [CHUNK_GAMES * n_moves] */
    uint64_t made, all;
    const Work *work;
} Search;

/* All games of one fresh run; the source notes those that are scored ones. */
static int make_again(Search *search, uint64_t seed, uint64_t games)
{
    int rc = 0;
    source_reseed(search->training, seed);
    for (uint64_t done = 0; rc == 0 && done < games;) {
        const size_t n = games - done < CHUNK_GAMES ? (size_t)(games - done) : CHUNK_GAMES;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted after making %" PRIu64 " training games again",
                           search->made);
        }
        rc = source_fetch(search->training, search->moves, done, n, search->work->pool);
        done += n;
        search->made += n;
        if (rc == 0) {
            work_tick(search->work, "games", (double)search->made, (double)search->all);
        }
    }
    return rc;
}

int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, const Work *work)
{
    const GameVariant *variant = source_variant(scored);
    *out = (SeenGames){0};
    Search search = {.all = training_games(manifest, variant).fresh, .work = work};
    if (search.all == 0) {
        return 0;
    }
    int rc = OGPT_ENOMEM;
    search.moves = mem_alloc(CHUNK_GAMES, (size_t)variant->n_moves, "training games made again");
    out->hashes = mem_alloc(n, sizeof(*out->hashes), "hashes of seen games");
    if (search.moves && out->hashes) {
        rc = source_fresh(&search.training, variant, 0, RNG_FRESH);
    }
    rc = rc ? rc : source_exclude(search.training, scored, n, work->pool);
    for (size_t i = 0; rc == 0 && i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        uint64_t seed = 0;
        if (kind_of(&seed, &run, variant) == KIND_FRESH) {
            rc = make_again(&search, seed, (uint64_t)run.games);
        }
    }
    if (rc == 0) {
        out->n = source_collided(search.training, out->hashes);
    } else {
        seen_games_release(out);
    }
    source_free(search.training);
    mem_free(search.moves);
    return rc;
}

void seen_games_release(SeenGames *seen)
{
    mem_free(seen->hashes);
    *seen = (SeenGames){0};
}
