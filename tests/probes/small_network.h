/* tests/probes/small_network.h - networks of two heads, 16 wide, for tests. */
#ifndef OGPT_TESTS_SMALL_NETWORK_H
#define OGPT_TESTS_SMALL_NETWORK_H

#include "base/rng.h"
#include "datasets/vocab.h"
#include "model/gpt.h"

static inline GptConfig small_config(int size, int n_layers, int d_mlp)
{
    const Vocab *vocab = vocab_of(game_variant(size));
    return (GptConfig){.n_layers = n_layers,
                       .d_model = 16,
                       .n_heads = 2,
                       .d_head = 8,
                       .d_mlp = d_mlp,
                       .n_ctx = vocab->n_ctx,
                       .d_vocab = vocab->d_vocab,
                       .eps = 1e-5F};
}

/* Two layers of random weights, also in biases, positions and LayerNorms. NULL: no memory. */
static inline Gpt *noisy_network(int size, int d_mlp, uint64_t seed)
{
    const GptConfig cfg = small_config(size, 2, d_mlp);
    Gpt *gpt = NULL;
    if (gpt_new(&gpt, &cfg) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        Rng rng = rng_at(seed, RNG_TEST, i);
        gpt->params[i] = (real)(0.3 * rng_normal(&rng));
    }
    return gpt;
}

#endif
