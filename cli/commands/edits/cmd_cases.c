/* cli/commands/edits/cmd_cases.c - ogpt cases make, import, show: positions to edit, and how. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"
#include "base/files.h"
#include "cli/commands/edits/draw_case.h"
#include "probes/cases/cases.h"

typedef struct MakeOptions {
    const char *kind, *edit, *purpose;
    int64_t n, squares, min_moves, max_moves, before_end;
    bool no_passes;
} MakeOptions;

static const OptionSpec make_options[] = {
    {"kind", OPT_CHOICE, offsetof(MakeOptions, kind), .def = "natural",
     .choices = "natural|unnatural", .argument = "KIND",
     .help = "natural: another legal history of equal length reaches the edited board"},
    {"n", OPT_INT, offsetof(MakeOptions, n), 1, CASES_MAX, .def = "1000", .argument = "N",
     .help = "number of cases"},
    {"edit", OPT_CHOICE, offsetof(MakeOptions, edit), .def = "flip", .choices = "flip|erase|place",
     .argument = "EDIT", .help = "turn a disc over, take one away, or put one down"},
    {"squares", OPT_INT, offsetof(MakeOptions, squares), 1, CASE_MAX_SQUARES, .def = "1",
     .argument = "K", .help = "squares edited at once"},
    {"purpose", OPT_CHOICE, offsetof(MakeOptions, purpose), .def = "cases", .choices = "cases|tune",
     .argument = "PURPOSE",
     .help = "tune: for choosing layers and scale; never shares a case with the others"},
    {"min-moves", OPT_INT, offsetof(MakeOptions, min_moves), 1, 59, .def = "5", .argument = "N",
     .help = "shortest history"},
    {"max-moves", OPT_INT, offsetof(MakeOptions, max_moves), 0, 59, .def = "0", .argument = "N",
     .help = "longest history; 0: only --before-end limits it"},
    {"no-passes", OPT_FLAG, offsetof(MakeOptions, no_passes),
     .help = "only histories in which nobody had to pass"},
    {"before-end", OPT_INT, offsetof(MakeOptions, before_end), 1, 59, .def = "10", .argument = "N",
     .help = "moves that the game still had to go, at least"},
};

/* Number of the first line in which two texts differ. */
static size_t differing_line(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t line = 1;
    for (size_t i = 0; i < n_a && i < n_b && a[i] == b[i]; i++) {
        line += a[i] == '\n';
    }
    return line;
}

/* Publish the case file. One that already holds exactly these cases is left alone: the command
 * typed again ends as it did before. */
static int publish_cases(Context *context, const char *path, const char *text, size_t n_bytes)
{
    void *old = NULL;
    size_t n_old = 0, n_stale = 0;
    int rc = path_clean_stale(&n_stale, path);
    if (rc == 0 && file_exists(path)) {
        rc = file_read_all(&old, &n_old, path, (size_t)1 << 30);
        if (rc != 0) {
            return rc;
        }
        if (n_old == n_bytes && memcmp(old, text, n_bytes) == 0) {
            context_say(context, "%s already holds these cases", path);
            mem_free(old);
            return 0;
        }
        if (!context->force) {
            rc = err_set(OGPT_EUSAGE,
                         "%s:%zu: holds other cases than these options make; name another file, "
                         "or replace it with --force",
                         path, differing_line(old, n_old, text, n_bytes));
        }
        mem_free(old);
    }
    return rc != 0 ? rc : file_write_atomic(path, text, n_bytes, context->force);
}

static CaseEdit edit_of(const char *name)
{
    if (strcmp(name, "erase") == 0) {
        return CASE_ERASE;
    }
    return strcmp(name, "place") == 0 ? CASE_PLACE : CASE_FLIP;
}

