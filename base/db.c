/* base/db.c - the one file that speaks to SQLite.
 *
 * Order matters when opening: busy_timeout comes first, so that everything after it waits for
 * another process; the file is proved to be ours before anything in it is changed; only then
 * is it switched to WAL. Writers take the write lock at BEGIN (IMMEDIATE), because a reader
 * that turns into a writer later is refused at once, without the timeout.
 */
#include "base/db.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"

#define BUSY_TIMEOUT_MS 30000
#define SQL_SHOWN 160             /* characters of a statement in a message */
#define VALUE_BYTES_MAX (1 << 28) /* a larger text or blob in a file is damage */
#define PAGE_BYTES "16384"        /* corpus blocks of 60 KB take four pages */

struct Db {
    sqlite3 *handle;
    char path[FILES_PATH_MAX];
};

struct DbStmt {
    sqlite3_stmt *handle;
    Db *db;
    int bind_code; /* first failed bind, reported by db_step */
};

static int code_of(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return OGPT_ELOCKED;
    case SQLITE_NOMEM: return OGPT_ENOMEM;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL: return OGPT_EIO;
    default: return OGPT_EFORMAT; /* damaged pages, missing tables, broken constraints */
    }
}

/* What to do about an error, as the end of its message. ogpt verify prints it, too. */
static const char *advice_of(int sqlite_code)
{
    if ((sqlite_code & 0xff) == SQLITE_NOTADB) {
        return "this is another kind of file, or damaged at its beginning: name another";
    }
    switch (code_of(sqlite_code)) {
    case OGPT_ELOCKED: return "another process is writing; try again when it is done";
    case OGPT_ENOMEM: return "free some memory";
    case OGPT_EIO: return "check the disk space and the permissions";
    default:
        return "the file is damaged ('ogpt verify' lists how): use another copy, or make it again";
    }
}

/* Set the message for a failed call: file, statement, SQLite's reason, what to do. */
static int db_fail(const Db *db, int sqlite_code, const char *sql)
{
    char shown[SQL_SHOWN + 4];
    size_t length = 0;
    for (const char *c = sql; *c != '\0' && length < SQL_SHOWN; c++) {
        bool blank = isspace((unsigned char)*c);
        if (!blank || (length > 0 && shown[length - 1] != ' ')) {
            shown[length++] = blank ? ' ' : *c;
        }
    }
    memcpy(shown + length, length == SQL_SHOWN ? "..." : "", length == SQL_SHOWN ? 4 : 1);
    /* A failed bind leaves no message in the handle, so its code is put in words instead. */
    bool in_handle = sqlite3_extended_errcode(db->handle) == sqlite_code;
    const char *reason = in_handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(sqlite_code);
    return err_set(code_of(sqlite_code), "%s: %s (statement \"%s\"); %s", db->path, reason, shown,
                   advice_of(sqlite_code));
}

/* First column of the first row of a statement. */
static int query_int(int64_t *out, Db *db, const char *sql)
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, db, sql);
    if (rc != 0) {
        return rc;
    }
    rc = db_step(stmt);
    if (rc == 1) {
        *out = db_column_int(stmt, 0);
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: \"%s\" gave no row", db->path, sql);
    }
    db_finalize(stmt);
    return rc;
}

/* WAL survives in the file header, so this costs nothing on the second open. Two processes
 * that switch the same new file at once can be refused without the busy timeout (SQLite sees
 * a deadlock), hence the loop with the same limit. */
static int journal_to_wal(Db *db)
{
    const char *sql = "PRAGMA journal_mode=WAL";
    double start = clock_seconds();
    for (;;) {
        int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
        if (rc == SQLITE_OK) {
            return 0;
        }
        bool late = clock_seconds() - start > BUSY_TIMEOUT_MS / 1000.0;
        if (code_of(rc) != OGPT_ELOCKED || late) {
            return db_fail(db, rc, sql);
        }
        sqlite3_sleep(5);
    }
}

/* *is_new: the file is empty, or an SQLite file without a table and without a mark, as a process
 * leaves it that is killed between creating the file and creating the tables. Call it in a
 * transaction: another process may be creating the tables, so marks and tables must be read at one
 * moment. */
