/* cli/commands/games/cmd_import.c - ogpt import: a corpus of other people's games. */
#include <string.h>

#include "cli/commands/common/game_input.h"
#include "cli/commands/common/shared_options.h"
#include "base/err.h"
#include "cli/commands/games/import_result.h"
#include "report/corpora/corpus_result.h"
#include "game/notation.h"

typedef struct ImportGiven {
    const char *format, *first_move, *column;
    int as, notation, rules;
    int64_t max_bad;
    bool dedupe, dedupe_symmetric, skip_bad, find;
} ImportGiven;

#define AT(field) offsetof(ImportGiven, field)
static const OptionSpec options[] = {
    OPTION_CHOICE("format", AT(format), "auto|" GAME_FORMATS,
                  "auto: by the first bytes of each file, not by its name (docs/GAMES.md)",
                  .def = "auto"),
    OPTION_TEXT(
        "column", AT(column), "NAME",
        "of a table (CSV): the column that holds the moves (without: one whose name ends in "
        "moves)"),
    OPTION_RULES(AT(rules), "rules of the games (docs/GAMES.md)", .def = "classic"),
    OPTION_FLAG("find", AT(find), "look for games inside prose: lines that hold moves"),
    OPTION_ENUM(
        "as", AT(as), "auto|squares|tokens",
        "numbers of an .npy file: squares (8*row+column, 255 or -1 for none) or tokens (0 for "
        "none); auto: as whichever the first game is legal",
        .def = "auto"),
    OPTION_ENUM(
        "notation", AT(notation), "standard|othello_world",
        "othello_world: a number in an array is 8*column+row, as in the published code; names "
        "such as f5 mean the same in both; not for WTHOR",
        .def = "standard"),
    OPTION_TEXT("first-move", AT(first_move), "SQ",
                "turn each game by a symmetry of the board so that it begins with SQ, as f5"),
    OPTION_FLAG("dedupe", AT(dedupe),
                "leave out games equal to an earlier one (without: they are counted)"),
    OPTION_FLAG("dedupe-symmetric", AT(dedupe_symmetric),
                "also leave out mirror images of an earlier one"),
    OPTION_FLAG("skip-bad", AT(skip_bad),
                "keep the others where a game is rejected (without: one bad game, no corpus)"),
    OPTION_INT("max-bad", AT(max_bad), "N", 0, (double)CORPUS_MAX_GAMES,
               "with --skip-bad: rejected games up to which the exit code is 0", .def = "0"),
};

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

static int options_read(ImportOptions *out, const Context *context)
{
    const ImportGiven *given = context->options;
    *out = (ImportOptions){
        .check = {.variant = context_variant(context, given->rules),
                  .transposed = given->notation == 1},
        .read = {.format = given->find ? "prose" : given->format,
                 .column = given->column,
                 .npy = (NpyContent)given->as}, /* the choices have its order */
        .dedupe = given->dedupe_symmetric ? DEDUPE_SYMMETRIC
                  : given->dedupe         ? DEDUPE_EXACT
                                          : DEDUPE_NONE,
        .skip_bad = given->skip_bad,
        .force = context->force,
    };
    if (given->find && strcmp(given->format, "auto") != 0 && strcmp(given->format, "prose") != 0) {
        return err_set(OGPT_EUSAGE,
                       "import: --find looks for games inside prose, --format says %s; give one",
                       given->format);
    }
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
    rc = rc ? rc : study_check_output(context, path);
    rc = rc ? rc : study_begin(context, path, true);
    if (rc != 0) {
        return rc;
    }
    ImportReading reading;
    import_reading_begin(&reading, context, given.check.variant);
    const ImportWatch watch = import_reading_watch(&reading);
    rc = import_games(&result, path, context->args + 1, (size_t)context->n_args - 1, &given,
                      context->pool, &watch);
    progress_end(&reading.progress);
    return rc ? rc
              : import_reading_report(&reading, path, &result,
                                      ((const ImportGiven *)context->options)->max_bad);
}

const Command cmd_import = {
    .name = "import",
    .arguments = "CORPUS FILE...",
    .summary = "make a corpus of other people's games (PGN, WTHOR, GGF, lists, tables, arrays)",
    .examples = "ogpt import again.ogpc games.pgn\n"
                "ogpt import turned.ogpc games.pgn games.txt --dedupe --first-move f5\n"
                "ogpt import kept.ogpc games.txt --skip-bad --max-bad 10\n"
                "ogpt import found.ogpc games.txt --find\n"
                "ogpt import tokens.ogpc games.npy --as tokens",
    COMMAND_OPTIONS(options, ImportGiven),
    .min_args = 2,
    .max_args = -1,
    .uses = USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&import_table, &import_files_table, &import_rejects_table),
    .run = import_run,
};
