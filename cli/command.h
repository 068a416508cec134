/* cli/command.h - what a command is: one row in the command table, one option table.
 *
 * Help, parsing, range checks, "did you mean", --json keys of the options and the options row
 * stored with each run all come from the same OptionSpec table. A command's file holds its
 * option struct, its table and its run function, and no algorithm.
 */
#ifndef OGPT_CLI_COMMAND_H
#define OGPT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/layer_list.h"
#include "base/js.h"
#include "base/pool.h"
#include "base/text.h"
#include "report/text_style.h"
#include "store/runs.h"

typedef enum OptionType {
    OPT_FLAG,   /* bool; no value */
    OPT_INT,    /* int64_t, whole, in min..max */
    OPT_NUM,    /* double, finite, in min..max */
    OPT_TEXT,   /* const char *, borrowed from argv or the default */
    OPT_OUT,    /* the same: a file or directory to be made; that it can be is checked before run */
    OPT_CHOICE, /* const char *, one of `choices` separated by '|' */
    OPT_ENUM,   /* int: which of `choices`, from 0 on; or what `parse` makes of it. -1: unset */
    OPT_SITE,   /* the same for a hook site of the network: needs `parse` */
    OPT_LAYERS  /* LayerList: "embed", "3", "2-5", "1,3,6", and those words of `choices` */
} OptionType;

typedef struct OptionSpec {
    const char *name; /* without the dashes: "d-model" */
    OptionType type;
    size_t offset;        /* offsetof(the command's option struct, field) */
    double min, max;      /* for INT and NUM */
    const char *def;      /* default as text, NULL: unset (0, NaN, NULL, false) */
    const char *choices;  /* for CHOICE, ENUM, SITE: "auto|pgn|wthor"; for LAYERS: "all|auto" */
    const char *argument; /* shown in help: "N", "FILE" */
    const char *help;     /* one line, no default and no range: those are appended */
    bool required;        /* a command line without it is refused before anything else */
    bool kept;            /* OUT: a file that is there stays, unless --force is given or the same
                           * options, but for files of tables and figures, ran before: study_begin
                           * refuses it before the work */
    const char *alias;    /* an older name that is still taken, and its key in stored options */
    /* ENUM, SITE: the value of a word, or -1; NULL: its place in `choices`. Other names that it
     * knows for one of the choices are taken too. */
    int (*parse)(const char *word);
} OptionSpec;

/* Rows of an option table; the dots name further members: .def, .required, .kept, .alias,
 * .parse. */
#define OPTION_ROW(name_, type_, at_, help_, ...)                                                  \
    {                                                                                              \
        .name = name_, .type = type_, .offset = at_, .help = help_, __VA_ARGS__                    \
    }
#define OPTION_FLAG(name_, at_, help_) OPTION_ROW(name_, OPT_FLAG, at_, help_)
#define OPTION_INT(name_, at_, argument_, min_, max_, help_, ...)                                  \
    OPTION_ROW(name_, OPT_INT, at_, help_, .argument = argument_, .min = min_, .max = max_,        \
               __VA_ARGS__)
#define OPTION_NUM(name_, at_, argument_, min_, max_, help_, ...)                                  \
    OPTION_ROW(name_, OPT_NUM, at_, help_, .argument = argument_, .min = min_, .max = max_,        \
               __VA_ARGS__)
#define OPTION_TEXT(name_, at_, argument_, help_, ...)                                             \
    OPTION_ROW(name_, OPT_TEXT, at_, help_, .argument = argument_, __VA_ARGS__)
#define OPTION_OUT(name_, at_, argument_, help_, ...)                                              \
    OPTION_ROW(name_, OPT_OUT, at_, help_, .argument = argument_, __VA_ARGS__)
#define OPTION_CHOICE(name_, at_, choices_, help_, ...)                                            \
    OPTION_ROW(name_, OPT_CHOICE, at_, help_, .choices = choices_, __VA_ARGS__)
#define OPTION_ENUM(name_, at_, choices_, help_, ...)                                              \
    OPTION_ROW(name_, OPT_ENUM, at_, help_, .choices = choices_, __VA_ARGS__)

/* Options that every command has are in the context, filled before run is called. */
typedef struct Context {
    const struct Command *command;
    const void *options; /* the command's option struct */
    int n_args;          /* positional arguments after the command's name */
    const char *const *args;
    const char *command_line; /* as typed, blanks quoted */
    bool json, quiet, force;
    TextStyle style; /* of stdout, as asked when the command began */
    uint64_t seed;
    int size; /* 4, 6 or 8; 0 when the command has no --size or none given:
               * then 8, or that of the corpus or model */
    bool size_given, seed_given, threads_given;
    size_t threads;
    const char *store_path;
    bool store_given; /* by --store or OGPT_STORE */
    Pool *pool;       /* made by context_pool on first use */
    Store *store;     /* opened by context_run_begin */
    int64_t run;      /* id of the run row, 0: none */
    bool tell_seed;   /* context_result says it on stderr: set by context_run_begin */
    Js *options_json; /* every option with its value, as stored with the run */

    struct OptionTable *own;    /* the command's own options, for context_given */
    struct Study *study;        /* what the framework keeps for the command: cli/study.h */
    struct Report *report;      /* the result so far: report/report.h */
    const char *csv, *html;     /* files of the tables, or NULL */
    const char *figures[3];     /* files of --svg, --pdf, --png, or NULL */
    const char *figure, *width; /* as typed, or NULL */
} Context;

/* USES_STORE_THERE: has no results of its own to keep, so it makes no database; its run is stored
 * if one is there, or named by --store or OGPT_STORE. USES_BOARDS: draws boards, so it has
 * --unicode. USES_FIGURES: draws figures of other tables than those that it declares.
 * USES_RANKS: may be started by mpirun (base/ranks/ranks.h): it deals its work to all ranks, and
 * writes nothing on others than the first, which have no store. */
