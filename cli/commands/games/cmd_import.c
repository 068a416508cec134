/* cli/commands/games/cmd_import.c - ogpt import: a corpus of other people's games. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "datasets/import.h"
#include "game/notation.h"

#define LISTED_MAX 1000 /* rejected games named one by one; all are counted */

typedef struct ImportGiven {
    const char *format, *as, *notation, *first_move;
    int64_t max_bad;
    bool dedupe, skip_bad;
} ImportGiven;

static const OptionSpec options[] = {
    {"format", OPT_CHOICE, offsetof(ImportGiven, format), .def = "auto",
     .choices = "auto|pgn|wthor|text|npy", .argument = "NAME",
     .help = "auto: by the first bytes of each file, whatever its name"},
    {"as", OPT_CHOICE, offsetof(ImportGiven, as), .def = "auto", .choices = "auto|squares|tokens",
     .argument = "WHAT",
     .help = "numbers of an .npy file: squares (8*row+column, 255 or -1 for none) or tokens (0 for "
             "none); auto: as whichever the first game is legal"},
    {"notation", OPT_CHOICE, offsetof(ImportGiven, notation), .def = "standard",
     .choices = "standard|othello_world", .argument = "NAME",
     .help = "othello_world: in the files the letter is the row; not for WTHOR"},
    {"first-move", OPT_TEXT, offsetof(ImportGiven, first_move), .argument = "SQ",
     .help = "turn each game by a symmetry of the board so that it begins with SQ, as f5"},
    {"dedupe", OPT_FLAG, offsetof(ImportGiven, dedupe),
     .help = "leave out games equal to an earlier one (without: they are counted)"},
    {"skip-bad", OPT_FLAG, offsetof(ImportGiven, skip_bad),
     .help = "keep the others where a game is rejected (without: one bad game, no corpus)"},
    {"max-bad", OPT_INT, offsetof(ImportGiven, max_bad), 0, (double)CORPUS_MAX_GAMES, .def = "0",
     .argument = "N", .help = "with --skip-bad: rejected games up to which the exit code is 0"},
};

/* What the files brought, as it comes in. */
typedef struct Reading {
    Context *context;
    const GameVariant *variant;
    Progress progress;
    Js *files, *rejects;
    Text text; /* the rejected games, then the result */
    uint64_t n_rejected;
    char first[512]; /* the first of them, for the message */
} Reading;

static void show_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
    Reading *reading = context;
    reading->progress.total = (double)bytes_total / 1e6;
    progress_step(&reading->progress, (double)bytes_done / 1e6, NULL);
}

static void counts_set(Js *document, const ImportCounts *counts)
{
    js_set_int(document, "read", (int64_t)counts->read);
    js_set_int(document, "games", (int64_t)counts->games);
    js_set_int(document, "rejected", (int64_t)counts->rejected);
    js_set_int(document, "duplicates", (int64_t)counts->duplicates);
    js_set_int(document, "no_moves", (int64_t)counts->no_moves);
    js_set_int(document, "unfinished", (int64_t)counts->unfinished);
    js_set_int(document, "score_mismatches", (int64_t)counts->score_mismatches);
    js_set_int(document, "unknown_results", (int64_t)counts->unknown_results);
}

static void file_add(void *context, const ImportFile *file)
{
    Reading *reading = context;
    Js *row = js_object();
    js_set_str(row, "path", file->path);
    js_set_str(row, "format", file->format);
    counts_set(row, &file->counts);
    js_push(reading->files, row);
}

/* FILE:LINE, or FILE: game N where a file has no lines. */
static void reject_add(void *context, const ImportReject *reject)
{
    Reading *reading = context;
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
    text_add(&reading->text, "%s; board %s\n", line, board);
    if (reading->n_rejected == 1) {
        memcpy(reading->first, line, sizeof(line));
    }
    Js *row = js_object();
    js_set_str(row, "path", reject->path);
    js_set_int(row, reject->counts, (int64_t)reject->place);
    js_set_int(row, "ply", reject->ply);
    js_set_str(row, "reason", reject->reason);
    js_set_str(row, "board", board);
    js_push(reading->rejects, row);
}

