/* cli/commands/commands.h - the commands of this program, handed to the framework. */
#ifndef OGPT_CLI_COMMANDS_COMMANDS_H
#define OGPT_CLI_COMMANDS_COMMANDS_H

#include "cli/command.h"

/* NULL-terminated, in the order of commands.def. */
extern const Command *const commands[];
/* cli_set_program with these commands, the start of BLAS, and the versions of all libraries. */
void commands_install(void);

#endif