static int schema_compare(bool *is_new, Db *db, const DbSchema *schema)
{
    int64_t application_id = 0;
    int64_t version = 0;
    int64_t n_objects = 0;
    int rc = query_int(&application_id, db, "PRAGMA application_id");
    rc = rc ? rc : query_int(&version, db, "PRAGMA user_version");
    rc = rc ? rc : query_int(&n_objects, db, "SELECT count(*) FROM sqlite_schema");
    if (rc != 0) {
        return rc;
    }
    *is_new = application_id == 0 && version == 0 && n_objects == 0;
    if (*is_new) {
        return 0;
    }
    if ((uint32_t)application_id != schema->application_id) {
        return err_set(OGPT_EFORMAT,
                       "%s: application id 0x%08x expected, found 0x%08x: this is another kind "
                       "of file; check the path",
                       db->path, (unsigned)schema->application_id, (unsigned)application_id);
    }
    if (version > schema->version) {
        return err_set(OGPT_EVERSION,
                       "%s: schema version %lld, this program knows up to %d: it was written by "
                       "a newer ogpt; use that one",
                       db->path, (long long)version, schema->version);
    }
    if (version < (schema->oldest > 0 ? schema->oldest : schema->version)) {
        return err_set(OGPT_EFORMAT,
                       "%s: schema version %d expected, found %lld, which was never released",
                       db->path, schema->version, (long long)version);
    }
    return 0;
}

/* As schema_compare, in a transaction of its own. After a failure db_close ends the transaction, so
 * that the caller still finds SQLite's error code. */
static int schema_check(bool *is_new, Db *db, const DbSchema *schema)
{
    int rc = db_exec(db, "BEGIN");
    rc = rc ? rc : schema_compare(is_new, db, schema);
    return rc ? rc : db_exec(db, "COMMIT");
}

/* Create the tables. The check is repeated under the write lock, because another process may have
 * created them since. */
static int schema_create(Db *db, const DbSchema *schema)
{
    char marks[96];
    snprintf(marks, sizeof(marks), "PRAGMA application_id=%u; PRAGMA user_version=%d",
             (unsigned)schema->application_id, schema->version);
    bool is_new = false;
    int rc = db_begin(db);
    if (rc != 0) {
        return rc;
    }
    rc = schema_compare(&is_new, db, schema);
    if (rc == 0 && is_new) {
        rc = db_exec(db, schema->create_sql);
        rc = rc ? rc : db_exec(db, marks);
    }
    rc = rc ? rc : db_commit(db);
    if (rc != 0) {
        db_rollback(db);
    }
    return rc;
}

