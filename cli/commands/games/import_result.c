/* cli/commands/games/import_result.c - contract in cli/commands/games/import_result.h. */
#include "cli/commands/games/import_result.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "game/notation.h"

#define LISTED_MAX 1000 /* rejected games named one by one; all are counted */

/* Counts of one file, and of all. */
#define COUNT_COLUMNS                                                                              \
    {"read", "read", .type = COLUMN_COUNT},                                                        \
        {"games", "kept", .type = COLUMN_COUNT, .meaning = "games of the corpus"},                 \
        {"rejected", "rejected", .type = COLUMN_COUNT},                                            \
        {"duplicates", "duplicates", .type = COLUMN_COUNT, .meaning = "equal to an earlier game"}, \
        {"duplicates_symmetric", "or mirrored", .type = COLUMN_COUNT,                              \
         .meaning = "equal to an earlier game or a mirror image of it"},                           \
        {"no_moves", "without moves", .type = COLUMN_COUNT, .meaning = "left out"},                \
        {"unfinished", "unfinished", .type = COLUMN_COUNT,                                         \
         .meaning = "the side to move could still play"},                                          \
        {"score_mismatches", "score mismatches", .type = COLUMN_COUNT,                             \
         .meaning = "stated result is neither count of the last board"},                           \
        {"unknown_results", "unknown results", .type = COLUMN_COUNT,                               \
         .meaning = "none stated where the format has a place for one"},                           \
        {"turned", "turned", .type = COLUMN_COUNT,                                                 \
         .meaning = "began from the mirrored start position; ranks turned over"},                  \
        {"renamed", "renamed", .type = COLUMN_COUNT,                                               \
         .meaning = "named their squares as the middle of a larger board"},                        \
    {                                                                                              \
        "found", "found", .type = COLUMN_COUNT, .meaning = "games found inside prose"              \
    }

