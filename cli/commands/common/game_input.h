/* cli/commands/common/game_input.h - a study's games, in words, and the memory it takes. */
#ifndef OGPT_CLI_COMMANDS_COMMON_GAME_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_GAME_INPUT_H

#include "base/files.h"
#include "cli/command.h"
#include "game/board.h"

#define GAME_WORDS_MAX (FILES_PATH_MAX + 64)

/* Where games come from (source_of), into out[GAME_WORDS_MAX]: "`splits` split of `corpus`", or if
 * that is NULL "fresh games of seed N". */
void context_games_words(char *out, const Context *context, const char *corpus, const char *splits);
/* The board of --size, 8x8 unless given, with these rules (GameRules; -1: classic). */
const GameVariant *context_variant(const Context *context, int rules);
/* Refuse what is more than --memory allows (OPTION_MEMORY): 0 or OGPT_EUSAGE. `advice`: what else
 * to take, "fewer --games". */
int context_check_memory(size_t bytes, int64_t allowed_mib, const char *advice);

#endif
