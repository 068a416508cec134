/* probes/legality/seen_games.c - see probes/legality/seen_games.h. */
#include "probes/legality/seen_games.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/generate.h"
#include "game/game_tree.h"
#include "model/lineage.h"

#define MADE_GAMES 8192                /* between two looks at progress and interruption */
#define WALKED_GAMES ((size_t)1 << 18) /* likewise; walks are 25 times as fast */
#define JOB_GAMES 8192                 /* walks of one pool job */
#define SEEN_MEMORY ((size_t)64 << 20) /* unless work->memory_bytes says otherwise */
#define SCORED_BYTES 270             /* of a scored game: moves, row and slots in a tree, hashes */
#define TREE_GAMES ((size_t)1 << 20) /* at most in one tree */

typedef enum RunKind { KIND_UNKNOWN, KIND_CORPUS, KIND_FRESH, KIND_OTHER_RULES } RunKind;

static bool names_corpus(const char *games_of)
{
    const size_t digits = strspn(games_of, "0123456789abcdef");
    return digits == HASH_HEX_SIZE - 1 && games_of[digits] == '\0';
}

unsigned training_split_rules(const Js *manifest)
{
    unsigned rules = 0;
    for (size_t i = 0; i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        if (run.games_of && names_corpus(run.games_of)) {
            rules |= split_rules_of(run.split);
        }
    }
    return rules;
}

/* What a run was trained on, and *seed of fresh games. The text is the identity that a GameSource
 * writes. */
static RunKind kind_of(uint64_t *seed, const TrainedOn *run, const GameVariant *variant)
{
    char written[64];
    if (!run->games_of) {
        return KIND_UNKNOWN;
    }
    if (sscanf(run->games_of, "fresh:%*[0-9]:%" SCNu64, seed) == 1) {
        for (int rules = 0; rules < N_GAME_RULES; rules++) {
            const GameVariant *played = game_variant_with(variant->size, (GameRules)rules);
            snprintf(written, sizeof(written), "fresh:%d:%" PRIu64, played->number, *seed);
            if (strcmp(run->games_of, written) == 0) {
                return played == game_variant_played(variant) ? KIND_FRESH : KIND_OTHER_RULES;
            }
        }
        return KIND_UNKNOWN;
    }
    return names_corpus(run->games_of) ? KIND_CORPUS : KIND_UNKNOWN;
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
        case KIND_OTHER_RULES: break; /* other games, but by a rare chance */
        case KIND_FRESH:
            if (__builtin_add_overflow(found.fresh, (uint64_t)run.games, &found.fresh)) {
                return silent;
            }
            break;
        }
    }
    return found;
}

/* One look for scored games among the training games. */
typedef struct Search {
    const GameVariant *variant;
    uint64_t done, all; /* training games, those of each tree or source anew */
    const Work *work;
} Search;

/* Look at games first..first+n-1 of (seed, RNG_FRESH). */
typedef int (*Look)(void *looker, uint64_t seed, uint64_t first, size_t n, Pool *pool);

/* All games of all fresh runs, in chunks of `chunk`. */
static int each_training_game(Search *search, const Js *manifest, size_t chunk, Look look,
                              void *looker)
{
    int rc = 0;
    for (size_t i = 0; i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        uint64_t seed = 0;
        if (kind_of(&seed, &run, search->variant) != KIND_FRESH) {
            continue;
        }
        const uint64_t games = (uint64_t)run.games;
        for (uint64_t done = 0; done < games;) {
            const size_t n = games - done < chunk ? (size_t)(games - done) : chunk;
            if (interrupt_pending()) {
                return err_set(OGPT_EINTR,
                               "interrupted after making %" PRIu64 " training games again",
                               search->done);
            }
            rc = look(looker, seed, done, n, search->work->pool);
            if (rc != 0) {
                return rc;
            }
            done += n;
            search->done += n;
            work_tick(search->work, "games", (double)search->done, (double)search->all);
        }
    }
    return 0;
}

/* The plain way: a source makes the games and compares their hashes. */
typedef struct Maker {
    GameSource *training;
    uint8_t *moves; /* [MADE_GAMES * n_moves] */
} Maker;

static int make_again(void *looker, uint64_t seed, uint64_t first, size_t n, Pool *pool)
{
    const Maker *maker = looker;
    source_reseed(maker->training, seed);
    return source_fetch(maker->training, maker->moves, first, n, pool);
}

