/* cli/commands/common/model_input.h - the network that a command names. */
#ifndef OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H

#include "cli/command.h"
#include "model/checkpoint.h"

/* model_load, with what it passed over as a warning. Returns as model_load; model_release. */
int context_model_load(const Context *context, ModelFile *out, const char *path);

#endif
