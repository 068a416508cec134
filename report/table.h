/* report/table.h - a result as rows under named columns: the one place where a number has its name.
 *
 * A command declares its columns once and fills rows. Everything that people and programs read is a
 * renderer of that: text and HTML for people, JSON, CSV and the rows of the results
 * database for programs. Rows keep the exact values; only text and HTML round.
 *
 * An interval column `accuracy` has the members accuracy, accuracy_ci ([low, high]), accuracy_low
 * and accuracy_high in JSON, and the first and the last two of them in CSV and in the database. A
 * layer column `layer` is an integer in JSON and in the database, where -1 is the embedding and
 * layer_name says "embed"; everywhere else it reads "embed" or the number.
 */
#ifndef OGPT_REPORT_TABLE_H
#define OGPT_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/js.h"
#include "base/spill/spill.h"
#include "base/text.h"
#include "num/statistics/stats.h"
#include "report/figure_spec.h"
#include "report/text_style.h"

typedef enum ColumnType {
    COLUMN_NUMBER, /* double; NaN is null, shown as "-" */
    COLUMN_COUNT,  /* whole number */
    COLUMN_TEXT,
    COLUMN_YES_NO, /* bool */
    COLUMN_LAYER,  /* whole number; -1: the embedding */
    COLUMN_NESTED  /* list or object; in no CSV, HTML or text */
} ColumnType;

enum {
    COLUMN_TIME = 1,     /* differs between equal runs: left out of CSV */
    COLUMN_WIDE = 2,     /* in text only if asked for */
    COLUMN_UNSTORED = 4, /* not in the database */
    COLUMN_BRIEF = 8,    /* text shows its interval only if asked for more */
    COLUMN_MINOR = 16,   /* the first that a list leaves out when it is too wide */
    COLUMN_HASH = 32     /* text shows its beginning only, unless asked for more */
};

typedef struct Column {
    const char *key;     /* member of JSON, column of CSV and of the database: "strict_error" */
    const char *heading; /* for people: "strict error"; NULL: only in JSON, CSV and the database */
    ColumnType type;
    const char *unit;    /* "nats", "s"; "%": a share, shown times 100; NULL: none */
    int digits;          /* of a number, behind the point; -1: six significant ones */
    bool interval;       /* of a number: has a 95 % interval */
    const char *meaning; /* one line for people, or NULL */
    unsigned flags;      /* COLUMN_TIME, ... */
} Column;

typedef struct TableSpec {
    const char *name;  /* of the list in the document, and of the file NAME.csv */
    const char *kind;  /* kind of store/results.def, NULL: not stored */
    const char *title; /* line above the table, or NULL */
    const Column *columns;
    size_t n_columns;
    const char *file; /* of CSV without its ending, NULL: as `name` */
    bool record;      /* one row: members of the document itself, a line a column in text */
    /* Keys of the columns that text shows unless asked for more, NULL-terminated; NULL: those
     * without COLUMN_WIDE. */
    const char *const *brief;
    const FigureSpec *figures; /* the first is the main one; NULL: none */
    size_t n_figures;
} TableSpec;

/* Members of a TableSpec for an array of columns. */
#define TABLE_COLUMNS(list) .columns = list, .n_columns = sizeof(list) / sizeof((list)[0])

/* Blocks of rows of a long table, as text in a spill. */
typedef struct TableBlocks {
    Spill *spill;
    uint64_t *ends; /* (n) behind the text of each block */
    size_t n;
} TableBlocks;

/* A table being filled. Functions that set a value report nothing; table_check says at the end
 * whether all keys and types were those of the spec. */
typedef struct Table {
    const TableSpec *spec; /* borrowed */
    Js *rows;              /* owned array of objects; of a long table the last ones */
    TableBlocks *earlier;  /* owned; NULL: the table is not long */
    Js *row;               /* the last of them, borrowed; NULL: none yet */
    bool hidden;           /* not in text */
    bool unstored;         /* not in the database this time */
    bool undocumented;     /* not in the JSON document */
    char wrong[80];        /* the first key that is no column, or has another type; "": none */
    int failed;            /* OGPT_E* of what filled it, 0: none */
    char reason[200];      /* of that */
} Table;

