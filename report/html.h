/* report/html.h - pages for a browser: one file that asks nothing of the outside.
 *
 * A page is html_page_begin, its content, html_page_end. Its policy forbids everything from
 * elsewhere, and scripts but for one that its maker gives, so that even a text that was escaped
 * badly could do nothing. One style sheet serves every page: narrow and wide screens, light and
 * dark, and paper, where headings of tables repeat and no row is cut.
 */
#ifndef OGPT_REPORT_HTML_H
#define OGPT_REPORT_HTML_H

#include "report/table.h"

/* Text from anywhere, of `length` bytes, as text of a page or as a quoted attribute. */
void html_escape(Text *out, const char *text, size_t length);
/* The same for a whole string. */
void html_text(Text *out, const char *text);

/* What a page has beyond that: a style sheet behind the common one, and a script, which the policy
 * lets run by its hash, and no other. Either may be NULL; no text of others may be in them. */
typedef struct HtmlExtras {
    const char *style, *script;
} HtmlExtras;
/* The head of a page up to its content; extras may be NULL. */
void html_page_begin(Text *out, const char *title, const char *command_line,
                     const HtmlExtras *extras);
void html_page_end(Text *out);
/* Whether the file at `path` is such a page, by its first bytes; with `command_line`, of this one.
 * False too if it cannot be read. */
bool html_page_is(const char *path, const char *title, const char *command_line);
/* Its first heading, and the command line below. */
void html_heading(Text *out, const char *heading, const char *command_line);
/* What a reader must not overlook; `length` bytes. */
void html_note(Text *out, const char *note, size_t length);

/* What two tables of a page share. A name as people write it (_ is a blank); a value as its column
 * prints it; a value of `row` with its interval behind it; and the list of what columns mean. */
void html_label(Text *out, const char *label);
void html_value(Text *out, const Column *column, const Js *value);
void html_interval(Text *out, const Column *column, const Js *row);
void html_meanings(Text *out, const Column *const *columns, size_t n);

/* How a table is shown; {0} shows all of it under its own name. */
typedef struct HtmlTable {
    const char *place; /* "run 3": makes names of tables differ that are shown more than once */
    size_t rows_max;   /* of a list; 0: all */
    const char *rest;  /* command that prints the rows that are left out */
    /* Keys of columns whose texts name pages of the same folder, NULL-terminated: NAME is a link to
     * NAME.html. NULL: none. */
    const char *const *linked;
} HtmlTable;
/* One section of a page: a table with caption, column headings and, below it, their meanings. A
 * list loses columns that no row has set; one of a few rows and many columns is turned, a line a
 * column. */
void html_table(Text *out, const Table *table, const HtmlTable *how);

#endif