/* Settings that protect this process from a hostile or damaged file. */
static int handle_harden(Db *db)
{
    assert(db);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    return db_exec(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA foreign_keys=ON");
}

static int file_prepare(Db *db, DbMode mode, const DbSchema *schema)
{
    bool is_new = false;
    int rc = handle_harden(db);
    rc = rc ? rc : schema_check(&is_new, db, schema);
    if (rc != 0) {
        return rc;
    }
    if (is_new && mode != DB_CREATE) {
        return err_set(OGPT_EFORMAT, "%s: empty: no tables in it; check the path", db->path);
    }
    if (mode == DB_READ) {
        return 0;
    }
    if (sqlite3_db_readonly(db->handle, "main") != 0) {
        return err_set(OGPT_EIO, "%s: not writable; check the permissions", db->path);
    }
    /* The page size can only be chosen before the first page is written. */
    if (is_new) {
        rc = db_exec(db, "PRAGMA page_size=" PAGE_BYTES);
    }
    rc = rc ? rc : journal_to_wal(db);
    rc = rc ? rc : db_exec(db, "PRAGMA synchronous=FULL");
    if (rc == 0 && is_new) {
        rc = schema_create(db, schema);
    }
    return rc;
}

/* Open the file without looking into it. */
static int handle_open(Db **out, const char *path, DbMode mode)
{
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    *out = NULL;
    if (path[0] == '\0') {
        return err_set(OGPT_EUSAGE, "empty file name: give the path of a database file");
    }
    if (dir_exists(path)) {
        return err_set(OGPT_EFORMAT, "%s: a directory, not a database file", path);
    }
    if (mode != DB_CREATE && !file_exists(path)) {
        return err_set(OGPT_EIO, "%s: no such file; check the path", path);
    }
    Db *db = mem_calloc(1, sizeof(*db), "a database handle");
    if (!db) {
        return OGPT_ENOMEM;
    }
    /* "./" keeps SQLite from giving names like ":memory:" a meaning of their own. */
    char name[FILES_PATH_MAX + 2];
    snprintf(name, sizeof(name), "%s%s", path[0] == '/' ? "" : "./", path);
    snprintf(db->path, sizeof(db->path), "%s", path);
    int opened = sqlite3_open_v2(name, &db->handle, flags[mode] | SQLITE_OPEN_EXRESCODE, NULL);
    if (opened != SQLITE_OK) {
        int system_errno = db->handle ? sqlite3_system_errno(db->handle) : 0;
        int rc =
            err_set(code_of(opened), "%s: cannot open: %s%s%s", path, sqlite3_errstr(opened),
                    system_errno != 0 ? ": " : "", system_errno != 0 ? strerror(system_errno) : "");
        db_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

/* A killed writer may leave a journal or a log next to the file. SQLite must apply it before anyone
 * reads, but refuses to do so for a reader (SQLITE_READONLY). So the file is opened once for
 * writing; the first read applies it. */
static int leftovers_recover(const char *path)
{
    Db *db = NULL;
    int64_t id;
    int rc = handle_open(&db, path, DB_WRITE);
    rc = rc ? rc : handle_harden(db);
    rc = rc ? rc : query_int(&id, db, "PRAGMA application_id");
    db_close(db);
    return rc;
}

static bool needs_recovery(const Db *db, DbMode mode)
{
    return db && mode == DB_READ && (sqlite3_errcode(db->handle) & 0xff) == SQLITE_READONLY;
}

int db_open(Db **out, const char *path, DbMode mode, const DbSchema *schema)
{
    int rc = handle_open(out, path, mode);
    rc = rc ? rc : file_prepare(*out, mode, schema);
    if (rc != 0 && needs_recovery(*out, mode)) {
        db_close(*out);
        *out = NULL;
        rc = leftovers_recover(path);
        rc = rc ? rc : handle_open(out, path, mode);
        rc = rc ? rc : file_prepare(*out, mode, schema);
    }
    if (rc != 0) {
        db_close(*out);
        *out = NULL;
    }
    return rc;
}

int db_refuse_foreign(Db *db, const char *allowed)
{
    char sql[2048];
    DbStmt *stmt = NULL;
    snprintf(sql, sizeof(sql),
             "SELECT type, name FROM sqlite_schema WHERE (type IN ('view', 'trigger') AND NOT (%s))"
             " OR (type = 'table' AND rootpage = 0) LIMIT 1",
             allowed);
    int rc = db_prepare(&stmt, db, sql);
    rc = rc ? rc : db_step(stmt);
    if (rc == 1) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: holds a foreign %s '%.60s', which no ogpt makes; use another copy",
                     db->path, db_column_text(stmt, 0), db_column_text(stmt, 1));
    }
    db_finalize(stmt);
    return rc;
}

static int application_id_read(int64_t *id, bool *recover, const char *path)
{
    Db *db = NULL;
    int rc = handle_open(&db, path, DB_READ);
    rc = rc ? rc : handle_harden(db);
    rc = rc ? rc : query_int(id, db, "PRAGMA application_id");
    *recover = rc != 0 && needs_recovery(db, DB_READ);
    db_close(db);
    return rc;
}

int db_application_id(uint32_t *out, const char *path)
{
    int64_t id = 0;
    bool recover;
    int rc = application_id_read(&id, &recover, path);
    if (recover) {
        rc = leftovers_recover(path);
        rc = rc ? rc : application_id_read(&id, &recover, path);
    }
    *out = (uint32_t)id;
    return rc;
}

void db_close(Db *db)
{
    if (!db) {
        return;
    }
    int rc = sqlite3_close(db->handle);
    assert(rc == SQLITE_OK); /* else a statement was not finalised */
    (void)rc;
    mem_free(db);
}

const char *db_path(const Db *db)
{
    return db->path;
}

int db_exec(Db *db, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, sql);
}

int db_begin(Db *db)
{
    return db_exec(db, "BEGIN IMMEDIATE");
}

int db_commit(Db *db)
{
    return db_exec(db, "COMMIT");
}

void db_rollback(Db *db)
{
    /* A failed COMMIT may have rolled back already; a second one must not hide the message. */
    if (sqlite3_get_autocommit(db->handle) == 0) {
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

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
        return db_fail(db, rc, sql);
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
    return rc == SQLITE_DONE ? 0 : db_fail(stmt->db, rc, sqlite3_sql(stmt->handle));
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

int db_check(Db *db)
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, db, "PRAGMA integrity_check(1)");
    rc = rc ? rc : db_step(stmt);
    if (rc == 1) {
        const char *finding = db_column_text(stmt, 0);
        rc = 0;
        if (strcmp(finding, "ok") != 0) {
            rc = err_set(OGPT_EFORMAT, "%s: damaged: %s", db->path, finding);
        }
    }
    db_finalize(stmt);
    return rc;
}

const char *db_library_version(void)
{
    return sqlite3_libversion();
}
