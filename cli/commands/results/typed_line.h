/* cli/commands/results/typed_line.h - a command line of this program, taken in this process. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_TYPED_LINE_H
#define OGPT_CLI_COMMANDS_RESULTS_TYPED_LINE_H

#include "cli/study.h"

enum { TYPED_WORDS_MAX = 40 };

/* Cut a line into words in place, as a shell does with what command__word writes: '...' keeps
 * blanks together, \' is a quote. At most TYPED_WORDS_MAX - 8 words. Returns their number. */
int typed_words(char *line, char *words[TYPED_WORDS_MAX]);
/* Take the command; with --json its result is not printed, for the document of `context` is the
 * only one on stdout. mute: nor is it without --json. Returns 0 or OGPT_E* of the command. */
int typed_take(const Context *context, int n, char **words, bool mute);

#endif
