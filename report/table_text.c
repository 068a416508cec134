/* report/table_text.c - tables as aligned text and as Markdown. Contract in report/table.h. */
#include <stdio.h>
#include <string.h>

#include "report/table.h"

#define COLUMNS_SHOWN 64
#define CELL_LEAST 12 /* a text is not cut shorter than this */

void column_print(Text *out, const Column *column, const Js *value)
{
    double scale = column->unit && strcmp(column->unit, "%") == 0 ? 100 : 1;
    switch (value ? js_type(value) : JS_NULL) {
    case JS_INT:
        if (column->type == COLUMN_LAYER && js_int_of(value) < 0) {
            text_add(out, "embed");
            return;
        }
        if (column->type != COLUMN_NUMBER) {
            text_add(out, "%lld", (long long)js_int_of(value));
            return;
        }
        __attribute__((fallthrough)); /* a whole value in a column of numbers */
    case JS_NUM:
        if (column->digits < 0) {
            text_add(out, "%.6g", scale * js_num_of(value));
        } else {
            text_add(out, "%.*f", column->digits, scale * js_num_of(value));
        }
        return;
    case JS_STR: text_add(out, "%s", js_str_of(value)); return;
    case JS_BOOL: text_add(out, "%s", js_bool_of(value) ? "yes" : "no"); return;
    default: text_add(out, "-"); return;
    }
}

static bool has_interval(const Column *column, const Js *row)
{
    char key[80];
    snprintf(key, sizeof(key), "%s_low", column->key);
    return js_type(js_member(row, key)) != JS_NULL;
}

/* "[0.912, 0.934]", nothing if the row has no interval. */
static void interval_print(Text *out, const Column *column, const Js *row)
{
    char key[80];
    if (!has_interval(column, row)) {
        return;
    }
    snprintf(key, sizeof(key), "%s_low", column->key);
    text_add(out, "[");
    column_print(out, column, js_member(row, key));
    snprintf(key, sizeof(key), "%s_high", column->key);
    text_add(out, ", ");
    column_print(out, column, js_member(row, key));
    text_add(out, "]");
}

static void blanks_add(Text *out, int n)
{
    if (n > 0) {
        text_add(out, "%*s", n, "");
    }
}

/* A column as it is laid out: an interval has a second one behind it. */
typedef struct Shown {
    const Column *column;
    bool interval;
    bool left; /* texts are aligned left, numbers right */
    int width;
} Shown;

/* A value that holds the end of a line must not end the line of its row. */
static void lines_join(Text *text, size_t from)
{
    for (size_t i = from; i < text->length; i++) {
        text->data[i] = text->data[i] == '\n' ? '?' : text->data[i];
    }
}

static void cell_make(Text *cell, const Shown *shown, const Js *row)
{
    if (shown->interval) {
        interval_print(cell, shown->column, row);
    } else {
        column_print(cell, shown->column, js_member(row, shown->column->key));
    }
    lines_join(cell, 0);
}

/* A list has no room for units, but a share without its sign would mislead. */
static void heading_make(Text *cell, const Shown *shown)
{
    const Column *column = shown->column;
    bool share = column->unit && strcmp(column->unit, "%") == 0 && !strchr(column->heading, '%');
    text_add(cell, "%s%s", shown->interval ? "95 % interval" : column->heading,
             share && !shown->interval ? " %" : "");
}

/* The heading for row -1. */
static void cell_of(Text *cell, const Shown *shown, const Table *table, int row)
{
    if (row < 0) {
        heading_make(cell, shown);
    } else {
        cell_make(cell, shown, js_at(table->rows, (size_t)row));
    }
}

static bool is_set(const Table *table, const char *key)
{
    for (size_t r = 0; r < js_length(table->rows); r++) {
        if (js_has(js_at(table->rows, r), key)) {
            return true;
        }
    }
    return js_length(table->rows) == 0;
}

static int cells_lay_out(Shown *shown, const Table *table, TextStyle style)
{
    int n = 0;
    for (size_t c = 0; c < table->spec->n_columns; c++) {
        const Column *column = &table->spec->columns[c];
        bool visible = column->heading && column->type != COLUMN_NESTED &&
                       (style.wide || (column->flags & COLUMN_WIDE) == 0) &&
                       is_set(table, column->key);
        bool interval = column->interval && (style.wide || (column->flags & COLUMN_BRIEF) == 0);
        int n_parts = !visible ? 0 : interval ? 2 : 1;
        for (int part = 0; part < n_parts && n < COLUMNS_SHOWN; part++) {
            bool left = column->type == COLUMN_TEXT || part == 1;
            shown[n++] = (Shown){.column = column, .interval = part == 1, .left = left};
        }
    }
    for (int i = 0; i < n; i++) {
        for (int r = -1; r < (int)js_length(table->rows); r++) {
            Text cell = {0};
            cell_of(&cell, &shown[i], table, r);
            int width = cell.data ? style_columns(cell.data) : 0;
            shown[i].width = width > shown[i].width ? width : shown[i].width;
            text_release(&cell);
        }
    }
    return n;
}

/* The text column that is cut next, the widest; -1: none can be made narrower. */
static int widest_text(const Shown *shown, int n)
{
    int widest = -1;
    for (int i = 0; i < n; i++) {
        if (shown[i].column->type == COLUMN_TEXT && shown[i].width > CELL_LEAST &&
            (widest < 0 || shown[i].width > shown[widest].width)) {
            widest = i;
        }
    }
    return widest;
}

/* Make the widest text narrower until the line fits. If it cannot fit, only that one column is cut:
 * names cut short would be lost for a line that is too long all the same. */