#define TABLE_BLOCK_ROWS 256

void table_init(Table *out, const TableSpec *spec);
/* Begin a table of so many rows that memory shall not hold them all. It is in the database and in
 * CSV alone: it becomes hidden and undocumented, and has no figure. (CSV needs all rows at once.)
 */
void table_init_long(Table *out, const TableSpec *spec);
void table_release(Table *table);
size_t table_rows(const Table *table);
/* The column of this key, NULL if there is none. */
const Column *table_column(const TableSpec *spec, const char *key);

/* Begin the next row. The one row of a record begins with its first value. */
void table_row(Table *table);
/* Set a value of the row. NaN is null. */
void table_int(Table *table, const char *key, int64_t value);
void table_num(Table *table, const char *key, double value);
void table_text(Table *table, const char *key, const char *value); /* NULL: null */
void table_bool(Table *table, const char *key, bool value);
void table_null(Table *table, const char *key);
void table_interval(Table *table, const char *key, Interval value);
/* The same; of one game, which has no interval (low is NaN), the value alone. */
void table_estimate(Table *table, const char *key, Interval value);
/* Takes over `value`, of any type that fits the column. */
void table_set(Table *table, const char *key, Js *value);
/* Add a row that was made as an object, members of intervals included (js_set_interval). Takes it
 * over. */
void table_add(Table *table, Js *row);

/* What fills the table failed with rc and its message; 0 is no failure. The first one counts. */
void table_fail(Table *table, int rc);
/* 0; OGPT_EUSAGE naming the first wrong key; OGPT_ENOMEM; or the failure of what filled it. */
int table_check(const Table *table);
/* Columns of one table made from the members of rows that come from elsewhere, all with headings;
 * x, x_low and x_high are one, with an interval. columns: room for `max`. Returns their number. */
size_t table_columns_of(Column *columns, size_t max, const Js *rows);

/* ---- renderers; the Text is `failed` when out of memory, a Js is owned ---- */

/* A list as aligned columns, a record as one line a column: heading, value, interval, meaning. A
 * column that no row of a list has set is left out, and so is its interval. A list that is wider
 * than style.width gets headings of two lines; if that is not enough, it loses its minor columns,
 * then texts are cut with
 * '~', then columns are left out from the right. With style.wide it is printed whole. */
void table_print(Text *out, const Table *table, TextStyle style);
/* What table_print does not show of a list although it has a heading and a value. */
typedef struct TableOmitted {
    int columns;
    bool cut, intervals; /* some text is cut, some interval is left out */
} TableOmitted;
TableOmitted table_omitted(const Table *table, TextStyle style);
/* A list as a table of Markdown (GitHub's): the columns that have a heading and a value, intervals
 * in brackets. */
void table_markdown(Text *out, const Table *table);
/* One value as table_print shows it. */
void column_print(Text *out, const Column *column, const Js *value);

/* Into a document: the members of a record, or the list under the table's name. */
void table_document(Js *document, const Table *table);
/* Rows for the database: an array of objects with the columns that are stored. Block 0 of a table
 * that is not long holds all of them, a long one has table_blocks. *out is owned. 0, OGPT_EIO (the
 * disk does not give them back) or OGPT_ENOMEM, then *out is NULL. */
size_t table_blocks(const Table *table);
int table_stored(Js **out, const Table *table, size_t block);
/* The opposite: fill a table with rows that the database has. Members that are no columns are left
 * out, and so are nested values, of which the database keeps the text. */
void table_restore(Table *out, const TableSpec *spec, const Js *rows);
/* All rows as csv_print takes them; *out and errors as table_stored. */
int table_csv(Js **out, const Table *table);

#endif