static const Column import_columns[] = {
    {"path", "corpus", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    COUNT_COLUMNS,
    {"plies", "plies", .type = COLUMN_COUNT},
    {"content_hash", "content hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"unchanged", .type = COLUMN_YES_NO, .flags = COLUMN_UNSTORED | COLUMN_TIME},
    {"seconds", "time", .unit = "s", .digits = 2, .flags = COLUMN_TIME},
    {"games_per_second", "speed", .unit = "games/s", .flags = COLUMN_TIME},
};
static const Column file_columns[] = {{"path", "file", .type = COLUMN_TEXT},
                                      {"format", "format", .type = COLUMN_TEXT},
                                      COUNT_COLUMNS};
static const Column reject_columns[] = {
    {"path", "file", .type = COLUMN_TEXT},   {"line", "line", .type = COLUMN_COUNT},
    {"game", "game", .type = COLUMN_COUNT},  {"row", "row", .type = COLUMN_COUNT},
    {"ply", "ply", .type = COLUMN_COUNT},    {"reason", "reason", .type = COLUMN_TEXT},
    {"board", "board", .type = COLUMN_TEXT},
};
const TableSpec import_table = {"import", "imports", TABLE_COLUMNS(import_columns), .record = true};
const TableSpec import_files_table = {"files", TABLE_COLUMNS(file_columns)};
const TableSpec import_rejects_table = {"rejects", TABLE_COLUMNS(reject_columns)};

static void show_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
    ImportReading *reading = context;
    reading->progress.total = (double)bytes_total / 1e6;
    progress_step(&reading->progress, (double)bytes_done / 1e6, NULL);
}

static void counts_set(Table *table, const ImportCounts *counts)
{
    table_int(table, "read", (int64_t)counts->read);
    table_int(table, "games", (int64_t)counts->games);
    table_int(table, "rejected", (int64_t)counts->rejected);
    table_int(table, "duplicates", (int64_t)counts->duplicates);
    table_int(table, "duplicates_symmetric", (int64_t)counts->duplicates_symmetric);
    table_int(table, "no_moves", (int64_t)counts->no_moves);
    table_int(table, "unfinished", (int64_t)counts->unfinished);
    table_int(table, "score_mismatches", (int64_t)counts->score_mismatches);
    table_int(table, "unknown_results", (int64_t)counts->unknown_results);
    table_int(table, "turned", (int64_t)counts->turned);
    table_int(table, "renamed", (int64_t)counts->renamed);
    table_int(table, "found", (int64_t)counts->found);
}

static void file_add(void *context, const ImportFile *file)
{
    ImportReading *reading = context;
    table_row(reading->files);
    table_text(reading->files, "path", file->path);
    table_text(reading->files, "format", file->format);
    counts_set(reading->files, &file->counts);
}

/* FILE:LINE, or FILE: game N where a file has no lines. */
static void reject_add(void *context, const ImportReject *reject)
{
    ImportReading *reading = context;
    char line[sizeof(reading->first)];
    char board[BOARD_SQUARES + 3];
    const bool lines = strcmp(reject->counts, "line") == 0;
    if (++reading->n_rejected > LISTED_MAX) {
        return;
    }
    board_print(board, reading->variant, reject->board);
    snprintf(line, sizeof(line), "%.200s:%s%s%s%llu: ply %d: %s", reject->path, lines ? "" : " ",
             lines ? "" : reject->counts, lines ? "" : " ", (unsigned long long)reject->place,
             reject->ply, reject->reason);
    text_add(reading->text, "%s; board %s\n", line, board);
    if (reading->n_rejected == 1) {
        memcpy(reading->first, line, sizeof(line));
    }
    table_row(reading->rejects);
    table_text(reading->rejects, "path", reject->path);
    table_int(reading->rejects, reject->counts, (int64_t)reject->place);
    table_int(reading->rejects, "ply", reject->ply);
    table_text(reading->rejects, "reason", reject->reason);
    table_text(reading->rejects, "board", board);
}

void import_reading_begin(ImportReading *out, Context *context, const GameVariant *variant)
{
    *out = (ImportReading){.context = context, .variant = variant};
    out->text = study_text(context);
    out->total = study_table(context, &import_table);
    out->files = study_table(context, &import_files_table);
    out->rejects = study_table(context, &import_rejects_table);
    out->progress = progress_begin(context, "importing", "MB", 0);
    out->rejects->hidden = true; /* the text has a line each */
}

ImportWatch import_reading_watch(ImportReading *reading)
{
    return (ImportWatch){
        .reject = reject_add, .file = file_add, .progress = show_progress, .context = reading};
}

/* The exit code that rejected games ask for. */
static int verdict_of(const ImportReading *reading, const char *path, const ImportResult *result,
                      int64_t max_bad)
{
    const uint64_t n = result->counts.rejected;
    if (result->refused) {
        return err_set(
            OGPT_EFORMAT, "%s; %llu of %llu games rejected, no corpus made; %s", reading->first,
            (unsigned long long)n, (unsigned long long)result->counts.read,
            n == result->counts.read
                ? "mend the file; --find reads games inside prose, --format names a format"
                : "mend the file, or keep the others with --skip-bad");
    }
    if (n > (uint64_t)max_bad) {
        return err_set(OGPT_EFORMAT,
                       "%s; rejected: at most %lld expected (--max-bad), found %llu; %s holds the "
                       "others",
                       reading->first, (long long)max_bad, (unsigned long long)n, path);
    }
    return 0;
}

int import_reading_report(ImportReading *reading, const char *path, const ImportResult *result,
                          int64_t max_bad)
{
    char run[FILES_PATH_MAX];
    Context *context = reading->context;
    Table *table = reading->total;
    double rate = result->seconds > 0 ? (double)result->counts.read / result->seconds : 0;
    if (reading->n_rejected > LISTED_MAX) {
        text_add(reading->text, "... and %llu more\n",
                 (unsigned long long)reading->n_rejected - LISTED_MAX);
    }
    table_text(table, "path", path);
    table_int(table, "size", reading->variant->size);
    counts_set(table, &result->counts);
    table_int(table, "plies", (int64_t)result->plies);
    table_text(table, "content_hash", result->refused ? NULL : result->content_hash);
    table_bool(table, "unchanged", result->unchanged);
    table_num(table, "seconds", result->seconds);
    table_num(table, "games_per_second", rate);
    if (result->refused || result->unchanged) {
        text_add(study_text(context), "%s: %s\n", path,
                 result->refused ? "not made, games were rejected"
                                 : "was there with the same games");
    }
    int rc = store_trim(context->store, context->run, "imports", "games", -1);
    int verdict = rc ? rc : verdict_of(reading, path, result, max_bad);
    if (verdict == 0) {
        context_name_run(run, path);
        study_next(context, "train", run, "--corpus", path, NULL);
    }
    return rc || verdict == 0 ? rc : study_verdict(context, verdict);
}
