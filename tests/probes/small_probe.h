/* tests/probes/small_probe.h - a linear probe of random weights, for tests. */
#ifndef OGPT_TESTS_SMALL_PROBE_H
#define OGPT_TESTS_SMALL_PROBE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "probes/board/probe.h"

/* A probe of task mine on 6x6, layers 0 and 1. Owned: probe_release. */
static inline Probe random_probe(const GptConfig *cfg, HookSite site)
{
    Probe probe = {.task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .labels = "mover",
                   .site = site,
                   .size = 6,
                   .n_squares = 36,
                   .d_model = (int)hook_width(cfg, site, (size_t)cfg->n_ctx),
                   .n_classes = 3,
                   .n_layers = 2,
                   .layers = {0, 1},
                   .fitted = {true, true}};
    assert_int_equal(probe_allocate(&probe), 0);
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < (size_t)probe.d_model * 36 * 3; i++) {
            Rng rng = rng_at(11 + (uint64_t)l, RNG_TEST, i);
            probe.weight[l][i] = (float)rng_normal(&rng);
        }
    }
    return probe;
}

#endif
