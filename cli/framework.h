/* cli/framework.h - shared between the framework's files; commands need only cli/command.h. */
#ifndef OGPT_CLI_FRAMEWORK_H
#define OGPT_CLI_FRAMEWORK_H

#include "cli/command.h"
#include "cli/options.h"
#include "cli/study.h"

/* Options that every command has, and those that USES_* adds (cli/context.c). */
typedef struct CommonOptions {
    bool help, json, quiet, force, wide, unicode;
    const char *color, *size, *store, *csv, *html, *svg, *pdf, *png, *width, *figure;
    int64_t seed, threads; /* threads 0: all cores */
} CommonOptions;

/* The common options that a command has; returns their number. */
size_t common__specs(OptionSpec out[OPTIONS_MAX], const Command *command);

typedef struct Study {
    Context *context;
    Report report; /* context->report */
    Text hints;    /* one a line */
    int verdict;   /* 0, or the code to end with after the result */
    char message[1001];
    bool drawn;     /* study_figures was called */
    bool page_made; /* study_page wrote the file of --html */
    bool unread;    /* the reader of stdout went away, when the rows and files were kept already */
    Work work;
    Progress progress; /* of `work` */
    double done;       /* of the unit that moves the bar */
    const char *label, *unit;
} Study;

void study__open(Study *study, Context *context);
void study__close(Study *study);
/* Before the run's row is made: columns of the database, files that are in the way. */
int study__check(const Context *context, const char *options_json);
/* Files of --csv and --html that cannot be made; unless `same_command` or --force, also those that
 * are there. */
int study__check_files(const Context *context, bool same_command);
/* Store, print, write files, hint; 0 or OGPT_E*. */
int study__finish(Study *study);
/* Whether --csv names one file, not a folder; the path of a table's file in that folder, by its
 * number among the command's. */
bool study__csv_is_file(const char *path);
int study__csv_path(char *out, const Context *context, size_t table);
/* OGPT_EUSAGE: a file is in the way of --`option`. */
int study__exists_error(const Context *context, const char *option, const char *path);
/* Add the way out to the message of `rc`, where the command has one. */
int study__force_error(const Context *context, int rc);

/* Whether a file of --svg, --pdf or --png is wanted. */
bool figures__asked(const Context *context);
/* As study__check_files, for these files. */
int figures__check(const Context *context, bool same_command);
/* Draw and write those of the report, unless the command drew others (study_figures). */
int figures__save(Context *context);

/* Fill a context from parsed options (common is tables[0], the command's own tables[1]). */
void context__fill(Context *context, const CommonOptions *common, OptionTable tables[2]);
/* +1: from now on context_result and context_next drop what they are given, -1: no more
 * (cli/output.c). For a command
 * that runs others and has a result of its own. */
void results__mute(int change);
/* `ogpt version` (cli/version.c). */
extern const Command version_command;
/* `ogpt completion` (cli/completion.c). */
extern const Command completion_command;
/* The command at a place of the help page: those of the program, then `version` and `completion`;
 * NULL behind the last. */
const Command *command__at(size_t index);

/* Refuse several ranks where the command does not deal its work, and ranks that were started
 * otherwise than the first; all get its number of threads. Returns 0 or OGPT_E*. */
int context__ranks(Context *context);

/* Close the store and free what the context owns. */
void context__release(Context *context);

/* Put the paths of shipped networks in the place of their names (cli/shipped.c). *memory, owned,
 * holds them. Returns 0 or OGPT_ENOMEM. */
int arguments__shipped(Context *context, const char **args, char **memory);

/* Add a blank and a word as a shell reads it: quoted unless all of it is plain. */
void command__word(Text *text, const char *word);

/* What cli_set_program was given. */
const Program *program__get(void);

/* The pages of --help (cli/help.c): the program, a group such as "probe", one command. What
 * style_wrap breaks badly for `width`, commands to be pasted and lists of choices, is broken
 * already. */
extern const char help__exit_codes[];
void help__program(Text *text);
void help__group(Text *text, const char *group);
void help__command(Text *text, const Command *command, int width);
/* The manual page of a command, or of the program (NULL), for man (cli/man.c). */
void help__man(Text *text, const Command *command);
/* Whether some command's name is "<group> ...". */
bool group__exists(const char *group);

#endif
