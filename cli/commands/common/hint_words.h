/* cli/commands/common/hint_words.h - words of the commands that hints name (study_next). */
#ifndef OGPT_CLI_COMMANDS_COMMON_HINT_WORDS_H
#define OGPT_CLI_COMMANDS_COMMON_HINT_WORDS_H

#include "game/board.h"

/* The first of BEFORE AFTER, BEFORE-2 AFTER, BEFORE-3 AFTER ... that nothing is called yet, so that
 * the hint works however often its command is typed. Into out[FILES_PATH_MAX]. */
void context_name_free(char *out, const char *before, const char *after);
/* A free name below runs/ for a run on this corpus: runs/games of lab/games.ogpc. */
void context_name_run(char *out, const char *corpus);
/* The last words of study_next, before its NULL: --size and, unless they are classic, --rules. */
#define VARIANT_WORDS(variant)                                                                     \
    "--size", context_name_size((variant)->size), context_name_rules((variant)->rules),            \
        game_rules_name((variant)->rules)
/* "4", "6" or "8"; static. */
const char *context_name_size(int size);
/* "--rules", or NULL for the classic ones: the words end there. */
const char *context_name_rules(GameRules rules);

#endif
