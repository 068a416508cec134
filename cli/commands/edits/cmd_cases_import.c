/* cli/commands/edits/cmd_cases_import.c - ogpt cases import: cases that others made. */
#include "cli/commands/common/game_input.h"
#include "base/arena.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/edits/case_file.h"
#include "report/results/case_view.h"

typedef struct CaseImportOptions {
    int notation; /* 1: othello_world */
    int rules;    /* GameRules */
} CaseImportOptions;

static const OptionSpec import_options[] = {
    OPTION_RULES(offsetof(CaseImportOptions, rules), "rules of the games in SRC (docs/GAMES.md)",
                 .def = "classic"),
    OPTION_ENUM("notation", offsetof(CaseImportOptions, notation), "standard|othello_world",
                "othello_world: an index is 8*column+row, as in the published code; names such as "
                "f5 mean the same in both",
                .def = "standard", .argument = "NOTATION"),
};

static const Column import_columns[] = {
    {"file", "file", .type = COLUMN_TEXT},
    {"source", "source", .type = COLUMN_TEXT},
    {"notation", "notation", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"cases", "cases", .type = COLUMN_COUNT, .meaning = "each replayed by the rules"},
    {"redraws", .type = COLUMN_COUNT},
    CASE_STATS_COLUMNS,
};
static const TableSpec import_table = {"cases", TABLE_COLUMNS(import_columns), .record = true};

static void result_fill(Context *context, const CaseSet *written)
{
    Table *result = study_table(context, &import_table);
    table_text(result, "file", context->args[0]);
    table_text(result, "source", context->args[1]);
    table_set(result, "notation", context_option(context, "notation"));
    table_int(result, "size", written->variant->size);
    table_int(result, "cases", (int64_t)written->n);
    table_int(result, "redraws", 0);
    cases_stats_set(result, written);
    draw_exclusions(study_text(context), written, "left out of means  ");
}

/* What was read is printed in our form and read again, strictly: the statistics are those of the
 * file that is published. */
static int import_run(Context *context)
{
    const CaseImportOptions *given = context->options;
    const char *goal = context->args[0], *source = context->args[1];
    const GameVariant *variant = context_variant(context, given->rules);
    CaseSet read = {0}, written = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = study_check_output(context, goal);
    rc = rc ? rc : study_begin(context, goal, false);
    rc = rc ? rc : cases_import(&read, variant, source, given->notation == 1);
    rc = rc ? rc : cases_print(&text, &n_bytes, &read);
    rc = rc ? rc : cases_parse(&written, variant, text, n_bytes, source);
    rc = rc ? rc : casefile_publish(context, goal, text, n_bytes, "cases");
    if (rc == 0) {
        result_fill(context, &written);
        study_next(context, "cases", "show", goal, "0", VARIANT_WORDS(variant), NULL);
    }
    mem_free(text);
    cases_release(&written);
    cases_release(&read);
    return rc;
}

const Command cmd_cases_import = {
    .name = "cases import",
    .arguments = "FILE SRC [--notation standard|othello_world]",
    .summary = "check cases that others made, and write them in our form",
    .examples = "ogpt cases import checked.csv cases.csv\n"
                "# SRC is CSV with the columns moves, square, from, to, perhaps witness,\n"
                "# in any order if a header names them;\n"
                "# squares by name (c4) or index (26; a1 is 0)",
    COMMAND_OPTIONS(import_options, CaseImportOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SIZE | USES_STORE | USES_FORCE | USES_STORE_THERE,
    COMMAND_TABLES(&import_table),
    .run = import_run,
};
