/* report/report.c - a whole result, filled and rendered. Contract in report/report.h. */
#include "report/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/html.h"

void report_init(Report *out)
{
    memset(out, 0, sizeof(*out));
    out->members = js_object();
}

void report_release(Report *report)
{
    for (size_t i = 0; i < report->n_items; i++) {
        text_release(&report->items[i].text);
        js_free(report->items[i].members);
        if (report->items[i].is_table) {
            table_release(&report->items[i].table);
        }
    }
    text_release(&report->warnings);
    js_free(report->members);
    memset(report, 0, sizeof(*report));
}

static ReportItem *item_add(Report *report)
{
    assert(report->n_items < REPORT_ITEMS_MAX);
    ReportItem *item = &report->items[report->n_items++];
    *item = (ReportItem){0};
    return item;
}

Table *report_table(Report *report, const TableSpec *spec)
{
    if (js_length(report->members) > 0) { /* what was set before comes before it */
        item_add(report)->members = report->members;
        report->members = js_object();
    }
    ReportItem *item = item_add(report);
    item->is_table = true;
    table_init(&item->table, spec);
    return &item->table;
}

Table *report_table_long(Report *report, const TableSpec *spec)
{
    Table *table = report_table(report, spec);
    table_release(table);
    table_init_long(table, spec);
    return table;
}

Text *report_text(Report *report)
{
    ReportItem *last = report->n_items > 0 ? &report->items[report->n_items - 1] : NULL;
    if (!last || last->is_table) {
        last = item_add(report);
    }
    return &last->text;
}

void report_json(Report *report, const char *key, Js *value)
{
    js_set(report->members, key, value);
}

static void members_add(Js *document, const Js *object)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    while (object && js_next(object, &it, &key, &value)) {
        js_set(document, key, js_keep(value));
    }
}

void report_json_all(Report *report, Js *object)
{
    members_add(report->members, object);
    js_free(object);
}

void report_warn(Report *report, const char *format, ...)
{
    char line[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_add(&report->warnings, "%s\n", line);
}

static Js *warnings_rows(const Report *report)
{
    Js *rows = js_array();
    const char *line = report->warnings.data;
    while (line && *line != '\0') {
        Text copy = {0};
        Js *row = js_object();
        size_t length = strcspn(line, "\n");
        text_add(&copy, "%.*s", (int)length, line);
        js_set(row, "warning", copy.data ? js_str(copy.data) : js_null());
        js_push(rows, row);
        text_release(&copy);
        line += length + (line[length] == '\n');
    }
    return rows;
}

static bool is_stored(const Table *table)
{
    return table && table->spec->kind && !table->unstored;
}

const Table *report_to_store(const Report *report)
{
    const Table *found = NULL;
    for (size_t i = 0; i < report->n_items && !found; i++) {
        const Table *table = report_table_at(report, i);
        found = is_stored(table) ? table : NULL;
    }
    return found;
}

int report_stored(Js **out, const Report *report, size_t part)
{
    Js *by_kind = js_object();
    char *printed = NULL;
    bool any = part == 0;
    int rc = 0;
    *out = NULL;
    for (size_t i = 0; i < report->n_items && rc == 0; i++) {
        const Table *table = report_table_at(report, i);
        if (!is_stored(table) || part >= table_blocks(table)) {
            continue;
        }
        if (js_has(by_kind, table->spec->kind)) {
            rc = err_set(OGPT_EUSAGE, "table %s: a second table of kind %s", table->spec->name,
                         table->spec->kind);
            continue;
        }
        Js *rows = NULL;
        rc = table->failed ? table_check(table) : table_stored(&rows, table, part);
        js_set(by_kind, table->spec->kind, rows ? rows : js_null());
        any = true;
    }
    if (part == 0 && report->warnings.length > 0) {
        js_set(by_kind, "warnings", warnings_rows(report));
    }
    rc = rc ? rc : js_print(&printed, by_kind, 0); /* fails if a part could not be built */
    mem_free(printed);
    if (rc == 0 && any) {
        *out = by_kind;
    } else {
        js_free(by_kind);
    }
    return rc;
}

const Table *report_table_at(const Report *report, size_t index)
{
    return report->items[index].is_table ? &report->items[index].table : NULL;
}

const Table *report_table_of(const Report *report, const TableSpec *spec)
{
    const Table *found = NULL;
    for (size_t i = 0; i < report->n_items && !found; i++) {
        const Table *table = report_table_at(report, i);
        found = table && table->spec == spec ? table : NULL;
    }
    return found;
}

int report_check(const Report *report)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < report->n_items; i++) {
        rc = report_table_at(report, i) ? table_check(report_table_at(report, i)) : 0;
    }
    return rc;
}

void report_print(Text *out, const Report *report, TextStyle style)
{
    for (size_t i = 0; i < report->n_items; i++) {
        const ReportItem *item = &report->items[i];
        bool list = item->is_table && !item->table.hidden && !item->table.spec->record;
        if (list && out->length > 1 && strcmp(out->data + out->length - 2, "\n\n") != 0) {
            text_add(out, "\n");
        }
        if (item->is_table && !item->table.hidden) {
            table_print(out, &item->table, style);
        } else if (item->text.failed) {
            text_release(out);
            out->failed = true;
        } else if (item->text.data) {
            style_wrap(out, item->text.data, style.wraps ? style.width : 0);
        }
    }
    text_add(out, "%s", ""); /* a result without text is still a text */
}

TableOmitted report_omitted(const Report *report, TextStyle style)
{
    TableOmitted all = {0};
    for (size_t i = 0; i < report->n_items; i++) {
        const Table *table = report_table_at(report, i);
        TableOmitted one = table ? table_omitted(table, style) : (TableOmitted){0};
        all.columns += one.columns;
        all.cut = all.cut || one.cut;
        all.intervals = all.intervals || one.intervals;
    }
    return all;
}

Js *report_document(const Report *report)
{
    Js *document = js_object();
    for (size_t i = 0; i < report->n_items; i++) {
        const Table *table = report_table_at(report, i);
        if (table && !table->undocumented) {
            table_document(document, table);
        }
        members_add(document, report->items[i].members);
    }
    members_add(document, report->members);
    return document;
}

void report_page(Text *out, const Report *report, const char *title, const char *subtitle)
{
    html_heading(out, title, subtitle);
    const char *line = report->warnings.data;
    while (line && *line != '\0') {
        size_t length = strcspn(line, "\n");
        html_note(out, line, length);
        line += length + (line[length] == '\n');
    }
    for (size_t i = 0; i < report->n_items; i++) {
        if (report_table_at(report, i)) {
            html_table(out, report_table_at(report, i), &(HtmlTable){0});
        }
    }
}
