/* base/database/db.h - the one owner of sqlite3 handles (only this room has <sqlite3.h>).
 *
 * A file is proved to be ours before SQLite may change it or anything beside it: its header is
 * read as bytes, what lies beside it must be SQLite's and must name no other file, and its tables
 * are compared with create_sql, word for word, before one is read. Symbolic links are resolved
 * first. Then busy_timeout, synchronous FULL, foreign keys, defensive mode, trusted_schema off,
 * cell_size_check on, mmap off. Messages contain the file, the statement's text and SQLite's
 * reason.
 */
#ifndef OGPT_BASE_DB_H
#define OGPT_BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Db Db;
typedef struct DbStmt DbStmt;

typedef enum DbMode { DB_READ, DB_WRITE, DB_CREATE /* write, create when missing */ } DbMode;

typedef struct DbSchema {
    uint32_t application_id;
    int version;            /* user_version */
    int oldest;             /* least user_version that is opened; 0: `version` alone */
    const char *create_sql; /* run once in one transaction when the file is new; "": any tables */
    bool wal;               /* several processes write: a write-ahead log, which stays */
    bool grows; /* later programs add tables and columns: a file may lack some, and its views
                 * may be others (the caller compares one before it reads it) */
} DbSchema;

/* Returns 0, OGPT_EIO (cannot open, disk full), OGPT_EFORMAT (not a database, other application
 * id, foreign tables, damaged), OGPT_EVERSION (newer user_version), OGPT_ELOCKED (busy after 30 s),
 * OGPT_EUSAGE (to be written to, and has a second name by a hard link). */
int db_open(Db **out, const char *path, DbMode mode, const DbSchema *schema);
void db_close(Db *db);
/* The application id of an SQLite file, to tell what kind of file it is; read as bytes, so that a
 * foreign file is not touched. 0 for a file that was being made when its process was killed.
 * Returns 0, OGPT_EIO, OGPT_EFORMAT (not a database). */
int db_application_id(uint32_t *out, const char *path);
const char *db_path(const Db *db);

int db_exec(Db *db, const char *sql);
int db_begin(Db *db); /* BEGIN IMMEDIATE */
int db_commit(Db *db);
void db_rollback(Db *db);

/* Prepared statement; finalised by db_finalize. Parameters count from 1. Bound text and blobs
 * are borrowed until the next reset. */
int db_prepare(DbStmt **out, Db *db, const char *sql);
void db_finalize(DbStmt *stmt);
void db_bind_int(DbStmt *stmt, int index, int64_t value);
void db_bind_num(DbStmt *stmt, int index, double value);       /* NaN binds NULL */
void db_bind_text(DbStmt *stmt, int index, const char *value); /* NULL binds NULL */
void db_bind_blob(DbStmt *stmt, int index, const void *data, size_t n_bytes);
/* 1: a row is there; 0: done; negative OGPT_E*. A failed bind is reported here. */
int db_step(DbStmt *stmt);
void db_reset(DbStmt *stmt);
/* Columns count from 0; borrowed until the next step. */
int64_t db_column_int(DbStmt *stmt, int column);
double db_column_num(DbStmt *stmt, int column);       /* NULL gives NaN */
const char *db_column_text(DbStmt *stmt, int column); /* NULL gives "" */
const void *db_column_blob(DbStmt *stmt, int column, size_t *n_bytes);
bool db_column_is_null(DbStmt *stmt, int column);
typedef enum DbType { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT /* or a blob */ } DbType;
DbType db_column_type(DbStmt *stmt, int column);
int db_columns(DbStmt *stmt);
const char *db_column_name(DbStmt *stmt, int column);
int64_t db_last_rowid(Db *db);
/* Give unused pages back to the disk, if they are many and most of the file. Not in a transaction.
 * While others use the file, or where the disk has no room for the copy that this takes, it is left
 * as it is; the next one does it. */
int db_compact(Db *db);
/* PRAGMA integrity_check: 0, or OGPT_EFORMAT with the first finding. */
int db_check(Db *db);
const char *db_library_version(void);

#endif
