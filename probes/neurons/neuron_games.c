/* probes/neurons/neuron_games.c - see probes/neurons/neuron_games.h. */
#include "probes/neurons/neuron_games.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "datasets/game_set.h"
#include "probes/activations/positions.h"

enum {
    GAMES_AT_ONCE = 256,
    GAMES_FOR_ONE = 20
}; /* games at a time; looked at for one that is new */

int neuron_sources_open(NeuronSources *out, const GameVariant *variant, Corpus *corpus,
                        uint64_t seed)
{
    *out = (NeuronSources){0};
    if (corpus) {
        int rc = source_corpus(&out->rules, corpus, 1U << SPLIT_TEST, false, seed);
        rc = rc ? rc : source_corpus(&out->used, corpus, 1U << SPLIT_TEST, false, seed);
        return rc ? rc : source_corpus(&out->training, corpus, 1U << SPLIT_TRAIN, false, seed);
    }
    int rc = source_fresh(&out->rules, variant, seed, RNG_EVAL);
    rc = rc ? rc : source_fresh(&out->used, variant, seed, RNG_EVAL);
    return rc ? rc : source_fresh(&out->training, variant, seed, RNG_FRESH);
}

void neuron_sources_release(NeuronSources *sources)
{
    source_free(sources->rules);
    source_free(sources->used);
    source_free(sources->training);
    *sources = (NeuronSources){0};
}

void neuron_sample_limit(NeuronSample *sample, const GameSource *source)
{
    size_t there = (size_t)source_games(source), asked = sample->fit_games + sample->test_games;
    if (there > 0 && asked > there) { /* 0: it never ends */
        sample->fit_games = (size_t)((double)there * (double)sample->fit_games / (double)asked);
        sample->test_games = there - sample->fit_games;
    }
}

size_t neuron_sample_positions(const Vocab *vocab, const NeuronSample *sample)
{
    size_t a_game = (size_t)vocab->n_ctx;
    if (sample->plies > 0 && (size_t)sample->plies < a_game) {
        a_game = (size_t)sample->plies;
    }
    return (sample->fit_games + sample->test_games) * a_game;
}

size_t neuron_games_bytes(const Vocab *vocab, const NeuronSample *sample)
{
    size_t games = sample->fit_games + sample->test_games;
    return games * ((size_t)vocab->variant->n_moves + 4 * sizeof(uint32_t)) +
           neuron_sample_positions(vocab, sample) *
               (sizeof(Board) + sizeof(NeuronFacts) + 4 * sizeof(uint32_t) + 1);
}

static int games_allocate(NeuronGames *out, const NeuronSample *sample)
{
    size_t games = sample->fit_games + sample->test_games;
    size_t n = neuron_sample_positions(out->vocab, sample);
    out->moves = mem_alloc(games, (size_t)out->vocab->variant->n_moves, "games");
    out->first = mem_calloc(games + 1, sizeof(*out->first), "positions");
    out->game = mem_alloc(n, sizeof(*out->game), "positions");
    out->t = mem_alloc(n, 1, "positions");
    out->board = mem_alloc(n, sizeof(*out->board), "boards");
    out->facts = mem_alloc(n, sizeof(*out->facts), "facts of positions");
    out->twin = mem_alloc(n, sizeof(*out->twin), "twins of positions");
    return out->moves && out->first && out->game && out->t && out->board && out->facts && out->twin
               ? 0
               : OGPT_ENOMEM;
}

void neuron_games_release(NeuronGames *games)
{
    mem_free(games->moves);
    mem_free(games->first);
    mem_free(games->game);
    mem_free(games->t);
    mem_free(games->board);
    mem_free(games->facts);
    mem_free(games->twin);
    *games = (NeuronGames){0};
}

/* Different games of the source, `wanted` if it has them. */
static int read_games(NeuronGames *out, GameSource *source, size_t wanted, const Work *work)
{
    const GameVariant *variant = out->vocab->variant;
    size_t stride = (size_t)variant->n_moves, there = (size_t)source_games(source);
    size_t most = there > 0 ? there : wanted * GAMES_FOR_ONE;
    uint8_t *fetched = mem_alloc(GAMES_AT_ONCE, stride, "games");
    GameSet seen = {0};
    int rc = fetched ? 0 : OGPT_ENOMEM;
    for (size_t first = 0; first < most && out->n_games < wanted && rc == 0;
         first += GAMES_AT_ONCE) {
        size_t count = most - first < GAMES_AT_ONCE ? most - first : GAMES_AT_ONCE;
        rc = interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while games were read")
                                 : source_fetch(source, fetched, first, count, work->pool);
        for (size_t i = 0; i < count && rc == 0 && out->n_games < wanted; i++) {
            const uint8_t *moves = fetched + i * stride;
            int had = game_set_add(&seen, game_hash(moves, variant));
            rc = had < 0 ? had : 0;
            out->n_repeated += had == 1;
            if (had == 0 && game_length(moves, variant->n_moves) > 1) {
                memcpy(out->moves + out->n_games++ * stride, moves, stride);
            }
        }
    }
    game_set_release(&seen);
    mem_free(fetched);
    return rc;
}

