/* cli/shipped.c - networks that come with the program are known by their names alone. */
#include "cli/framework.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"

bool context_shipped_model(char *out, const char *name)
{
    char program[FILES_PATH_MAX];
    char path[2 * FILES_PATH_MAX];
    const char *const *folder = program__get()->model_folders;
    PathKind kind;
    if (!folder || name[0] == '\0' || name[0] == '.' || strchr(name, '/') ||
        path_kind(&kind, name) != 0 || kind == PATH_FILE || kind == PATH_DIRECTORY ||
        process_folder(program) != 0) {
        return false;
    }
    for (; *folder; folder++) {
        snprintf(path, sizeof(path), "%s/%s/%s", program, *folder, name);
        if (path_kind(&kind, path) == 0 && kind == PATH_DIRECTORY &&
            path_absolute(out, path) == 0) {
            return true;
        }
    }
    return false;
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
