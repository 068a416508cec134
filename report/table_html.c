/* report/table_html.c - tables as parts of a page. Contract in report/html.h. */
#include <stdio.h>
#include <string.h>

#include "report/html.h"

#define COLUMNS_SHOWN 128
#define LONG_TEXT 24     /* bytes; a longer one may be broken anywhere */
#define TURNED_ROWS 6    /* a list of at most so many rows ... */
#define TURNED_COLUMNS 9 /* ... and more columns is turned */
#define SHORT_ROWS 12    /* on paper such a table stays whole */
/* Characters of a wide font that a sheet of A4 holds side by side: at 8.5, 7 and 6 points, and
 * turned on its side at 7 points. Wider tables get 5.2 points, which hold 229. */
#define SHEET_CHARACTERS 90
#define LESS_CHARACTERS 110
#define LITTLE_CHARACTERS 128
#define TURNED_CHARACTERS 165

/* The columns of a table that people see, and how many of its rows. */
typedef struct HtmlLayout {
    const Column *columns[COLUMNS_SHOWN];
    const Column *same[COLUMNS_SHOWN]; /* texts that are equal in all rows: said once */
    size_t n_columns, n_same, n_rows;
    bool turned;
} HtmlLayout;

static bool is_set(const Table *table, const Column *column)
{
    for (size_t r = 0; r < js_length(table->rows); r++) {
        const Js *row = js_at(table->rows, r);
        if (table->spec->record ? js_has(row, column->key)
                                : js_type(js_member(row, column->key)) != JS_NULL) {
            return true;
        }
    }
    return false;
}

/* Whether a text is the same in all rows of a list of several. */
static bool is_same(const Table *table, const Column *column)
{
    const char *first = js_str_of(js_member(js_at(table->rows, 0), column->key));
    bool same =
        !table->spec->record && js_length(table->rows) > 1 && first && column->type == COLUMN_TEXT;
    for (size_t r = 1; same && r < js_length(table->rows); r++) {
        const char *text = js_str_of(js_member(js_at(table->rows, r), column->key));
        same = text && strcmp(text, first) == 0;
    }
    return same;
}

static HtmlLayout layout_of(const Table *table, const HtmlTable *how)
{
    HtmlLayout layout = {.n_rows = js_length(table->rows)};
    const TableSpec *spec = table->spec;
    for (size_t c = 0; c < spec->n_columns && layout.n_columns < COLUMNS_SHOWN; c++) {
        const Column *column = &spec->columns[c];
        if (!column->heading || column->type == COLUMN_NESTED ||
            (!is_set(table, column) && (layout.n_rows > 0 || spec->record))) {
            continue;
        }
        if (is_same(table, column) && layout.n_same < COLUMNS_SHOWN) {
            layout.same[layout.n_same++] = column;
        } else {
            layout.columns[layout.n_columns++] = column;
        }
    }
    if (layout.n_columns == 0) { /* nothing differs */
        memcpy(layout.columns, layout.same, sizeof(layout.same));
        layout.n_columns = layout.n_same;
        layout.n_same = 0;
    }
    layout.turned = !spec->record && layout.n_rows > 0 && layout.n_rows <= TURNED_ROWS &&
                    layout.n_columns > TURNED_COLUMNS;
    if (!spec->record && how->rows_max > 0 && layout.n_rows > how->rows_max) {
        layout.n_rows = how->rows_max;
    }
    return layout;
}

static bool is_left(const Column *column)
{
    return column->type == COLUMN_TEXT;
}

void html_label(Text *out, const char *label)
{
    for (const char *c = label; *c != '\0'; c++) {
        html_escape(out, *c == '_' ? " " : c, 1);
    }
}

/* A heading in a <th> of this scope. */
static void heading_add(Text *out, const Column *column, const char *scope)
{
    bool number = strcmp(scope, "col") == 0 && !is_left(column);
    text_add(out, "<th scope=\"%s\"%s>", scope, number ? " class=\"n\"" : "");
    html_label(out, column->heading);
    if (column->unit) {
        text_add(out, " <span class=\"unit\">(");
        html_text(out, column->unit);
        text_add(out, ")</span>");
    }
    text_add(out, "</th>");
}

void html_value(Text *out, const Column *column, const Js *value)
{
    Text cell = {0};
    column_print(&cell, column, value);
    html_text(out, cell.data ? cell.data : "");
    out->failed = out->failed || cell.failed;
    text_release(&cell);
}

