/* cli/command.c - the whole program: find the command, parse, run, exit code. */
#include "cli/framework.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "cli/terminal.h"

static const Program *program_given;

void cli_set_program(const Program *program)
{
    program_given = program;
}

const Program *program__get(void)
{
    return program_given;
}

/* A command and the number of words that its name takes up: "probe fit" is two. */
typedef struct CommandFound {
    const Command *command;
    int n_words;
} CommandFound;

void command__word(Text *text, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "-_./=,:+@%";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        text_add(text, " %s", word);
        return;
    }
    text_add(text, " '");
    for (const char *c = word; *c != '\0'; c++) {
        text_add(text, *c == '\'' ? "'\\''" : "%c", *c);
    }
    text_add(text, "'");
}

/* As typed, with the program's name without its folder. */
static void command_line_build(Text *text, int argc, char **argv)
{
    text_add(text, "ogpt");
    for (int i = 1; i < argc; i++) {
        command__word(text, argv[i]);
    }
}

const Command *command__at(size_t index)
{
    const Command *const *commands = program_given->commands;
    size_t i = 0;
    while (i < index && commands[i]) {
        i++;
    }
    return commands[i]      ? commands[i]
           : i == index     ? &version_command
           : i + 1 == index ? &completion_command
                            : NULL;
}

/* Two words before one: "eval compare" is not eval of a network that is called compare. */
static CommandFound command_find(int argc, char **argv)
{
    CommandFound found = {NULL, 0};
    for (size_t i = 0; command__at(i); i++) {
        const Command *command = command__at(i);
        const char *name = command->name;
        size_t first = strcspn(name, " ");
        if (strncmp(name, argv[0], first) != 0 || argv[0][first] != '\0') {
            continue;
        }
        if (name[first] == '\0') {
            found = (CommandFound){command, 1};
        } else if (argc > 1 && strcmp(name + first + 1, argv[1]) == 0) {
            return (CommandFound){command, 2};
        }
    }
    return found;
}

/* The subcommands of a group, "fit|eval". */
static void group_list(Text *text, const char *group)
{
    const Command *const *commands = program_given->commands;
    size_t length = strlen(group);
    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        if (strncmp(name, group, length) == 0 && name[length] == ' ') {
            text_add(text, "%s%s", text->length > 0 ? "|" : "", name + length + 1);
        }
    }
}

static int unknown_command(int argc, char **argv)
{
    Suggestion near = {.word = argv[0]};
    if (group__exists(argv[0])) {
        Text list = {0};
        group_list(&list, argv[0]);
        int rc = argc > 1 ? err_set(OGPT_EUSAGE, "%s: one of %s expected, found '%s'", argv[0],
                                    list.data, argv[1])
                          : err_set(OGPT_EUSAGE, "%s: one of %s expected; see 'ogpt help %s'",
                                    argv[0], list.data, argv[0]);
        text_release(&list);
        return rc;
    }
    char first_words[64][32]; /* of commands with two words, kept for the suggestion */
    size_t n = 0;
    for (size_t i = 0; command__at(i) && n < 64; i++) {
        const char *name = command__at(i)->name;
        snprintf(first_words[n], sizeof(first_words[n]), "%.*s", (int)strcspn(name, " "), name);
        suggestion_offer(&near, first_words[n++]);
    }
    suggestion_offer(&near, "help");
    if (near.best) {
        return err_set(OGPT_EUSAGE, "unknown command '%s'; did you mean '%s'?", argv[0], near.best);
    }
    return err_set(OGPT_EUSAGE, "unknown command '%s'; 'ogpt --help' lists all", argv[0]);
}