static int first_move_read(int *out, const GameVariant *variant, const char *text)
{
    *out = SQ_NONE;
    if (!text) {
        return 0;
    }
    const int sq = strlen(text) == 2 ? square_parse(variant, text) : -1;
    if (!first_move_is_legal(variant, sq)) {
        char names[4][3];
        uint64_t moves = board_moves(variant, &variant->start);
        for (int i = 0; i < 4; i++, moves &= moves - 1) {
            square_print(names[i], __builtin_ctzll(moves));
        }
        return err_set(OGPT_EUSAGE,
                       "import: --first-move: expected one of %s %s %s %s, found '%.20s'", names[0],
                       names[1], names[2], names[3], text);
    }
    *out = sq;
    return 0;
}

static Js *result_document(const Reading *reading, const char *path, const ImportResult *result)
{
    Js *document = js_object();
    const double rate = result->seconds > 0 ? (double)result->counts.read / result->seconds : 0;
    js_set_str(document, "path", path);
    js_set_int(document, "size", reading->variant->size);
    counts_set(document, &result->counts);
    js_set_int(document, "plies", (int64_t)result->plies);
    js_set(document, "content_hash", result->refused ? js_null() : js_str(result->content_hash));
    js_set_bool(document, "unchanged", result->unchanged);
    js_set_num(document, "seconds", result->seconds);
    js_set_num(document, "games_per_second", rate);
    js_set(document, "files", js_keep(reading->files));
    js_set(document, "rejects", js_keep(reading->rejects));
    return document;
}

static void result_print(Reading *reading, const char *path, const ImportResult *result)
{
    const ImportGiven *given = reading->context->options;
    const ImportCounts *counts = &result->counts;
    Text *text = &reading->text;
    if (reading->n_rejected > LISTED_MAX) {
        text_add(text, "... and %llu more\n", (unsigned long long)reading->n_rejected - LISTED_MAX);
    }
    for (size_t i = 0; i < js_length(reading->files); i++) {
        const Js *file = js_at(reading->files, i);
        text_add(text, "file              %s, %s: %lld games read\n",
                 js_str_of(js_member(file, "path")), js_str_of(js_member(file, "format")),
                 (long long)js_int_of(js_member(file, "read")));
    }
    text_add(text, "corpus            %s, %dx%d%s\n", path, reading->variant->size,
             reading->variant->size,
             result->refused     ? ": not made, games were rejected"
             : result->unchanged ? ": was there with the same games"
                                 : "");
    text_add(text, "games             %llu kept of %llu\n", (unsigned long long)counts->games,
             (unsigned long long)counts->read);
    text_add(text, "rejected          %llu\n", (unsigned long long)counts->rejected);
    text_add(text, "duplicates        %llu%s\n", (unsigned long long)counts->duplicates,
             given->dedupe ? ", left out" : ", kept");
    text_add(text, "without moves     %llu, left out\n", (unsigned long long)counts->no_moves);
    text_add(text, "unfinished        %llu   the side to move could still play\n",
             (unsigned long long)counts->unfinished);
    text_add(text, "score mismatches  %llu   stated result is neither count of the last board\n",
             (unsigned long long)counts->score_mismatches);
    text_add(text, "unknown results   %llu   none stated where the format has a place for one\n",
             (unsigned long long)counts->unknown_results);
    if (!result->refused) {
        text_add(text, "plies             %llu\ncontent hash      %s\n",
                 (unsigned long long)result->plies, result->content_hash);
    }
    text_add(text, "time              %.2f s, %.0f games/s\n", result->seconds,
             (double)counts->read / result->seconds);
}

