/* cli/commands/games/import_result.h - what an import found: counts, files, rejected games. */
#ifndef OGPT_CLI_COMMANDS_GAMES_IMPORT_RESULT_H
#define OGPT_CLI_COMMANDS_GAMES_IMPORT_RESULT_H

#include "cli/study.h"
#include "datasets/import.h"

/* What the files brought, as it comes in. */
typedef struct ImportReading {
    Context *context;
    const GameVariant *variant;
    Progress progress;
    Table *total, *files, *rejects;
    Text *text; /* the rejected games, a line each */
    uint64_t n_rejected;
    char first[512]; /* the first of them, for the message */
} ImportReading;

/* Begin the tables, the text and the progress bar of an import by `context`. */
void import_reading_begin(ImportReading *out, Context *context, const GameVariant *variant);
/* Listens to import_games, with the reading behind it. */
ImportWatch import_reading_watch(ImportReading *reading);
/* Fill the table of the result, and set the verdict: rejected games, more than --max-bad allows,
 * are an error after the result. Returns 0 or OGPT_E*. */
int import_reading_report(ImportReading *reading, const char *path, const ImportResult *result,
                          int64_t max_bad);

#endif
