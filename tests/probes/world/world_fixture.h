/* tests/probes/world/world_fixture.h - a small network, its players, and pools, for world tests. */
#ifndef OGPT_TESTS_PROBES_WORLD_WORLD_FIXTURE_H
#define OGPT_TESTS_PROBES_WORLD_WORLD_FIXTURE_H

#include "probes/world/units.h"
#include "tests/probes/probe_fixture.h"

typedef struct WorldFixture {
    Gpt *gpt;
    const Vocab *vocab;
    const GameVariant *variant;
    PlayerSet set;
    Pool *pool; /* three workers */
    Work alone, together;
} WorldFixture;

static inline int world_fixture_open(WorldFixture *out, int size)
{
    *out = (WorldFixture){.variant = game_variant(size), .vocab = vocab_of(game_variant(size))};
    out->gpt = blas_init() == 0 ? fixture_network(size, 1) : NULL;
    if (!out->gpt || pool_new(&out->pool, 3) != 0) {
        return -1;
    }
    out->alone = (Work){.seed = 5};
    out->together = (Work){.seed = 5, .pool = out->pool};
    return player_set_make(&out->set, out->gpt, out->vocab, 64, 2, &out->alone);
}

static inline void world_fixture_close(WorldFixture *fixture)
{
    player_set_release(&fixture->set);
    gpt_free(fixture->gpt);
    pool_free(fixture->pool);
}

#endif