/* Pages are results like any other: stdout, and its errors are noticed. width 0: as they are. */
static int page_print(Text *page, int width)
{
    Command command = {.name = "help"};
    Context context = {.command = &command};
    Text wrapped = {0};
    style_wrap(&wrapped, page->failed ? "" : page->data, width);
    bool failed = page->failed || wrapped.failed;
    int rc = context_result(&context, js_null(), failed ? NULL : wrapped.data);
    text_release(&wrapped);
    text_release(page);
    return rc;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The words of `help` without --man, which comes first or last: nothing, or the command, with a
 * blank or a hyphen between two words. */
static int man_run(int argc, char **argv)
{
    Text page = {0};
    char name[64] = "";
    size_t found = 0;
    snprintf(name, sizeof(name), "%s%s%s", argc > 0 ? argv[0] : "", argc > 1 ? "-" : "",
             argc > 1 ? argv[1] : "");
    while (argc > 0 && command__at(found)) {
        const char *c = command__at(found)->name, *n = name;
        for (; *c != '\0' && (*c == *n || (*c == ' ' && *n == '-')); c++) {
            n++;
        }
        if (*c == '\0' && *n == '\0' && argc <= 2) {
            break;
        }
        found++;
    }
    if (argc > 0 && !command__at(found)) {
        return unknown_command(argc, argv);
    }
    help__man(&page, argc > 0 ? command__at(found) : NULL);
    return page_print(&page, 0);
}

static int help_run(int argc, char **argv)
{
    Text page = {0};
    if (argc > 0 && strcmp(argv[0], "--man") == 0) {
        return man_run(argc - 1, argv + 1);
    }
    if (argc > 0 && strcmp(argv[argc - 1], "--man") == 0) {
        return man_run(argc - 1, argv);
    }
    if (argc == 0 || (argc == 1 && is_help(argv[0]))) {
        help__program(&page);
    } else {
        CommandFound found = command_find(argc, argv);
        int n_words = found.command ? found.n_words : 1;
        if (!found.command && (argc > 1 || !group__exists(argv[0]))) {
            return unknown_command(argc, argv);
        }
        if (argc > n_words) {
            return err_set(OGPT_EUSAGE, "help: nothing expected after the command, found '%s'",
                           argv[n_words]);
        }
        if (found.command) {
            help__command(&page, found.command, terminal_width(STDOUT_FILENO));
        } else {
            help__group(&page, argv[0]);
        }
    }
    return page_print(&page, terminal_width(STDOUT_FILENO));
}

static int arguments_check(const Context *context)
{
    const Command *command = context->command;
    if (context->n_args < command->min_args) {
        return err_set(OGPT_EUSAGE, "%s: %d argument%s expected, found %d; usage: ogpt %s %s",
                       command->name, command->min_args, command->min_args == 1 ? "" : "s",
                       context->n_args, command->name, command->arguments);
    }
    if (command->max_args >= 0 && context->n_args > command->max_args) {
        return err_set(OGPT_EUSAGE, "%s: unexpected argument '%s'; usage: ogpt %s %s",
                       command->name, context->args[command->max_args], command->name,
                       command->arguments);
    }
    return 0;
}

/* None of these outputs is what an argument or an option names, or the results database. */
static int places_check(const Context *context, const OptionTable *table,
                        const char *const outputs[], size_t n)
{
    int rc = options_check_inputs(table, outputs, n);
    rc = rc || !context->store_path
             ? rc
             : options_check_input(table, context->store_path, true, outputs, n);
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        rc = options_check_input(table, context->args[i], false, outputs, n);
    }
    return rc;
}

/* No output is a file that the command reads, or another output. */
static int inputs_check(const Context *context, const OptionTable *table)
{
    const bool folder = context->csv && !study__csv_is_file(context->csv);
    const char *const outputs[] = {context->csv, context->html, context->figures[0],
                                   context->figures[1], context->figures[2]};
    const size_t n_outputs = sizeof(outputs) / sizeof(outputs[0]);
    int rc = places_check(context, table, outputs, n_outputs);
    for (size_t i = 0; rc == 0 && i < n_outputs; i++) {
        const size_t next = i + 1;
        rc = outputs[i]
                 ? options_check_input(table, outputs[i], true, outputs + next, n_outputs - next)
                 : 0;
    }
    for (size_t i = 0; rc == 0 && folder && context->command->tables[i]; i++) {
        char path[FILES_PATH_MAX];
        const char *const in_folder[] = {path};
        rc = study__csv_path(path, context, i);
        rc = rc ? rc : places_check(context, table, in_folder, 1);
        rc = rc ? rc : options_check_input(table, path, true, outputs + 1, n_outputs - 1);
    }
    return rc;
}

