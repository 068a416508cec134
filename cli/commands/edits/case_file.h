/* cli/commands/edits/case_file.h - what the commands of case files share: publishing one, and what
 * its cases are like. */
#ifndef OGPT_CLI_COMMANDS_EDITS_CASE_FILE_H
#define OGPT_CLI_COMMANDS_EDITS_CASE_FILE_H

#include "cli/study.h"
#include "probes/cases/cases.h"

/* Columns of CaseStats and of the cases that count in no mean; the last of a table of cases. */
#define CASE_STATS_COLUMNS                                                                         \
    {"excluded", "left out of means", .type = COLUMN_COUNT, .meaning = "no game can go on there"}, \
        {"excluded_by", .type = COLUMN_NESTED},                                                    \
        {"shortest", "shortest history", .type = COLUMN_COUNT, .unit = "moves"},                   \
        {"longest", "longest history", .type = COLUMN_COUNT, .unit = "moves"},                     \
        {"with_pass", "with a pass", .type = COLUMN_COUNT, .meaning = "histories"},                \
        {"with_witness", "with a witness", .type = COLUMN_COUNT,                                   \
         .meaning = "another legal history reaches the edited board"},                             \
        {"unchanged", "without effect", .type = COLUMN_COUNT,                                      \
         .meaning = "edits that leave the legal moves as they were"},                              \
        {"mover_changed", "other mover", .type = COLUMN_COUNT,                                     \
         .meaning = "edits after which the other side moves"},                                     \
        {"mean_legal_before", "legal moves", .digits = 3, .meaning = "mean, before the edit"},     \
        {"mean_legal_edited", "legal moves, edited", .digits = 3,                                  \
         .meaning = "mean, on the edited board"},                                                  \
    {                                                                                              \
        "mean_symmetric_difference", "symmetric difference",                                       \
            .digits = 3, .meaning = "mean number of squares legal on exactly one board"            \
    }
/* Fill them. */
void casefile_stats_set(Table *table, const CaseSet *set);

/* Publish a case file. One that already holds exactly this text is left alone, so the command typed
 * again ends as it did before; another one is replaced with --force only. Returns 0 or OGPT_E*. */
int casefile_publish(const Context *context, const char *path, const char *text, size_t n_bytes);

#endif
