/* report/pages/long_list.h - a list of thousands of rows that a browser shows at once.
 *
 * A table whose columns are measured costs a browser seconds: it lays all rows out, again and again
 * while they arrive. Here the widths are given, and the rows come in groups of which only those on
 * the screen are laid out (pages.css). It stays one table, with headings and, by index.js, sorted
 * and filtered.
 */
#ifndef OGPT_REPORT_PAGES_LONG_LIST_H
#define OGPT_REPORT_PAGES_LONG_LIST_H

#include "report/table.h"

/* The columns that some row has set, as html_table prints them. The texts of the first one name
 * pages of the same folder. */
void long_list(Text *out, const Table *table);

#endif