/* Parse, run, close the run row. argv: the words after the command's name. */
static int command_run(const Command *command, const char *command_line, int argc, char **argv)
{
    OptionSpec common_specs[OPTIONS_MAX];
    CommonOptions common = {.color = "auto", .store = STORE_DEFAULT_PATH, .seed = 1};
    Context context = {.command = command, .command_line = command_line};
    Study study;
    void *own = mem_calloc(1, command->options_bytes + 1, "options");
    const char **args = mem_calloc((size_t)argc + 1, sizeof(*args), "arguments");
    char *shipped = NULL;
    int rc = !own || !args ? OGPT_ENOMEM : 0;
    study__open(&study, &context);
    if (rc != 0) {
        goto done;
    }
    OptionTable tables[2] = {
        {.specs = common_specs, .n = common__specs(common_specs, command), .base = &common},
        {.specs = command->options, .n = command->n_options, .base = own},
    };
    options_default(&tables[0]);
    options_default(&tables[1]);
    rc = options_parse(tables, 2, &context.n_args, args, argc, argv, command->name);
    if (rc != 0) {
        goto done;
    }
    if (common.help) {
        Text page = {0};
        help__command(&page, command, terminal_width(STDOUT_FILENO));
        rc = page_print(&page, terminal_width(STDOUT_FILENO));
        goto done;
    }
    rc = arguments__shipped(&context, args, &shipped);
    if (rc != 0) {
        goto done;
    }
    context.args = args;
    context__fill(&context, &common, tables);
    rc = arguments_check(&context);
    rc = rc ? rc : options_check_required(&tables[1], command->name, command->examples);
    if (ranks_first()) { /* the others write nothing */
        rc = rc ? rc : options_check_outputs(&tables[1]);
        rc = rc ? rc : inputs_check(&context, &tables[1]);
        rc = rc ? rc : study__check_files(&context, true);
    }
    rc = rc ? rc : program_given->start();
    rc = rc ? rc : context__ranks(&context);
    if (rc == 0) {
        rc = command->run(&context);
        rc = rc ? rc : study__finish(&study);
        rc = context_run_end(&context, rc);
    }
done:
    study__close(&study);
    context__release(&context);
    mem_free(shipped);
    mem_free(args);
    mem_free(own);
    return rc;
}

/* --version takes the place of a command, and only --json can follow it. */
static int version_option(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    if (argc > (json ? 2 : 1)) {
        return err_set(OGPT_EUSAGE, "--version: nothing but --json can follow, found '%s'",
                       argv[json ? 2 : 1]);
    }
    return command_run(&version_command, "ogpt version", argc - 1, argv + 1);
}

const Command *cli_command(const char *name)
{
    size_t i = 0;
    while (command__at(i) && strcmp(command__at(i)->name, name) != 0) {
        i++;
    }
    return command__at(i);
}

int cli_run(int argc, char **argv)
{
    if (argc == 0) {
        return err_set(OGPT_EUSAGE, "no command given; 'ogpt --help' lists all");
    }
    if (is_help(argv[0]) || strcmp(argv[0], "help") == 0) {
        return help_run(argc - 1, argv + 1);
    }
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        return version_option(argc, argv);
    }
    if (argv[0][0] == '-') {
        return err_set(OGPT_EUSAGE,
                       "the command comes first, found option '%s'; 'ogpt --help' "
                       "lists the commands",
                       argv[0]);
    }
    CommandFound found = command_find(argc, argv);
    if (!found.command) {
        bool group_help = argc == 2 && group__exists(argv[0]) && is_help(argv[1]);
        return group_help ? help_run(1, argv) : unknown_command(argc, argv);
    }
    Text line = {0};
    command_line_build(&line, argc + 1, argv - 1);
    int rc = line.failed ? OGPT_ENOMEM
                         : command_run(found.command, line.data, argc - found.n_words,
                                       argv + found.n_words);
    text_release(&line);
    return rc;
}

int cli_main(int argc, char **argv)
{
    int rc = ranks_begin();
    rc = ranks_finish(rc ? rc : cli_run(argc - 1, argv + 1));
    /* A reader that went away wants no more text. */
    if (!ranks_first()) { /* the first says it for all */
    } else if (rc == OGPT_EINTR && interrupt_pending() == SIGXCPU) {
        fprintf(stderr,
                "ogpt: the limit on processor time is reached; type the same command under a "
                "higher one (ulimit -S -t) to go on\n");
    } else if (rc == OGPT_EINTR) {
        fprintf(stderr, "ogpt: interrupted; type the same command to go on\n");
    } else if (rc != 0 && rc != OGPT_EPIPE && err_message()[0] != '\0') {
        fprintf(stderr, "ogpt: %s\n", err_message());
    }
    return ranks_leave(rc, err_exit_code(rc, interrupt_pending()));
}