enum {
    USES_SEED = 1,
    USES_SIZE = 2,
    USES_THREADS = 4,
    USES_STORE = 8,
    USES_FORCE = 16,
    USES_BOARDS = 32,
    USES_STORE_THERE = 64,
    USES_FIGURES = 128,
    USES_RANKS = 256
};
struct TableSpec;

typedef struct Command {
    const char *name;      /* "generate", or with a blank: "probe fit" */
    const char *arguments; /* "CORPUS --games N" : the usage line after the name */
    const char *summary;   /* one line */
    const char *examples;  /* lines for the top of --help */
    const OptionSpec *options;
    size_t n_options;
    size_t options_bytes;                  /* sizeof the option struct */
    int min_args, max_args;                /* positional; max -1: any number */
    int model_args;                        /* the first so many name networks (-1: all), and a
                                            * shipped one by its name alone */
    unsigned uses;                         /* USES_* */
    const struct TableSpec *const *tables; /* that it returns (cli/study.h), NULL-terminated; the
                                            * first that it made is what --csv FILE.csv holds. NULL:
                                            * none */
    int (*run)(Context *context);          /* 0 or OGPT_E*; message already set */
} Command;

/* Members of a Command for an array of options and the struct that they fill, and for tables. */
#define COMMAND_OPTIONS(list, type)                                                                \
    .options = list, .n_options = sizeof(list) / sizeof((list)[0]), .options_bytes = sizeof(type)
#define COMMAND_TABLES(...)                                                                        \
    .tables = (const struct TableSpec *const[])                                                    \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* What the framework is handed, since it knows no command and no library by name. */
typedef struct Program {
    const char *version;
    const Command *const *commands; /* NULL-terminated, in the order of the help page */
    int (*start)(void);             /* before a command runs: 0 or OGPT_E* */
    /* Owned: of the program and its libraries; `all`: also of those that nothing has loaded yet. */
    Js *(*versions)(bool all);
    /* Folders of shipped networks, from the folder of the program's file; NULL-terminated. */
    const char *const *model_folders;
} Program;

/* Borrowed for the life of the process; called once, before anything else here. */
void cli_set_program(const Program *program);
/* The whole program: argv in, exit code out. main() only calls it. */
int cli_main(int argc, char **argv);
/* One command line without the program's name, in this process: how ogpt demo takes the very steps
 * that a user would type. Returns 0 or OGPT_E*; prints no error. */
int cli_run(int argc, char **argv);

/* The command of this name; NULL: the program has none. */
const Command *cli_command(const char *name);

/* Whether `name` names nothing here, but a network that was shipped with the program: its path from
 * the root, into out[FILES_PATH_MAX]. */
bool context_shipped_model(char *out, const char *name);
/* The same for a file NAME with its ending in a folder beside the shipped networks, such as
 * "hypotheses", ".txt". */
bool context_shipped_file(char *out, const char *folder, const char *name, const char *ending);

/* Options of the command that were not typed take the values that an earlier run stored under their
 * names; texts are borrowed. The values stored with this run stay those that were typed. Errors as
 * options_take (cli/options.h). */
int context_options_take(Context *context, const Js *values, const char *origin);
/* Whether the command's own option `name` was typed, with any value. */
bool context_given(const Context *context, const char *name);
/* The value of one of the command's own options, as it is stored with the run: of an ENUM its word;
 * owned. */
Js *context_option(const Context *context, const char *name);
/* Positional argument `index` as a whole number in min..max; `name` as in the usage line.
 * Returns 0 or OGPT_EUSAGE. */
int context_arg_int(int64_t *out, const Context *context, int index, const char *name, int64_t min,
                    int64_t max);
/* The pool of context->threads workers (default: all cores). Returns 0 or OGPT_E*. */
int context_pool(Context *context);
/* Open the store and insert the run row; `subject` as in RunStart. With `resume`, goes on with
 * the run row of the same command, subject and options that ended last (--threads, --store, --json
 * and the like do not count), unless a living process still works on such a row. Without,
 * context_result says the seed, where the command has one. */
int context_run_begin(Context *context, const char *subject, bool resume);
/* Called by the framework after run() with its code: closes the run row with its status. Returns
 * `code`, or the error of the store when that was 0. */
int context_run_end(Context *context, int code);
/* Result: with --json the document (plus "schema": 1, "command", "seed" when used), else
 * `text` (NULL: building it ran out of memory). Takes over `document`. Control characters in
 * the text are shown as '?', except newlines and, with colour, colour sequences. */
int context_result(Context *context, Js *document, const char *text);
/* A part of a result that comes piece by piece, as a dialogue does: now, as text that fits a
 * terminal or with --json as one document on one line. Takes over `document`; errors as
 * context_result. */
int context_part(Context *context, Js *document, const char *text);
/* "next: ..." hint on stderr unless --quiet or --json. */
void context_next(const Context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One warning line on stderr. */
void context_warn(const Context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One information line on stderr unless --quiet. */
void context_say(const Context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Progress: a bar with rate and time left when stderr is a terminal, else a line every ten
 * seconds; nothing with --quiet. `detail` is free text behind it. progress_end clears. */
typedef struct Progress {
    const Context *context;
    const char *label, *unit;
    double total, start, shown;
    double left;        /* the caller's: seconds still to go; 0: as long for each unit as so far */
    double first, last; /* `done` at the first step (a resumed command starts above 0), and now */
    bool open;
} Progress;
Progress progress_begin(const Context *context, const char *label, const char *unit, double total);
void progress_step(Progress *progress, double done, const char *detail);
void progress_end(Progress *progress);

#endif
