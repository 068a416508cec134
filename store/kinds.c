/* store/kinds.c - the tables of the results database, generated from store/results.def, and its
 * views, from store/views.def. */
#include "store/kinds.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/runs.h"

/* A condition of views: the run `r` came to its end; "negative": a check said no. */
#define FINISHED "r.status IN ('done', 'negative')"

/* From results.def: the columns of each kind, ... */
#define COLUMN(name, type) {#name, #type, KIND_##type},
#define KIND(name, columns)                                                                        \
    static const KindColumn name##_columns[] = {columns};                                          \
    _Static_assert(sizeof(name##_columns) / sizeof(name##_columns[0]) <= KIND_COLUMNS_MAX,         \
                   "more columns than KIND_COLUMNS_MAX");
#include "store/results.def"
#undef KIND
/* ... the kinds, ... */
#define KIND(name, columns)                                                                        \
    {#name, name##_columns, sizeof(name##_columns) / sizeof(name##_columns[0])},
const Kind kinds[] = {
#include "store/results.def"
};
#undef KIND
#undef COLUMN
const size_t n_kinds = sizeof(kinds) / sizeof(kinds[0]);

/* ... and the SQL of all tables. Rows may be deleted (store_trim) but never changed. */
#define COLUMN(name, type) ", " #name " " #type
#define KIND(name, columns)                                                                        \
    "CREATE TABLE IF NOT EXISTS " #name " (row INTEGER PRIMARY KEY,"                               \
    " run INTEGER NOT NULL REFERENCES runs(run)" columns ") STRICT;"                               \
    "CREATE INDEX IF NOT EXISTS " #name "_by_run ON " #name "(run);"                               \
    "CREATE TRIGGER IF NOT EXISTS " #name "_append_only BEFORE UPDATE ON " #name                   \
    " BEGIN SELECT RAISE(ABORT, 'result rows are append-only'); END;"
static const char create_sql[] =
    "CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY AUTOINCREMENT,"
    " command TEXT NOT NULL, command_line TEXT NOT NULL, options TEXT NOT NULL,"
    " seed INTEGER NOT NULL, versions TEXT NOT NULL, machine TEXT NOT NULL, subject TEXT,"
    " started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL"
    " CHECK (status IN ('running','done','negative','failed','interrupted')), message TEXT,"
    " sessions INTEGER NOT NULL DEFAULT 1, pid INTEGER, pid_start INTEGER, host TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS runs_by_subject ON runs(command, subject);" KINDS_JOURNAL_SQL ";"
#include "store/results.def"
/* ... and the views, those of an earlier program replaced. */
#define VIEW(name, summary, select)                                                                \
    "DROP VIEW IF EXISTS " #name ";CREATE VIEW " #name " AS " select ";"
#include "store/views.def"
#undef VIEW
    ;
#undef KIND
#undef COLUMN

#define VIEW(name, summary, select) {#name, summary, "CREATE VIEW " #name " AS " select},
const View views[] = {
#include "store/views.def"
};
#undef VIEW
const size_t n_views = sizeof(views) / sizeof(views[0]);

const DbSchema kinds_schema = {
    .application_id = STORE_APPLICATION_ID,
    .version = STORE_SCHEMA_VERSION,
    .create_sql = create_sql,
    .wal = true,
    .grows = true,
};

static const KindColumn run_columns[] = {
    {"run", "INTEGER", KIND_INTEGER},       {"command", "TEXT", KIND_TEXT},
    {"command_line", "TEXT", KIND_TEXT},    {"subject", "TEXT", KIND_TEXT},
    {"seed", "INTEGER", KIND_INTEGER},      {"status", "TEXT", KIND_TEXT},
    {"message", "TEXT", KIND_TEXT},         {"started", "TEXT", KIND_TEXT},
    {"ended", "TEXT", KIND_TEXT},           {"sessions", "INTEGER", KIND_INTEGER},
    {"machine", "TEXT", KIND_TEXT},         {"pid", "INTEGER", KIND_INTEGER},
    {"pid_start", "INTEGER", KIND_INTEGER}, {"host", "TEXT", KIND_TEXT},
};
const Kind runs_kind = {"runs", run_columns, sizeof(run_columns) / sizeof(run_columns[0])};

int kind__find(const Kind **out, const char *name)
{
    for (size_t i = 0; i < n_kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *out = &kinds[i];
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE, "'%s' is not a kind of result; see store/results.def", name);
}

const KindColumn *column__find(const Kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->n_columns; i++) {
        if (strcmp(kind->columns[i].name, name) == 0) {
            return &kind->columns[i];
        }
    }
    return NULL;
}

int kind__present(size_t *n_present, bool *present, Db *db, const Kind *kind)
{
    DbStmt *stmt = NULL;
    *n_present = 0;
    for (size_t i = 0; present && i < kind->n_columns; i++) {
        present[i] = false;
    }
    int rc = db_prepare(&stmt, db, "SELECT name FROM pragma_table_info(?1)");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, kind->name);
    while ((rc = db_step(stmt)) == 1) {
        const KindColumn *column = column__find(kind, db_column_text(stmt, 0));
        if (column) {
            *n_present += 1;
        }
        if (column && present) {
            present[column - kind->columns] = true;
        }
    }
    db_finalize(stmt);
    return rc;
}

int view__check(bool *same, Db *db, const View *view)
{
    DbStmt *stmt = NULL;
    *same = false;
    int rc = db_prepare(&stmt, db,
                        "SELECT sql FROM sqlite_schema WHERE type = 'view'"
                        " AND name = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, view->name);
    rc = db_step(stmt);
    *same = rc == 1 && strcmp(db_column_text(stmt, 0), view->sql) == 0;
    db_finalize(stmt);
    return rc < 0 ? rc : 0;
}

static int kind_add_columns(Db *db, const Kind *kind)
{
    bool present[KIND_COLUMNS_MAX];
    size_t n_present = 0;
    int rc = kind__present(&n_present, present, db, kind);
    for (size_t i = 0; rc == 0 && i < kind->n_columns; i++) {
        if (!present[i]) {
            char sql[160];
            snprintf(sql, sizeof(sql), "ALTER TABLE %s ADD COLUMN %s %s", kind->name,
                     kind->columns[i].name, kind->columns[i].sql_type);
            rc = db_exec(db, sql);
        }
    }
    return rc;
}

int kinds__complete(Db *db)
{
    size_t n_present = 0;
    int rc = kind__present(&n_present, NULL, db, &runs_kind);
    bool complete = n_present == runs_kind.n_columns;
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        rc = kind__present(&n_present, NULL, db, &kinds[i]);
        complete = complete && n_present == kinds[i].n_columns;
    }
    for (size_t i = 0; rc == 0 && i < n_views; i++) {
        bool same = false;
        rc = view__check(&same, db, &views[i]);
        complete = complete && same;
    }
    if (rc != 0 || complete) {
        return rc;
    }
    rc = db_begin(db);
    rc = rc ? rc : db_exec(db, create_sql);
    rc = rc ? rc : kind_add_columns(db, &runs_kind);
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        rc = kind_add_columns(db, &kinds[i]);
    }
    rc = rc ? rc : db_commit(db);
    if (rc != 0) {
        db_rollback(db);
    }
    return rc;
}
