/* store/kinds.c - the tables of the results database, generated from store/results.def, and its
 * views, from store/views.def. */
#include "store/kinds.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/runs.h"

/* From results.def: the columns of each kind, ... */
#define COLUMN(name, type) {#name, #type, COLUMN_##type},
#define KIND(name, columns)                                                                        \
    static const Column name##_columns[] = {columns};                                              \
    _Static_assert(sizeof(name##_columns) / sizeof(name##_columns[0]) <= COLUMNS_MAX,              \
                   "more columns than COLUMNS_MAX");
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

/* What the trigger of each kind does, with quotes as they stand in SQL or in a text of SQL. */
#define APPEND_ONLY(quote)                                                                         \
    " BEGIN SELECT RAISE(ABORT, " quote "result rows are append-only" quote "); END"

/* ... and the SQL of all tables. Rows may be deleted (store_trim) but never changed. */
#define COLUMN(name, type) ", " #name " " #type
#define KIND(name, columns)                                                                        \
    "CREATE TABLE IF NOT EXISTS " #name " (row INTEGER PRIMARY KEY,"                               \
    " run INTEGER NOT NULL REFERENCES runs(run)" columns ") STRICT;"                               \
    "CREATE INDEX IF NOT EXISTS " #name "_by_run ON " #name "(run);"                               \
    "CREATE TRIGGER IF NOT EXISTS " #name                                                          \
    "_append_only BEFORE UPDATE ON " #name APPEND_ONLY("'") ";"
static const char create_sql[] =
    "CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY AUTOINCREMENT,"
    " command TEXT NOT NULL, command_line TEXT NOT NULL, options TEXT NOT NULL,"
    " seed INTEGER NOT NULL, versions TEXT NOT NULL, machine TEXT NOT NULL, subject TEXT,"
    " started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL"
    " CHECK (status IN ('running','done','negative','failed','interrupted')), message TEXT,"
    " sessions INTEGER NOT NULL DEFAULT 1, pid INTEGER, pid_start INTEGER, host TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS runs_by_subject ON runs(command, subject);"
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

#define VIEW(name, summary, select) "'" #name "', "
const char kinds_objects[] =
    "type = 'view' AND name IN ("
#include "store/views.def"
    "'') OR type = 'trigger' AND name = tbl_name || '_append_only' AND tbl_name <> 'runs' AND"
    " sql = 'CREATE TRIGGER ' || name || ' BEFORE UPDATE ON ' || tbl_name || '" APPEND_ONLY(
        "''") "'";
#undef VIEW

const DbSchema kinds_schema = {STORE_APPLICATION_ID, STORE_SCHEMA_VERSION, create_sql};

static const Column run_columns[] = {
    {"run", "INTEGER", COLUMN_INTEGER},       {"command", "TEXT", COLUMN_TEXT},
    {"command_line", "TEXT", COLUMN_TEXT},    {"subject", "TEXT", COLUMN_TEXT},
    {"seed", "INTEGER", COLUMN_INTEGER},      {"status", "TEXT", COLUMN_TEXT},
    {"message", "TEXT", COLUMN_TEXT},         {"started", "TEXT", COLUMN_TEXT},
    {"ended", "TEXT", COLUMN_TEXT},           {"sessions", "INTEGER", COLUMN_INTEGER},
    {"machine", "TEXT", COLUMN_TEXT},         {"pid", "INTEGER", COLUMN_INTEGER},
    {"pid_start", "INTEGER", COLUMN_INTEGER}, {"host", "TEXT", COLUMN_TEXT},
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
    return err_set(OGPT_EUSAGE, "'%s' is no kind of result; see store/results.def", name);
}

const Column *column__find(const Kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->n_columns; i++) {
        if (strcmp(kind->columns[i].name, name) == 0) {
            return &kind->columns[i];
        }
    }
    return NULL;
}

int kind__present(uint64_t *bits, Db *db, const Kind *kind)
{
    DbStmt *stmt = NULL;
    *bits = 0;
    int rc = db_prepare(&stmt, db, "SELECT name FROM pragma_table_info(?1)");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, kind->name);
    while ((rc = db_step(stmt)) == 1) {
        const Column *column = column__find(kind, db_column_text(stmt, 0));
        if (column) {
            *bits |= 1ull << (column - kind->columns);
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

static uint64_t kind_all_bits(const Kind *kind)
{
    return (1ull << kind->n_columns) - 1;
}

static int kind_add_columns(Db *db, const Kind *kind)
{
    uint64_t present = 0;
    int rc = kind__present(&present, db, kind);
    for (size_t i = 0; rc == 0 && i < kind->n_columns; i++) {
        if ((present >> i & 1) == 0) {
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
    uint64_t of_runs = 0;
    int rc = kind__present(&of_runs, db, &runs_kind);
    bool complete = of_runs == kind_all_bits(&runs_kind);
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        uint64_t present = 0;
        rc = kind__present(&present, db, &kinds[i]);
        complete = complete && present == kind_all_bits(&kinds[i]);
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
