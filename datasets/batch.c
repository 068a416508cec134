/* datasets/batch.c - sources of games, and games as tokens.
 *
 * A corpus is read in windows of WINDOW_BLOCKS blocks, the only part of it in memory. Without
 * shuffling, window w holds blocks 64w, 64w+1, ... and its games come in order. With it, the
 * blocks are permuted first and then the games of a window among themselves, both anew in each
 * epoch; so the place of a game depends on (seed, epoch) alone.
 */
#include "datasets/batch.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus_internal.h"
#include "game/play.h"

#define WINDOW_BLOCKS 64
#define JOB_GAMES 64 /* fresh games of one pool job */
#define NOT_LOADED UINT64_MAX

struct GameSource {
    const GameVariant *variant;
    char identity[HASH_HEX_SIZE + 32];
    uint64_t seed;
    RngPurpose purpose;     /* of a fresh source */
    uint64_t *excluded;     /* [n_excluded] sorted hashes of games that are never delivered */
    _Atomic uint8_t *found; /* [n_excluded] true if a fresh game had this hash */
    size_t n_excluded;
    _Atomic uint64_t n_collisions;

    Corpus *corpus; /* borrowed; NULL for a fresh source */
    unsigned split_mask;
    bool shuffle;
    uint64_t n_games; /* selected games: one epoch */
    uint64_t n_blocks, n_windows;
    uint16_t *block_games;  /* [n_blocks] selected games of each block */
    uint64_t epoch;         /* whose window_first is loaded */
    uint64_t *window_first; /* [n_windows + 1] place in the epoch of a window's first game */
    uint64_t window;        /* loaded, of `epoch`; NOT_LOADED */
    uint8_t *window_moves;  /* selected games of its blocks, one block after another */
    uint8_t *block_moves;   /* scratch: one block */
};

int source_fresh(GameSource **out, const GameVariant *variant, uint64_t seed, RngPurpose purpose)
{
    GameSource *source = mem_calloc(1, sizeof(*source), "a source of games");
    *out = source;
    if (!source) {
        return OGPT_ENOMEM;
    }
    source->variant = variant;
    source->purpose = purpose;
    source_reseed(source, seed);
    return 0;
}

void source_reseed(GameSource *source, uint64_t seed)
{
    source->seed = seed;
    snprintf(source->identity, sizeof(source->identity), "fresh:%d:%" PRIu64,
             game_variant_played(source->variant)->number, seed);
}

void source_free(GameSource *source)
{
    if (!source) {
        return;
    }
    mem_free(source->excluded);
    mem_free((void *)source->found);
    mem_free(source->block_games);
    mem_free(source->window_first);
    mem_free(source->window_moves);
    mem_free(source->block_moves);
    mem_free(source);
}

const GameVariant *source_variant(const GameSource *source)
{
    return source->variant;
}

uint64_t source_games(const GameSource *source)
{
    return source->n_games;
}

const char *source_identity(const GameSource *source)
{
    return source->identity;
}

unsigned source_split_rules(const GameSource *source)
{
    return source->corpus ? corpus_info(source->corpus)->split_rules : 0;
}

/* Place of the game's hash among the excluded ones; NULL if it is not excluded. */
static const uint64_t *excluded_place(const GameSource *source, const uint8_t *moves)
{
    if (source->n_excluded == 0) {
        return NULL;
    }
    const uint64_t hash = game_hash(moves, source->variant);
    return bsearch(&hash, source->excluded, source->n_excluded, sizeof(hash),
                   corpus__compare_hashes);
}

/* Read block `block` and put its games of the wanted splits into out; *n becomes their number. */
static int select_block(GameSource *source, uint8_t *out, uint64_t block, uint16_t *n)
{
    const size_t stride = (size_t)source->variant->n_moves;
    const uint64_t first = block * CORPUS_BLOCK_GAMES;
    const uint64_t rest = corpus_info(source->corpus)->n_games - first;
    const uint64_t n_games = rest < CORPUS_BLOCK_GAMES ? rest : CORPUS_BLOCK_GAMES;
    *n = 0;
    const int rc = corpus_read(source->corpus, source->block_moves, first, n_games);
    for (uint64_t i = 0; rc == 0 && i < n_games; i++) {
        const uint8_t *moves = source->block_moves + i * stride;
        if ((source->split_mask == SPLIT_ALL ||
             source->split_mask >> corpus_split(source->corpus, moves) & 1) &&
            !excluded_place(source, moves)) {
            memcpy(out + *n * stride, moves, stride);
            (*n)++;
        }
    }
    return rc;
}

