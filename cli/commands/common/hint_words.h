/* cli/commands/common/hint_words.h - words of the commands that hints name (study_next). */
#ifndef OGPT_CLI_COMMANDS_COMMON_HINT_WORDS_H
#define OGPT_CLI_COMMANDS_COMMON_HINT_WORDS_H

/* The first of BEFORE AFTER, BEFORE-2 AFTER, BEFORE-3 AFTER ... that nothing is called yet, so that
 * the hint works however often its command is typed. Into out[FILES_PATH_MAX]. */
void context_name_free(char *out, const char *before, const char *after);
/* A free name below runs/ for a run on this corpus: runs/games of lab/games.ogpc. */
void context_name_run(char *out, const char *corpus);
/* "4", "6" or "8"; static. */
const char *context_name_size(int size);

#endif
