/* cli/shipped.c - networks and hypotheses that come with the program are known by their names
 * alone. */
#include "cli/framework.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"

/* `within` the folder of shipped networks: a file or folder of that name; nothing here may have the
 * typed name, nor may it be a path. */
static bool find_shipped(char *out, const char *typed, const char *within, PathKind wanted)
{
    char program[FILES_PATH_MAX];
    char path[3 * FILES_PATH_MAX];
    const char *const *folder = program__get()->model_folders;
    PathKind kind;
    if (!folder || typed[0] == '\0' || typed[0] == '.' || strchr(typed, '/') ||
        path_kind(&kind, typed) != 0 || kind == PATH_FILE || kind == PATH_DIRECTORY ||
        process_folder(program) != 0) {
        return false;
    }
    for (; *folder; folder++) {
        snprintf(path, sizeof(path), "%s/%s/%s", program, *folder, within);
        if (path_kind(&kind, path) == 0 && kind == wanted && path_absolute(out, path) == 0) {
            return true;
        }
    }
    return false;
}

bool context_shipped_model(char *out, const char *name)
{
    return find_shipped(out, name, name, PATH_DIRECTORY);
}

bool context_shipped_file(char *out, const char *folder, const char *name, const char *ending)
{
    char within[FILES_PATH_MAX];
    return snprintf(within, sizeof(within), "../%s/%s%s", folder, name, ending) <
               (int)sizeof(within) &&
           find_shipped(out, name, within, PATH_FILE);
}

int arguments__shipped(Context *context, const char **args, char **memory)
{
    int n = context->command->model_args;
    n = n < 0 || n > context->n_args ? context->n_args : n;
    *memory = n > 0 ? mem_calloc((size_t)n, FILES_PATH_MAX, "arguments") : NULL;
    if (n > 0 && !*memory) {
        return OGPT_ENOMEM;
    }
    for (int i = 0; i < n; i++) {
        char *path = *memory + (size_t)i * FILES_PATH_MAX;
        args[i] = context_shipped_model(path, args[i]) ? path : args[i];
    }
    return 0;
}
