/* store/kinds.c - the tables of the results database, generated from store/results.def. */
#include "store/kinds.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/runs.h"

/* From results.def: the columns of each kind, ... */
#define COLUMN(name, type) {#name, #type, COLUMN_##type},
#define KIND(name, columns) static const Column name##_columns[] = {columns};
#include "store/results.def"
#undef KIND
/* ... the kinds, ... */
#define KIND(name, columns)                                                                        \
    {#name, name##_columns, sizeof name##_columns / sizeof name##_columns[0]},
const Kind kinds[] = {
#include "store/results.def"
};
#undef KIND
#undef COLUMN
const size_t n_kinds = sizeof kinds / sizeof kinds[0];

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
    "CREATE INDEX IF NOT EXISTS runs_by_subject ON runs(command, subject);"
#include "store/results.def"
    /* SQLite takes the other columns from the row that holds the maximum. */
    "DROP VIEW IF EXISTS best_probe_layers;" /* that of earlier programs chose by test games */
    "CREATE VIEW best_probe_layers AS SELECT run, task, site, solver, layer,"
    " max(coalesce(validation_accuracy, accuracy)) AS chosen_by, accuracy, accuracy_low,"
    " accuracy_high, board_exact, nonempty_accuracy"
    " FROM probe_layers GROUP BY run, task, site, solver;"
    "CREATE VIEW IF NOT EXISTS last_evals AS SELECT model_hash, corpus_hash, max(row) AS row, run,"
    " games, loss, floor, excess, kl, strict_error, lenient_error FROM eval GROUP BY model_hash;";
#undef KIND
#undef COLUMN

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
const Kind runs_kind = {"runs", run_columns, sizeof run_columns / sizeof run_columns[0]};

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
    int code = db_prepare(&stmt, db, "SELECT name FROM pragma_table_info(?1)");
    if (code != 0) {
        return code;
    }
    db_bind_text(stmt, 1, kind->name);
    while ((code = db_step(stmt)) == 1) {
        const Column *column = column__find(kind, db_column_text(stmt, 0));
        if (column != NULL) {
            *bits |= 1ull << (column - kind->columns);
        }
    }
    db_finalize(stmt);
    return code;
}

static uint64_t kind_all_bits(const Kind *kind)
{
    return (1ull << kind->n_columns) - 1;
}

static int kind_add_columns(Db *db, const Kind *kind)
{
    uint64_t present = 0;
    int code = kind__present(&present, db, kind);
    for (size_t i = 0; code == 0 && i < kind->n_columns; i++) {
        if ((present >> i & 1) == 0) {
            char sql[160];
            snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN %s %s", kind->name,
                     kind->columns[i].name, kind->columns[i].sql_type);
            code = db_exec(db, sql);
        }
    }
    return code;
}

int kinds__complete(Db *db)
{
    uint64_t of_runs = 0;
    int code = kind__present(&of_runs, db, &runs_kind);
    bool complete = of_runs == kind_all_bits(&runs_kind);
    for (size_t i = 0; code == 0 && i < n_kinds; i++) {
        uint64_t present = 0;
        code = kind__present(&present, db, &kinds[i]);
        complete = complete && present == kind_all_bits(&kinds[i]);
    }
    if (code != 0 || complete) {
        return code;
    }
    code = db_begin(db);
    code = code != 0 ? code : db_exec(db, create_sql);
    code = code != 0 ? code : kind_add_columns(db, &runs_kind);
    for (size_t i = 0; code == 0 && i < n_kinds; i++) {
        code = kind_add_columns(db, &kinds[i]);
    }
    code = code != 0 ? code : db_commit(db);
    if (code != 0) {
        db_rollback(db);
    }
    return code;
}
