/* cli/framework.h - shared between the framework's files; commands need only cli/command.h. */
#ifndef OGPT_CLI_FRAMEWORK_H
#define OGPT_CLI_FRAMEWORK_H

#include "cli/command.h"
#include "cli/options.h"

/* Options that every command has, and those that USES_* adds (cli/context.c). */
typedef struct CommonOptions {
    bool help, json, quiet, force;
    const char *color, *size, *store;
    int64_t seed, threads; /* threads 0: all cores */
} CommonOptions;

/* The common options of a command with these USES_* bits; returns their number. */
size_t common__specs(OptionSpec out[OPTIONS_MAX], unsigned uses);

/* Fill a context from parsed options (common is tables[0], the command's own tables[1]). */
void context__fill(Context *context, const CommonOptions *common, const OptionTable tables[2]);
/* +1: from now on context_result drops what it is given, -1: no more (cli/output.c). For a command
 * that runs others and has a result of its own. */
void results__mute(int change);
/* Close the store and free what the context owns. */
void context__release(Context *context);

/* What cli_set_program was given. */
const Program *program__get(void);

/* The pages of --help (cli/help.c): the program, a group such as "probe", one command. */
void help__program(Text *text);
void help__group(Text *text, const char *group);
void help__command(Text *text, const Command *command);
/* Whether some command's name is "<group> ...". */
bool group__exists(const char *group);

#endif
