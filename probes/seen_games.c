/* probes/seen_games.c - contract in probes/seen_games.h. */
#include "probes/seen_games.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "model/lineage.h"

#define CHUNK_GAMES 8192 /* made between two looks at progress and interruption */

typedef enum Kind { KIND_UNKNOWN, KIND_CORPUS, KIND_FRESH } Kind;

/* What a run was trained on; *seed of fresh games. The identity is read as GameSource writes it. */
static Kind kind_of(uint64_t *seed, const TrainedOn *run, const GameVariant *variant)
{
    char written[64];
    if (run->games_of == NULL) {
        return KIND_UNKNOWN;
    }
    if (sscanf(run->games_of, "fresh:%*[0-9]:%" SCNu64, seed) == 1) {
        snprintf(written, sizeof written, "fresh:%d:%" PRIu64, variant->size, *seed);
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
    SeenGames *out;
    uint64_t *found, *merged; /* [n] scratch */
    uint64_t made;
    GameSource *scored;
    size_t n;
    uint8_t *moves; /* [CHUNK_GAMES * n_moves] */
    Pool *pool;
    void (*progress)(void *context, size_t made);
    void *context;
} Search;

static int make_again(Search *search, GameSource *training, uint64_t games)
{
    int code = 0;
    for (uint64_t done = 0; code == 0 && done < games;) {
        const size_t n = games - done < CHUNK_GAMES ? (size_t)(games - done) : CHUNK_GAMES;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted after making %" PRIu64 " training games again",
                           search->made);
        }
        code = source_fetch(training, search->moves, done, n, search->pool);
        done += n;
        search->made += n;
        if (code == 0 && search->progress != NULL) {
            search->progress(search->context, (size_t)search->made);
        }
    }
    return code;
}

/* Add the sorted hashes found[n_found] to those that are noted. */
static void note_found(Search *search, size_t n_found)
{
    SeenGames *out = search->out;
    size_t n = 0, i = 0, j = 0;
    while (i < out->n || j < n_found) {
        const bool first = j == n_found || (i < out->n && out->hashes[i] <= search->found[j]);
        const uint64_t hash = first ? out->hashes[i++] : search->found[j++];
        if (n == 0 || search->merged[n - 1] != hash) {
            search->merged[n++] = hash;
        }
    }
    memcpy(out->hashes, search->merged, n * sizeof *out->hashes);
    out->n = n;
}

static bool hash_is_noted(const SeenGames *seen, uint64_t hash)
{
    size_t low = 0, high = seen->n; /* hashes[low - 1] < hash <= hashes[high] */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (seen->hashes[middle] < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < seen->n && seen->hashes[low] == hash;
}

/* How many of the scored games have a noted hash: a corpus may hold a game twice. */
static int count_seen(Search *search)
{
    const GameVariant *variant = source_variant(search->scored);
    int code = 0;
    for (size_t done = 0; code == 0 && search->out->n > 0 && done < search->n;) {
        const size_t n = search->n - done < CHUNK_GAMES ? search->n - done : CHUNK_GAMES;
        code = source_fetch(search->scored, search->moves, done, n, search->pool);
        for (size_t i = 0; code == 0 && i < n; i++) {
            const uint64_t hash = game_hash(search->moves + i * (size_t)variant->n_moves, variant);
            search->out->games += hash_is_noted(search->out, hash);
        }
        done += n;
    }
    return code;
}

/* All games of one fresh run; the source notes those that are scored ones. */
static int search_run(Search *search, uint64_t seed, uint64_t games)
{
    GameSource *training = NULL;
    int code = source_fresh(&training, source_variant(search->scored), seed, RNG_FRESH);
    code = code != 0 ? code : source_exclude(training, search->scored, search->n, search->pool);
    code = code != 0 ? code : make_again(search, training, games);
    if (code == 0) {
        note_found(search, source_collided(training, search->found));
    }
    source_free(training);
    return code;
}

int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, Pool *pool,
               void (*progress)(void *context, size_t made), void *context)
{
    const GameVariant *variant = source_variant(scored);
    *out = (SeenGames){0};
    if (training_games(manifest, variant).fresh == 0) {
        return 0;
    }
    Search search = {.out = out,
                     .scored = scored,
                     .n = n,
                     .pool = pool,
                     .progress = progress,
                     .context = context};
    int code = OGPT_ENOMEM;
    search.moves = mem_alloc(CHUNK_GAMES, (size_t)variant->n_moves, "training games made again");
    search.found = mem_alloc(n, sizeof *search.found, "hashes of seen games");
    search.merged = mem_alloc(n, sizeof *search.merged, "hashes of seen games");
    out->hashes = mem_alloc(n, sizeof *out->hashes, "hashes of seen games");
    if (search.moves != NULL && search.found != NULL && search.merged != NULL &&
        out->hashes != NULL) {
        code = 0;
    }
    for (size_t i = 0; code == 0 && i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        uint64_t seed = 0;
        if (kind_of(&seed, &run, variant) == KIND_FRESH) {
            code = search_run(&search, seed, (uint64_t)run.games);
        }
    }
    code = code != 0 ? code : count_seen(&search);
    mem_free(search.moves);
    mem_free(search.found);
    mem_free(search.merged);
    if (code != 0) {
        seen_games_release(out);
    }
    return code;
}

void seen_games_release(SeenGames *seen)
{
    mem_free(seen->hashes);
    *seen = (SeenGames){0};
}
