/* datasets/split.c - contract in datasets/split.h. */
#include "datasets/split.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "game/canonical.h"

static const char *const RULES[] = {"", "game", "canonical", "game canonical"};

uint64_t game_hash(const uint8_t *moves, const GameVariant *variant)
{
    return xxh3(moves, (size_t)variant->n_moves);
}

uint64_t game_hash_canonical(const uint8_t *moves, const GameVariant *variant)
{
    uint8_t form[GAME_MAX_MOVES];
    game_canonical(form, moves, variant);
    return game_hash(form, variant);
}

static Split split_of_hash(uint64_t hash)
{
    const uint64_t tenth = hash % 10;
    return tenth < 8 ? SPLIT_TRAIN : tenth == 8 ? SPLIT_VALIDATION : SPLIT_TEST;
}

Split split_of_game(const uint8_t *moves, const GameVariant *variant, unsigned rules)
{
    if (!(rules & SPLIT_BY_CANONICAL)) {
        return split_of_hash(game_hash(moves, variant));
    }
    const Split split = split_of_hash(game_hash_canonical(moves, variant));
    return rules & SPLIT_BY_GAME && split_of_hash(game_hash(moves, variant)) != split ? SPLIT_NONE
                                                                                      : split;
}

const char *split_rules_name(unsigned rules)
{
    return RULES[rules & (SPLIT_BY_GAME | SPLIT_BY_CANONICAL)];
}

unsigned split_rules_of(const char *name)
{
    unsigned rules = SPLIT_BY_GAME;
    while (name && rules < (SPLIT_BY_GAME | SPLIT_BY_CANONICAL) &&
           strcmp(name, RULES[rules]) != 0) {
        rules++;
    }
    return rules;
}
