/* report/report.h - a whole result: tables, text and JSON in the order in which they were begun,
 * and what a reader must not overlook.
 *
 * A report is filled by whoever computed, and rendered by whoever shows: the command line as text
 * or as one JSON document, a browser as a page. Functions that fill it report no errors:
 * report_check does at the end.
 */
#ifndef OGPT_REPORT_REPORT_H
#define OGPT_REPORT_REPORT_H

#include "report/table.h"

#define REPORT_ITEMS_MAX 64

/* One thing of a report: a table, text, or members of the document. */
typedef struct ReportItem {
    bool is_table;
    Table table;
    Text text;
    Js *members;
} ReportItem;

typedef struct Report {
    ReportItem items[REPORT_ITEMS_MAX];
    size_t n_items;
    Js *members;   /* set since the last item */
    Text warnings; /* one a line */
} Report;

void report_init(Report *out);
void report_release(Report *report);

/* Begin a table at this place; borrowed, to be filled until the report is rendered. A spec that is
 * stored may be begun once: rows of one kind belong into one table. */
Table *report_table(Report *report, const TableSpec *spec);
/* The same of a long one (table_init_long). */
Table *report_table_long(Report *report, const TableSpec *spec);
/* Text for people at this place: what no table can say, such as a drawn board. */
Text *report_text(Report *report);
/* A member of the JSON document that is in no table; takes over `value`. Or all members of an
 * object, which it takes over. */
void report_json(Report *report, const char *key, Js *value);
void report_json_all(Report *report, Js *object);
/* A line that a reader must not overlook. */
void report_warn(Report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the database stores of a report, part by part: *out is an owned object of kind -> array,
 * NULL behind the last part. Part k has block k of every table; part 0 also has the warnings, as a
 * kind of that name. Returns OGPT_EUSAGE (two tables of one kind, or table_check), OGPT_EIO,
 * OGPT_ENOMEM. */
int report_stored(Js **out, const Report *report, size_t part);
/* A table that the database stores, NULL: there is none. */
const Table *report_to_store(const Report *report);

/* The table of item `index`, NULL if it is none. */
const Table *report_table_at(const Report *report, size_t index);
/* The first table of a spec, NULL if there is none. */
const Table *report_table_of(const Report *report, const TableSpec *spec);
/* 0, or the first error of its tables (table_check). */
int report_check(const Report *report);

/* All items as text of this style, a list under an empty line. Failed when out of memory. */
void report_print(Text *out, const Report *report, TextStyle style);
/* What report_print leaves out of all lists. */
TableOmitted report_omitted(const Report *report, TextStyle style);
/* All items as one object; owned. */
Js *report_document(const Report *report);
/* All tables and warnings as the content of a page for a browser. `title` and `subtitle` are plain
 * text. */
void report_page(Text *out, const Report *report, const char *title, const char *subtitle);

#endif
