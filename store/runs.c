/* store/runs.c - runs and their result rows: begin, append, read back. */
#include "store/runs.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "store/kinds.h"

struct Store {
    Db *db;
};

Db *store__db(Store *store)
{
    return store->db;
}

static int open_mode(Store **out, const char *path, DbMode mode)
{
    *out = NULL;
    Store *store = mem_calloc(1, sizeof(*store), "the results database");
    if (!store) {
        return OGPT_ENOMEM;
    }
    int rc = db_open(&store->db, path, mode, &kinds_schema);
    if (rc == 0 && mode == DB_CREATE) {
        rc = kinds__complete(store->db);
    }
    if (rc != 0) {
        store_close(store);
        return rc;
    }
    *out = store;
    return 0;
}

int store_open(Store **out, const char *path)
{
    return open_mode(out, path, DB_CREATE);
}

int store_open_read(Store **out, const char *path)
{
    return open_mode(out, path, DB_READ);
}

void store_close(Store *store)
{
    if (store) {
        db_close(store->db);
        mem_free(store);
    }
}

int store_check(Store *store)
{
    DbStmt *stmt = NULL;
    int rc = db_check(store->db);
    rc = rc ? rc : db_prepare(&stmt, store->db, "PRAGMA foreign_key_check");
    rc = rc ? rc : db_step(stmt);
    if (rc == 1) {
        rc = err_set(OGPT_EFORMAT, "%s: row %lld of table %s belongs to no run", db_path(store->db),
                     (long long)db_column_int(stmt, 1), db_column_text(stmt, 0));
    }
    db_finalize(stmt);
    return rc;
}

/* Step a statement that gives no row, and finalise it. */
static int run_once(DbStmt *stmt)
{
    int rc = db_step(stmt);
    db_finalize(stmt);
    return rc;
}

int store_run_begin(Store *store, int64_t *run, const RunStart *start)
{
    DbStmt *stmt = NULL;
    char now[32];
    ProcessId self;
    clock_iso(now);
    process_self(&self);
    *run = 0;
    int rc = db_prepare(&stmt, store->db,
                        "INSERT INTO runs (command, command_line, options, seed, versions,"
                        " machine, subject, started, status, pid, pid_start, host)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running', ?9, ?10, ?11)");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, start->command);
    db_bind_text(stmt, 2, start->command_line);
    db_bind_text(stmt, 3, start->options_json);
    db_bind_int(stmt, 4, (int64_t)start->seed);
    db_bind_text(stmt, 5, start->versions_json);
    db_bind_text(stmt, 6, start->machine);
    db_bind_text(stmt, 7, start->subject);
    db_bind_text(stmt, 8, now);
    db_bind_int(stmt, 9, self.pid);
    db_bind_int(stmt, 10, self.start);
    db_bind_text(stmt, 11, self.host);
    rc = run_once(stmt);
    if (rc == 0) {
        *run = db_last_rowid(store->db);
    }
    return rc;
}

int store_run_end(Store *store, int64_t run, const char *status, const char *message)
{
    DbStmt *stmt = NULL;
    char now[32];
    clock_iso(now);
    int rc = db_prepare(&stmt, store->db,
                        "UPDATE runs SET status = ?1, message = ?2, ended = ?3 WHERE run = ?4");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, status);
    db_bind_text(stmt, 2, message);
    db_bind_text(stmt, 3, now);
    db_bind_int(stmt, 4, run);
    return run_once(stmt);
}

int store_run_refused(Store *store, int64_t run)
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, store->db, "UPDATE runs SET sessions = sessions - 1 WHERE run = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    return run_once(stmt);
}

/* True if the process of the current row (pid, pid_start, host in columns 2 to 4) is another living
 * process of this host. */
static bool row_is_in_use(DbStmt *stmt, const ProcessId *self)
{
    ProcessId id = {.pid = db_column_int(stmt, 2), .start = db_column_int(stmt, 3)};
    const char *host = db_column_text(stmt, 4);
    if (db_column_int(stmt, 1) == 0 || !host || strcmp(host, self->host) != 0 || id.pid <= 0 ||
        (id.pid == self->pid && id.start == self->start)) {
        return false;
    }
    snprintf(id.host, sizeof(id.host), "%s", host);
    return !process_is_over(&id);
}

