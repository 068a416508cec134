/* cli/help.c - every page of help, from the command table and the option tables. */
#include "cli/framework.h"

#include <string.h>

#define SUMMARY_COLUMN 22 /* "world inductive-bias", and two blanks */

const char help__exit_codes[] =
    "exit codes: 0 done, 1 the check asked for came out negative, 2 usage, 3 bad or corrupt "
    "input, 4 environment (disk, memory), 5 locked by another process, 6 numbers diverged, 130 "
    "and 143 interrupted after saving, 141 the reader of the output went away\n";

static void command_line_add(Text *text, const Command *command)
{
    text_add(text, "  %-*s %s\n", SUMMARY_COLUMN - 1, command->name, command->summary);
}

void help__program(Text *text)
{
    text_add(text, "ogpt: a world-model laboratory for Othello\n\n"
                   "examples:\n"
                   "  ogpt generate games.ogpc --games 100000 --size 6\n"
                   "  ogpt corpus show games.ogpc 0\n"
                   "  ogpt help generate\n\n"
                   "usage: ogpt COMMAND ARGUMENTS --options\n\n"
                   "commands:\n");
    for (size_t i = 0; command__at(i); i++) {
        command_line_add(text, command__at(i));
    }
    text_add(text, "  %-*s %s\n", SUMMARY_COLUMN - 1, "help [COMMAND]",
             "this page, or a command's; --man makes it a manual page");
    text_add(text,
             "\noptions:\n"
             "  --help, -h          print this page; behind a command, the page of the command\n"
             "  --version, -V       versions of the program and its libraries (also --json)\n\n"
             "%s",
             help__exit_codes);
}

static bool in_group(const Command *command, const char *group)
{
    size_t length = strlen(group);
    return strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
}

bool group__exists(const char *group)
{
    for (size_t i = 0; program__get()->commands[i]; i++) {
        if (in_group(program__get()->commands[i], group)) {
            return true;
        }
    }
    return false;
}

void help__group(Text *text, const char *group)
{
    text_add(text, "usage: ogpt %s SUBCOMMAND ARGUMENTS --options\n\nsubcommands:\n", group);
    for (size_t i = 0; program__get()->commands[i]; i++) {
        if (in_group(program__get()->commands[i], group)) {
            command_line_add(text, program__get()->commands[i]);
        }
    }
    text_add(text, "\n'ogpt help %s SUBCOMMAND' explains one\n", group);
}

void help__command(Text *text, const Command *command, int width)
{
    OptionSpec common[OPTIONS_MAX];
    size_t n_common = common__specs(common, command);
    const char *examples = command->examples;
    text_add(text, "ogpt %s: %s\n\nexamples:\n", command->name, command->summary);
    while (*examples != '\0') {
        examples += strspn(examples, " ");
        size_t length = strcspn(examples, "\n");
        style_paste(text, examples, length, 2, width);
        examples += length + (examples[length] == '\n');
    }
    text_add(text, "\nusage: ogpt %s %s\n\noptions:\n", command->name, command->arguments);
    options_help(text, command->options, command->n_options, width);
    options_help(text, common, n_common, width);
    text_add(text, "\n%s", help__exit_codes);
}
