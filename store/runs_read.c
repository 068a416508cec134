/* store/runs_read.c - runs and their result rows, read back. See store/runs.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/process.h"
#include "store/kinds.h"
#include "store/runs.h"

/* The current row of a statement as an object of the columns that `kind` knows. */
static Js *row_read(DbStmt *stmt, const Kind *kind)
{
    Js *row = js_object();
    for (int i = 0; i < db_columns(stmt); i++) {
        const char *name = db_column_name(stmt, i);
        const KindColumn *column = column__find(kind, name);
        if (!column) {
            continue;
        }
        if (db_column_is_null(stmt, i)) {
            js_set(row, name, js_null());
        } else if (column->type == KIND_INTEGER) {
            js_set_int(row, name, db_column_int(stmt, i));
        } else if (column->type == KIND_REAL) {
            js_set_num(row, name, db_column_num(stmt, i));
        } else {
            js_set_str(row, name, db_column_text(stmt, i));
        }
    }
    return row;
}

/* A killed process could not close its row: "running" on file is shown as "killed" once the process
 * has ended. */
static void status_correct(Js *run)
{
    ProcessId id = {.pid = js_int_of(js_member(run, "pid")),
                    .start = js_int_of(js_member(run, "pid_start"))};
    const char *host = js_str_of(js_member(run, "host"));
    const char *status = js_str_of(js_member(run, "status"));
    if (!host || !status || strcmp(status, "running") != 0) {
        return;
    }
    snprintf(id.host, sizeof(id.host), "%s", host);
    if (process_is_over(&id)) {
        js_set_str(run, "status", "killed");
    }
}

/* All rows of a SELECT with one integer parameter. */
static int rows_read(Js **out, Db *db, const Kind *kind, const char *sql, int64_t parameter)
{
    DbStmt *stmt = NULL;
    *out = NULL;
    int rc = db_prepare(&stmt, db, sql);
    if (rc != 0) {
        return rc;
    }
    Js *rows = js_array();
    db_bind_int(stmt, 1, parameter);
    while ((rc = db_step(stmt)) == 1) {
        Js *row = row_read(stmt, kind);
        if (kind == &runs_kind) {
            status_correct(row);
        }
        js_push(rows, row);
    }
    db_finalize(stmt);
    if (rc != 0) {
        js_free(rows);
        return rc;
    }
    *out = rows;
    return 0;
}

/* A file of an earlier program may lack the table: then there are no rows. */
static int kind_rows(Js **out, Store *store, const Kind *kind, int64_t run)
{
    size_t n_present = 0;
    char sql[96];
    *out = NULL;
    int rc = kind__present(&n_present, NULL, store__db(store), kind);
    if (rc != 0) {
        return rc;
    }
    if (n_present == 0) {
        *out = js_array();
        return 0;
    }
    snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE run = ?1 ORDER BY row", kind->name);
    return rows_read(out, store__db(store), kind, sql, run);
}

int store_rows(Js **out, Store *store, const char *kind_name, int64_t run)
{
    const Kind *kind = NULL;
    *out = NULL;
    int rc = kind__find(&kind, kind_name);
    if (rc == 0 && !store) {
        *out = js_array();
        return 0;
    }
    return rc ? rc : kind_rows(out, store, kind, run);
}

int store_list(Js **out, Store *store, int limit)
{
    return rows_read(out, store__db(store), &runs_kind,
                     "SELECT * FROM runs ORDER BY run DESC LIMIT ?1", limit == 0 ? -1 : limit);
}

/* Options and versions are JSON on file and become part of the document. */
static int run_details(Js *document, Store *store, int64_t run)
{
    static const char *const names[] = {"options", "versions"};
    DbStmt *stmt = NULL;
    int rc =
        db_prepare(&stmt, store__db(store), "SELECT options, versions FROM runs WHERE run = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    rc = db_step(stmt);
    for (int i = 0; rc == 1 && i < 2; i++) {
        const char *text = db_column_text(stmt, i);
        Js *value = NULL;
        int parsed = js_parse(&value, text, strlen(text), db_path(store__db(store)));
        if (parsed != 0) {
            rc = parsed;
            break;
        }
        js_set(document, names[i], value);
    }
    db_finalize(stmt);
    return rc < 0 ? rc : 0;
}

/* The distinct values of a run in all columns whose names end in "hash", into an array. */
static int kind_hashes(Js *out, Store *store, const Kind *kind, int64_t run)
{
    bool present[KIND_COLUMNS_MAX];
    size_t n_present = 0;
    int rc = kind__present(&n_present, present, store__db(store), kind);
    for (size_t i = 0; rc == 0 && i < kind->n_columns; i++) {
        const char *name = kind->columns[i].name;
        size_t length = strlen(name);
        char sql[200];
        DbStmt *stmt = NULL;
        if (!present[i] || length < 4 || strcmp(name + length - 4, "hash") != 0) {
            continue;
        }
        snprintf(sql, sizeof(sql),
                 "SELECT DISTINCT %s FROM %s WHERE run = ?1 AND %s IS NOT NULL AND %s <> ''", name,
                 kind->name, name, name);
        rc = db_prepare(&stmt, store__db(store), sql);
        if (rc == 0) {
            db_bind_int(stmt, 1, run);
            while ((rc = db_step(stmt)) == 1) {
                js_push(out, js_str(db_column_text(stmt, 0)));
            }
            db_finalize(stmt);
        }
    }
    return rc;
}

/* The row of a run with its options and versions; owned. */
static int run_document(Js **out, Store *store, int64_t run)
{
    Js *rows = NULL;
    *out = NULL;
    int rc =
        rows_read(&rows, store__db(store), &runs_kind, "SELECT * FROM runs WHERE run = ?1", run);
    if (rc == 0 && js_length(rows) == 0) {
        rc = err_set(OGPT_EUSAGE, "%s: no run %lld; 'ogpt runs list' shows those there are",
                     db_path(store__db(store)), (long long)run);
    }
    Js *document = rc == 0 ? js_keep(js_at(rows, 0)) : NULL;
    js_free(rows);
    rc = rc ? rc : run_details(document, store, run);
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    *out = document;
    return 0;
}

int store_about(Js **out, Store *store, int64_t run)
{
    Js *hashes = js_array();
    int rc = run_document(out, store, run);
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        rc = kind_hashes(hashes, store, &kinds[i], run);
    }
    if (rc != 0) {
        js_free(*out);
        js_free(hashes);
        *out = NULL;
        return rc;
    }
    js_set(*out, "hashes", hashes);
    return 0;
}

int store_show(Js **out, Store *store, int64_t run)
{
    Js *results = js_object();
    int rc = run_document(out, store, run);
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        Js *kind_array = NULL;
        rc = kind_rows(&kind_array, store, &kinds[i], run);
        if (rc == 0 && js_length(kind_array) > 0) {
            js_set(results, kinds[i].name, js_keep(kind_array));
        }
        js_free(kind_array);
    }
    if (rc != 0) {
        js_free(*out);
        js_free(results);
        *out = NULL;
        return rc;
    }
    js_set(*out, "results", results);
    return 0;
}