int seen_games_ref(SeenGames *out, const Js *manifest, GameSource *scored, size_t n,
                   const Work *work)
{
    Search search = {.variant = source_variant(scored), .work = work};
    *out = (SeenGames){0};
    search.all = training_games(manifest, search.variant).fresh;
    if (search.all == 0) {
        return 0;
    }
    Maker maker = {0};
    int rc = OGPT_ENOMEM;
    maker.moves = mem_alloc(MADE_GAMES, (size_t)search.variant->n_moves, "training games");
    out->hashes = mem_alloc(n, sizeof(*out->hashes), "hashes of seen games");
    if (maker.moves && out->hashes) {
        rc = source_fresh(&maker.training, search.variant, 0, RNG_FRESH);
    }
    rc = rc ? rc : source_exclude(maker.training, scored, n, work->pool);
    rc = rc ? rc : each_training_game(&search, manifest, MADE_GAMES, make_again, &maker);
    if (rc == 0) {
        out->n = source_collided(maker.training, out->hashes);
    } else {
        seen_games_release(out);
    }
    source_free(maker.training);
    mem_free(maker.moves);
    return rc;
}

/* The fast way: a tree of scored games is walked down by the draws of the training games. */
typedef struct Walker {
    const GameTree *tree;
    _Atomic uint8_t *found; /* [games of the tree] whether a training game is the one there */
    uint64_t seed, first;   /* of the chunk */
    size_t n;
} Walker;

static int walk_job(void *context, size_t job, size_t worker)
{
    (void)worker;
    const Walker *walker = context;
    const size_t end = (job + 1) * JOB_GAMES < walker->n ? (job + 1) * JOB_GAMES : walker->n;
    for (size_t i = job * JOB_GAMES; i < end; i++) {
        const ptrdiff_t place =
            game_tree_find(walker->tree, walker->seed, RNG_FRESH, walker->first + i);
        if (place >= 0) {
            walker->found[place] = 1;
        }
    }
    return 0;
}

