/* cli/options.h - from argv and an option table to a filled option struct. */
#ifndef OGPT_CLI_OPTIONS_H
#define OGPT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/js.h"
#include "base/suggest.h"
#include "cli/command.h"

#define OPTIONS_MAX 64 /* of one table */

/* One table together with the struct that it fills. */
typedef struct OptionTable {
    const OptionSpec *specs;
    size_t n;
    void *base;              /* the option struct */
    bool given[OPTIONS_MAX]; /* set by options_parse */
} OptionTable;

/* The whole text is one decimal integer: no blanks, no plus, no hexadecimal. */
bool int_read(int64_t *out, const char *text);
/* The whole text is one finite decimal number; "nan", "inf" and hexadecimal are not. */
bool num_read(double *out, const char *text);

/* Write the defaults of a table into its struct. */
void options_default(OptionTable *table);

/* Parse argv[0..argc-1] (without program and command name) into the tables; what is no option
 * goes to args, which has room for argc entries. "--" ends the options. Returns 0, or
 * OGPT_EUSAGE with one line: what is wrong, the range, and a hint. `command` is named in it. */
int options_parse(OptionTable *tables, size_t n_tables, int *n_args, const char **args, int argc,
                  char **argv, const char *command);

/* Refuse a command line that lacks a required option. `examples` are those of its command. */
int options_check_required(const OptionTable *table, const char *command, const char *examples);
/* Whether each OPT_OUT that was given can be made. 0, OGPT_EUSAGE or OGPT_EIO. */
int options_check_outputs(const OptionTable *table);
/* Refuse to write over what is read: no OPT_OUT of the table and none of the n further outputs
 * (NULL allowed) may be the file `input`, under any name; `written`: it is an output too, so none
 * may be made at its place either. options_check_inputs: nor a file that a text option names. 0 or
 * OGPT_EUSAGE. */
int options_check_input(const OptionTable *table, const char *input, bool written,
                        const char *const outputs[], size_t n);
int options_check_inputs(const OptionTable *table, const char *const outputs[], size_t n);
/* Whether both are one file under any two names, or would be made at one place. */
bool options_one_file(const char *a, const char *b);

/* Whether option `name` of the table was given. */
bool option_given(const OptionTable *table, const char *name);

/* Every number or text option that was not given and is a key of `values` takes the value there;
 * texts are borrowed from `values`. OGPT_EFORMAT, with `origin`, for a value that could not have
 * been typed: another type, outside its range, no word of its choices. */
int options_take(OptionTable *table, const Js *values, const char *origin);

/* Every option with its value, defaults included; unset ones are null. */
void options_document(Js *object, const OptionTable *table);

/* What stands for the value of an option: "N", "FILE", "mine|colour"; of a flag NULL or "". */
const char *option_argument(const OptionSpec *spec);
/* Whether its value is one of the words of `choices`. */
bool option_is_choice(const OptionSpec *spec);
/* The explanation of an option, then its range, words for layers, "required" or the default. */
void option_meaning(Text *text, const OptionSpec *spec);
/* Lines for --help: "  --games N     how many games (1..10, default 3)". They may be longer than
 * `width` (0: any), and style_wrap breaks them well; only lists of choices, which have no blanks,
 * are broken here. */
void options_help(Text *text, const OptionSpec *specs, size_t n, int width);

#endif
