/* cli/study.h - the result of a command: tables, text and JSON, handed to the framework.
 *
 * A command declares in its Command which tables it returns. Its run function opens what it needs,
 * calls study_begin before the work, computes, fills the tables, and returns. Then the framework
 * stores the rows under their kinds (all in one transaction), prints text or the --json document,
 * writes --csv and --html, gives the hints, closes the run's row and releases everything here.
 *
 * What can be refused early is refused early: study_begin checks that the database has all columns
 * of the declared tables, and that no file of --csv or --html, or of an option that is `kept`, is
 * there which another command line made. A command without a run's row refuses such a file after
 * its result is printed. A page is replaced without --force only if it begins as a page of the same
 * command. Places that can hold no file, and one place for both, are refused before any command
 * runs. The files are written also if the reader of stdout went away. The command's tables and
 * texts come out in the order in which they were begun.
 *
 * Start reading with cli/commands/games/cmd_perft.c, the smallest command.
 */
#ifndef OGPT_CLI_STUDY_H
#define OGPT_CLI_STUDY_H

#include "base/work.h"
#include "cli/command.h"
#include "report/figures/figure.h"
#include "report/report.h"

/* With USES_THREADS the pool, with USES_STORE the run's row. To be called when every input is open
 * and checked, before the work. `subject`: the artefact that the run is about, or NULL; `resume`:
 * the same command typed again goes on in its row. Returns 0 or OGPT_E*.
 */
int study_begin(Context *context, const char *subject, bool resume);

/* What a long function takes as its last parameter: the pool, the seed, and a progress bar behind
 * `label`. Ticks of the stage named `unit` ("games") move the bar; other stages are shown behind
 * it. Both texts are borrowed. Valid until the next call, or the end of the command. */
const Work *study_work(Context *context, const char *label, const char *unit);

/* report_table, report_text, report_json and report_json_all of the command's report. */
Table *study_table(Context *context, const TableSpec *spec);
Text *study_text(Context *context);
void study_json(Context *context, const char *key, Js *value);
void study_json_all(Context *context, Js *object);
/* A hint of what to type next, on stderr after the result: a command line that works as it is
 * printed (tests/cli/hints.sh types them). The words behind "ogpt", the last one NULL; those that a
 * shell would take apart are quoted. */
void study_next(Context *context, const char *word, ...) __attribute__((sentinel));
/* The hint to type the same command line with one more option; value NULL: a flag. None if --csv or
 * --html name files: these belong to the command line that was typed. */
void study_next_again(Context *context, const char *option, const char *value);
/* The result is printed and stored, and the command still ends with this code and the message that
 * is set now: a check that came out negative. Returns 0, to be returned by the run function. */
int study_verdict(Context *context, int code);
/* For a command whose result is a page: write the file of --html at once, by the rules above, with
 * `body` as its content, in the place of the page of tables. *n_bytes: of the file. Returns 0,
 * OGPT_EUSAGE (something else is there) or OGPT_E*. */
int study_page(size_t *n_bytes, Context *context, const Text *body);
/* For a command without a run's row: refuse files of --csv and --html that are there, unless
 * --force. Returns 0, OGPT_EUSAGE or OGPT_EIO. */
int study_check_files(const Context *context);
/* The files of --svg, --pdf and --png, for a command whose figures are not those of the tables that
 * it returns: written now. `sources` are borrowed. 0; errors as figure_write. */
int study_figures(Context *context, const FigureSource *sources, size_t n);
/* Refuse a path that cannot be made, for outputs that are arguments (options: OPT_OUT). */
int study_check_output(const Context *context, const char *path);

#endif
