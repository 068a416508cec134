/* report/csv.h - tables of results as CSV (RFC 4180), for spreadsheets and notebooks.
 *
 * Texts are quoted, and one that a spreadsheet would take for a formula (it begins with = + - @ or
 * a control character) gets an apostrophe before it. Numbers are written with '.' in every
 * locale, with the digits that --json has; null is an empty field. Members that are lists or
 * objects are left out: an interval has the columns NAME_low and NAME_high, and the rest has tables
 * of its own. Times (seconds, NAME_seconds, NAME_per_second) are left out too, so that the same
 * result gives the same file.
 */
#ifndef OGPT_REPORT_CSV_H
#define OGPT_REPORT_CSV_H

#include "base/js.h"
#include "base/text.h"
#include "report/table.h"

/* A table without rows writes nothing. */
typedef struct CsvTable {
    const char *name; /* the file is DIR/NAME.csv */
    const Table *table;
} CsvTable;

/* Write the tables into a directory, made when missing. A file that is there and holds something
 * else is OGPT_EUSAGE unless `replace`; nothing is written then. Also OGPT_EIO, OGPT_ENOMEM. */
int csv_write(const char *dir, const CsvTable *tables, size_t n, bool replace);
/* The same for one table in a file of its own. */
int csv_write_file(const char *path, const Table *table, bool replace);
/* The text of an array of objects; failed when out of memory. The columns are the members of its
 * rows, in the order in which they first occur. */
void csv_print(Text *text, const Js *rows);

#endif
