/* probes/scrubbing/samples.c - lending games: features by the rules, and the index by ply. */
#include "probes/scrubbing/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/process.h"
#include "game/play.h"

enum { LENDERS_A_JOB = 256, READ_AT_ONCE = 1024 };

/* ---- games ---- */

void scrub_games_release(ScrubGames *games)
{
    mem_free(games->moves);
    mem_free(games->n_moves);
    memset(games, 0, sizeof(*games));
}

static int games_new(ScrubGames *out, const GameVariant *variant, size_t n)
{
    *out = (ScrubGames){.variant = variant, .n = n};
    out->moves = mem_alloc(n, (size_t)variant->n_moves, "games for scrubbing");
    out->n_moves = mem_alloc(n, 1, "games for scrubbing");
    if (!out->moves || !out->n_moves) {
        scrub_games_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

typedef struct FreshGames {
    ScrubGames *out;
    RngPurpose purpose;
    uint64_t seed, first;
} FreshGames;

static int play_block(void *context, size_t job, size_t worker)
{
    const FreshGames *fresh = context;
    ScrubGames *out = fresh->out;
    size_t begin = job * LENDERS_A_JOB;
    size_t end = begin + LENDERS_A_JOB < out->n ? begin + LENDERS_A_JOB : out->n;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while playing games");
    }
    for (size_t g = begin; g < end; g++) {
        out->n_moves[g] =
            (uint8_t)play_random(out->moves + g * (size_t)out->variant->n_moves, out->variant,
                                 fresh->seed, fresh->purpose, fresh->first + g);
    }
    return 0;
}

int scrub_games_fresh(ScrubGames *out, const GameVariant *variant, RngPurpose purpose,
                      uint64_t first, size_t n, const Work *work)
{
    FreshGames fresh = {.out = out, .purpose = purpose, .seed = work->seed, .first = first};
    int rc = games_new(out, variant, n);
    rc =
        rc ? rc : pool_run(work->pool, (n + LENDERS_A_JOB - 1) / LENDERS_A_JOB, play_block, &fresh);
    if (rc != 0) {
        scrub_games_release(out);
    }
    return rc;
}

int scrub_games_copy(ScrubGames *out, const GameVariant *variant, const uint8_t *moves, size_t n)
{
    size_t stride = (size_t)variant->n_moves;
    Board after[GAME_MAX_MOVES];
    int rc = games_new(out, variant, n);
    for (size_t g = 0; g < n && rc == 0; g++) {
        const uint8_t *game = moves + g * stride;
        int length = game_length(game, variant->n_moves);
        int n_legal = game_replay(variant, game, length, after);
        if (n_legal != length) {
            rc = err_set(OGPT_EFORMAT,
                         "game %zu: move %d is illegal; check the games with ogpt "
                         "verify",
                         g, n_legal + 1);
        } else {
            out->n_moves[g] = (uint8_t)length;
        }
    }
    if (rc == 0) {
        memcpy(out->moves, moves, n * stride);
    } else {
        scrub_games_release(out);
    }
    return rc;
}

int scrub_games_corpus(ScrubGames *out, Corpus *corpus, bool test, size_t most)
{
    const CorpusInfo *info = corpus_info(corpus);
    size_t stride = (size_t)info->variant->n_moves, n = 0;
    most = most < info->n_games ? most : (size_t)info->n_games;
    uint8_t *moves = mem_alloc(most, stride, "games"),
            *read = mem_alloc(READ_AT_ONCE, stride, "games");
    int rc = moves && read ? 0 : OGPT_ENOMEM;
    for (uint64_t first = 0; first < info->n_games && n < most && rc == 0; first += READ_AT_ONCE) {
        uint64_t left = info->n_games - first;
        uint64_t n_read = left < READ_AT_ONCE ? left : READ_AT_ONCE;
        rc = corpus_read(corpus, read, first, n_read);
        for (uint64_t g = 0; g < n_read && n < most && rc == 0; g++) {
            const uint8_t *game = read + g * stride;
            if ((corpus_split(corpus, game) == SPLIT_TEST) == test) {
                memcpy(moves + n++ * stride, game, stride);
            }
        }
    }
    if (rc == 0 && n == 0) {
        rc = err_set(OGPT_EUSAGE, "the corpus has no games %s its test split; give a larger one",
                     test ? "in" : "beside");
    }
    rc = rc ? rc : scrub_games_copy(out, info->variant, moves, n);
    mem_free(moves);
    mem_free(read);
    return rc;
}

/* ---- features and places ---- */

size_t feature_values(uint8_t out[64], const Feature *feature, const GameVariant *variant,
                      const uint8_t *moves, const Board *boards, int t)
{
    const TaskPosition position = {variant, moves, boards, t, LABELS_MOVER};
    uint8_t labels[BOARD_SQUARES];
    switch (feature->kind) {
    case FEATURE_MOVER: out[0] = (uint8_t)boards[t].to_move; return 1;
    case FEATURE_LAST: out[0] = moves[t]; return 1;
    case FEATURE_TASK:
        feature->task->label(labels, &position);
        if (feature->sq < 0) {
            memcpy(out, labels, (size_t)variant->size * (size_t)variant->size);
            return (size_t)variant->size * (size_t)variant->size;
        }
        out[0] = labels[feature->sq / 8 * variant->size + feature->sq % 8];
        return 1;
    default: return 0;
    }
}

uint64_t feature_key(const HypothesisNode *node, const GameVariant *variant, const uint8_t *moves,
                     const Board *boards, int t)
{
    uint8_t values[HYPOTHESIS_MAX_FEATURES * 64];
    size_t n = 0;
    for (size_t i = 0; node && i < node->n_features; i++) {
        n += feature_values(values + n, &node->features[i], variant, moves, boards, t);
    }
    return n == 0 ? 0 : xxh3(values, n);
}

bool feature_lists_equal(const HypothesisNode *a, const HypothesisNode *b)
{
    bool equal = a->n_features == b->n_features;
    for (size_t i = 0; i < a->n_features && equal; i++) {
        const Feature *x = &a->features[i], *y = &b->features[i];
        equal = x->kind == y->kind && x->task == y->task && x->sq == y->sq;
    }
    return equal;
}

/* The last position at which the square was filled or flipped; -1: never. */
static int last_set(const GameVariant *variant, const uint8_t *moves, const Board *boards, int t,
                    int sq)
{
    for (int s = t; s >= 0; s--) {
        Board before = s > 0 ? boards[s - 1] : variant->start;
        uint64_t set = 1ULL << moves[s] | board_flips(variant, &before, moves[s]);
        if (set >> sq & 1) {
            return s;
        }
    }
    return -1;
}

static bool place_holds(const ReadPlace *place, const GameVariant *variant, const uint8_t *moves,
                        const Board *boards, int t, int s)
{
    Colour player = s > 0 ? boards[s - 1].to_move : variant->start.to_move;
    switch (place->kind) {
    case PLACE_SELF: return s == t;
    case PLACE_BACK: return s == t - place->back;
    case PLACE_PLACED: return moves[s] == place->sq;
    case PLACE_MINE: return player == boards[t].to_move;
    case PLACE_THEIRS: return player != boards[t].to_move;
    default: return s == last_set(variant, moves, boards, t, place->sq);
    }
}

uint64_t place_positions(const NodeGroup *group, const GameVariant *variant, const uint8_t *moves,
                         const Board *boards, int t)
{
    uint64_t positions = 0;
    if (group->n_places == 0) {
        return t >= 63 ? ~0ULL : (1ULL << (t + 1)) - 1;
    }
    for (int s = 0; s <= t; s++) {
        for (size_t p = 0; p < group->n_places; p++) {
            if (place_holds(&group->places[p], variant, moves, boards, t, s)) {
                positions |= 1ULL << s;
            }
        }
    }
    return positions;
}

/* ---- the index ---- */

static uint64_t *keys_at(const SamplePool *pool, size_t set, size_t t)
{
    return pool->keys + (set * pool->n_plies + t) * pool->games->n;
}

static uint32_t *order_at(const SamplePool *pool, size_t set, size_t t)
{
    return pool->order + (set * pool->n_plies + t) * pool->games->n;
}

static bool says_something(const HypothesisNode *node)
{
    bool says = false;
    for (size_t i = 0; i < node->n_features; i++) {
        says = says || node->features[i].kind > FEATURE_NOTHING;
    }
    return says;
}

size_t samples_set(const SamplePool *pool, const HypothesisNode *node)
{
    for (size_t set = 1; node && set < pool->n_sets; set++) {
        if (feature_lists_equal(pool->sets[set], node)) {
            return set;
        }
    }
    return 0;
}

/* The keys of LENDERS_A_JOB games at every ply. */
static int key_block(void *context, size_t job, size_t worker)
{
    const SamplePool *pool = context;
    const ScrubGames *games = pool->games;
    size_t begin = job * LENDERS_A_JOB;
    size_t end = begin + LENDERS_A_JOB < games->n ? begin + LENDERS_A_JOB : games->n;
    Board boards[GAME_MAX_MOVES];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while games were indexed");
    }
    for (size_t g = begin; g < end; g++) {
        const uint8_t *moves = scrub_game(games, g);
        game_replay(games->variant, moves, games->n_moves[g], boards);
        for (int t = 0; t + 1 < games->n_moves[g] && (size_t)t < pool->n_plies; t++) {
            for (size_t set = 0; set < pool->n_sets; set++) {
                keys_at(pool, set, (size_t)t)[g] =
                    feature_key(pool->sets[set], games->variant, moves, boards, t);
            }
        }
    }
    return 0;
}

