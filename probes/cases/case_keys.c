/* probes/cases/case_keys.c - a small hash set of cases. Among n cases, two different ones share a
 * 64-bit hash with probability n^2 / 2^65 (3e-8 for a million); one redraw too many would follow.
 */
#include "probes/cases/case_keys.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

int case_keys_init(CaseKeys *out, size_t n)
{
    size_t n_slots = 64;
    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    out->mask = n_slots - 1;
    out->slots = mem_calloc(n_slots, sizeof(*out->slots), "hashes of cases");
    return out->slots ? 0 : OGPT_ENOMEM;
}

void case_keys_release(CaseKeys *keys)
{
    mem_free(keys->slots);
    memset(keys, 0, sizeof(*keys));
}

uint64_t case_prefix_hash(const EditCase *edit)
{
    return xxh3(edit->moves, (size_t)edit->n_moves);
}

uint64_t case_hash(const EditCase *edit)
{
    uint8_t bytes[GAME_MAX_MOVES + 3 * CASE_MAX_SQUARES];
    size_t n = (size_t)edit->n_moves;
    memcpy(bytes, edit->moves, n);
    for (int i = 0; i < edit->n_squares; i++) {
        bytes[n++] = edit->squares[i].sq;
        bytes[n++] = edit->squares[i].from;
        bytes[n++] = edit->squares[i].to;
    }
    return xxh3(bytes, n);
}

/* The slot that holds a hash, or the free slot where it belongs. 0 marks a free slot, so a hash of
 * 0 is stored as 1. */
static size_t slot_of(const CaseKeys *keys, uint64_t hash)
{
    uint64_t key = hash ? hash : 1;
    size_t slot = key & keys->mask;
    while (keys->slots[slot] != 0 && keys->slots[slot] != key) {
        slot = (slot + 1) & keys->mask;
    }
    return slot;
}

bool case_keys_add(CaseKeys *keys, uint64_t hash)
{
    size_t slot = slot_of(keys, hash);
    bool is_new = keys->slots[slot] == 0;
    keys->slots[slot] = hash ? hash : 1;
    return is_new;
}

bool case_keys_has(const CaseKeys *keys, uint64_t hash)
{
    return keys->slots[slot_of(keys, hash)] != 0;
}
