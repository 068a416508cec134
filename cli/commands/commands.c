/* cli/commands/commands.c - the command table, generated from commands.def. */
#include "cli/commands/commands.h"

#define COMMAND(name) extern const Command name;
#include "cli/commands/commands.def"
#undef COMMAND

#define COMMAND(name) &name,
const Command *const commands[] = {
#include "cli/commands/commands.def"
    NULL,
};
#undef COMMAND
