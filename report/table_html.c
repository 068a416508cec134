/* report/table_html.c - tables as one static HTML page, without scripts. Contract in
 * report/table.h. */
#include <stdio.h>
#include <string.h>

#include "report/table.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
static const char style[] =
    "<style>\n"
    "body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;"
    " padding: 0 1rem; color: #1a1a1a; background: #fff; }\n"
    "table { border-collapse: collapse; margin: 1.5rem 0 0.5rem; }\n"
    "caption { text-align: left; font-weight: 600; padding-bottom: 0.3rem; }\n"
    "th, td { border-bottom: 1px solid #ccc; padding: 0.2rem 0.7rem; text-align: left;"
    " vertical-align: top; }\n"
    "td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }\n"
    "div.scroll { overflow-x: auto; }\n"
    "dl { display: grid; grid-template-columns: max-content auto; gap: 0.1rem 1rem;"
    " font-size: 0.9rem; color: #444; }\n"
    "dt { font-weight: 600; }\ndd { margin: 0; }\n"
    "code { overflow-wrap: anywhere; }\n"
    "</style>\n";

/* The five characters that mean something in HTML, and controls, which mean nothing anywhere. */
static void escaped_bytes(Text *out, const char *text, size_t length)
{
    for (const char *c = text; c < text + length; c++) {
        switch (*c) {
        case '&': text_add(out, "&amp;"); break;
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '"': text_add(out, "&quot;"); break;
        case '\'': text_add(out, "&#39;"); break;
        default: text_add(out, (unsigned char)*c < 0x20 && *c != '\n' ? "?" : "%c", *c);
        }
    }
}

static void escaped_add(Text *out, const char *text)
{
    escaped_bytes(out, text, strlen(text));
}

static bool in_html(const Column *column)
{
    return column->heading && column->type != COLUMN_NESTED;
}

static void heading_add(Text *out, const Column *column)
{
    escaped_add(out, column->heading);
    if (column->unit) {
        text_add(out, " (");
        escaped_add(out, column->unit);
        text_add(out, ")");
    }
}

/* The value, and its interval behind it. */
static void cell_add(Text *out, const Column *column, const Js *row)
{
    Text cell = {0};
    char low[80], high[80];
    column_print(&cell, column, js_member(row, column->key));
    snprintf(low, sizeof(low), "%s_low", column->key);
    snprintf(high, sizeof(high), "%s_high", column->key);
    if (column->interval && js_type(js_member(row, low)) != JS_NULL) {
        text_add(&cell, " [");
        column_print(&cell, column, js_member(row, low));
        text_add(&cell, ", ");
        column_print(&cell, column, js_member(row, high));
        text_add(&cell, "]");
    }
    text_add(out, column->type == COLUMN_TEXT ? "<td>" : "<td class=\"n\">");
    escaped_add(out, cell.data ? cell.data : "");
    text_add(out, "</td>");
    text_release(&cell);
}

static void list_add(Text *out, const Table *table)
{
    const TableSpec *spec = table->spec;
    text_add(out, "<thead>\n<tr>");
    for (size_t c = 0; c < spec->n_columns; c++) {
        if (in_html(&spec->columns[c])) {
            text_add(out, "<th scope=\"col\">");
            heading_add(out, &spec->columns[c]);
            text_add(out, "</th>");
        }
    }
    text_add(out, "</tr>\n</thead>\n<tbody>\n");
    for (size_t r = 0; r < js_length(table->rows); r++) {
        text_add(out, "<tr>");
        for (size_t c = 0; c < spec->n_columns; c++) {
            if (in_html(&spec->columns[c])) {
                cell_add(out, &spec->columns[c], js_at(table->rows, r));
            }
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
}

static void record_add(Text *out, const Table *table)
{
    const Js *row = js_at(table->rows, 0);
    text_add(out, "<tbody>\n");
    for (size_t c = 0; c < table->spec->n_columns; c++) {
        const Column *column = &table->spec->columns[c];
        if (in_html(column) && js_has(row, column->key)) {
            text_add(out, "<tr><th scope=\"row\">");
            heading_add(out, column);
            text_add(out, "</th>");
            cell_add(out, column, row);
            text_add(out, "</tr>\n");
        }
    }
    text_add(out, "</tbody>\n");
}

void table_html(Text *out, const Table *table)
{
    const TableSpec *spec = table->spec;
    bool explained = false;
    text_add(out, "<section>\n<div class=\"scroll\">\n<table>\n<caption>");
    escaped_add(out, spec->title ? spec->title : spec->name);
    text_add(out, "</caption>\n");
    if (spec->record) {
        record_add(out, table);
    } else {
        list_add(out, table);
    }
    text_add(out, "</table>\n</div>\n");
    for (size_t c = 0; c < spec->n_columns; c++) {
        const Column *column = &spec->columns[c];
        if (in_html(column) && column->meaning) {
            text_add(out, "%s<dt>", explained ? "" : "<dl>\n");
            escaped_add(out, column->heading);
            text_add(out, "</dt><dd>");
            escaped_add(out, column->meaning);
            text_add(out, "</dd>\n");
            explained = true;
        }
    }
    text_add(out, "%s</section>\n", explained ? "</dl>\n" : "");
}

void html_page_begin(Text *out, const char *title, const char *subtitle)
{
    text_add(out, "%s<title>", head);
    escaped_add(out, title);
    text_add(out, "</title>\n%s</head>\n<body>\n<main>\n<h1>", style);
    escaped_add(out, title);
    text_add(out, "</h1>\n<p><code>");
    escaped_add(out, subtitle);
    text_add(out, "</code></p>\n");
}

void html_note(Text *out, const char *note, size_t length)
{
    text_add(out, "<p role=\"note\">");
    escaped_bytes(out, note, length);
    text_add(out, "</p>\n");
}

void html_page_end(Text *out)
{
    text_add(out, "</main>\n</body>\n</html>\n");
}
