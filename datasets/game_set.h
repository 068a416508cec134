/* datasets/game_set.h - which games have been seen: a set of their hashes.
 *
 * A hash has 64 bits: among ten million games, two different ones share a hash with probability
 * 3e-6. Memory: 8 bytes per place, and at most three quarters of the places are used.
 */
#ifndef OGPT_DATASETS_GAME_SET_H
#define OGPT_DATASETS_GAME_SET_H

#include <stddef.h>
#include <stdint.h>

typedef struct GameSet {
    uint64_t *places; /* open addressing; 0 is a free place */
    size_t n_places;  /* a power of two */
    size_t n;
} GameSet;

/* Returns 1 if the set had it, 0 if it was added, or OGPT_ENOMEM. A GameSet {0} is empty. */
int game_set_add(GameSet *set, uint64_t hash);
void game_set_release(GameSet *set);

#endif
