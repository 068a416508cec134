/* base/database/db_statements.c - statements and their columns; see db.h. */
#include "base/database/db_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

struct DbStmt {
    sqlite3_stmt *handle;
    Db *db;
    int bind_code; /* first failed bind, reported by db_step */
};

int db_prepare(DbStmt **out, Db *db, const char *sql)
{
    *out = NULL;
    DbStmt *stmt = mem_calloc(1, sizeof(*stmt), "a database statement");
    if (!stmt) {
        return OGPT_ENOMEM;
    }
    stmt->db = db;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt->handle, NULL);
    if (rc != SQLITE_OK) {
        mem_free(stmt);
        return db__fail(db, rc, sql);
    }
    *out = stmt;
    return 0;
}

void db_finalize(DbStmt *stmt)
{
    if (stmt) {
        sqlite3_finalize(stmt->handle);
        mem_free(stmt);
    }
}

static void bind_note(DbStmt *stmt, int rc)
{
    if (rc != SQLITE_OK && stmt->bind_code == SQLITE_OK) {
        stmt->bind_code = rc;
    }
}

void db_bind_int(DbStmt *stmt, int index, int64_t value)
{
    bind_note(stmt, sqlite3_bind_int64(stmt->handle, index, value));
}

void db_bind_num(DbStmt *stmt, int index, double value)
{
    bind_note(stmt, isnan(value) ? sqlite3_bind_null(stmt->handle, index)
                                 : sqlite3_bind_double(stmt->handle, index, value));
}

void db_bind_text(DbStmt *stmt, int index, const char *value)
{
    bind_note(stmt, sqlite3_bind_text(stmt->handle, index, value, -1, SQLITE_STATIC));
}

void db_bind_blob(DbStmt *stmt, int index, const void *data, size_t n_bytes)
{
    bind_note(stmt, sqlite3_bind_blob64(stmt->handle, index, data, n_bytes, SQLITE_STATIC));
}

int db_step(DbStmt *stmt)
{
    assert(stmt);
    int rc = stmt->bind_code != SQLITE_OK ? stmt->bind_code : sqlite3_step(stmt->handle);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    return rc == SQLITE_DONE ? 0 : db__fail(stmt->db, rc, sqlite3_sql(stmt->handle));
}

void db_reset(DbStmt *stmt)
{
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
    stmt->bind_code = SQLITE_OK;
}

int64_t db_column_int(DbStmt *stmt, int column)
{
    assert(stmt);
    return sqlite3_column_int64(stmt->handle, column);
}

double db_column_num(DbStmt *stmt, int column)
{
    return db_column_is_null(stmt, column) ? NAN : sqlite3_column_double(stmt->handle, column);
}

const char *db_column_text(DbStmt *stmt, int column)
{
    assert(stmt);
    const char *text = (const char *)sqlite3_column_text(stmt->handle, column);
    return text ? text : "";
}

const void *db_column_blob(DbStmt *stmt, int column, size_t *n_bytes)
{
    const void *data = sqlite3_column_blob(stmt->handle, column);
    *n_bytes = (size_t)sqlite3_column_bytes(stmt->handle, column);
    return data;
}

DbType db_column_type(DbStmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt->handle, column)) {
    case SQLITE_INTEGER: return DB_INTEGER;
    case SQLITE_FLOAT: return DB_REAL;
    case SQLITE_NULL: return DB_NULL;
    default: return DB_TEXT;
    }
}

bool db_column_is_null(DbStmt *stmt, int column)
{
    return sqlite3_column_type(stmt->handle, column) == SQLITE_NULL;
}

int db_columns(DbStmt *stmt)
{
    return sqlite3_column_count(stmt->handle);
}

const char *db_column_name(DbStmt *stmt, int column)
{
    const char *name = sqlite3_column_name(stmt->handle, column);
    return name ? name : "";
}

int64_t db_last_rowid(Db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}
