/* cli/commands/edits/cmd_cases_show.c - ogpt cases show: one case or pair of a file, and all in
 * short. */
#include "cli/commands/common/shared_options.h"
#include "base/err.h"
#include "cli/commands/edits/case_file.h"
#include "report/results/case_view.h"
#include "report/circuits/pair_view.h"

static const Column show_columns[] = {
    {"cases", "cases", .type = COLUMN_COUNT, .meaning = "of the whole file"},
    CASE_STATS_COLUMNS,
};
static const TableSpec show_table = {"cases", TABLE_COLUMNS(show_columns), .record = true};

static const Column pair_columns[] = {
    {"pairs", "pairs", .type = COLUMN_COUNT, .meaning = "of the whole file"},
    PAIR_STATS_COLUMNS,
};
static const TableSpec pair_table = {"pairs", TABLE_COLUMNS(pair_columns), .record = true};

typedef struct CaseShowOptions {
    int rules; /* GameRules */
} CaseShowOptions;

static const OptionSpec show_options[] = {
    OPTION_RULES(offsetof(CaseShowOptions, rules), "rules of the games in the file (docs/GAMES.md)",
                 .def = "classic"),
};

/* Read a case file of unknown board size: the games tell it, because the start squares of each
 * size are squares of play on the others. The message is that of the largest board. */
static int read_any_size(CaseSet *cases, PairSet *pairs, const Context *context, const char *path)
{
    const GameRules rules = (GameRules)((const CaseShowOptions *)context->options)->rules;
    bool of_pairs = false;
    int rc = pairs_here(&of_pairs, path);
    int first = context->size_given ? context->size : 4;
    int last = context->size_given ? context->size : 8;
    if (rc != 0) {
        return rc;
    }
    rc = OGPT_EFORMAT;
    for (int size = first; size <= last && rc == OGPT_EFORMAT; size += 2) {
        const GameVariant *variant = game_variant_with(size, rules);
        rc = of_pairs ? pairs_read(pairs, variant, path) : cases_read(cases, variant, path);
    }
    return rc;
}

static void case_fill(Context *context, const CaseSet *set, size_t index)
{
    Text *text = study_text(context);
    study_json_all(context, case_json(set->variant, &set->cases[index], index));
    draw_case(text, set->variant, &set->cases[index], index, context->style);
    text_add(text, "\n");
    Table *whole = study_table(context, &show_table);
    table_int(whole, "cases", (int64_t)set->n);
    cases_stats_set(whole, set);
    draw_exclusions(study_text(context), set, "left out of means  ");
}

static void pair_fill(Context *context, const PairSet *set, size_t index)
{
    Text *text = study_text(context);
    study_json_all(context, pair_json(set->variant, &set->pairs[index], index));
    draw_pair(text, set->variant, &set->pairs[index], index, context->style);
    text_add(text, "\n");
    Table *whole = study_table(context, &pair_table);
    table_int(whole, "pairs", (int64_t)set->n);
    pairs_stats_set(whole, set);
}

static int show_run(Context *context)
{
    const char *path = context->args[0];
    CaseSet cases = {0};
    PairSet pairs = {0};
    int64_t index = 0;
    int rc = context_arg_int(&index, context, 1, "N", 0, CASES_MAX);
    rc = rc ? rc : read_any_size(&cases, &pairs, context, path);
    if (rc == 0 && (size_t)index >= cases.n + pairs.n) {
        rc = err_set(OGPT_EUSAGE, "%s has no %s %lld: it holds %ss 0 to %zu", path,
                     pairs.n ? "pair" : "case", (long long)index, pairs.n ? "pair" : "case",
                     cases.n + pairs.n - 1);
    }
    rc = rc ? rc : study_begin(context, NULL, false);
    if (rc == 0 && pairs.n > 0) {
        pair_fill(context, &pairs, (size_t)index);
    } else if (rc == 0) {
        case_fill(context, &cases, (size_t)index);
    }
    pairs_release(&pairs);
    cases_release(&cases);
    return rc;
}

const Command cmd_cases_show = {
    .name = "cases show",
    .arguments = "FILE N",
    .summary = "print case or pair N (from 0): both boards, and the legal moves",
    .examples = "ogpt cases show cases.csv 0\n"
                "ogpt cases show pairs.csv 0",
    COMMAND_OPTIONS(show_options, CaseShowOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SIZE | USES_BOARDS,
    COMMAND_TABLES(&show_table, &pair_table),
    .run = show_run,
};