/* What the cases are like, for make, import and show. */
static void add_stats(Js *document, Text *text, const CaseSet *set)
{
    CaseStats stats = cases_stats(set);
    js_set_int(document, "shortest", stats.shortest);
    js_set_int(document, "longest", stats.longest);
    js_set_int(document, "with_pass", (int64_t)stats.n_passes);
    js_set_int(document, "with_witness", (int64_t)stats.n_witnesses);
    js_set_int(document, "unchanged", (int64_t)stats.n_unchanged);
    js_set_int(document, "mover_changed", (int64_t)stats.n_mover_changed);
    js_set_num(document, "mean_legal_before", stats.mean_legal_before);
    js_set_num(document, "mean_legal_edited", stats.mean_legal_edited);
    js_set_num(document, "mean_symmetric_difference", stats.mean_symmetric_difference);
    text_add(text, "histories                  %d to %d moves, %llu with a pass, %llu witnesses\n",
             stats.shortest, stats.longest, (unsigned long long)stats.n_passes,
             (unsigned long long)stats.n_witnesses);
    text_add(text, "mean legal moves           %.3f before, %.3f on the edited board\n",
             stats.mean_legal_before, stats.mean_legal_edited);
    text_add(text,
             "mean symmetric difference  %.3f squares legal on exactly one board; %llu edits "
             "change nothing\n",
             stats.mean_symmetric_difference, (unsigned long long)stats.n_unchanged);
    text_add(text, "other mover after the edit %llu\n", (unsigned long long)stats.n_mover_changed);
}

