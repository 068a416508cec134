/* cli/commands/common/model_input.h - the network that a command names. */
#ifndef OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H

#include "cli/command.h"
#include "probes/activations/subject.h"

/* model_load, with what it passed over as a warning. Returns as model_load; model_release. */
int context_model_load(const Context *context, ModelFile *out, const char *path);
/* subject_open, with what it passed over as a warning. Returns as subject_open; subject_release. */
int context_subject_open(const Context *context, Subject *out, const char *path);

#endif