typedef struct KeyedGame {
    uint64_t key;
    uint32_t game;
} KeyedGame;

static int keyed_compare(const void *a, const void *b)
{
    const KeyedGame *x = a, *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->game < y->game ? -1 : x->game > y->game;
}

/* The order of one set at one ply; keys are put in the same order. */
static int order_block(void *context, size_t job, size_t worker)
{
    SamplePool *pool = context;
    size_t set = job / pool->n_plies, t = job % pool->n_plies, n = 0;
    uint64_t *keys = keys_at(pool, set, t);
    uint32_t *order = order_at(pool, set, t);
    KeyedGame *sorted = mem_alloc(pool->games->n, sizeof(*sorted), "index of games");
    if (!sorted) {
        return OGPT_ENOMEM;
    }
    for (size_t g = 0; g < pool->games->n; g++) {
        if (t + 1 < pool->games->n_moves[g]) {
            sorted[n++] = (KeyedGame){keys[g], (uint32_t)g};
        }
    }
    qsort(sorted, n, sizeof(*sorted), keyed_compare);
    for (size_t i = 0; i < n; i++) {
        keys[i] = sorted[i].key;
        order[i] = sorted[i].game;
    }
    if (set == 0) {
        pool->n_valid[t] = (uint32_t)n;
    }
    mem_free(sorted);
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while games were indexed") : 0;
}

