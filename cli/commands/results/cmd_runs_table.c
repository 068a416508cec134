/* cli/commands/results/cmd_runs_table.c - ogpt runs table: the usual tables over all runs in the
 * database. */
#include "cli/study.h"
#include "report/runs/run_tables.h"

typedef struct TableOptions {
    int64_t run;
} TableOptions;

static const OptionSpec options[] = {
    OPTION_INT("run", offsetof(TableOptions, run), "N", 1, 9e15, "only this run"),
};

static const Column list_columns[] = {
    {"name", "table", .type = COLUMN_TEXT},
    {"summary", "what it shows", .type = COLUMN_TEXT},
};
static const TableSpec list_table = {"tables", TABLE_COLUMNS(list_columns)};

static void views_list(Context *context)
{
    const char *name, *summary;
    Table *table = study_table(context, &list_table);
    table->hidden = true; /* without headings, a script can read the names off */
    for (size_t i = 0; store_view_at(&name, &summary, i); i++) {
        table_row(table);
        table_text(table, "name", name);
        table_text(table, "summary", summary);
        text_add(study_text(context), "%-20s %s\n", name, summary);
    }
}

static int table_run(Context *context)
{
    const TableOptions *given = context->options;
    Store *store = NULL;
    Js *rows = NULL;
    if (context->n_args == 0) {
        views_list(context);
        return 0;
    }
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : store_view(&rows, store, context->args[0], given->run);
    store_close(store);
    if (rc == 0) {
        study_json(context, "table", js_str(context->args[0]));
        run_tables_show(context->report, context->args[0], rows);
        text_add(study_text(context), "%s", js_length(rows) == 0 ? "no rows yet\n" : "");
    }
    js_free(rows);
    return rc;
}

const Command cmd_runs_table = {
    .name = "runs table",
    .arguments = "[NAME]",
    .summary = "the usual tables over all runs: probes by layer, edits by method, evals by model",
    .examples = "ogpt runs table\nogpt runs table probes_by_layer --run 3\n"
                "ogpt runs table edits_by_method --csv tables",
    COMMAND_OPTIONS(options, TableOptions),
    .max_args = 1,
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&run_tables_view, &list_table),
    .run = table_run,
};
