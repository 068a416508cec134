/* cli/commands/edits/case_file.h - publishing a file of cases or pairs. */
#ifndef OGPT_CLI_COMMANDS_EDITS_CASE_FILE_H
#define OGPT_CLI_COMMANDS_EDITS_CASE_FILE_H

#include "cli/study.h"
#include "report/results/case_view.h"

/* Publish a case file. One that already holds exactly this text is left alone, so the command typed
 * again ends as it did before; another one is replaced with --force only. what: "cases" or "pairs",
 * in messages. Returns 0 or OGPT_E*. */
int casefile_publish(const Context *context, const char *path, const char *text, size_t n_bytes,
                     const char *what);

#endif
