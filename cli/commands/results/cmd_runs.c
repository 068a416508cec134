/* cli/commands/results/cmd_runs.c - ogpt runs list|show: what was done, and what came out. */
#include "cli/commands/results/run_values.h"
#include "report/runs/run_tables.h"
#include "report/runs/run_text.h"

typedef struct ListOptions {
    int64_t limit;
} ListOptions;

static const OptionSpec list_options[] = {
    OPTION_INT("limit", offsetof(ListOptions, limit), "N", 0, 1000000, "the newest N runs; 0: all",
               .def = "20"),
};

static const Column run_columns[] = {
    {"run", "run", .type = COLUMN_COUNT},
    {"started", "started", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"status", "status", .type = COLUMN_TEXT},
    {"result", "result", .type = COLUMN_TEXT},
    {"hash", "hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"command", .type = COLUMN_TEXT},
    {"command_line", "command", .type = COLUMN_TEXT},
    {"result_key", .type = COLUMN_TEXT},
    {.key = "result_value"},
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
    Js *runs = NULL, *results = NULL;
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : store_list(&runs, store, (int)given->limit);
    rc = rc ? rc : store_main_results(&results, store, runs);
    store_close(store);
    Table *table = rc == 0 ? study_table(context, &runs_table) : NULL;
    for (size_t i = 0; i < js_length(runs); i++) {
        void *it = NULL;
        const char *key = NULL;
        const Js *value = NULL;
        table_add(table, js_keep(js_at(runs, i)));
        while (js_next(js_at(results, i), &it, &key, &value)) {
            table_set(table, key, js_keep(value));
        }
    }
    js_free(results);
    js_free(runs);
    return rc;
}

const Command cmd_runs_list = {
    .name = "runs list",
    .arguments = "",
    .summary = "the runs in the results database, newest first, with the main result of each",
    .examples = "ogpt runs list\nogpt runs list --limit 100",
    COMMAND_OPTIONS(list_options, ListOptions),
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&runs_table),
    .run = list_run,
};

static int show_run(Context *context)
{
    Store *store = NULL;
    Js *run = NULL;
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : run_read(&run, context, store, 0);
    store_close(store);
    rc = rc ? rc : run_text_describe(study_text(context), run);
    if (rc == 0 && (context->csv || context->html)) {
        run_tables_add(context->report, js_member(run, "results"));
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
    COMMAND_TABLES(&run_tables_kinds[0]),
    .run = show_run,
};