/* The run to resume, or 0. Killed runs have no end and come first. A run that was refused because
 * of a lock has no session: it may have ended last, but it holds nothing. */
static int run_to_resume(int64_t *run, Store *store, const RunStart *start, const ProcessId *self)
{
    DbStmt *stmt = NULL;
    *run = 0;
    int rc = db_prepare(&stmt, store->db,
                        "SELECT run, status = 'running', pid, pid_start, host FROM runs"
                        " WHERE command = ?1 AND subject IS ?2 AND options = ?3 AND sessions > 0"
                        " ORDER BY ended IS NULL DESC, ended DESC, run DESC");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, start->command);
    db_bind_text(stmt, 2, start->subject);
    db_bind_text(stmt, 3, start->options_json);
    while ((rc = db_step(stmt)) == 1) {
        if (row_is_in_use(stmt, self)) {
            *run = 0;
            rc = 0;
            break;
        }
        *run = *run != 0 ? *run : db_column_int(stmt, 0);
    }
    db_finalize(stmt);
    return rc;
}

static int run_take_over(Store *store, int64_t run, const ProcessId *self)
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, store->db,
                        "UPDATE runs SET status = 'running', ended = NULL, message = NULL,"
                        " sessions = sessions + 1, pid = ?2, pid_start = ?3, host = ?4"
                        " WHERE run = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    db_bind_int(stmt, 2, self->pid);
    db_bind_int(stmt, 3, self->start);
    db_bind_text(stmt, 4, self->host);
    return run_once(stmt);
}

int store_run_resume(Store *store, int64_t *run, const RunStart *start)
{
    ProcessId self;
    *run = 0;
    process_self(&self);
    /* In one transaction: if two processes look for a row, only one finds it free. */
    int rc = db_begin(store->db);
    if (rc != 0) {
        return rc;
    }
    rc = run_to_resume(run, store, start, &self);
    if (rc == 0 && *run != 0) {
        rc = run_take_over(store, *run, &self);
    }
    rc = rc ? rc : db_commit(store->db);
    if (rc != 0) {
        *run = 0;
        db_rollback(store->db);
    }
    return rc;
}

/* Bind one member. Lists and objects become their JSON text in a TEXT column; `*owned` keeps
 * that text until the row is stored. */
static int member_bind(DbStmt *stmt, int index, char **owned, const Kind *kind,
                       const KindColumn *column, const Js *value)
{
    JsType type = !value ? JS_NULL : js_type(value);
    if (type == JS_NULL) {
        db_bind_text(stmt, index, NULL);
        return 0;
    }
    if (column->type == KIND_REAL && (type == JS_NUM || type == JS_INT)) {
        db_bind_num(stmt, index, js_num_of(value));
        return 0;
    }
    if (column->type == KIND_INTEGER && (type == JS_INT || type == JS_BOOL)) {
        db_bind_int(stmt, index, type == JS_INT ? js_int_of(value) : js_bool_of(value));
        return 0;
    }
    if (column->type == KIND_TEXT && type == JS_STR) {
        db_bind_text(stmt, index, js_str_of(value));
        return 0;
    }
    if (column->type == KIND_TEXT) {
        int rc = js_print(owned, value, 0);
        if (rc == 0) {
            db_bind_text(stmt, index, *owned);
        }
        return rc;
    }
    return err_set(OGPT_EUSAGE, "result %s: column %s holds %s, and the value is something else",
                   kind->name, column->name, column->sql_type);
}

/* A number that has no column would be lost without a word. */
static int members_check(const Kind *kind, const Js *row)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(row, &it, &key, &value)) {
        if (!column__find(kind, key)) {
            return err_set(OGPT_EUSAGE,
                           "result %s has no column '%.60s'; add it at the end of its kind in "
                           "store/results.def",
                           kind->name, key);
        }
    }
    return 0;
}