static int walk_down(void *looker, uint64_t seed, uint64_t first, size_t n, Pool *pool)
{
    Walker *walker = looker;
    walker->seed = seed;
    walker->first = first;
    walker->n = n;
    return pool_run(pool, (n + JOB_GAMES - 1) / JOB_GAMES, walk_job, walker);
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The hashes of the games that were found go to out, each as often as the n games hold it (a tree
 * finds a repeated game in its first place only). scratch: 2 * n. Returns how many there are. */
static size_t found_hashes(uint64_t *out, const Walker *walker, const GameVariant *variant,
                           const uint8_t *moves, size_t n, uint64_t *scratch)
{
    uint64_t *all = scratch, *found = scratch + n;
    size_t n_found = 0, n_out = 0;
    for (size_t i = 0; i < n; i++) {
        all[i] = game_hash(moves + i * (size_t)variant->n_moves, variant);
        if (walker->found[i]) {
            found[n_found++] = all[i];
        }
    }
    qsort(found, n_found, sizeof(*found), compare_hashes);
    for (size_t i = 0; i < n; i++) {
        if (bsearch(&all[i], found, n_found, sizeof(*found), compare_hashes)) {
            out[n_out++] = all[i];
        }
    }
    return n_out;
}

/* Scored games first..first+n-1, those of one tree, with room in moves[n * n_moves] and
 * scratch[2 * n]. */
typedef struct Batch {
    GameSource *scored;
    size_t first, n;
    uint8_t *moves;
    uint64_t *scratch;
} Batch;

static int look_for(SeenGames *out, const Batch *batch, Search *search, const Js *manifest)
{
    Walker walker = {0};
    GameTree *tree = NULL;
    int rc = source_fetch(batch->scored, batch->moves, batch->first, batch->n, search->work->pool);
    rc = rc ? rc : game_tree_new(&tree, search->variant, batch->moves, batch->n);
    walker.tree = tree;
    walker.found = rc ? NULL : mem_calloc(batch->n, sizeof(*walker.found), "marks of seen games");
    if (rc == 0 && !walker.found) {
        rc = OGPT_ENOMEM;
    }
    rc = rc ? rc : each_training_game(search, manifest, WALKED_GAMES, walk_down, &walker);
    if (rc == 0) {
        out->n += found_hashes(out->hashes + out->n, &walker, search->variant, batch->moves,
                               batch->n, batch->scratch);
    }
    mem_free((void *)walker.found);
    game_tree_free(tree);
    return rc;
}

/* ---- keeping a result ---- */

#define STAGE "seen games" /* block 0: number of hashes, their XXH3; block 1: the hashes */

int seen_games_key(char key[HASH_HEX_SIZE], const Js *manifest, GameSource *scored, size_t n,
                   const Work *work)
{
    const GameVariant *variant = source_variant(scored);
    const size_t stride = (size_t)variant->n_moves;
    Sha256 *hash = NULL;
    char line[128];
    uint8_t *moves = mem_alloc(MADE_GAMES, stride, "scored games");
    int rc = !moves ? OGPT_ENOMEM : sha256_new(&hash);
    for (size_t i = 0; i < lineage_length(manifest) && rc == 0; i++) {
        const TrainedOn run = lineage_at(manifest, i);
        uint64_t seed = 0;
        if (kind_of(&seed, &run, variant) == KIND_FRESH) {
            const int length =
                snprintf(line, sizeof(line), "%s %d %" PRIu64 " %" PRId64 "\n", GENERATOR_VERSION,
                         game_variant_played(variant)->number, seed, run.games);
            sha256_add(hash, line, (size_t)length);
        }
    }
    for (size_t first = 0; first < n && rc == 0; first += MADE_GAMES) {
        const size_t more = n - first < MADE_GAMES ? n - first : MADE_GAMES;
        rc = source_fetch(scored, moves, first, more, work->pool);
        if (rc == 0) {
            sha256_add(hash, moves, more * stride);
        }
    }
    if (rc == 0) {
        sha256_finish(hash, key);
    } else {
        sha256_free(hash);
    }
    mem_free(moves);
    return rc;
}

/* Numbers of a journal are kept as they are, bit for bit: a hash can stand in the place of one. */
static double head_of(const uint64_t *hashes, size_t n)
{
    const uint64_t sum = xxh3(hashes, n * sizeof(*hashes));
    double bits;
    memcpy(&bits, &sum, sizeof(bits));
    return bits;
}

/* 1: *out is the result of an earlier look; 0: there is none; or OGPT_E*. */
static int seen_recall(SeenGames *out, size_t n, const WorkJournal *journal)
{
    double head[2];
    int rc = journal ? journal->recall(journal->context, head, 2, STAGE, 0) : 0;
    if (rc != 1 || !(head[0] >= 0 && head[0] <= (double)n)) {
        return rc < 0 ? rc : 0;
    }
    out->n = (size_t)head[0];
    out->hashes = mem_alloc(out->n, sizeof(*out->hashes), "hashes of seen games");
    rc = !out->hashes ? OGPT_ENOMEM : 1;
    if (rc == 1 && out->n > 0) {
        rc = journal->recall(journal->context, (void *)out->hashes, out->n, STAGE, 1);
    }
    if (rc == 1) {
        const double sum = head_of(out->hashes, out->n);
        rc = memcmp(&sum, &head[1], sizeof(sum)) == 0;
    }
    out->recalled = rc == 1;
    if (rc != 1) {
        seen_games_release(out);
    }
    return rc;
}

/* The hashes first: what is announced is there. */
static int seen_keep(const SeenGames *seen, const WorkJournal *journal)
{
    const double head[2] = {(double)seen->n, head_of(seen->hashes, seen->n)};
    int rc = !journal || seen->n == 0
                 ? 0
                 : journal->keep(journal->context, (const void *)seen->hashes, seen->n, STAGE, 1);
    return rc || !journal ? rc : journal->keep(journal->context, head, 2, STAGE, 0);
}

int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, const Work *work)
{
    Search search = {.variant = source_variant(scored), .work = work};
    const uint64_t fresh = training_games(manifest, search.variant).fresh;
    *out = (SeenGames){0};
    if (fresh == 0 || n == 0) {
        return 0;
    }
    const int recalled = seen_recall(out, n, work->journal);
    if (recalled != 0) {
        return recalled < 0 ? recalled : 0;
    }
    size_t room = (work->memory_bytes > 0 ? work->memory_bytes : SEEN_MEMORY) / SCORED_BYTES;
    room = room < 1 ? 1 : room < TREE_GAMES ? room : TREE_GAMES;
    room = room < n ? room : n;
    search.all = fresh * ((n + room - 1) / room);
    Batch batch = {.scored = scored};
    int rc = 0;
    batch.moves = mem_alloc(room, (size_t)search.variant->n_moves, "scored games");
    batch.scratch = mem_alloc(2 * room, sizeof(*batch.scratch), "hashes of scored games");
    out->hashes = mem_alloc(n, sizeof(*out->hashes), "hashes of seen games");
    if (!batch.moves || !batch.scratch || !out->hashes) {
        rc = OGPT_ENOMEM;
    }
    for (; rc == 0 && batch.first < n; batch.first += batch.n) {
        batch.n = n - batch.first < room ? n - batch.first : room;
        rc = look_for(out, &batch, &search, manifest);
    }
    if (rc == 0) {
        qsort(out->hashes, out->n, sizeof(*out->hashes), compare_hashes);
        rc = seen_keep(out, work->journal);
    }
    if (rc != 0) {
        seen_games_release(out);
    }
    mem_free(batch.scratch);
    mem_free(batch.moves);
    return rc;
}

int seen_games_union(SeenGames *out, const SeenGames *a, const SeenGames *b)
{
    out->hashes = mem_alloc(a->n + b->n + 1, sizeof(out->hashes[0]), "hashes of seen games");
    if (!out->hashes) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        bool of_a = j == b->n || (i < a->n && a->hashes[i] <= b->hashes[j]);
        uint64_t next = of_a ? a->hashes[i] : b->hashes[j];
        out->hashes[out->n++] = next;
        i += i < a->n && a->hashes[i] == next;
        j += j < b->n && b->hashes[j] == next;
    }
    return 0;
}

void seen_games_release(SeenGames *seen)
{
    mem_free(seen->hashes);
    *seen = (SeenGames){0};
}
