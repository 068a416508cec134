/* cli/commands/common/model_input.c - contract in model_input.h. */
#include "cli/commands/common/model_input.h"

#include "base/arena.h"

int context_model_load(const Context *context, ModelFile *out, const char *path)
{
    char *warning = NULL;
    int code = model_load(out, path, &warning);
    if (warning != NULL) {
        context_warn(context, "%s", warning);
        mem_free(warning);
    }
    return code;
}
