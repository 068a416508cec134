/* cli/commands/results/cmd_runs_table.c - ogpt runs table: the usual tables over all runs in the
 * database. */
#include <stdio.h>

#include "cli/study.h"

#define COLUMNS_OF_A_VIEW 64

typedef struct TableOptions {
    int64_t run;
} TableOptions;

static const OptionSpec options[] = {
    OPTION_INT("run", offsetof(TableOptions, run), "N", 1, 9e15, "only this run"),
};

/* The columns are those of the view that was asked for, found in its rows. */
static Column columns[COLUMNS_OF_A_VIEW];
static char keys[COLUMNS_OF_A_VIEW][64];
static TableSpec view_table = {"rows", .columns = columns};
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

static void view_show(Context *context, const char *name, const Js *rows)
{
    view_table.file = name;
    view_table.n_columns = table_columns_of(columns, COLUMNS_OF_A_VIEW, rows);
    for (size_t i = 0; i < view_table.n_columns; i++) { /* the rows do not live long enough */
        snprintf(keys[i], sizeof(keys[i]), "%s", columns[i].key);
        columns[i].key = columns[i].heading = keys[i];
    }
    study_json(context, "table", js_str(name));
    Table *table = study_table(context, &view_table);
    for (size_t i = 0; i < js_length(rows); i++) {
        table_add(table, js_keep(js_at(rows, i)));
    }
    if (js_length(rows) == 0) {
        text_add(study_text(context), "no rows yet\n");
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
        view_show(context, context->args[0], rows);
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
    COMMAND_TABLES(&view_table, &list_table),
    .run = table_run,
};