/* Count the games; *has_position: one of them has a move to predict. */
static int count_games(GameSource *source, bool *has_position)
{
    const size_t stride = (size_t)source->variant->n_moves;
    *has_position = false;
    source->n_games = 0;
    for (uint64_t block = 0; block < source->n_blocks; block++) {
        const int rc =
            select_block(source, source->window_moves, block, &source->block_games[block]);
        if (rc != 0) {
            return rc;
        }
        source->n_games += source->block_games[block];
        for (size_t i = 0; !*has_position && i < source->block_games[block]; i++) {
            *has_position = source->window_moves[i * stride + 1] != SQ_NONE;
        }
    }
    return 0;
}

/* Select the games of an epoch anew. */
static int select_games(GameSource *source)
{
    const CorpusInfo *info = corpus_info(source->corpus);
    bool has_position = false;
    const int rc = count_games(source, &has_position);
    source->epoch = NOT_LOADED;
    source->window = NOT_LOADED;
    if (rc == 0 && source->n_games == 0) {
        return err_set(OGPT_EFORMAT,
                       "corpus %.16s: none of its %" PRIu64
                       " games lies in the asked splits (of 80 %% train, 10 %% validation, 10 %% "
                       "test)%s; use a larger corpus",
                       info->content_hash, info->n_games,
                       source->n_excluded > 0 ? " and is new" : "");
    }
    if (rc == 0 && !has_position) {
        return err_set(OGPT_EFORMAT,
                       "corpus %.16s: expected games of two moves or more in the asked splits, "
                       "found %" PRIu64 " shorter ones; use another corpus",
                       info->content_hash, source->n_games);
    }
    return rc;
}

