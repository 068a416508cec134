/* cli/commands/results/typed_line.c - contract in cli/commands/results/typed_line.h. */
#include "cli/commands/results/typed_line.h"

#include <string.h>

#include "cli/framework.h"

/* One word without its quotes, written over itself. Returns what is behind it. */
static char *word_cut(char *line)
{
    char *write = line;
    bool quoted = false, more = false;
    for (; *line != '\0' && (quoted || *line != ' '); line++) {
        if (*line == '\'') {
            quoted = !quoted;
            continue;
        }
        line += !quoted && line[0] == '\\' && line[1] != '\0';
        *write++ = *line;
    }
    more = *line != '\0'; /* `write` may be where `line` is */
    *write = '\0';
    return line + more;
}

int typed_words(char *line, char *words[TYPED_WORDS_MAX])
{
    int n = 0;
    while (n < TYPED_WORDS_MAX - 8) {
        line += strspn(line, " ");
        if (*line == '\0') {
            break;
        }
        words[n++] = line;
        line = word_cut(line);
    }
    return n;
}

int typed_take(const Context *context, int n, char **words, bool mute)
{
    int depth = context->json || mute ? 1 : 0;
    results__mute(depth);
    int rc = cli_run(n, words);
    results__mute(-depth);
    return rc;
}
