/* cli/commands/edits/cmd_cases_make.c - ogpt cases make: positions to edit, and how. */
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/shared_options.h"
#include "base/arena.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/edits/case_file.h"
#include "probes/board/probe.h"

typedef struct MakeOptions {
    int kind, edit, purpose; /* which of the words below */
    int64_t n, squares, min_moves, max_moves, before_end;
    bool no_passes;
    int rules; /* GameRules */
} MakeOptions;
enum { KIND_NATURAL, PURPOSE_TUNE = 1 };

#define AT(field) offsetof(MakeOptions, field)
static const OptionSpec make_options[] = {
    OPTION_RULES(AT(rules), "rules of the game (docs/GAMES.md)", .def = "classic"),
    OPTION_ENUM("kind", AT(kind), "natural|unnatural",
                "natural: another legal history of equal length reaches the edited board",
                .def = "natural", .argument = "KIND"),
    OPTION_INT("n", AT(n), "N", 1, CASES_MAX, "number of cases", .def = "1000"),
    OPTION_ENUM("edit", AT(edit), "flip|erase|place",
                "turn a disc over, take one away, or put one down", .def = "flip",
                .argument = "EDIT"),
    OPTION_INT("squares", AT(squares), "K", 1, CASE_MAX_SQUARES, "squares edited at once",
               .def = "1"),
    OPTION_ENUM("purpose", AT(purpose), "cases|tune",
                "tune: for choosing layers and scale; never shares a case with the others",
                .def = "cases", .argument = "PURPOSE"),
    OPTION_INT("min-moves", AT(min_moves), "N", 1, 59, "shortest history", .def = "5"),
    OPTION_INT("max-moves", AT(max_moves), "N", 0, 59,
               "longest history; 0: only --before-end limits it", .def = "0"),
    OPTION_FLAG("no-passes", AT(no_passes), "only histories in which nobody had to pass"),
    OPTION_INT("before-end", AT(before_end), "N", 0, 59,
               "moves that the game still had to go, at least; 0: 10, on the 4x4 board 1",
               .def = "0"),
};

static const Column make_columns[] = {
    {"file", "file", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"edit", "edit", .type = COLUMN_TEXT},
    {"purpose", "purpose", .type = COLUMN_TEXT},
    {"cases", "cases", .type = COLUMN_COUNT},
    {"redraws", "redraws", .type = COLUMN_COUNT, .meaning = "draws that gave no case"},
    CASE_STATS_COLUMNS,
};
static const TableSpec make_table = {"cases", TABLE_COLUMNS(make_columns), .record = true};

static void result_fill(Context *context, const char *path, const CaseSet *set)
{
    static const char *const words[] = {"kind", "edit", "purpose"};
    Table *result = study_table(context, &make_table);
    table_text(result, "file", path);
    table_int(result, "size", set->variant->size);
    for (int i = 0; i < 3; i++) {
        table_set(result, words[i], context_option(context, words[i]));
    }
    table_int(result, "cases", (int64_t)set->n);
    table_int(result, "redraws", (int64_t)set->redraws);
    cases_stats_set(result, set);
}

/* Edits need cases to report and cases for tuning; the latter are made second. */
static void suggest_next(Context *context, const char *path, const GameVariant *variant, bool tune)
{
    static const char *const shipped_models[] = {"tiny-4x4", "tiny-6x6", "tiny-8x8"};
    const char *model = shipped_models[variant->size / 2 - 2];
    char path_of_model[FILES_PATH_MAX], cases[FILES_PATH_MAX];
    Js *kind = context_option(context, "kind"), *edit = context_option(context, "edit");
    if (tune) {
        study_next(context, "cases", "show", path, "0", VARIANT_WORDS(variant), NULL);
    } else {
        context_name_free(cases, "tune", ".csv");
        study_next(context, "cases", "make", cases, "--n", "300", "--kind", js_str_of(kind),
                   "--edit", js_str_of(edit), "--purpose", "tune", VARIANT_WORDS(variant), NULL);
        PathKind inside;
        if (game_variant_played(variant)->rules == RULES_CLASSIC &&
            context_shipped_model(path_of_model, model) &&
            path_kind_in(&inside, path_of_model, PROBE_FOLDER) == 0 && inside == PATH_DIRECTORY) {
            study_next(context, "intervene", model, "--cases", path, "--tune", cases, NULL);
        }
    }
    js_free(kind);
    js_free(edit);
}

static int make_run(Context *context)
{
    const MakeOptions *given = context->options;
    const char *path = context->args[0];
    const GameVariant *variant = context_variant(context, given->rules);
    const CaseMakeOptions options = {.n = (size_t)given->n,
                                     .natural = given->kind == KIND_NATURAL,
                                     .edit = (CaseEdit)given->edit,
                                     .n_squares = (int)given->squares,
                                     .tune = given->purpose == PURPOSE_TUNE,
                                     .min_moves = (int)given->min_moves,
                                     .max_moves = (int)given->max_moves,
                                     .before_end = given->before_end > 0 ? (int)given->before_end
                                                                         : case_before_end(variant),
                                     .no_passes = given->no_passes};
    CaseSet set = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = study_check_output(context, path);
    rc = rc ? rc : study_begin(context, path, false);
    rc = rc ? rc : cases_make(&set, variant, &options, study_work(context, "drawing", "cases"));
    rc = rc ? rc : cases_print(&text, &n_bytes, &set);
    rc = rc ? rc : casefile_publish(context, path, text, n_bytes, "cases");
    if (rc == 0) {
        result_fill(context, path, &set);
        suggest_next(context, path, variant, options.tune);
    }
    mem_free(text);
    cases_release(&set);
    return rc;
}

const Command cmd_cases_make = {
    .name = "cases make",
    .arguments = "FILE --kind natural|unnatural --n N",
    .summary = "draw positions and edits of their boards, checked by the rules",
    .examples = "ogpt cases make cases.csv --n 1000\n"
                "ogpt cases make tune.csv --n 300 --purpose tune\n"
                "ogpt cases make unnatural.csv --kind unnatural --n 1000\n"
                "ogpt cases make erase.csv --kind unnatural --edit erase --size 6",
    COMMAND_OPTIONS(make_options, MakeOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE | USES_STORE_THERE,
    COMMAND_TABLES(&make_table),
    .run = make_run,
};
