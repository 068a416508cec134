/* tests/probes/patching/patch_fixture.h - a small random 6x6 network and a few pairs. */
#ifndef OGPT_TESTS_PROBES_PATCHING_PATCH_FIXTURE_H
#define OGPT_TESTS_PROBES_PATCHING_PATCH_FIXTURE_H

#include "probes/patching/edges.h"
#include "tests/probes/probe_fixture.h"

enum { N_TEST_PAIRS = 6, V_MAX = 64 };

/* A Delta here is about one unit in size, a mean of float logits that passed three blocks: measured
 * 1.5e-6 at worst. */
#define TOL 1e-5

typedef struct PatchFixture {
    Gpt *gpt;
    Graph graph;
    PairSet set;
    EdgeQuestion question;
} PatchFixture;

/* LayerNorms of random weights damp everything: bring them back to the order of 1. */
static inline void wake_norms(Gpt *gpt)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        if (gpt->specs[i].init_std < 0.0F) {
            for (size_t j = 0; j < gpt->specs[i].count; j++) {
                gpt->params[gpt->specs[i].offset + j] += 1.0F;
            }
        }
    }
}

static inline PatchFixture patch_open(PatchScope scope, PatchNorm norm, PatchDirection direction)
{
    PatchFixture out = {0};
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    options.n = N_TEST_PAIRS;
    options.max_moves = 12;
    assert_int_equal(blas_init(), 0);
    out.gpt = fixture_network(6, 3);
    assert_non_null(out.gpt);
    wake_norms(out.gpt);
    out.graph = graph_of(&out.gpt->cfg);
    assert_int_equal(pairs_make(&out.set, game_variant(6), &options, &(Work){.seed = 2}), 0);
    out.question = (EdgeQuestion){.gpt = out.gpt,
                                  .vocab = vocab_of(game_variant(6)),
                                  .pairs = out.set.pairs,
                                  .n_pairs = out.set.n,
                                  .direction = direction,
                                  .scope = scope,
                                  .norm = norm};
    return out;
}

static inline void patch_close(PatchFixture *fixture)
{
    pairs_release(&fixture->set);
    gpt_free(fixture->gpt);
}

static inline double *numbers(size_t n)
{
    double *out = calloc(n, sizeof(*out));
    assert_non_null(out);
    return out;
}

#endif
