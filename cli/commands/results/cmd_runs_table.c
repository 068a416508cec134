/* cli/commands/results/cmd_runs_table.c - ogpt runs table: the usual tables over all runs in the
 * database. */
#include "cli/command.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "report/csv.h"

#define CELL_MAX 40 /* characters of a cell; longer ones are cut with '~' */

typedef struct TableOptions {
    int64_t run;
    const char *csv;
} TableOptions;

static const OptionSpec options[] = {
    {"run", OPT_INT, offsetof(TableOptions, run), 1, 9e15, .argument = "N",
     .help = "only this run"},
    {"csv", OPT_TEXT, offsetof(TableOptions, csv), .argument = "DIR",
     .help = "also write the table as DIR/NAME.csv"},
};

static void cell_print(Text *out, const Js *value)
{
    switch (!value ? JS_NULL : js_type(value)) {
    case JS_INT: text_add(out, "%lld", (long long)js_int_of(value)); break;
    case JS_NUM: text_add(out, "%.4f", js_num_of(value)); break;
    case JS_STR: text_add(out, "%s", js_str_of(value)); break;
    default: text_add(out, "-"); break;
    }
}

/* Width of a column: its name or its widest cell. */
static int column_width(const Js *rows, const char *key)
{
    size_t width = strlen(key);
    for (size_t i = 0; i < js_length(rows); i++) {
        Text cell = {0};
        cell_print(&cell, js_member(js_at(rows, i), key));
        width = cell.length > width ? cell.length : width;
        text_release(&cell);
    }
    return width > CELL_MAX ? CELL_MAX : (int)width;
}

static void table_print(Text *text, const Js *rows)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    int widths[64], n = 0;
    while (js_next(js_at(rows, 0), &it, &key, &value) && n < 64) {
        widths[n] = column_width(rows, key);
        text_add(text, "%s%*.*s", n == 0 ? "" : "  ", widths[n], widths[n], key);
        n++;
    }
    text_add(text, "\n");
    for (size_t i = 0; i < js_length(rows); i++) {
        int column = 0;
        it = NULL;
        while (js_next(js_at(rows, i), &it, &key, &value) && column < n) {
            Text cell = {0};
            cell_print(&cell, value);
            const char *shown = cell.data ? cell.data : "";
            bool cut = strlen(shown) > CELL_MAX;
            text_add(text, "%s%*.*s%s", column == 0 ? "" : "  ", cut ? 0 : widths[column],
                     cut ? CELL_MAX - 1 : CELL_MAX, shown, cut ? "~" : "");
            text_release(&cell);
            column++;
        }
        text_add(text, "\n");
    }
}

static void tables_list(Text *text, Js *document)
{
    const char *name, *summary;
    Js *tables = js_array();
    for (size_t i = 0; store_view_at(&name, &summary, i); i++) {
        Js *row = js_object();
        js_set_str(row, "name", name);
        js_set_str(row, "summary", summary);
        js_push(tables, row);
        text_add(text, "%-20s %s\n", name, summary);
    }
    js_set(document, "tables", tables);
}

static int table_run(Context *context)
{
    const TableOptions *given = context->options;
    Store *store = NULL;
    Js *rows = NULL, *document = js_object();
    Text text = {0};
    int rc = 0;
    if (context->n_args == 0) {
        tables_list(&text, document);
    } else {
        const char *name = context->args[0];
        rc = store_open_read(&store, context->store_path);
        rc = rc ? rc : store_view(&rows, store, name, given->run);
        store_close(store);
        if (rc == 0 && given->csv) {
            CsvTable table = {name, js_keep(rows)};
            rc = csv_write(given->csv, &table, 1, context->force);
        }
        if (rc == 0) {
            js_set_str(document, "table", name);
            js_set(document, "rows", js_keep(rows));
            if (js_length(rows) > 0) {
                table_print(&text, rows);
            } else {
                text_add(&text, "no rows yet\n");
            }
        }
        js_free(rows);
    }
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

const Command cmd_runs_table = {
    .name = "runs table",
    .arguments = "[NAME]",
    .summary = "the usual tables over all runs: probes by layer, edits by method, evals by model",
    .examples = "ogpt runs table\nogpt runs table probes_by_layer --run 3\n"
                "ogpt runs table edits_by_method --csv tables",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(TableOptions),
    .max_args = 1,
    .uses = USES_STORE | USES_FORCE,
    .run = table_run,
};