static void cells_fit(Shown *shown, int n, int line)
{
    int total = 2 * (n - 1), least = total, widest = widest_text(shown, n);
    for (int i = 0; i < n; i++) {
        bool cut = shown[i].column->type == COLUMN_TEXT && shown[i].width > CELL_LEAST;
        total += shown[i].width;
        least += cut ? CELL_LEAST : shown[i].width;
    }
    if (widest >= 0 && least > line) {
        shown[widest].width = CELL_LEAST;
        return;
    }
    for (; total > line && widest >= 0; total--) {
        shown[widest].width -= 1;
        widest = widest_text(shown, n);
    }
}

/* `last`: of its line, so no blanks follow. */
static void cell_add(Text *out, const char *cell, const Shown *shown, bool last)
{
    int width = style_columns(cell);
    if (width > shown->width) {
        text_add(out, "%.*s~", (int)style_cut(cell, shown->width - 1), cell);
        return;
    }
    if (!shown->left) {
        blanks_add(out, shown->width - width);
    }
    text_add(out, "%s", cell);
    if (shown->left && !last) {
        blanks_add(out, shown->width - width);
    }
}

static void list_print(Text *out, const Table *table, TextStyle style)
{
    Shown shown[COLUMNS_SHOWN];
    int n = cells_lay_out(shown, table, style);
    if (style.width > 0 && !style.wide) {
        cells_fit(shown, n, style.width);
    }
    for (int r = -1; n > 0 && r < (int)js_length(table->rows); r++) {
        Text line = {0};
        for (int i = 0; i < n; i++) {
            Text cell = {0};
            cell_of(&cell, &shown[i], table, r);
            text_add(&line, "%s", i == 0 ? "" : "  ");
            cell_add(&line, cell.data ? cell.data : "", &shown[i], i == n - 1);
            text_release(&cell);
        }
        size_t length = line.length;
        while (length > 0 && line.data[length - 1] == ' ') {
            length--;
        }
        text_add(out, "%.*s\n", (int)length, line.data ? line.data : "");
        text_release(&line);
    }
}

static void record_print(Text *out, const Table *table, TextStyle style)
{
    const Js *row = js_at(table->rows, 0);
    int width = 0;
    for (size_t c = 0; c < table->spec->n_columns; c++) {
        const Column *column = &table->spec->columns[c];
        int length = column->heading ? style_columns(column->heading) : 0;
        width = length > width ? length : width;
    }
    for (size_t c = 0; c < table->spec->n_columns; c++) {
        const Column *column = &table->spec->columns[c];
        const Js *value = js_member(row, column->key);
        if (!column->heading || !value || column->type == COLUMN_NESTED ||
            (!style.wide && (column->flags & COLUMN_WIDE) != 0)) {
            continue;
        }
        text_add(out, "%s", column->heading);
        blanks_add(out, width - style_columns(column->heading) + 2);
        size_t before = out->length;
        column_print(out, column, value);
        lines_join(out, before);
        if (js_type(value) != JS_NULL) {
            text_add(out, "%s%s", column->unit ? " " : "", column->unit ? column->unit : "");
        }
        if (column->interval && has_interval(column, row)) {
            text_add(out, "  ");
            interval_print(out, column, row);
        }
        text_add(out, "%s%s\n", column->meaning ? "   " : "",
                 column->meaning ? column->meaning : "");
    }
}

void table_print(Text *out, const Table *table, TextStyle style)
{
    if (table->spec->title) {
        text_add(out, "%s\n", table->spec->title);
    }
    if (table->spec->record) {
        record_print(out, table, style);
    } else {
        list_print(out, table, style);
    }
}

/* A cell must hold neither the sign between cells nor the end of the line. */
static void markdown_add(Text *out, const char *cell)
{
    for (const char *c = cell; *c != '\0'; c++) {
        text_add(out, *c == '|' ? "\\|" : *c == '\n' ? " " : "%c", *c);
    }
}

static bool in_markdown(const Column *column)
{
    return column->heading && column->type != COLUMN_NESTED;
}

void table_markdown(Text *out, const Table *table)
{
    const TableSpec *spec = table->spec;
    if (spec->title) {
        text_add(out, "%s\n\n", spec->title);
    }
    text_add(out, "|");
    for (size_t c = 0; c < spec->n_columns; c++) {
        const Column *column = &spec->columns[c];
        if (in_markdown(column)) {
            text_add(out, " ");
            markdown_add(out, column->heading);
            if (column->unit) {
                text_add(out, " (%s)", column->unit);
            }
            text_add(out, " |");
        }
    }
    text_add(out, "\n|");
    for (size_t c = 0; c < spec->n_columns; c++) {
        if (in_markdown(&spec->columns[c])) {
            text_add(out, spec->columns[c].type == COLUMN_TEXT ? " --- |" : " ---: |");
        }
    }
    text_add(out, "\n");
    for (size_t r = 0; r < js_length(table->rows); r++) {
        const Js *row = js_at(table->rows, r);
        text_add(out, "|");
        for (size_t c = 0; c < spec->n_columns; c++) {
            const Column *column = &spec->columns[c];
            Text cell = {0};
            if (!in_markdown(column)) {
                continue;
            }
            column_print(&cell, column, js_member(row, column->key));
            if (column->interval) {
                Text interval = {0};
                interval_print(&interval, column, row);
                text_add(&cell, "%s%s", interval.data ? " " : "",
                         interval.data ? interval.data : "");
                text_release(&interval);
            }
            text_add(out, " ");
            markdown_add(out, cell.data ? cell.data : "");
            text_add(out, " |");
            text_release(&cell);
        }
        text_add(out, "\n");
    }
}