static int add_positions(NeuronGames *out, size_t g, int plies, uint64_t seed)
{
    const GameVariant *variant = out->vocab->variant;
    const uint8_t *moves = out->moves + g * (size_t)variant->n_moves;
    int length = game_length(moves, variant->n_moves);
    Board after[GAME_MAX_MOVES];
    Rng rng = rng_at(seed, RNG_NEURONS, g);
    int legal = game_replay(variant, moves, length, after);
    if (legal < length) {
        return err_set(OGPT_EFORMAT, "game %zu of the sample: move %d is illegal", g, legal + 1);
    }
    uint64_t chosen = positions_draw_plies(length - 1, plies, &rng);
    for (int t = 0; t < length - 1; t++) {
        if (chosen >> t & 1) {
            out->game[out->n] = (uint32_t)g;
            out->t[out->n] = (uint8_t)t;
            out->board[out->n] = after[t];
            out->facts[out->n++] = neuron_facts_of(variant, t > 0 ? &after[t - 1] : &variant->start,
                                                   &after[t], moves[t]);
        }
    }
    return 0;
}

/* Positions first .. end-1 of one side of the split: those of a ply are put on a ring in a random
 * order, and each has the next one as its twin. */
static void find_twins(NeuronGames *games, size_t first, size_t end, uint64_t seed,
                       uint32_t *scratch)
{
    for (int t = 0; t < games->vocab->n_ctx; t++) {
        size_t n = 0;
        Rng rng = rng_at(seed, RNG_NEURONS, (UINT64_C(1) << 40) + first * 64 + (uint64_t)t);
        for (size_t i = first; i < end; i++) {
            if (games->t[i] == t) {
                scratch[n++] = (uint32_t)i;
            }
        }
        for (size_t i = n; i > 1; i--) {
            size_t j = rng_below(&rng, (uint32_t)i);
            uint32_t swap = scratch[i - 1];
            scratch[i - 1] = scratch[j];
            scratch[j] = swap;
        }
        for (size_t i = 0; i < n; i++) {
            games->twin[scratch[i]] = scratch[(i + 1) % n];
        }
    }
}

static int add_all(NeuronGames *out, const NeuronSample *sample, const Work *work)
{
    size_t asked = sample->fit_games + sample->test_games;
    out->n_fit_games =
        out->n_games == asked
            ? sample->fit_games
            : (size_t)((double)out->n_games * (double)sample->fit_games / (double)asked);
    if (out->n_fit_games < 2 || out->n_games - out->n_fit_games < 2) {
        return err_set(OGPT_EFORMAT,
                       "%zu different games, expected at least two to fit on and two to hold out; "
                       "give more games",
                       out->n_games);
    }
    int rc = 0;
    for (size_t g = 0; g < out->n_games && rc == 0; g++) {
        out->n_fit = g == out->n_fit_games ? out->n : out->n_fit;
        out->first[g] = (uint32_t)out->n;
        rc = add_positions(out, g, sample->plies, work->seed);
    }
    out->first[out->n_games] = (uint32_t)out->n;
    return rc;
}

int neuron_games_draw(NeuronGames *out, const Vocab *vocab, GameSource *source,
                      const NeuronSample *sample, const Work *work)
{
    size_t most = neuron_sample_positions(vocab, sample);
    *out = (NeuronGames){.vocab = vocab};
    if (most > NEURON_POSITIONS_MAX) {
        return err_set(OGPT_EUSAGE, "%zu positions, expected at most %u: take fewer games or plies",
                       most, NEURON_POSITIONS_MAX);
    }
    int rc = games_allocate(out, sample);
    rc = rc ? rc : read_games(out, source, sample->fit_games + sample->test_games, work);
    rc = rc ? rc : add_all(out, sample, work);
    uint32_t *scratch = rc ? NULL : mem_alloc(out->n, sizeof(*scratch), "twins of positions");
    rc = rc || scratch ? rc : OGPT_ENOMEM;
    if (rc == 0) {
        find_twins(out, 0, out->n_fit, work->seed, scratch);
        find_twins(out, out->n_fit, out->n, work->seed, scratch);
    }
    mem_free(scratch);
    return rc;
}
