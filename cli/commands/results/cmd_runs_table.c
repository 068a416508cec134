/* cli/commands/results/cmd_runs_table.c - ogpt runs table: the usual tables over all runs in the
 * database. */
#include <stdio.h>
#include <string.h>

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

/* Columns that go first where the line is short: how a row was made more than what it says, and
 * texts that are the same in every one of several rows. */
static bool is_minor(const Column *column, const Js *rows)
{
    static const char *const minor[] = {"site",  "solver", "rule",       "tuned_on", "scale_unit",
                                        "cases", "row",    "ideal_null", "positions"};
    for (size_t i = 0; i < sizeof(minor) / sizeof(minor[0]); i++) {
        if (strcmp(column->key, minor[i]) == 0) {
            return true;
        }
    }
    bool same = column->type == COLUMN_TEXT && js_length(rows) > 1;
    for (size_t i = 0; same && i < js_length(rows); i++) {
        const Js *first = js_member(js_at(rows, 0), column->key);
        const Js *value = js_member(js_at(rows, i), column->key);
        bool texts = js_type(first) == JS_STR && js_type(value) == JS_STR;
        same = texts ? strcmp(js_str_of(first), js_str_of(value)) == 0
                     : js_type(first) == js_type(value);
    }
    return same;
}

static bool is_hash(const char *key)
{
    size_t length = strlen(key);
    return length > 5 && strcmp(key + length - 5, "_hash") == 0;
}

static void view_show(Context *context, const char *name, const Js *rows)
{
    view_table.file = name;
    view_table.n_columns = table_columns_of(columns, COLUMNS_OF_A_VIEW, rows);
    for (size_t i = 0; i < view_table.n_columns; i++) { /* the rows do not live long enough */
        snprintf(keys[i], sizeof(keys[i]), "%s", columns[i].key);
        columns[i].key = columns[i].heading = keys[i];
        columns[i].flags |= is_minor(&columns[i], rows) ? COLUMN_MINOR : 0;
        columns[i].flags |= is_hash(keys[i]) ? COLUMN_HASH : 0;
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
