/* cli/commands/results/cmd_runs.c - ogpt runs list|show: what was done, and what came out. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/results/run_values.h"
#include "report/draw.h"

#define ROWS_SHOWN 12 /* of one kind in 'runs show'; --json has all */

typedef struct ListOptions {
    int64_t limit;
} ListOptions;

static const OptionSpec list_options[] = {
    OPTION_INT("limit", offsetof(ListOptions, limit), "N", 0, 1000000, "the newest N runs; 0: all",
               .def = "20"),
};

static const Column run_columns[] = {
    {"run", "run", .type = COLUMN_COUNT},
    {"started", "started", .type = COLUMN_TEXT},
    {"status", "status", .type = COLUMN_TEXT},
    {"command", .type = COLUMN_TEXT},
    {"command_line", "command", .type = COLUMN_TEXT},
    {"subject", .type = COLUMN_TEXT},
    {"seed", .type = COLUMN_COUNT},
    {"message", .type = COLUMN_TEXT},
    {"ended", .type = COLUMN_TEXT},
    {"sessions", .type = COLUMN_COUNT},
    {"machine", .type = COLUMN_TEXT},
    {"pid", .type = COLUMN_COUNT},
    {"pid_start", .type = COLUMN_COUNT},
    {"host", .type = COLUMN_TEXT},
};
static const TableSpec runs_table = {"runs", TABLE_COLUMNS(run_columns)};

static int list_run(Context *context)
{
    const ListOptions *given = context->options;
    Store *store = NULL;
    Js *runs = NULL;
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : store_list(&runs, store, (int)given->limit);
    store_close(store);
    Table *table = rc == 0 ? study_table(context, &runs_table) : NULL;
    for (size_t i = 0; i < js_length(runs); i++) {
        table_add(table, js_keep(js_at(runs, i)));
    }
    js_free(runs);
    return rc;
}

const Command cmd_runs_list = {
    .name = "runs list",
    .arguments = "",
    .summary = "the runs in the results database, newest first",
    .examples = "ogpt runs list\nogpt runs list --limit 100",
    COMMAND_OPTIONS(list_options, ListOptions),
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&runs_table),
    .run = list_run,
};

/* The rows of one kind as a table; long ones are cut in the middle of the listing. */
static void rows_add(Text *text, const char *kind, const Js *rows)
{
    size_t n = js_length(rows);
    text_add(text, "\n%s, %zu row%s\n", kind, n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        void *it = NULL;
        const char *key = NULL;
        const Js *value = NULL;
        if (n > ROWS_SHOWN && i == ROWS_SHOWN / 2) {
            i = n - ROWS_SHOWN / 2;
            text_add(text, "  ... (--json has all)\n");
        }
        text_add(text, " ");
        while (js_next(js_at(rows, i), &it, &key, &value)) {
            if (js_type(value) != JS_NULL) {
                text_add(text, " %s=", key);
                run_value_add(text, value);
            }
        }
        text_add(text, "\n");
    }
}

/* Plot one column of the training curve over the games seen. */
static int curve_add(Text *text, const Js *rows, const char *column, const char *title)
{
    size_t n = js_length(rows);
    double *x = mem_alloc(n, sizeof(*x), "a curve");
    double *y = mem_alloc(n, sizeof(*y), "a curve");
    int rc = !x || !y ? OGPT_ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const Js *value = js_member(js_at(rows, i), column);
        x[i] = js_num_of(js_member(js_at(rows, i), "games"));
        y[i] = value ? js_num_of(value) : NAN;
    }
    if (rc == 0) {
        draw_curve(text, title, "games", x, y, n);
    }
    mem_free(x);
    mem_free(y);
    return rc;
}

/* The loss where there is no floor to measure it from: that of games that were not generated. */
static int curves_add(Text *text, const Js *rows)
{
    bool floored = js_type(js_member(js_at(rows, 0), "excess")) != JS_NULL;
    int rc = floored ? curve_add(text, rows, "excess", "excess over the floor (nats)")
                     : curve_add(text, rows, "loss", "loss (nats)");
    rc = rc ? rc : curve_add(text, rows, "strict_error", "strict error");
    return rc ? rc : curve_add(text, rows, "board_accuracy", "board accuracy of the quick probe");
}

/* Options and versions on one line each. */
static void details_add(Text *text, const Js *run, const char *name)
{
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    text_add(text, "%-10s", name);
    while (js_next(js_member(run, name), &it, &key, &value)) {
        text_add(text, " %s=", key);
        run_value_add(text, value);
    }
    text_add(text, "\n");
}

static int run_describe(Text *text, const Js *run)
{
    static const char *const plain[] = {"command_line", "subject", "status", "message",
                                        "started",      "ended",   "machine"};
    void *it = NULL;
    const char *kind = NULL;
    const Js *rows = NULL;
    int rc = 0;
    text_add(text, "run        %lld\n", (long long)js_int_of(js_member(run, "run")));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const Js *value = js_member(run, plain[i]);
        if (value && js_type(value) == JS_STR) {
            const char *label = i == 0 ? "command" : plain[i];
            text_add(text, "%-10s %s\n", label, js_str_of(value));
        }
    }
    text_add(text, "%-10s %lld\n", "sessions", (long long)js_int_of(js_member(run, "sessions")));
    details_add(text, run, "options");
    details_add(text, run, "versions");
    while (rc == 0 && js_next(js_member(run, "results"), &it, &kind, &rows)) {
        rows_add(text, kind, rows);
        if (strcmp(kind, "train_curve") == 0) {
            rc = curves_add(text, rows);
        }
    }
    return rc;
}

static int show_run(Context *context)
{
    Store *store = NULL;
    Js *run = NULL;
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : run_read(&run, context, store, 0);
    store_close(store);
    rc = rc ? rc : run_describe(study_text(context), run);
    if (rc == 0 && (context->csv || context->html)) {
        run_tables_add(context, js_member(run, "results"));
    }
    study_json_all(context, run); /* keeps what the tables borrow */
    return rc;
}

const Command cmd_runs_show = {
    .name = "runs show",
    .arguments = "[RUN]",
    .summary = "one run (the newest unless told): options, results, curves",
    .examples = "ogpt runs show\nogpt runs show 3 --json",
    .max_args = 1,
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&run_kind_tables[0]),
    .run = show_run,
};
