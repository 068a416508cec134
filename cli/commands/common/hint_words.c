/* cli/commands/common/hint_words.c - contract in hint_words.h. */
#include "cli/commands/common/hint_words.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"

#define NAMES_TRIED 1000 /* then the name is taken after all, and its command says so */

void context_name_free(char *out, const char *before, const char *after)
{
    snprintf(out, FILES_PATH_MAX, "%s%s", before, after);
    PathKind kind;
    for (int i = 2; i < NAMES_TRIED && (path_kind(&kind, out) != 0 || kind != PATH_MISSING); i++) {
        if (snprintf(out, FILES_PATH_MAX, "%s-%d%s", before, i, after) >= FILES_PATH_MAX) {
            return;
        }
    }
}

void context_name_run(char *out, const char *corpus)
{
    char run[FILES_PATH_MAX];
    const char *slash = strrchr(corpus, '/');
    const char *name = slash ? slash + 1 : corpus;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    snprintf(run, sizeof(run), "runs/%.*s", (int)length, name);
    context_name_free(out, run, "");
}

const char *context_name_size(int size)
{
    return size == 4 ? "4" : size == 6 ? "6" : "8";
}

const char *context_name_rules(GameRules rules)
{
    return rules == RULES_CLASSIC ? NULL : "--rules";
}
