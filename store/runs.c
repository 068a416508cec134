/* store/runs.c - runs and their result rows: begin, end, append. See store/runs.h. */
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

/* Make and insert the next part. Returns 1, 0: there is none, or OGPT_E*. */
static int part_insert(Store *store, int64_t run, int (*next)(void *context, Js **by_kind),
                       void *context)
{
    void *it = NULL;
    const char *kind;
    const Js *rows;
    Js *by_kind = NULL;
    int rc = next(context, &by_kind);
    while (rc == 0 && by_kind && js_next(by_kind, &it, &kind, &rows)) {
        rc = rows_insert(store, run, kind, rows);
    }
    const bool more = by_kind;
    js_free(by_kind);
    return rc ? rc : more;
}

/* Keep what was done since db_begin, or after a failure nothing. */
static int rows_commit(Store *store, int rc)
{
    rc = rc ? rc : db_commit(store->db);
    if (rc != 0) {
        db_rollback(store->db);
    }
    return rc;
}

int store_add_parts(Store *store, int64_t run, int (*next)(void *context, Js **by_kind),
                    void *context)
{
    int rc = db_begin(store->db), more = 1;
    while (rc == 0 && more > 0) {
        more = part_insert(store, run, next, context);
    }
    return rc ? rc : rows_commit(store, more < 0 ? more : 0);
}

int store_add_all(Store *store, int64_t run, const char *kind, const Js *rows)
{
    if (!store) {
        return 0;
    }
    int rc = db_begin(store->db);
    return rc ? rc : rows_commit(store, rows_insert(store, run, kind, rows));
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

int store_trim(Store *store, int64_t run, const char *kind_name, const char *column_name,
               int64_t keep)
{
    const Kind *kind = NULL;
    DbStmt *stmt = NULL;
    int rc = kind__find(&kind, kind_name);
    if (rc != 0 || !store) {
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