void html_interval(Text *out, const Column *column, const Js *row)
{
    char low[80], high[80];
    snprintf(low, sizeof(low), "%s_low", column->key);
    snprintf(high, sizeof(high), "%s_high", column->key);
    if (column->interval && js_type(js_member(row, low)) != JS_NULL) {
        text_add(out, " <span class=\"ci\">[");
        html_value(out, column, js_member(row, low));
        text_add(out, ", ");
        html_value(out, column, js_member(row, high));
        text_add(out, "]</span>");
    }
}

/* A text that names a page of the same folder. */
static bool link_add(Text *out, const HtmlTable *how, const Column *column, const char *text)
{
    bool linked = false;
    for (size_t i = 0; text && how->linked && how->linked[i]; i++) {
        linked = linked || strcmp(how->linked[i], column->key) == 0;
    }
    if (linked) {
        text_add(out, "<a href=\"");
        html_text(out, text);
        text_add(out, ".html\">");
        html_text(out, text);
        text_add(out, "</a>");
    }
    return linked;
}

/* The value, and its interval behind it. */
static void cell_add(Text *out, const HtmlTable *how, const Column *column, const Js *row)
{
    const Js *value = js_member(row, column->key);
    const char *text = js_type(value) == JS_STR ? js_str_of(value) : NULL;
    text_add(out, !is_left(column)                   ? "<td class=\"n\">"
                  : text && strlen(text) > LONG_TEXT ? "<td class=\"long\">"
                                                     : "<td>");
    if (!link_add(out, how, column, text)) {
        html_value(out, column, value);
    }
    html_interval(out, column, row);
    text_add(out, "</td>");
}

