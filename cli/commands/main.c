/* cli/commands/main.c - the program: everything is in cli_main, so that tests can link it.
 *
 * Signals are caught from the first instruction of ours on: before the constructors of the
 * libraries, which take longer than all else at the start. Whoever is ended earlier, while the
 * libraries are being loaded, has opened no file and leaves nothing.
 */
#include "base/process.h"
#include "cli/commands/commands.h"

static void (*const first_of_all)(void)
    __attribute__((section(".preinit_array"), used)) = interrupt_install;

int main(int argc, char **argv)
{
    interrupt_install(); /* where the start of the program knows no such section */
    commands_install();
    return cli_main(argc, argv);
}
