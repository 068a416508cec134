/* tests/probes/illusion/illusion_fixture.h - networks, pairs and vectors for tests. */
#ifndef OGPT_TESTS_ILLUSION_FIXTURE_H
#define OGPT_TESTS_ILLUSION_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "probes/illusion/illusion_fit.h"
#include "probes/illusion/illusion_pass.h"
#include "probes/illusion/illusion_study.h"
#include "tests/probes/small_network.h"
#include "tests/probes/small_probe.h"

/* The pass of the first history and a changed one do the same sums in other shapes: 1e-6 of a logit
 * of the order of 1, as a share of a way of the order of 0.1. */
#define PASS_ROUNDING 1e-4

static inline PairSet some_pairs(int size, size_t n, uint64_t seed)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    const Work work = {.seed = seed};
    PairSet pairs;
    options.n = n;
    options.before_end = case_before_end(game_variant(size));
    assert_int_equal(pairs_make(&pairs, game_variant(size), &options, &work), 0);
    return pairs;
}

/* A bank whose vectors are all the same. */
static inline SteerBank one_vector(const Gpt *gpt, HookSite site, const float *v)
{
    const int size = vocab_by_size(gpt->cfg.d_vocab, RULES_CLASSIC)->variant->size;
    SteerBank bank;
    assert_int_equal(steer_bank_new(&bank, site, &gpt->cfg, (size_t)(size * size)), 0);
    for (size_t i = 0; i < bank.n_layers * bank.n_groups && v; i++) {
        memcpy(bank.vectors + i * bank.width, v, bank.width * sizeof(float));
    }
    return bank;
}

#endif
