/* cli/commands/games/cmd_export.c - ogpt export: a corpus in a form that other programs read. */
#include "base/err.h"
#include "cli/study.h"
#include "datasets/export.h"

typedef struct ExportGiven {
    int format, notation, as;
} ExportGiven;

enum { NOTATION_STANDARD, NOTATION_OTHELLO_WORLD }; /* choices of --notation */
enum { AS_TOKENS, AS_SQUARES };                     /* choices of --as; -1: not given */

#define AT(field) offsetof(ExportGiven, field)
static const OptionSpec options[] = {
    OPTION_ENUM("format", AT(format), "npy|text|pgn|ggf",
                "an array (games, moves), a game a line, PGN, or GGF", .required = true),
    OPTION_ENUM(
        "notation", AT(notation), "standard|othello_world",
        "npy: othello_world: a number is 8*column+row, as in the published code; names such as "
        "f5 mean the same in both",
        .def = "standard"),
    OPTION_ENUM("as", AT(as), "tokens|squares",
                "numbers of an .npy file: squares (8*row+column, 255 for none), the default, or "
                "tokens (0 for none)"),
};

static const Column columns[] = {
    {"corpus", "corpus", .type = COLUMN_TEXT},
    {"path", "written to", .type = COLUMN_TEXT},
    {"format", "format", .type = COLUMN_TEXT},
    {"notation", "notation", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"games", "games", .type = COLUMN_COUNT},
    {"plies", "plies", .type = COLUMN_COUNT},
    {"content_hash", "content hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"unchanged", "unchanged", .type = COLUMN_YES_NO,
     .meaning = "whether the same file was there before", .flags = COLUMN_TIME},
};
static const TableSpec export_table = {"export", TABLE_COLUMNS(columns), .record = true};

static void show_progress(void *context, uint64_t games_done)
{
    progress_step(context, (double)games_done, NULL);
}

static void export_report(Context *context, const CorpusInfo *info, bool unchanged)
{
    Table *table = study_table(context, &export_table);
    table_text(table, "corpus", context->args[0]);
    table_text(table, "path", context->args[1]);
    table_set(table, "format", context_option(context, "format"));
    table_set(table, "notation", context_option(context, "notation"));
    table_int(table, "size", info->variant->size);
    table_int(table, "games", (int64_t)info->n_games);
    table_int(table, "plies", (int64_t)info->plies);
    table_text(table, "content_hash", info->content_hash);
    table_bool(table, "unchanged", unchanged);
}

static int export_run(Context *context)
{
    const ExportGiven *given = context->options;
    const ExportOptions export = {.format = (ExportFormat)given->format,
                                  .transposed = given->notation == NOTATION_OTHELLO_WORLD,
                                  .tokens = given->as == AS_TOKENS,
                                  .force = context->force};
    Corpus *corpus = NULL;
    bool unchanged = false;
    if (given->as >= 0 && given->format != EXPORT_NPY) {
        return err_set(OGPT_EUSAGE, "export: --as means nothing with --format text, pgn or ggf, "
                                    "only with npy");
    }
    int rc = study_check_output(context, context->args[1]);
    rc = rc ? rc : corpus_open(&corpus, context->args[0], false);
    if (rc != 0) {
        return rc;
    }
    const CorpusInfo *info = corpus_info(corpus);
    Progress progress = progress_begin(context, "exporting", "games", (double)info->n_games);
    rc = export_games(&unchanged, corpus, context->args[1], &export, show_progress, &progress);
    progress_end(&progress);
    if (rc == 0) {
        export_report(context, info, unchanged);
    }
    corpus_close(corpus);
    return rc;
}

const Command cmd_export = {
    .name = "export",
    .arguments = "CORPUS OUT --format npy|text|pgn|ggf",
    .summary = "write a corpus as an array, as text or as PGN",
    .examples = "ogpt export games.ogpc games.npy --format npy --as tokens\n"
                "ogpt export games.ogpc games.txt --format text\n"
                "ogpt export games.ogpc games.pgn --format pgn",
    COMMAND_OPTIONS(options, ExportGiven),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_FORCE,
    COMMAND_TABLES(&export_table),
    .run = export_run,
};
