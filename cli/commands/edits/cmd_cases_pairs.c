/* cli/commands/edits/cmd_cases_pairs.c - ogpt cases pairs: two histories of equal length whose
 * boards differ in one square, or in nothing. */
#include <stdio.h>

#include "cli/commands/common/game_input.h"
#include "cli/commands/common/shared_options.h"
#include "base/arena.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/edits/case_file.h"
#include "report/circuits/pair_view.h"

typedef struct PairOptions {
    int kind; /* which of the words below */
    int64_t n, min_moves, max_moves, before_end;
    int rules; /* GameRules */
} PairOptions;
enum { WORD_TRANSPOSITION = PAIR_TRANSPOSITION };

#define AT(field) offsetof(PairOptions, field)
static const OptionSpec pair_options[] = {
    OPTION_RULES(AT(rules), "rules of the game (docs/GAMES.md)", .def = "classic"),
    OPTION_ENUM("kind", AT(kind), PAIR_KIND_NAMES "|natural",
                "flip (or natural): the boards differ in one square; transposition: in none, the "
                "control of every patch",
                .def = "flip", .argument = "KIND"),
    OPTION_INT("n", AT(n), "N", 1, CASES_MAX, "number of pairs", .def = "100"),
    OPTION_INT("min-moves", AT(min_moves), "N", 0, 59, "shortest history; 0: 5, on the 4x4 board 3",
               .def = "0"),
    OPTION_INT("max-moves", AT(max_moves), "N", 0, 59,
               "longest history; 0: only --before-end limits it", .def = "0"),
    OPTION_INT("before-end", AT(before_end), "N", 0, 59,
               "moves that the clean game still had to go, at least; 0: 10, on the 4x4 board 1",
               .def = "0"),
};

static const Column pairs_columns[] = {
    {"file", "file", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"pairs", "pairs", .type = COLUMN_COUNT},
    {"redraws", "redraws", .type = COLUMN_COUNT, .meaning = "draws that gave no pair"},
    PAIR_STATS_COLUMNS,
};
static const TableSpec pairs_table = {"pairs", TABLE_COLUMNS(pairs_columns), .record = true};

static void result_fill(Context *context, const char *path, const PairSet *set, PairKind kind)
{
    Table *result = study_table(context, &pairs_table);
    table_text(result, "file", path);
    table_int(result, "size", set->variant->size);
    table_text(result, "kind", pair_kind_name(kind));
    table_int(result, "pairs", (int64_t)set->n);
    table_int(result, "redraws", (int64_t)set->redraws);
    pairs_stats_set(result, set);
}

/* Flips need their control beside them. */
static void suggest_next(Context *context, const char *path, const GameVariant *variant,
                         PairKind kind)
{
    char control[FILES_PATH_MAX];
    study_next(context, "cases", "show", path, "0", VARIANT_WORDS(variant), NULL);
    if (kind == PAIR_FLIP) {
        Js *n = context_option(context, "n");
        char number[24];
        snprintf(number, sizeof(number), "%lld", (long long)js_int_of(n));
        context_name_free(control, "transpositions", ".csv");
        study_next(context, "cases", "pairs", control, "--kind", "transposition", "--n", number,
                   VARIANT_WORDS(variant), NULL);
        js_free(n);
    }
}

static int pairs_run(Context *context)
{
    const PairOptions *given = context->options;
    const char *path = context->args[0];
    const GameVariant *variant = context_variant(context, given->rules);
    const PairMakeOptions options = {
        .n = (size_t)given->n,
        .kind = given->kind == WORD_TRANSPOSITION ? PAIR_TRANSPOSITION : PAIR_FLIP,
        .min_moves = given->min_moves > 0 ? (int)given->min_moves : case_min_moves(variant),
        .max_moves = (int)given->max_moves,
        .before_end = given->before_end > 0 ? (int)given->before_end : case_before_end(variant)};
    PairSet set = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = study_check_output(context, path);
    rc = rc ? rc : study_begin(context, path, false);
    rc = rc ? rc : pairs_make(&set, variant, &options, study_work(context, "drawing", "pairs"));
    rc = rc ? rc : pairs_print(&text, &n_bytes, &set);
    rc = rc ? rc : casefile_publish(context, path, text, n_bytes, "pairs");
    if (rc == 0) {
        result_fill(context, path, &set, options.kind);
        suggest_next(context, path, variant, options.kind);
    }
    mem_free(text);
    pairs_release(&set);
    return rc;
}

const Command cmd_cases_pairs = {
    .name = "cases pairs",
    .arguments = "FILE --kind flip|transposition --n N",
    .summary = "draw pairs of histories whose boards differ in one square, or in none",
    .examples = "ogpt cases pairs pairs.csv --n 100\n"
                "ogpt cases pairs transpositions.csv --kind transposition --n 100\n"
                "ogpt cases pairs pairs6.csv --n 100 --size 6\n"
                "# what a patch puts from one run into the other:\n"
                "# same length, same side to move",
    COMMAND_OPTIONS(pair_options, PairOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE | USES_STORE_THERE,
    COMMAND_TABLES(&pairs_table),
    .run = pairs_run,
};
