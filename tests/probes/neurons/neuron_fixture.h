/* tests/probes/neurons/neuron_fixture.h - games of random play, and a random network. */
#ifndef OGPT_TESTS_PROBES_NEURONS_NEURON_FIXTURE_H
#define OGPT_TESTS_PROBES_NEURONS_NEURON_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "probes/neurons/neuron_fit.h"
#include "probes/neurons/neuron_look.h"

static inline void neuron_games_fresh(NeuronGames *out, int size, size_t fit, size_t test)
{
    const GameVariant *variant = game_variant(size);
    GameSource *source = NULL;
    NeuronSample sample = {fit, test, 0};
    assert_int_equal(source_fresh(&source, variant, 7, RNG_TEST), 0);
    assert_int_equal(neuron_games_draw(out, vocab_of(variant), source, &sample, WORK_ALONE), 0);
    source_free(source);
}

/* A network that was never trained, with so many neurons a layer. */
static inline Gpt *neuron_network_of(int size, int layers, int d_mlp)
{
    const Vocab *vocab = vocab_of(game_variant(size));
    GptConfig cfg = {.n_layers = layers,
                     .d_model = 16,
                     .n_heads = 2,
                     .d_head = 8,
                     .d_mlp = d_mlp,
                     .n_ctx = vocab->n_ctx,
                     .d_vocab = vocab->d_vocab,
                     .eps = 1e-5F};
    Gpt *gpt = NULL;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    gpt_init(gpt, 5, RNG_TEST);
    return gpt;
}

static inline Gpt *neuron_network(int size, int layers)
{
    return neuron_network_of(size, layers, 64);
}

#endif
