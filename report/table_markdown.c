/* report/table_markdown.c - a table as Markdown. Contract in report/table.h. */
#include <stdio.h>
#include <string.h>

#include "report/table.h"

/* What would end a cell, or is markup, is escaped. */
static void cell_add(Text *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n') {
            text_add(out, "<br>");
        } else {
            text_add(out, strchr("|*_`<\\", *c) ? "\\%c" : "%c", *c);
        }
    }
}

static bool is_shown(const Table *table, const Column *column)
{
    bool set = false;
    for (size_t r = 0; r < js_length(table->rows); r++) {
        set = set || js_type(js_member(js_at(table->rows, r), column->key)) != JS_NULL;
    }
    return set && column->heading && column->type != COLUMN_NESTED;
}

static void value_add(Text *out, const Column *column, const Js *row, const char *before,
                      const char *ending)
{
    char key[80];
    Text cell = {0};
    snprintf(key, sizeof(key), "%s%s", column->key, ending);
    column_print(&cell, column, js_member(row, key));
    text_add(out, "%s", before);
    cell_add(out, cell.data ? cell.data : "");
    text_release(&cell);
}

void table_markdown(Text *out, const Table *table)
{
    const TableSpec *spec = table->spec;
    Text rule = {0};
    for (size_t c = 0; c < spec->n_columns; c++) {
        const Column *column = &spec->columns[c];
        if (is_shown(table, column)) {
            text_add(out, "| ");
            cell_add(out, column->heading);
            text_add(out, column->unit ? ", %s " : "%s ", column->unit ? column->unit : "");
            text_add(&rule, column->type == COLUMN_TEXT ? "| --- " : "| ---: ");
        }
    }
    text_add(out, "|\n%s|\n", rule.data ? rule.data : "");
    text_release(&rule);
    for (size_t r = 0; r < js_length(table->rows); r++) {
        const Js *row = js_at(table->rows, r);
        for (size_t c = 0; c < spec->n_columns; c++) {
            const Column *column = &spec->columns[c];
            char low[80];
            if (!is_shown(table, column)) {
                continue;
            }
            value_add(out, column, row, "| ", "");
            snprintf(low, sizeof(low), "%s_low", column->key);
            if (column->interval && js_type(js_member(row, low)) != JS_NULL) {
                value_add(out, column, row, " [", "_low");
                value_add(out, column, row, ", ", "_high");
                text_add(out, "]");
            }
            text_add(out, " ");
        }
        text_add(out, "|\n");
    }
}
