/* cli/commands/common/model_input.c - contract in model_input.h. */
#include "cli/commands/common/model_input.h"

#include "base/arena.h"

int context_model_load(const Context *context, ModelFile *out, const char *path)
{
    char *warning = NULL;
    int rc = model_load(out, path, &warning);
    if (warning) {
        context_warn(context, "%s", warning);
        mem_free(warning);
    }
    return rc;
}