static int row_insert(DbStmt *stmt, int64_t run, const Kind *kind, const Js *row)
{
    char *owned[KIND_COLUMNS_MAX] = {NULL};
    int rc = members_check(kind, row);
    if (rc != 0) {
        return rc;
    }
    db_reset(stmt);
    db_bind_int(stmt, 1, run);
    for (size_t i = 0; rc == 0 && i < kind->n_columns; i++) {
        rc = member_bind(stmt, (int)i + 2, &owned[i], kind, &kind->columns[i],
                         js_member(row, kind->columns[i].name));
    }
    rc = rc ? rc : db_step(stmt);
    db_reset(stmt);
    for (size_t i = 0; i < kind->n_columns; i++) {
        mem_free(owned[i]);
    }
    return rc;
}

/* "INSERT INTO kind (run, a, b) VALUES (?1, ?2, ?3)" */
static int insert_prepare(DbStmt **out, Db *db, const Kind *kind)
{
    char sql[4096];
    size_t n = (size_t)snprintf(sql, sizeof(sql), "INSERT INTO %s (run", kind->name);
    for (size_t i = 0; i < kind->n_columns; i++) {
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, ", %s", kind->columns[i].name);
    }
    n += (size_t)snprintf(sql + n, sizeof(sql) - n, ") VALUES (?1");
    for (size_t i = 0; i < kind->n_columns; i++) {
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, ", ?%zu", i + 2);
    }
    snprintf(sql + n, sizeof(sql) - n, ")");
    return db_prepare(out, db, sql);
}

/* The rows of one kind, within a transaction. */
static int rows_insert(Store *store, int64_t run, const char *kind_name, const Js *rows)
{
    const Kind *kind = NULL;
    DbStmt *stmt = NULL;
    int rc = kind__find(&kind, kind_name);
    rc = rc ? rc : insert_prepare(&stmt, store->db, kind);
    for (size_t i = 0; rc == 0 && i < js_length(rows); i++) {
        rc = row_insert(stmt, run, kind, js_at(rows, i));
    }
    db_finalize(stmt);
    return rc;
}

int store_add_kinds(Store *store, int64_t run, const Js *by_kind)
{
    void *it = NULL;
    const char *kind;
    const Js *rows;
    int rc = db_begin(store->db);
    while (rc == 0 && js_next(by_kind, &it, &kind, &rows)) {
        rc = rows_insert(store, run, kind, rows);
    }
    rc = rc ? rc : db_commit(store->db);
    if (rc != 0) {
        db_rollback(store->db);
    }
    return rc;
}

int store_add_all(Store *store, int64_t run, const char *kind, const Js *rows)
{
    Js *by_kind = js_object();
    js_set(by_kind, kind, js_keep(rows));
    int rc = js_has(by_kind, kind) ? store_add_kinds(store, run, by_kind)
                                   : err_set(OGPT_ENOMEM, "out of memory: wanted rows to store");
    js_free(by_kind);
    return rc;
}

int store_add(Store *store, int64_t run, const char *kind, const Js *row)
{
    Js *rows = js_array();
    js_push(rows, js_keep(row));
    int rc = store_add_all(store, run, kind, rows);
    js_free(rows);
    return rc;
}

const char *store_column_type(const char *kind_name, const char *column_name)
{
    for (size_t i = 0; i < n_kinds; i++) {
        if (strcmp(kinds[i].name, kind_name) == 0) {
            const KindColumn *column = column__find(&kinds[i], column_name);
            return column ? column->sql_type : NULL;
        }
    }
    return NULL;
}

static int has_row(bool *out, Store *store, const char *sql, const char *command,
                   const char *options_json)
{
    DbStmt *stmt = NULL;
    *out = false;
    int rc = db_prepare(&stmt, store->db, sql);
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, command);
    db_bind_text(stmt, 2, options_json);
    rc = db_step(stmt);
    *out = rc == 1;
    db_finalize(stmt);
    return rc < 0 ? rc : 0;
}

