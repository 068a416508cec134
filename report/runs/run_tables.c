/* report/runs/run_tables.c - contract in report/runs/run_tables.h. */
#include "report/runs/run_tables.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS_OF_A_VIEW 64
#define COLUMNS_OF_A_KIND 128

static Column view_columns[COLUMNS_OF_A_VIEW];
static char view_keys[COLUMNS_OF_A_VIEW][64];
TableSpec run_tables_view = {"rows", .columns = view_columns};
static Column kind_columns[RUN_KINDS_MAX][COLUMNS_OF_A_KIND];
TableSpec run_tables_kinds[RUN_KINDS_MAX] = {{.name = "rows"}};

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

void run_tables_show(Report *report, const char *name, const Js *rows)
{
    TableSpec *spec = &run_tables_view;
    spec->file = name;
    spec->n_columns = table_columns_of(view_columns, COLUMNS_OF_A_VIEW, rows);
    for (size_t i = 0; i < spec->n_columns; i++) { /* the rows do not live long enough */
        Column *column = &view_columns[i];
        snprintf(view_keys[i], sizeof(view_keys[i]), "%s", column->key);
        column->key = column->heading = view_keys[i];
        column->flags |= is_minor(column, rows) ? COLUMN_MINOR : 0;
        column->flags |= is_hash(column->key) ? COLUMN_HASH : 0;
    }
    Table *table = report_table(report, spec);
    for (size_t i = 0; i < js_length(rows); i++) {
        table_add(table, js_keep(js_at(rows, i)));
    }
}

void run_tables_add(Report *report, const Js *results)
{
    void *it = NULL;
    const char *kind = NULL;
    const Js *rows = NULL;
    for (size_t k = 0; k < RUN_KINDS_MAX && js_next(results, &it, &kind, &rows); k++) {
        run_tables_kinds[k] = (TableSpec){.name = kind, .columns = kind_columns[k]};
        run_tables_kinds[k].n_columns = table_columns_of(kind_columns[k], COLUMNS_OF_A_KIND, rows);
        Table *table = report_table(report, &run_tables_kinds[k]);
        table->hidden = table->undocumented = true;
        for (size_t i = 0; i < js_length(rows); i++) {
            table_add(table, js_keep(js_at(rows, i)));
        }
    }
}
