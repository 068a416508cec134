/* tests/probes/heads/head_fixture.h - games of random play, and attention that is made by hand. */
#ifndef OGPT_TESTS_PROBES_HEADS_HEAD_FIXTURE_H
#define OGPT_TESTS_PROBES_HEADS_HEAD_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/heads/head_compare.h"
#include "probes/heads/head_tally.h"

static inline void head_games_fresh(HeadGames *out, int size, size_t n, uint64_t seed)
{
    const GameVariant *variant = game_variant(size);
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, variant, seed, RNG_TEST), 0);
    assert_int_equal(head_games_read(out, vocab_of(variant), source, n, WORK_ALONE), 0);
    source_free(source);
}

/* Makes the attention (T, T) of a head in game g; a row whose sum stays 0 becomes uniform. */
typedef void (*HandMade)(float *rows, const HeadGames *games, size_t g, const void *context);

static inline void head_normalise(float *rows, size_t T)
{
    for (size_t t = 0; t < T; t++) {
        double sum = 0;
        for (size_t s = 0; s <= t; s++) {
            sum += (double)rows[t * T + s];
        }
        for (size_t s = 0; s <= t; s++) {
            rows[t * T + s] =
                (float)(sum > 0 ? (double)rows[t * T + s] / sum : 1 / (double)(t + 1));
        }
    }
}

/* attention (T, n, T) of n heads in game g. */
static inline void head_attention_handmade(float *attention, const HeadGames *games, size_t g,
                                           size_t n, HandMade make, const void *const *contexts)
{
    size_t T = games->T;
    float *rows = malloc(T * T * sizeof(float));
    for (size_t h = 0; h < n; h++) {
        memset(rows, 0, T * T * sizeof(float));
        make(rows, games, g, contexts[h]);
        head_normalise(rows, T);
        for (size_t t = 0; t < T; t++) {
            memcpy(attention + (t * n + h) * T, rows + t * T, T * sizeof(float));
        }
    }
    free(rows);
}

/* Scores of n heads of one layer that attend as they are told. */
static inline void head_score_twins(HeadPatterns *out, const HeadGames *games,
                                    const HeadGames *twins, size_t n, HandMade make,
                                    const void *const *contexts)
{
    HeadTally tally;
    size_t T = games->T;
    assert_int_equal(head_tally_open(&tally, games, twins, 1, n), 0);
    size_t size = n * tally.triangle;
    float *weights = malloc(tally.triangle * HEAD_LANES * sizeof(float));
    float *sums = malloc(2 * size * sizeof(float));
    float *attention = calloc(T * n * T, sizeof(float));
    for (size_t g = 0; g < games->n; g++) {
        head_attention_handmade(attention, games, g, n, make, contexts);
        memset(sums, 0, 2 * size * sizeof(float));
        head_tally_weights(weights, &tally, g);
        head_tally_add(&tally, sums, sums + size, g, 0, attention, weights);
        head_tally_gather(&tally, sums, sums + size);
    }
    assert_int_equal(head_compare(out, &tally, WORK_ALONE), 0);
    head_tally_release(&tally);
    free(weights);
    free(sums);
    free(attention);
}

static inline void head_score_handmade(HeadPatterns *out, const HeadGames *games, size_t n,
                                       HandMade make, const void *const *contexts)
{
    head_score_twins(out, games, NULL, n, make, contexts);
}

/* Attention on the keys of a detector. context: the detector, an int; more: uniform. */
enum { FIXED_SQUARE = 8 * 1 + 1 }; /* b2 */
static inline void head_look_at(float *rows, const HeadGames *games, size_t g, const void *context)
{
    int detector = *(const int *)context;
    size_t stride = (size_t)games->vocab->variant->n_moves;
    for (size_t t = 0; t < games->n_queries[g]; t++) {
        const HeadKeys *keys = head_games_keys(games, g) + t;
        for (size_t s = 0; s <= t; s++) {
            bool in = detector < N_HEAD_SETS
                          ? keys->sets[detector] >> s & 1
                          : detector == HEAD_SQUARE && games->moves[g * stride + s] == FIXED_SQUARE;
            rows[t * games->T + s] = in ? 1 : 0;
        }
    }
}

#endif
