/* datasets/split.h - games for training, for validation, for the test: 80/10/10 by their hash.
 *
 * The rule that divides the games is a property of the corpus file. What was made with a corpus
 * (a network, a probe) records the rule. Where two of them meet that were divided by different
 * rules, a game belongs to a split only if all their rules say so: then nobody's test game was in
 * training.
 */
#ifndef OGPT_DATASETS_SPLIT_H
#define OGPT_DATASETS_SPLIT_H

#include "game/board.h"

typedef enum Split { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLIT_NONE } Split;
/* A mask; with the games on whose split the rules differ. */
#define SPLIT_ALL (1U << SPLIT_TRAIN | 1U << SPLIT_VALIDATION | 1U << SPLIT_TEST | 1U << SPLIT_NONE)

/* Bits of a set of rules. By the canonical form (game/canonical.h) a game and its mirror images lie
 * in the same split. By the game alone they may lie on both sides: corpora of version 1. */
typedef enum SplitRule { SPLIT_BY_GAME = 1, SPLIT_BY_CANONICAL = 2 } SplitRule;

/* XXH3 of the full stride: of the game as it is, and of its canonical form. */
uint64_t game_hash(const uint8_t *moves, const GameVariant *variant);
uint64_t game_hash_canonical(const uint8_t *moves, const GameVariant *variant);

/* The split of a game by a set of rules (not empty); SPLIT_NONE if they differ. */
Split split_of_game(const uint8_t *moves, const GameVariant *variant, unsigned rules);

/* A set of rules as files name it: "game", "canonical" or "game canonical" (static). */
const char *split_rules_name(unsigned rules);
/* The set with this name; NULL, as in files that were made before there was a choice: by the game.
 * Another name: all rules, the safe side. */
unsigned split_rules_of(const char *name);

#endif
