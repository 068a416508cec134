/* report/table_text.c - tables as aligned text. Contract in report/table.h. */
#include <stdio.h>
#include <string.h>

#include "report/table.h"

#define COLUMNS_SHOWN 64
#define CELL_LEAST 16 /* a text is not cut shorter than this */
#define HASH_SHOWN 12 /* characters of a hash: enough to tell two apart */

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
    bool left;   /* texts are aligned left, numbers right */
    int width;   /* in columns of the terminal */
    int natural; /* the width at which nothing is cut */
    int folded;  /* the width with a heading of two lines */
    int heading; /* the width of the heading in one line */
} Shown;

/* What of a list is shown, and how. */
typedef struct ListLayout {
    Shown shown[COLUMNS_SHOWN];
    int n;
    bool fold;            /* headings take two lines */
    TableOmitted omitted; /* what is not shown */
} ListLayout;

/* A value that holds the end of a line must not end the line of its row. */
static void lines_join(Text *text, size_t from)
{
    for (size_t i = from; i < text->length; i++) {
        text->data[i] = text->data[i] == '\n' ? '?' : text->data[i];
    }
}

static void cell_make(Text *cell, const Shown *shown, const Js *row, bool wide)
{
    const Column *column = shown->column;
    const Js *value = js_member(row, column->key);
    if (shown->interval) {
        interval_print(cell, column, row);
    } else if (!wide && (column->flags & COLUMN_HASH) && value && js_type(value) == JS_STR) {
        text_add(cell, "%.*s", HASH_SHOWN, js_str_of(value));
    } else {
        column_print(cell, column, value);
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

/* Bytes of a heading that stand in the first of two lines: up to a blank or behind a '_', so that
 * the longer line is as short as can be. 0: it has one line. */
static size_t fold_at(const char *heading)
{
    size_t length = strlen(heading), best = 0;
    int least = style_columns(heading);
    for (size_t i = 1; i < length; i++) {
        size_t rest = heading[i] == ' ' ? i + 1 : heading[i - 1] == '_' ? i : length;
        int columns = style_columns(heading + rest);
        columns = columns > (int)i ? columns : (int)i; /* headings are ASCII before their fold */
        if (rest < length && columns < least) {
            least = columns;
            best = i;
        }
    }
    return best;
}

/* A cell: the heading whole (row HEADING), its first line, its second one, or a row's value. */
enum { HEADING = -1, HEADING_TOP = -3, HEADING_BOTTOM = -2 };
static void cell_of(Text *cell, const Shown *shown, const Table *table, int row, bool wide)
{
    if (row >= 0) {
        cell_make(cell, shown, js_at(table->rows, (size_t)row), wide);
        return;
    }
    Text heading = {0};
    heading_make(&heading, shown);
    const char *text = heading.data ? heading.data : "";
    bool whole = row == HEADING || style_columns(text) <= shown->width;
    size_t fold = whole ? 0 : fold_at(text);
    if (row == HEADING_TOP) {
        text_add(cell, "%.*s", (int)fold, text);
    } else {
        text_add(cell, "%s", text + fold + (fold > 0 && text[fold] == ' '));
    }
    text_release(&heading);
}

static int cell_columns(const Shown *shown, const Table *table, int row, bool wide)
{
    Text cell = {0};
    cell_of(&cell, shown, table, row, wide);
    int columns = cell.data ? style_columns(cell.data) : 0;
    text_release(&cell);
    return columns;
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

/* The same of a column's interval. */
static bool any_interval(const Table *table, const Column *column)
{
    for (size_t r = 0; r < js_length(table->rows); r++) {
        if (has_interval(column, js_at(table->rows, r))) {
            return true;
        }
    }
    return js_length(table->rows) == 0;
}

/* Whether a column is among those that are shown unless more is asked for. */
static bool is_brief(const TableSpec *spec, const Column *column)
{
    for (size_t i = 0; spec->brief && spec->brief[i]; i++) {
        if (strcmp(spec->brief[i], column->key) == 0) {
            return true;
        }
    }
    return !spec->brief && (column->flags & COLUMN_WIDE) == 0;
}

/* The columns that are asked for, and how wide they want to be. */
static void columns_choose(ListLayout *out, const Table *table, bool wide)
{
    memset(out, 0, sizeof(*out));
    for (size_t c = 0; c < table->spec->n_columns; c++) {
        const Column *column = &table->spec->columns[c];
        if (!column->heading || column->type == COLUMN_NESTED || !is_set(table, column->key)) {
            continue;
        }
        bool visible = wide || is_brief(table->spec, column);
        bool interval = column->interval && any_interval(table, column) &&
                        (wide || (column->flags & COLUMN_BRIEF) == 0);
        int n_parts = !visible ? 0 : interval ? 2 : 1;
        out->omitted.columns += !visible;
        for (int part = 0; part < n_parts && out->n < COLUMNS_SHOWN; part++) {
            bool left = column->type == COLUMN_TEXT || part == 1;
            out->shown[out->n++] = (Shown){.column = column, .interval = part == 1, .left = left};
        }
    }
    for (int i = 0; i < out->n; i++) {
        Shown *shown = &out->shown[i];
        for (int r = HEADING_TOP; r < (int)js_length(table->rows); r++) {
            int columns = cell_columns(shown, table, r, wide);
            shown->heading = r == HEADING ? columns : shown->heading;
            if (r != HEADING && columns > shown->folded) {
                shown->folded = columns;
            }
            if (r >= HEADING && columns > shown->natural) {
                shown->natural = columns;
            }
        }
        shown->width = shown->natural;
    }
}

static int total_width(const ListLayout *layout)
{
    int total = layout->n > 0 ? 2 * (layout->n - 1) : 0;
    for (int i = 0; i < layout->n; i++) {
        total += layout->shown[i].width;
    }
    return total;
}

/* The first column names the row: it is cut only if it is alone. */
static bool can_be_cut(const ListLayout *layout, int i)
{
    const Shown *shown = &layout->shown[i];
    bool named = i > 0 || layout->n == 1;
    return named && shown->column->type == COLUMN_TEXT && shown->width > CELL_LEAST;
}

/* Cut the widest text again and again until the line fits; nothing is cut if that is not enough. */
static bool texts_cut(ListLayout *layout, int line)
{
    int total = total_width(layout), least = total;
    for (int i = 0; i < layout->n; i++) {
        least -= can_be_cut(layout, i) ? layout->shown[i].width - CELL_LEAST : 0;
    }
    for (; least <= line && total > line; total--) {
        Shown *widest = NULL;
        for (int i = 0; i < layout->n; i++) {
            Shown *shown = &layout->shown[i];
            if (can_be_cut(layout, i) && (!widest || shown->width > widest->width)) {
                widest = shown;
            }
        }
        if (!widest) { /* not where least <= line < total */
            break;
        }
        widest->width--;
        layout->omitted.cut = true;
    }
    return total <= line;
}

/* Leave out the last column, or the last of those with COLUMN_MINOR; never the first one. An
 * interval goes before its value does. Returns false if there is none. */
static bool column_drop(ListLayout *layout, bool minor)
{
    int i = layout->n - 1;
    while (i > 0 && minor && (layout->shown[i].column->flags & COLUMN_MINOR) == 0) {
        i--;
    }
    if (i <= 0) {
        return false;
    }
    layout->omitted.columns += !layout->shown[i].interval;
    layout->omitted.intervals = layout->omitted.intervals || layout->shown[i].interval;
    layout->n--;
    memmove(&layout->shown[i], &layout->shown[i + 1],
            (size_t)(layout->n - i) * sizeof(layout->shown[0]));
    return true;
}

/* Headings are in one line again where there is room for it. */
static void headings_unfold(ListLayout *layout, int line)
{
    int room = line - total_width(layout);
    layout->fold = false;
    for (int i = 0; i < layout->n; i++) {
        Shown *shown = &layout->shown[i];
        int more = shown->natural - shown->width;
        if (more <= room && shown->width == shown->folded) {
            shown->width += more;
            room -= more;
        }
        layout->fold = layout->fold || shown->width < shown->heading;
    }
}

/* Make a list fit the line: headings of two lines first, then without the minor columns, then with
 * texts cut; what still does not fit is left out from the right. */
static void layout_make(ListLayout *out, const Table *table, TextStyle style)
{
    columns_choose(out, table, style.wide);
    if (style.width == 0 || style.wide || total_width(out) <= style.width) {
        return;
    }
    for (int i = 0; i < out->n; i++) {
        out->shown[i].width = out->shown[i].folded;
    }
    while (total_width(out) > style.width && column_drop(out, true)) {
    }
    while (!texts_cut(out, style.width) && column_drop(out, false)) {
    }
    headings_unfold(out, style.width);
}

TableOmitted table_omitted(const Table *table, TextStyle style)
{
    ListLayout layout = {0};
    if (!table->spec->record && !table->hidden) {
        layout_make(&layout, table, style);
    }
    return layout.omitted;
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
    ListLayout layout;
    layout_make(&layout, table, style);
    int first = layout.fold ? HEADING_TOP : HEADING;
    for (int r = first; layout.n > 0 && r < (int)js_length(table->rows); r++) {
        if (layout.fold && r == HEADING) {
            continue; /* said in two lines */
        }
        Text line = {0};
        for (int i = 0; i < layout.n; i++) {
            Text cell = {0};
            cell_of(&cell, &layout.shown[i], table, r, style.wide);
            text_add(&line, "%s", i == 0 ? "" : "  ");
            cell_add(&line, cell.data ? cell.data : "", &layout.shown[i], i == layout.n - 1);
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
            (!style.wide && !is_brief(table->spec, column))) {
            continue;
        }
        Text line = {0};
        text_add(&line, "%s", column->heading);
        blanks_add(&line, width - style_columns(column->heading) + 2);
        cell_make(&line, &(Shown){.column = column}, row, style.wide);
        if (js_type(value) != JS_NULL) {
            text_add(&line, "%s%s", column->unit ? " " : "", column->unit ? column->unit : "");
        }
        if (column->interval && has_interval(column, row)) {
            text_add(&line, "  ");
            interval_print(&line, column, row);
        }
        text_add(&line, "%s%s\n", column->meaning ? "   " : "",
                 column->meaning ? column->meaning : "");
        style_wrap(out, line.data ? line.data : "", style.width);
        text_release(&line);
    }
}

void table_print(Text *out, const Table *table, TextStyle style)
{
    if (table->spec->title) {
        style_wrap(out, table->spec->title, style.width);
        text_add(out, "\n");
    }
    if (table->spec->record) {
        record_print(out, table, style);
    } else {
        list_print(out, table, style);
    }
}
