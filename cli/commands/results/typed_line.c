/* cli/commands/results/typed_line.c - contract in cli/commands/results/typed_line.h. */
#include "cli/commands/results/typed_line.h"

#include "cli/framework.h"

int typed_words(char *line, char *words[TYPED_WORDS_MAX])
{
    int n = 0;
    while (*line != '\0' && n < TYPED_WORDS_MAX - 8) {
        while (*line == ' ') {
            line++;
        }
        if (*line == '\0') {
            break;
        }
        char end = *line == '\'' ? '\'' : ' ';
        line += end == '\'' ? 1 : 0;
        words[n++] = line;
        while (*line != '\0' && *line != end) {
            line++;
        }
        if (*line != '\0') {
            *line++ = '\0';
        }
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
