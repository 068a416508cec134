/* report/pages/long_list.c - contract in report/pages/long_list.h. */
#include "report/pages/long_list.h"

#include <stdio.h>
#include <string.h>

#include "report/html.h"

#define GROUP_ROWS 64 /* as in pages.css and index.js */
#define COLUMNS_MAX 64

typedef struct LongList {
    const Table *table;
    const Column *columns[COLUMNS_MAX];
    size_t n;
} LongList;

static void columns_choose(LongList *list)
{
    const TableSpec *spec = list->table->spec;
    for (size_t c = 0; c < spec->n_columns && list->n < COLUMNS_MAX; c++) {
        const Column *column = &spec->columns[c];
        bool set = false;
        for (size_t r = 0; !set && r < table_rows(list->table); r++) {
            set = js_type(js_member(js_at(list->table->rows, r), column->key)) != JS_NULL;
        }
        if (set && column->heading && column->type != COLUMN_NESTED) {
            list->columns[list->n++] = column;
        }
    }
}

/* Widths that hold a name, a number, a number with its interval, a sentence. */
static void widths_add(Text *out, const LongList *list)
{
    for (size_t c = 0; c < list->n; c++) {
        const Column *column = list->columns[c];
        size_t longest = strlen(column->heading) / 2;
        for (size_t r = 0; column->type == COLUMN_TEXT && r < table_rows(list->table); r++) {
            const char *text = js_str_of(js_member(js_at(list->table->rows, r), column->key));
            longest = text && strlen(text) > longest ? strlen(text) : longest;
        }
        text_add(out, " %s",
                 column->type != COLUMN_TEXT ? column->interval ? "10rem" : "5.4rem"
                 : longest > 24              ? "17rem"
                 : longest > 7               ? "7rem"
                                             : "4.6rem");
    }
}

static void cell_add(Text *out, const Column *column, const Js *row, bool linked)
{
    text_add(out, column->type == COLUMN_TEXT ? "<td>" : "<td class=\"n\">");
    if (linked) {
        text_add(out, "<a href=\"");
        html_value(out, column, js_member(row, column->key));
        text_add(out, ".html\">");
    }
    html_value(out, column, js_member(row, column->key));
    text_add(out, "%s", linked ? "</a>" : "");
    html_interval(out, column, row);
    text_add(out, "</td>");
}

static void rows_add(Text *out, const LongList *list)
{
    const size_t n = table_rows(list->table);
    for (size_t r = 0; r < n; r++) {
        const Js *row = js_at(list->table->rows, r);
        if (r % GROUP_ROWS == 0 && n - r < GROUP_ROWS) {
            text_add(out, "<tbody style=\"--r:%zu\">\n", n - r);
        } else if (r % GROUP_ROWS == 0) {
            text_add(out, "<tbody>\n");
        }
        text_add(out, "<tr>");
        for (size_t c = 0; c < list->n; c++) {
            cell_add(out, list->columns[c], row, c == 0);
        }
        text_add(out, "</tr>\n%s",
                 r % GROUP_ROWS == GROUP_ROWS - 1 || r + 1 == n ? "</tbody>\n" : "");
    }
}

void long_list(Text *out, const Table *table)
{
    LongList list = {.table = table};
    const char *title = table->spec->title ? table->spec->title : table->spec->name;
    columns_choose(&list);
    text_add(out, "<section class=\"sorted\">\n");
    html_meanings(out, list.columns, list.n);
    text_add(out, "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"");
    html_text(out, title);
    text_add(out, "\">\n<table class=\"long\" style=\"--c:");
    widths_add(out, &list);
    text_add(out, "\"><caption>");
    html_text(out, title);
    text_add(out, "</caption>\n<thead><tr>");
    for (size_t c = 0; c < list.n; c++) {
        const Column *column = list.columns[c];
        text_add(out, "<th scope=\"col\"%s>", column->type == COLUMN_TEXT ? "" : " class=\"n\"");
        html_text(out, column->heading);
        if (column->unit) {
            text_add(out, " <span class=\"unit\">(");
            html_text(out, column->unit);
            text_add(out, ")</span>");
        }
        text_add(out, "</th>");
    }
    text_add(out, "</tr></thead>\n");
    rows_add(out, &list);
    text_add(out, "</table>\n</div>\n</section>\n");
}
