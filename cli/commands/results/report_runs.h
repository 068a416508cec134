/* cli/commands/results/report_runs.h - runs of a results database on one page, under the tables of
 * their commands. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_REPORT_RUNS_H
#define OGPT_CLI_COMMANDS_RESULTS_REPORT_RUNS_H

#include "cli/study.h"
#include "report/runs/run_page.h"

/* Add runs of a database: those of `numbers`, an array; or with NULL all, or those that
 * run_links_choose finds, with `about` (report/runs/run_links.h). left_out says which it left. */
int report_runs_add(RunPage *page, Text *left_out, const char *store_path, const Js *numbers,
                    bool all, const char *about);

#endif
