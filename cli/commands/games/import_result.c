/* cli/commands/games/import_result.c - contract in cli/commands/games/import_result.h. */
#include "cli/commands/games/import_result.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "game/notation.h"
#include "report/corpora/corpus_result.h"

#define LISTED_MAX 1000 /* rejected games named one by one; all are counted */

static void show_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
    ImportReading *reading = context;
    reading->progress.total = (double)bytes_total / 1e6;
    progress_step(&reading->progress, (double)bytes_done / 1e6, NULL);
}

static void file_add(void *context, const ImportFile *file)
{
    ImportReading *reading = context;
    import_report_file(reading->files, file);
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
    import_report_reject(reading->rejects, reading->variant, reject);
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
    if (reading->n_rejected > LISTED_MAX) {
        text_add(reading->text, "... and %llu more\n",
                 (unsigned long long)reading->n_rejected - LISTED_MAX);
    }
    import_report_total(reading->total, path, reading->variant, result);
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