static void list_add(Text *out, const Table *table, const HtmlTable *how, const HtmlLayout *layout)
{
    text_add(out, "<thead>\n<tr>");
    for (size_t c = 0; c < layout->n_columns; c++) {
        heading_add(out, layout->columns[c], "col");
    }
    text_add(out, "</tr>\n</thead>\n<tbody>\n");
    for (size_t r = 0; r < layout->n_rows; r++) {
        text_add(out, "<tr>");
        for (size_t c = 0; c < layout->n_columns; c++) {
            cell_add(out, how, layout->columns[c], js_at(table->rows, r));
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
}

/* A line a column; the first column heads the others. */
static void turned_add(Text *out, const Table *table, const HtmlTable *how,
                       const HtmlLayout *layout)
{
    text_add(out, "<thead>\n<tr>");
    heading_add(out, layout->columns[0], "row");
    for (size_t r = 0; r < layout->n_rows; r++) {
        const Js *name = js_member(js_at(table->rows, r), layout->columns[0]->key);
        text_add(out, "<th scope=\"col\">");
        if (!link_add(out, how, layout->columns[0], js_str_of(name))) {
            html_value(out, layout->columns[0], name);
        }
        text_add(out, "</th>");
    }
    text_add(out, "</tr>\n</thead>\n<tbody>\n");
    for (size_t c = 1; c < layout->n_columns; c++) {
        text_add(out, "<tr>");
        heading_add(out, layout->columns[c], "row");
        for (size_t r = 0; r < layout->n_rows; r++) {
            cell_add(out, how, layout->columns[c], js_at(table->rows, r));
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
}

/* Whether some column says what it means. */
static bool is_explained(const HtmlLayout *layout)
{
    bool explained = false;
    for (size_t c = 0; c < layout->n_columns; c++) {
        explained = explained || layout->columns[c]->meaning;
    }
    return explained;
}

/* A line a column, its meaning at the end. */
static void record_add(Text *out, const Table *table, const HtmlTable *how,
                       const HtmlLayout *layout)
{
    const bool explained = is_explained(layout);
    text_add(out, "<tbody>\n");
    for (size_t c = 0; c < layout->n_columns; c++) {
        const Column *column = layout->columns[c];
        text_add(out, "<tr>");
        heading_add(out, column, "row");
        cell_add(out, how, column, js_at(table->rows, 0));
        if (explained) {
            text_add(out, "<td class=\"m\">");
            html_text(out, column->meaning ? column->meaning : "");
            text_add(out, "</td>");
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
}

void html_meanings(Text *out, const Column *const *columns, size_t n)
{
    text_add(out, "<dl>\n");
    for (size_t c = 0; c < n; c++) {
        if (columns[c]->meaning) {
            text_add(out, "<dt>");
            html_label(out, columns[c]->heading);
            text_add(out, "</dt><dd>");
            html_text(out, columns[c]->meaning);
            text_add(out, "</dd>\n");
        }
    }
    text_add(out, "</dl>\n");
}

/* The longest word of a text. */
static size_t word_longest(const char *text)
{
    size_t longest = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        longest = n > longest ? n : longest;
        text += n + (text[n] == ' ');
    }
    return longest;
}

/* Characters that a column must have: of its heading, its values and its intervals, which stand
 * below the values where it is narrow. */
static size_t column_width(const Table *table, const HtmlLayout *layout, const Column *column)
{
    size_t width = word_longest(column->heading);
    for (size_t r = 0; r < layout->n_rows; r++) {
        const Js *value = js_member(js_at(table->rows, r), column->key);
        Text cell = {0};
        column_print(&cell, column, value);
        const size_t digits = is_left(column) && cell.length > LONG_TEXT ? LONG_TEXT : cell.length;
        const size_t whole = column->interval ? 2 * digits + 4 : digits; /* "[low, high]" */
        width = whole > width ? whole : width;
        text_release(&cell);
    }
    return width + 2;
}

/* A class that only paper looks at. */
static const char *section_class(const Table *table, const HtmlLayout *layout)
{
    const bool record = table->spec->record;
    const size_t rows = record || layout->turned ? layout->n_columns : layout->n_rows;
    size_t width = 0;
    for (size_t c = 0; !record && c < layout->n_columns; c++) {
        const size_t one = column_width(table, layout, layout->columns[c]);
        width = !layout->turned ? width + one : one > width ? one : width;
    }
    width *= layout->turned ? layout->n_rows + 1 : 1;
    return width > TURNED_CHARACTERS   ? " class=\"sheet least\""
           : width > LITTLE_CHARACTERS ? " class=\"sheet less\""
           : width > LESS_CHARACTERS   ? " class=\"little\""
           : width > SHEET_CHARACTERS  ? " class=\"less\""
           : rows <= SHORT_ROWS        ? " class=\"short\""
                                       : "";
}

/* The title, or the name as people write it. */
static void title_add(Text *out, const TableSpec *spec)
{
    size_t length = strlen(spec->title ? spec->title : spec->name);
    if (spec->title) {
        html_escape(out, spec->title, length - (spec->title[length - 1] == ':'));
        return;
    }
    html_label(out, spec->name);
}

/* The box that scrolls can be reached by keys, so it has a name. */
static void box_begin(Text *out, const Table *table, const HtmlTable *how, bool turned)
{
    text_add(out, "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"");
    if (how->place) {
        html_text(out, how->place);
        text_add(out, ": ");
    }
    title_add(out, table->spec);
    text_add(out, "\">\n<table%s>\n<caption>",
             table->spec->record ? " class=\"record\""
             : turned            ? " class=\"turned\""
                                 : "");
    title_add(out, table->spec);
    text_add(out, "</caption>\n");
}

void html_table(Text *out, const Table *table, const HtmlTable *how)
{
    HtmlLayout layout = layout_of(table, how);
    const bool explained = is_explained(&layout) && !table->spec->record;
    text_add(out, "<section%s>\n", section_class(table, &layout));
    box_begin(out, table, how, layout.turned);
    if (table->spec->record) {
        record_add(out, table, how, &layout);
    } else if (layout.turned) {
        turned_add(out, table, how, &layout);
    } else {
        list_add(out, table, how, &layout);
    }
    text_add(out, "</table>\n</div>\n");
    for (size_t c = 0; c < layout.n_same; c++) {
        text_add(out, "%s", c == 0 ? "<p class=\"same\">In all rows: " : "; ");
        html_label(out, layout.same[c]->heading);
        text_add(out, " <bdi>");
        html_value(out, layout.same[c], js_member(js_at(table->rows, 0), layout.same[c]->key));
        text_add(out, "</bdi>%s", c + 1 == layout.n_same ? ".</p>\n" : "");
    }
    if (explained) {
        html_meanings(out, layout.columns, layout.n_columns);
    }
    if (!table->spec->record && layout.n_rows < table_rows(table)) {
        text_add(out, "<p>The first %zu of %zu rows. All of them: <code>", layout.n_rows,
                 table_rows(table));
        html_text(out, how->rest ? how->rest : "--csv FILE");
        text_add(out, "</code></p>\n");
    }
    text_add(out, "</section>\n");
}