int samples_index(SamplePool *out, const ScrubGames *games, const HypothesisNode *const *nodes,
                  size_t n_nodes, const Work *work)
{
    size_t n_plies = (size_t)games->variant->n_moves - 1;
    size_t bytes;
    int rc = 0;
    *out = (SamplePool){.games = games, .n_sets = 1, .n_plies = n_plies};
    out->sets = mem_calloc(n_nodes + 1, sizeof(*out->sets), "index of games");
    if (!out->sets) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        if (says_something(nodes[i]) && samples_set(out, nodes[i]) == 0) {
            out->sets[out->n_sets++] = nodes[i];
        }
    }
    bytes = out->n_sets * n_plies * games->n * (sizeof(*out->keys) + sizeof(*out->order));
    if (work->memory_bytes > 0 && bytes > work->memory_bytes) {
        rc = err_set(OGPT_EUSAGE,
                     "the index of %zu games takes %zu MB, expected at most %zu MB; name fewer "
                     "games to lend",
                     games->n, bytes >> 20, work->memory_bytes >> 20);
    } else {
        out->keys = mem_calloc(out->n_sets * n_plies * games->n, sizeof(*out->keys), "index");
        out->order = mem_calloc(out->n_sets * n_plies * games->n, sizeof(*out->order), "index");
        out->n_valid = mem_calloc(n_plies, sizeof(*out->n_valid), "index of games");
        rc = out->keys && out->order && out->n_valid ? 0 : OGPT_ENOMEM;
    }
    work_tick(work, "index", 0.0, 1.0);
    rc = rc ? rc
            : pool_run(work->pool, (games->n + LENDERS_A_JOB - 1) / LENDERS_A_JOB, key_block, out);
    rc = rc ? rc : pool_run(work->pool, out->n_sets * n_plies, order_block, out);
    work_tick(work, "index", 1.0, 1.0);
    if (rc != 0) {
        samples_release(out);
    }
    return rc;
}

void samples_release(SamplePool *pool)
{
    mem_free(pool->sets);
    mem_free(pool->keys);
    mem_free(pool->order);
    mem_free(pool->n_valid);
    memset(pool, 0, sizeof(*pool));
}

/* The first place of the sorted keys that is not below `key`. */
static size_t lower_bound(const uint64_t *keys, size_t n, uint64_t key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t samples_draw(size_t *game, const SamplePool *pool, size_t set, int t, uint64_t key, Rng *rng)
{
    const uint64_t *keys = keys_at(pool, set, (size_t)t);
    size_t n = pool->n_valid[t];
    size_t first = lower_bound(keys, n, key);
    size_t last = key == UINT64_MAX ? n : lower_bound(keys, n, key + 1);
    if (first == last) {
        return 0;
    }
    *game = order_at(pool, set, (size_t)t)[first + rng_below(rng, (uint32_t)(last - first))];
    return last - first;
}
