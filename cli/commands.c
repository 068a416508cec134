/* cli/commands.c - the command table, generated from cli/commands.def. */
#include "cli/command.h"

#define COMMAND(name) extern const Command name;
#include "cli/commands.def"
#undef COMMAND

#define COMMAND(name) &name,
const Command *const commands[] = {
#include "cli/commands.def"
    NULL,
};
#undef COMMAND
