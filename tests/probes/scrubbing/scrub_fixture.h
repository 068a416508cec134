/* tests/probes/scrubbing/scrub_fixture.h - a small network with every bias set, games of its board,
 * and hypotheses from text. */
#ifndef OGPT_TESTS_PROBES_SCRUBBING_SCRUB_FIXTURE_H
#define OGPT_TESTS_PROBES_SCRUBBING_SCRUB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/scrubbing/scrub.h"

typedef struct ScrubFixture {
    Gpt *gpt;
    Graph graph;
    const Vocab *vocab;
    ScrubGames roots, pool;
} ScrubFixture;

static inline bool fixture_sanitized(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0;
}

/* Games of the fixture's board; the network is the caller's. */
static inline void fixture_games(ScrubFixture *f, int size, size_t n_roots, size_t n_pool)
{
    f->vocab = vocab_of(game_variant(size));
    assert_int_equal(
        scrub_games_fresh(&f->roots, f->vocab->variant, RNG_EVAL, 0, n_roots, &(Work){.seed = 1}),
        0);
    assert_int_equal(
        scrub_games_fresh(&f->pool, f->vocab->variant, RNG_SCRUB, 0, n_pool, &(Work){.seed = 1}),
        0);
}

/* A network of random weights on 6x6, large enough that every part matters, biases included. */
static inline ScrubFixture fixture_random(int layers, size_t n_roots, size_t n_pool)
{
    ScrubFixture f = {0};
    GptConfig cfg = {.n_layers = layers,
                     .d_model = 32,
                     .n_heads = 4,
                     .d_head = 8,
                     .d_mlp = 64,
                     .n_ctx = 31,
                     .d_vocab = 33,
                     .eps = 1e-5f,
                     .seed = 5};
    assert_int_equal(gpt_new(&f.gpt, &cfg), 0);
    for (size_t i = 0; i < f.gpt->n_specs; i++) {
        Rng rng = rng_at(5, RNG_TEST, i);
        for (size_t k = 0; k < f.gpt->specs[i].count; k++) {
            real *number = &f.gpt->params[f.gpt->specs[i].offset + k];
            *number = (real)(0.3 * rng_normal(&rng) + (f.gpt->specs[i].init_std < 0 ? 1.0 : 0.0));
        }
    }
    f.graph = graph_of(&cfg);
    fixture_games(&f, 6, n_roots, n_pool);
    return f;
}

static inline void fixture_release(ScrubFixture *f)
{
    scrub_games_release(&f->roots);
    scrub_games_release(&f->pool);
    gpt_free(f->gpt);
}

static inline Hypothesis fixture_hypothesis(const ScrubFixture *f, const char *text)
{
    Hypothesis out;
    int rc = hypothesis_parse(&out, &f->graph, f->vocab->variant, text, strlen(text), "x.txt");
    if (rc != 0) {
        fail_msg("%s", err_message());
    }
    return out;
}

static inline ScrubQuestion fixture_question(const ScrubFixture *f, const Hypothesis *hypothesis,
                                             size_t n)
{
    return (ScrubQuestion){.gpt = f->gpt,
                           .graph = &f->graph,
                           .vocab = f->vocab,
                           .hypothesis = hypothesis,
                           .roots = &f->roots,
                           .pool = &f->pool,
                           .n_roots = n,
                           .min_moves = 4,
                           .before_end = 4};
}

/* Roots with at least before_end moves to go. */
static inline ScrubResult fixture_scrub_early(const ScrubFixture *f, const char *text, size_t n,
                                              int before_end)
{
    Hypothesis hypothesis = fixture_hypothesis(f, text);
    ScrubQuestion question = fixture_question(f, &hypothesis, n);
    ScrubResult result;
    question.before_end = before_end;
    int rc = scrub_run(&result, &question, &(Work){.seed = 1});
    if (rc != 0) {
        fail_msg("%s", err_message());
    }
    hypothesis_release(&hypothesis);
    return result;
}

static inline ScrubResult fixture_scrub(const ScrubFixture *f, const char *text, size_t n)
{
    return fixture_scrub_early(f, text, n, 4);
}

#endif
