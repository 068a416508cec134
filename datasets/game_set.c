/* datasets/game_set.c - a set of hashes with open addressing and linear probing. */
#include "datasets/game_set.h"

#include "base/arena.h"
#include "base/err.h"

#define FIRST_PLACES ((size_t)1 << 12)

/* The place of a hash, or the free place for it. Hashes are uniform: the low bits suffice. */
static uint64_t *place_of(const GameSet *set, uint64_t hash)
{
    size_t at = (size_t)hash & (set->n_places - 1);
    while (set->places[at] != 0 && set->places[at] != hash) {
        at = (at + 1) & (set->n_places - 1);
    }
    return &set->places[at];
}

static int grow(GameSet *set)
{
    GameSet larger = {.n_places = set->n_places == 0 ? FIRST_PLACES : 2 * set->n_places,
                      .n = set->n};
    larger.places = mem_calloc(larger.n_places, sizeof(*larger.places), "the hashes of all games");
    if (!larger.places) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < set->n_places; i++) {
        if (set->places[i] != 0) {
            *place_of(&larger, set->places[i]) = set->places[i];
        }
    }
    mem_free(set->places);
    *set = larger;
    return 0;
}

int game_set_add(GameSet *set, uint64_t hash)
{
    const uint64_t stored = hash == 0 ? 1 : hash; /* 0 marks a free place */
    if (4 * (set->n + 1) > 3 * set->n_places) {
        const int rc = grow(set);
        if (rc != 0) {
            return rc;
        }
    }
    uint64_t *place = place_of(set, stored);
    if (*place == stored) {
        return 1;
    }
    *place = stored;
    set->n++;
    return 0;
}

void game_set_release(GameSet *set)
{
    mem_free(set->places);
    *set = (GameSet){0};
}