/* The exit code that rejected games ask for. */
static int verdict_of(const Reading *reading, const char *path, const ImportResult *result)
{
    const ImportGiven *given = reading->context->options;
    const uint64_t n = result->counts.rejected;
    if (result->refused) {
        return err_set(
            OGPT_EFORMAT,
            "%s; %llu of %llu games rejected, no corpus made; mend the file, or keep the "
            "others with --skip-bad",
            reading->first, (unsigned long long)n, (unsigned long long)result->counts.read);
    }
    if (n > (uint64_t)given->max_bad) {
        return err_set(OGPT_EFORMAT,
                       "%s; rejected: at most %lld expected (--max-bad), found %llu; %s holds the "
                       "others",
                       reading->first, (long long)given->max_bad, (unsigned long long)n, path);
    }
    return 0;
}

/* The members of the document that the database has columns for. */
static int row_add(Context *context, const Js *document)
{
    Js *row = store_known("imports", document);
    int rc = store_add(context->store, context->run, "imports", row);
    js_free(row);
    return rc;
}

static int import_report(Reading *reading, const char *path, const ImportResult *result)
{
    Context *context = reading->context;
    Js *document = result_document(reading, path, result);
    int rc = store_trim(context->store, context->run, "imports", "games", -1);
    rc = rc ? rc : row_add(context, document);
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    result_print(reading, path, result);
    rc = context_result(context, document, reading->text.data);
    rc = rc ? rc : verdict_of(reading, path, result);
    if (rc == 0) {
        context_next(context, "ogpt train runs/NAME --corpus %s", path);
    }
    return rc;
}

static int options_read(ImportOptions *out, const Context *context)
{
    const ImportGiven *given = context->options;
    *out = (ImportOptions){
        .check = {.variant = game_variant(context->size_given ? context->size : 8),
                  .transposed = strcmp(given->notation, "othello_world") == 0},
        .format = given->format,
        .npy = strcmp(given->as, "squares") == 0  ? NPY_SQUARES
               : strcmp(given->as, "tokens") == 0 ? NPY_TOKENS
                                                  : NPY_AUTO,
        .dedupe = given->dedupe,
        .skip_bad = given->skip_bad,
        .force = context->force,
    };
    if (given->max_bad > 0 && !given->skip_bad) {
        return err_set(OGPT_EUSAGE, "import: --max-bad %lld means nothing without --skip-bad",
                       (long long)given->max_bad);
    }
    return first_move_read(&out->check.first_move, out->check.variant, given->first_move);
}

static int import_run(Context *context)
{
    const char *path = context->args[0];
    ImportOptions given;
    ImportResult result = {0};
    int rc = options_read(&given, context);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, path, true);
    if (rc != 0) {
        return rc;
    }
    Reading reading = {.context = context,
                       .variant = given.check.variant,
                       .files = js_array(),
                       .rejects = js_array()};
    const ImportWatch watch = {
        .reject = reject_add, .file = file_add, .progress = show_progress, .context = &reading};
    reading.progress = progress_begin(context, "importing", "MB", 0);
    rc = import_games(&result, path, context->args + 1, (size_t)context->n_args - 1, &given,
                      context->pool, &watch);
    progress_end(&reading.progress);
    rc = rc ? rc : import_report(&reading, path, &result);
    js_free(reading.files);
    js_free(reading.rejects);
    text_release(&reading.text);
    return rc;
}

const Command cmd_import = {
    .name = "import",
    .arguments = "CORPUS FILE...",
    .summary = "make a corpus of other people's games (PGN, WTHOR, text, .npy)",
    .examples = "ogpt import championship.ogpc wthor-1985.pgn\n"
                "ogpt import wthor.ogpc WTH_1985.wtb WTH_1986.wtb --dedupe --first-move f5\n"
                "ogpt import old.ogpc transcripts.txt --skip-bad --max-bad 10\n"
                "ogpt import published.ogpc games.npy --as tokens --notation othello_world",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(ImportGiven),
    .min_args = 2,
    .max_args = -1,
    .uses = USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE,
    .run = import_run,
};
