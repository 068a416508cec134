/* store/kinds.h - the tables of the results database (private to store/). */
#ifndef OGPT_STORE_KINDS_H
#define OGPT_STORE_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/database/db.h"

typedef enum KindType { KIND_INTEGER, KIND_REAL, KIND_TEXT } KindType;

typedef struct KindColumn {
    const char *name;
    const char *sql_type;
    KindType type;
} KindColumn;

typedef struct Kind {
    const char *name;
    const KindColumn *columns;
    size_t n_columns;
} Kind;

#define KIND_COLUMNS_MAX 128 /* of one kind */

/* A summary of store/views.def. */
typedef struct View {
    const char *name, *summary, *sql; /* sql: the whole CREATE VIEW */
} View;
extern const View views[];
extern const size_t n_views;

/* The kinds of store/results.def. */
extern const Kind kinds[];
extern const size_t n_kinds;
/* The table of runs, without its JSON columns (options, versions), which are read separately. */
extern const Kind runs_kind;
/* The table of store/journal.h. Files of earlier programs have it only if they used it. */
#define KINDS_JOURNAL_SQL                                                                          \
    "CREATE TABLE IF NOT EXISTS journal("                                                          \
    " key TEXT NOT NULL, stage TEXT NOT NULL, block INTEGER NOT NULL, numbers BLOB NOT NULL,"      \
    " PRIMARY KEY(key, stage, block)) STRICT, WITHOUT ROWID"
/* Triggers make rows append-only, except in the table of runs, the only one in which this program
 * changes rows; view__check compares a view before it is read. */
extern const DbSchema kinds_schema;

/* Returns 0 or OGPT_EUSAGE. */
int kind__find(const Kind **out, const char *name);
/* NULL when the kind has no such column. */
const KindColumn *column__find(const Kind *kind, const char *name);
/* The columns of a kind that the file has (present: KIND_COLUMNS_MAX flags, or NULL), and how many;
 * 0 if it lacks the table. */
int kind__present(size_t *n_present, bool *present, Db *db, const Kind *kind);
/* *same: the file has the view, word for word as in views.def. */
int view__check(bool *same, Db *db, const View *view);
/* Add the tables, columns and views that a file of an earlier program lacks. */
int kinds__complete(Db *db);
struct Store;
Db *store__db(struct Store *store);

#endif
