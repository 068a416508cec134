/* cli/commands/main.c - the program: everything is in cli_main, so that tests can link it. */
#include "cli/commands/commands.h"

int main(int argc, char **argv)
{
    commands_install();
    return cli_main(argc, argv);
}