int store_has_run(bool *out, Store *store, const char *command, const char *options_json)
{
    return has_row(out, store, "SELECT 1 FROM runs WHERE command = ?1 AND options = ?2 LIMIT 1",
                   command, options_json);
}

/* Options that show a result, and are no part of it. */
#define SHOWN "'$.csv', '$.html', '$.svg', '$.pdf', '$.png', '$.width', '$.figure'"

int store_has_result(bool *out, Store *store, const char *command, const char *options_json)
{
    return has_row(out, store,
                   "SELECT 1 FROM runs WHERE command = ?1 AND json_valid(options) AND "
                   "json_remove(options, " SHOWN ") = json_remove(?2, " SHOWN ") LIMIT 1",
                   command, options_json);
}

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
    int rc = kind__present(&n_present, NULL, store->db, kind);
    if (rc != 0) {
        return rc;
    }
    if (n_present == 0) {
        *out = js_array();
        return 0;
    }
    snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE run = ?1 ORDER BY row", kind->name);
    return rows_read(out, store->db, kind, sql, run);
}

int store_rows(Js **out, Store *store, const char *kind_name, int64_t run)
{
    const Kind *kind = NULL;
    *out = NULL;
    int rc = kind__find(&kind, kind_name);
    return rc ? rc : kind_rows(out, store, kind, run);
}

int store_trim(Store *store, int64_t run, const char *kind_name, const char *column_name,
               int64_t keep)
{
    const Kind *kind = NULL;
    DbStmt *stmt = NULL;
    int rc = kind__find(&kind, kind_name);
    if (rc != 0) {
        return rc;
    }
    const KindColumn *column = column__find(kind, column_name);
    if (!column || column->type != KIND_INTEGER) {
        return err_set(OGPT_EUSAGE, "result %s has no integer column '%s'", kind_name, column_name);
    }
    char sql[160];
    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE run = ?1 AND %s > ?2", kind->name,
             column->name);
    rc = db_prepare(&stmt, store->db, sql);
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    db_bind_int(stmt, 2, keep);
    return run_once(stmt);
}

int store_list(Js **out, Store *store, int limit)
{
    return rows_read(out, store->db, &runs_kind, "SELECT * FROM runs ORDER BY run DESC LIMIT ?1",
                     limit == 0 ? -1 : limit);
}

/* Options and versions are JSON on file and become part of the document. */
static int run_details(Js *document, Store *store, int64_t run)
{
    static const char *const names[] = {"options", "versions"};
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, store->db, "SELECT options, versions FROM runs WHERE run = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    rc = db_step(stmt);
    for (int i = 0; rc == 1 && i < 2; i++) {
        const char *text = db_column_text(stmt, i);
        Js *value = NULL;
        int parsed = js_parse(&value, text, strlen(text), db_path(store->db));
        if (parsed != 0) {
            rc = parsed;
            break;
        }
        js_set(document, names[i], value);
    }
    db_finalize(stmt);
    return rc < 0 ? rc : 0;
}

int store_show(Js **out, Store *store, int64_t run)
{
    Js *rows = NULL;
    Js *document = NULL;
    *out = NULL;
    int rc = rows_read(&rows, store->db, &runs_kind, "SELECT * FROM runs WHERE run = ?1", run);
    if (rc != 0) {
        return rc;
    }
    if (js_length(rows) == 0) {
        js_free(rows);
        return err_set(OGPT_EUSAGE, "%s: no run %lld; 'ogpt runs list' shows those there are",
                       db_path(store->db), (long long)run);
    }
    document = js_keep(js_at(rows, 0));
    js_free(rows);
    Js *results = js_object();
    rc = run_details(document, store, run);
    for (size_t i = 0; rc == 0 && i < n_kinds; i++) {
        Js *kind_array = NULL;
        rc = kind_rows(&kind_array, store, &kinds[i], run);
        if (rc == 0 && js_length(kind_array) > 0) {
            js_set(results, kinds[i].name, js_keep(kind_array));
        }
        js_free(kind_array);
    }
    js_set(document, "results", results);
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    *out = document;
    return 0;
}