int source_corpus(GameSource **out, Corpus *corpus, unsigned split_mask, bool shuffle,
                  uint64_t seed)
{
    *out = NULL;
    const CorpusInfo *info = corpus_info(corpus);
    GameSource *source = mem_calloc(1, sizeof(*source), "a source of games");
    if (!source) {
        return OGPT_ENOMEM;
    }
    const size_t block_bytes = (size_t)CORPUS_BLOCK_GAMES * (size_t)info->variant->n_moves;
    source->variant = info->variant;
    source->seed = seed;
    source->corpus = corpus;
    source->split_mask = split_mask;
    source->shuffle = shuffle;
    source->n_blocks = (info->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    source->n_windows = (source->n_blocks + WINDOW_BLOCKS - 1) / WINDOW_BLOCKS;
    snprintf(source->identity, sizeof(source->identity), "%s", info->content_hash);
    const uint64_t kept = source->n_blocks < WINDOW_BLOCKS ? source->n_blocks : WINDOW_BLOCKS;
    source->block_games = mem_calloc(source->n_blocks, sizeof(*source->block_games),
                                     "the games of each block of a corpus");
    source->window_first =
        mem_calloc(source->n_windows + 1, sizeof(*source->window_first), "the windows of a corpus");
    source->window_moves = mem_alloc(kept, block_bytes, "a window of a corpus");
    source->block_moves = mem_alloc(1, block_bytes, "a block of a corpus");
    int rc = OGPT_ENOMEM;
    if (source->block_games && source->window_first && source->window_moves &&
        source->block_moves) {
        rc = select_games(source);
    }
    if (rc != 0) {
        source_free(source);
        return rc;
    }
    *out = source;
    return 0;
}

int source_of(GameSource **out, Corpus *corpus, Split split, bool shuffle,
              const GameVariant *variant, uint64_t seed, RngPurpose fresh)
{
    return corpus ? source_corpus(out, corpus, 1U << split, shuffle, seed)
                  : source_fresh(out, variant, seed, fresh);
}

/* Streams of the order: one for the blocks of an epoch, one for each window in it. */
static uint64_t stream_of(uint64_t epoch, uint64_t window)
{
    return epoch << 32 | window;
}
#define BLOCK_STREAM UINT32_MAX /* no window: a corpus has at most 2^16 of them */

/* The block at place i of the epoch. */
static uint64_t block_at(const GameSource *source, uint64_t epoch, uint64_t i)
{
    return source->shuffle ? rng_permute(source->seed, RNG_BATCH, stream_of(epoch, BLOCK_STREAM), i,
                                         source->n_blocks)
                           : i;
}

static void load_epoch(GameSource *source, uint64_t epoch)
{
    uint64_t place = 0;
    for (uint64_t i = 0; i < source->n_blocks; i++) {
        if (i % WINDOW_BLOCKS == 0) {
            source->window_first[i / WINDOW_BLOCKS] = place;
        }
        place += source->block_games[block_at(source, epoch, i)];
    }
    source->window_first[source->n_windows] = place;
    assert(place == source->n_games);
    source->epoch = epoch;
    source->window = NOT_LOADED;
}

static int load_window(GameSource *source, uint64_t window)
{
    const size_t stride = (size_t)source->variant->n_moves;
    const uint64_t end = (window + 1) * WINDOW_BLOCKS;
    uint8_t *moves = source->window_moves;
    source->window = NOT_LOADED;
    for (uint64_t i = window * WINDOW_BLOCKS; i < end && i < source->n_blocks; i++) {
        uint16_t n = 0;
        const int rc = select_block(source, moves, block_at(source, source->epoch, i), &n);
        if (rc != 0) {
            return rc;
        }
        moves += n * stride;
    }
    source->window = window;
    return 0;
}

/* The window that holds place `place` of the epoch. */
static uint64_t window_of(const GameSource *source, uint64_t place)
{
    uint64_t low = 0;
    uint64_t high = source->n_windows; /* window_first[low] <= place < window_first[high] */
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (source->window_first[middle] <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* One game of the endless sequence. */
static int fetch_one(GameSource *source, uint8_t *out, uint64_t index)
{
    const size_t stride = (size_t)source->variant->n_moves;
    const uint64_t epoch = source->shuffle ? index / source->n_games : 0;
    const uint64_t place = index % source->n_games;
    if (source->epoch != epoch) {
        load_epoch(source, epoch);
    }
    const uint64_t window = window_of(source, place);
    if (source->window != window) {
        const int rc = load_window(source, window);
        if (rc != 0) {
            return rc;
        }
    }
    uint64_t inside = place - source->window_first[window];
    if (source->shuffle) {
        const uint64_t n = source->window_first[window + 1] - source->window_first[window];
        inside = rng_permute(source->seed, RNG_BATCH, stream_of(epoch, window), inside, n);
    }
    memcpy(out, source->window_moves + inside * stride, stride);
    return 0;
}

/* Make hashes[n] the excluded ones; takes ownership. */
static int set_excluded(GameSource *source, uint64_t *hashes, size_t n)
{
    void *found = mem_calloc(n, 1, "which held-out games came up");
    if (!found) {
        mem_free(hashes);
        return OGPT_ENOMEM;
    }
    qsort(hashes, n, sizeof(*hashes), corpus__compare_hashes);
    mem_free(source->excluded);
    mem_free((void *)source->found);
    source->excluded = hashes;
    source->found = found;
    source->n_excluded = n;
    return 0;
}

int source_exclude(GameSource *source, GameSource *held_out, size_t n, Pool *pool)
{
    const GameVariant *variant = source->variant;
    const size_t stride = (size_t)variant->n_moves;
    if (source->corpus || variant->size == 4 || held_out->variant != variant) {
        return err_set(OGPT_EUSAGE, "games can be held out of fresh 6x6 and 8x8 games of the same "
                                    "size only");
    }
    uint8_t *moves = mem_alloc(n, stride, "held-out games");
    uint64_t *hashes = mem_alloc(n, sizeof(*hashes), "hashes of held-out games");
    int rc = !moves || !hashes ? OGPT_ENOMEM : source_fetch(held_out, moves, 0, n, pool);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        hashes[i] = game_hash(moves + i * stride, variant);
    }
    mem_free(moves);
    if (rc != 0) {
        mem_free(hashes);
        return rc;
    }
    return set_excluded(source, hashes, n);
}

int source_leave_out(GameSource *source, const uint64_t *hashes, size_t n)
{
    if (!source->corpus) {
        return err_set(OGPT_EUSAGE, "games can be left out of a corpus only");
    }
    uint64_t *copy = mem_alloc(n, sizeof(*copy), "hashes of games to be left out");
    if (!copy) {
        return OGPT_ENOMEM;
    }
    memcpy(copy, hashes, n * sizeof(*copy));
    const int rc = set_excluded(source, copy, n);
    return rc ? rc : select_games(source);
}

uint64_t source_collisions(const GameSource *source)
{
    return source->n_collisions;
}

size_t source_collided(const GameSource *source, uint64_t *hashes)
{
    size_t n = 0;
    for (size_t first = 0, end; first < source->n_excluded; first = end) {
        bool found = false; /* true if one of several equal hashes was found */
        for (end = first; end < source->n_excluded; end++) {
            if (source->excluded[end] != source->excluded[first]) {
                break;
            }
            found = found || source->found[end];
        }
        for (size_t i = first; found && i < end; i++) {
            hashes[n++] = source->excluded[i];
        }
    }
    return n;
}

/* Game `index`, or the first of its replacements that is not held out. */
static void make_game(uint8_t *moves, GameSource *source, uint64_t index)
{
    for (;; index += (uint64_t)1 << 62) {
        play_random(moves, source->variant, source->seed, source->purpose, index);
        const uint64_t *held = excluded_place(source, moves);
        if (!held) {
            return;
        }
        source->found[held - source->excluded] = 1;
        source->n_collisions++;
    }
}

typedef struct FreshWork {
    GameSource *source;
    uint8_t *moves;
    uint64_t first;
    size_t n;
} FreshWork;

static int make_games(void *context, size_t job, size_t worker)
{
    (void)worker;
    const FreshWork *work = context;
    GameSource *source = work->source;
    const size_t end = (job + 1) * JOB_GAMES < work->n ? (job + 1) * JOB_GAMES : work->n;
    for (size_t i = job * JOB_GAMES; i < end; i++) {
        make_game(work->moves + i * (size_t)source->variant->n_moves, source, work->first + i);
    }
    return 0;
}

int source_fetch(GameSource *source, uint8_t *moves, uint64_t first, size_t n, Pool *pool)
{
    if (!source->corpus) {
        FreshWork work = {.source = source, .moves = moves, .first = first, .n = n};
        return pool_run(pool, (n + JOB_GAMES - 1) / JOB_GAMES, make_games, &work);
    }
    for (size_t i = 0; i < n; i++) {
        const int rc = fetch_one(source, moves + i * (size_t)source->variant->n_moves, first + i);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

size_t batch_encode(uint8_t *input, uint8_t *target, const Vocab *vocab, const uint8_t *moves,
                    size_t n)
{
    size_t positions = 0;
    for (size_t i = 0; i < n; i++) {
        positions += (size_t)vocab_encode(input + i * (size_t)vocab->n_ctx,
                                          target + i * (size_t)vocab->n_ctx, vocab,
                                          moves + i * (size_t)vocab->variant->n_moves);
    }
    return positions;
}

double batch_floor_sum(const GameVariant *variant, const uint8_t *moves, size_t n)
{
    Board after[GAME_MAX_MOVES];
    double sum = 0.0;
    for (size_t i = 0; i < n; i++, moves += variant->n_moves) {
        const int length = game_replay(variant, moves, game_length(moves, variant->n_moves), after);
        for (int t = 0; t + 1 < length; t++) {
            sum += log(__builtin_popcountll(board_moves(variant, &after[t])));
        }
    }
    return sum;
}