static int make_result(Context *context, const char *path, const CaseSet *set)
{
    const MakeOptions *given = context->options;
    Js *document = js_object();
    Text text = {0};
    int rc;
    js_set_str(document, "file", path);
    js_set_int(document, "size", set->variant->size);
    js_set_str(document, "kind", given->kind);
    js_set_str(document, "edit", given->edit);
    js_set_str(document, "purpose", given->purpose);
    js_set_int(document, "cases", (int64_t)set->n);
    js_set_int(document, "redraws", (int64_t)set->redraws);
    js_set_int(document, "excluded", (int64_t)set->excluded);
    text_add(&text, "%zu %s cases (%s) on %dx%d in %s\n", set->n, given->kind, given->edit,
             set->variant->size, set->variant->size, path);
    text_add(&text, "redraws                    %llu\n", (unsigned long long)set->redraws);
    add_stats(document, &text, set);
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

/* Edits need reported cases and tuning cases; the file that was not made now has a plain name. */
static void suggest_next(const Context *context, const char *path, int size, bool tune)
{
    if (tune) {
        context_next(context,
                     "ogpt intervene runs/NAME --probe probes/mine --cases cases.csv "
                     "--tune %s",
                     path);
    } else {
        context_next(context,
                     "ogpt cases make tune.csv --n 300 --size %d --purpose tune, ogpt intervene "
                     "runs/NAME --probe probes/mine --cases %s --tune tune.csv",
                     size, path);
    }
}

static int make_run(Context *context)
{
    const MakeOptions *given = context->options;
    const char *path = context->args[0];
    const GameVariant *variant = game_variant(context->size_given ? context->size : 8);
    const CaseMakeOptions options = {.n = (size_t)given->n,
                                     .natural = strcmp(given->kind, "natural") == 0,
                                     .edit = edit_of(given->edit),
                                     .n_squares = (int)given->squares,
                                     .tune = strcmp(given->purpose, "tune") == 0,
                                     .min_moves = (int)given->min_moves,
                                     .max_moves = (int)given->max_moves,
                                     .before_end = (int)given->before_end,
                                     .no_passes = given->no_passes,
                                     .seed = context->seed};
    CaseSet set = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = context_pool(context);
    rc = rc ? rc : context_run_begin(context, path, false);
    rc = rc ? rc : cases_make(&set, variant, &options, context->pool);
    rc = rc ? rc : cases_print(&text, &n_bytes, &set);
    rc = rc ? rc : publish_cases(context, path, text, n_bytes);
    rc = rc ? rc : make_result(context, path, &set);
    if (rc == 0) {
        suggest_next(context, path, variant->size, options.tune);
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
                "ogpt cases make erase.csv --kind unnatural --edit erase --size 6",
    .options = make_options,
    .n_options = sizeof(make_options) / sizeof(make_options[0]),
    .options_bytes = sizeof(MakeOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE,
    .run = make_run,
};

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

/* ---- import ---- */

typedef struct ImportOptions {
    const char *notation;
} ImportOptions;

static const OptionSpec import_options[] = {
    {"notation", OPT_CHOICE, offsetof(ImportOptions, notation), .def = "standard",
     .choices = "standard|othello_world", .argument = "NOTATION",
     .help = "standard: the letter is the column; othello_world: it is the row, so every square "
             "is transposed"},
};

static int import_result(Context *context, const CaseSet *written, const char *goal,
                         const char *source)
{
    const ImportOptions *given = context->options;
    Js *document = js_object();
    Text text = {0};
    int rc;
    js_set_str(document, "file", goal);
    js_set_str(document, "source", source);
    js_set_str(document, "notation", given->notation);
    js_set_int(document, "size", written->variant->size);
    js_set_int(document, "cases", (int64_t)written->n);
    js_set_int(document, "redraws", 0);
    text_add(&text, "%zu cases on %dx%d from %s in %s, each replayed by the rules\n", written->n,
             written->variant->size, written->variant->size, source, goal);
    exclusions_json(document, written);
    add_stats(document, &text, written);
    draw_exclusions(&text, written, "left out of means           ");
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

/* What was read is printed in our form and read again, strictly: the statistics are those of the
 * file that is published. */
static int import_run(Context *context)
{
    const ImportOptions *given = context->options;
    const char *goal = context->args[0], *source = context->args[1];
    const GameVariant *variant = game_variant(context->size_given ? context->size : 8);
    CaseSet read = {0}, written = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = context_run_begin(context, goal, false);
    rc = rc ? rc
            : cases_import(&read, variant, source, strcmp(given->notation, "othello_world") == 0);
    rc = rc ? rc : cases_print(&text, &n_bytes, &read);
    rc = rc ? rc : cases_parse(&written, variant, text, n_bytes, source);
    rc = rc ? rc : publish_cases(context, goal, text, n_bytes);
    rc = rc ? rc : import_result(context, &written, goal, source);
    if (rc == 0) {
        context_next(context, "ogpt cases show %s 0", goal);
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
    .examples = "ogpt cases import cases.csv theirs.csv\n"
                "ogpt cases import cases.csv benchmark.csv --notation othello_world\n"
                "SRC is CSV with the columns moves, square, from, to and perhaps witness, in any\n"
                "order if a header names them; squares by name (c4) or index (26; a1 is 0)",
    .options = import_options,
    .n_options = sizeof(import_options) / sizeof(import_options[0]),
    .options_bytes = sizeof(ImportOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SIZE | USES_STORE | USES_FORCE,
    .run = import_run,
};

/* ---- show ---- */

static int show_run(Context *context)
{
    const char *path = context->args[0];
    CaseSet set = {0};
    Text text = {0};
    int64_t index = 0;
    int rc = context_arg_int(&index, context, 1, "N", 0, CASES_MAX);
    rc = rc ? rc : read_any_size(&set, context, path);
    if (rc == 0 && (size_t)index >= set.n) {
        rc = err_set(OGPT_EUSAGE, "%s has no case %lld: it holds cases 0 to %zu", path,
                     (long long)index, set.n - 1);
    }
    if (rc == 0) {
        Js *document = case_json(set.variant, &set.cases[index], (size_t)index);
        js_set_int(document, "cases", (int64_t)set.n);
        exclusions_json(document, &set);
        draw_case(&text, set.variant, &set.cases[index], (size_t)index);
        text_add(&text, "\nthe whole file: %zu cases\n", set.n);
        add_stats(document, &text, &set);
        draw_exclusions(&text, &set, "left out of means           ");
        rc = context_result(context, document, text.data);
    }
    text_release(&text);
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
    .uses = USES_SIZE,
    .run = show_run,
};
