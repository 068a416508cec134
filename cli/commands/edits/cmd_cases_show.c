/* cli/commands/edits/cmd_cases_show.c - ogpt cases show: one case of a file, and all in short. */
#include "base/err.h"
#include "cli/commands/edits/case_file.h"
#include "report/results/case_view.h"

static const Column show_columns[] = {
    {"cases", "cases", .type = COLUMN_COUNT, .meaning = "of the whole file"},
    CASE_STATS_COLUMNS,
};
static const TableSpec show_table = {"cases", TABLE_COLUMNS(show_columns), .record = true};

/* Read a case file of unknown board size: the games tell it, because the start squares of each
 * size are squares of play on the others. The message is that of the largest board. */
static int read_any_size(CaseSet *out, const Context *context, const char *path)
{
    int rc = OGPT_EFORMAT;
    if (context->size_given) {
        return cases_read(out, game_variant(context->size), path);
    }
    for (int size = 4; size <= 8 && rc == OGPT_EFORMAT; size += 2) {
        rc = cases_read(out, game_variant(size), path);
    }
    return rc;
}

static int show_run(Context *context)
{
    const char *path = context->args[0];
    CaseSet set = {0};
    int64_t index = 0;
    int rc = context_arg_int(&index, context, 1, "N", 0, CASES_MAX);
    rc = rc ? rc : read_any_size(&set, context, path);
    if (rc == 0 && (size_t)index >= set.n) {
        rc = err_set(OGPT_EUSAGE, "%s has no case %lld: it holds cases 0 to %zu", path,
                     (long long)index, set.n - 1);
    }
    rc = rc ? rc : study_begin(context, NULL, false);
    if (rc == 0) {
        Text *text = study_text(context);
        study_json_all(context, case_json(set.variant, &set.cases[index], (size_t)index));
        draw_case(text, set.variant, &set.cases[index], (size_t)index, context->style);
        text_add(text, "\n");
        Table *whole = study_table(context, &show_table);
        table_int(whole, "cases", (int64_t)set.n);
        cases_stats_set(whole, &set);
        draw_exclusions(study_text(context), &set, "left out of means  ");
    }
    cases_release(&set);
    return rc;
}

const Command cmd_cases_show = {
    .name = "cases show",
    .arguments = "FILE N",
    .summary = "print case N (from 0): the board, the edited board, and the legal moves",
    .examples = "ogpt cases show cases.csv 0",
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SIZE | USES_BOARDS,
    COMMAND_TABLES(&show_table),
    .run = show_run,
};
