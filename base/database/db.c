/* base/database/db.c - databases: opening, statements, transactions.
 *
 * Order matters when opening: the file and what lies beside it are looked at first (db_look.c);
 * busy_timeout comes first of all that SQLite is told, so that everything after it waits for
 * another process; a handle that can only read proves that the file is ours (db_schema.c); only
 * then is it opened for writing. Writers take the write lock at BEGIN (IMMEDIATE), because a reader
 * that turns into a writer later is refused at once, without the timeout.
 */
#include "base/database/db.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/database/db_internal.h"
#include "base/err.h"
#include "base/process.h"

#define BUSY_TIMEOUT_MS 30000
#define SQL_SHOWN 160                        /* characters of a statement in a message */
#define VALUE_BYTES_MAX (1 << 28)            /* a larger text or blob in a file is damage */
#define COMPACT_PAGES 32                     /* unused ones that are worth the work */
#define NAME_BYTES (3 * FILES_PATH_MAX + 32) /* a path as a URI */
#define PAGE_BYTES "16384"                   /* corpus blocks of 60 KB take four pages */

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

/* The system's error of the last failed read of a file, 0 if there was none. */
static int read_errno(sqlite3_file *file)
{
    int found = 0;
    if (file && file->pMethods) {
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &found);
    }
    return found;
}

/* SQLite calls a file damaged that the disk failed to read. The error of the system, or 0 if the
 * file could be read and is what it says. */
static int failed_read(const Db *db, int sqlite_code)
{
    sqlite3_file *data = NULL, *log = NULL;
    const int code = sqlite_code & 0xff;
    if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB) {
        return 0;
    }
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &data);
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    const int of_data = read_errno(data), of_log = read_errno(log);
    const int found = of_data ? of_data : of_log;
    return found == EIO || found == ENXIO || found == ERANGE ? found : 0;
}

int db__fail(const Db *db, int sqlite_code, const char *sql)
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
    const int failed = failed_read(db, sqlite_code);
    if (failed != 0) {
        return err_set(OGPT_EIO, "%s: cannot be read: %s (statement \"%s\"); check the disk",
                       db->path, strerror(failed), shown);
    }
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
            return db__fail(db, rc, sql);
        }
        sqlite3_sleep(5);
    }
}

static int id_refuse(const char *path, uint32_t found, const DbSchema *schema)
{
    return err_set(OGPT_EFORMAT,
                   "%s: application id 0x%08x expected, found 0x%08x: this is another kind of "
                   "file; check the path",
                   path, (unsigned)schema->application_id, (unsigned)found);
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
        return id_refuse(db->path, (uint32_t)application_id, schema);
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

/* As schema_compare, and the tables too, in a transaction of its own: nothing may change between.
 * After a failure db_close ends the transaction, so that the caller still finds SQLite's error
 * code. */
static int schema_check(bool *is_new, Db *db, const DbSchema *schema)
{
    int rc = db_exec(db, "BEGIN");
    rc = rc ? rc : schema_compare(is_new, db, schema);
    rc = rc || *is_new ? rc : db__objects_check(db, schema);
    return rc ? rc : db_exec(db, "COMMIT");
}

/* Create the tables, before there is a write-ahead log: then the mark of a file that has a log is
 * in the file itself. The check is repeated under the write lock, because another process may have
 * created them since. */
static int schema_create(Db *db, const DbSchema *schema)
{
    char marks[96];
    snprintf(marks, sizeof(marks), "PRAGMA application_id=%u; PRAGMA user_version=%d",
             (unsigned)schema->application_id, schema->version);
    bool is_new = false;
    /* The page size can only be chosen before the first page is written. */
    int rc = db_exec(db, "PRAGMA page_size=" PAGE_BYTES);
    rc = rc ? rc : db_begin(db);
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

/* The file as a URI: only a URI can say that the file is immutable, and in one no name, such as
 * ":memory:", has a meaning of its own. */
static void name_of(char out[NAME_BYTES], const char *real, bool immutable)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = (size_t)snprintf(out, NAME_BYTES, "file:%s", real[0] == '/' ? "//" : "");
    for (const char *c = real; *c != '\0'; c++) {
        const bool plain = !strchr("%?#", *c);
        out[n] = plain ? *c : '%';
        if (!plain) {
            out[++n] = digits[*c >> 4];
            out[++n] = digits[*c & 15];
        }
        n++;
    }
    snprintf(out + n, NAME_BYTES - n, "%s", immutable ? "?immutable=1" : "");
}

/* Open the file without looking into it. `immutable`: nobody can change it meanwhile, so SQLite
 * needs no lock and no file beside it. */
static int handle_open(Db **out, const char *path, const DbLook *look, DbMode mode, bool immutable)
{
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    *out = NULL;
    const char *vfs = db__vfs();
    Db *db = mem_calloc(1, sizeof(*db), "a database handle");
    if (!db) {
        return OGPT_ENOMEM;
    }
    snprintf(db->path, sizeof(db->path), "%s", path);
    snprintf(db->real, sizeof(db->real), "%s", look->real);
    db->application_id = look->application_id;
    db->device = look->device;
    db->inode = look->inode;
    db__enlist(db);
    char name[NAME_BYTES];
    name_of(name, look->real, immutable);
    int opened = !vfs ? SQLITE_NOMEM
                      : sqlite3_open_v2(name, &db->handle,
                                        flags[mode] | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI |
                                            SQLITE_OPEN_NOFOLLOW,
                                        vfs);
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
 * reads, but refuses to do so for a reader (SQLITE_READONLY). So the file, which is ours by its
 * mark, is opened once for writing; the first read applies it. */
static int leftovers_recover(const char *path, const DbLook *look)
{
    Db *db = NULL;
    int64_t id;
    int rc = handle_open(&db, path, look, DB_WRITE, false);
    rc = rc ? rc : handle_harden(db);
    rc = rc ? rc : query_int(&id, db, "PRAGMA application_id");
    db_close(db);
    return rc;
}

/* Open for reading and compare marks and tables. *code: SQLite's, extended, after a failure. */
static int reader_open(Db **out, bool *is_new, int *code, const char *path, const DbLook *look,
                       const DbSchema *schema, bool immutable)
{
    *code = SQLITE_OK;
    int rc = handle_open(out, path, look, DB_READ, immutable);
    rc = rc ? rc : handle_harden(*out);
    rc = rc ? rc : schema_check(is_new, *out, schema);
    if (rc != 0) {
        *code = *out ? sqlite3_extended_errcode((*out)->handle) : SQLITE_OK;
        db_close(*out);
        *out = NULL;
    }
    return rc;
}

static int not_a_database(const char *path)
{
    return err_set(OGPT_EFORMAT, "%s: file is not a database; %s", path, advice_of(SQLITE_NOTADB));
}

/* Whether the file may be opened at all, by what its bytes say. */
static int look_judge(const DbLook *look, const char *path, DbMode mode, const DbSchema *schema)
{
    if (look->missing && mode != DB_CREATE) {
        return err_set(OGPT_EIO, "%s: no such file; check the path", path);
    }
    if (mode != DB_CREATE && (look->n_bytes == 0 || (look->is_unborn && !look->is_database))) {
        return err_set(OGPT_EFORMAT, "%s: empty: no tables in it; check the path", path);
    }
    if (look->n_bytes == 0 || look->open_here) {
        return 0;
    }
    if (!look->is_database) {
        return look->is_unborn ? 0 : not_a_database(path);
    }
    /* SQLite keeps journals by name: a writer by one name would not see those of another. */
    if (mode != DB_READ && look->n_names > 1) {
        return err_set(OGPT_EUSAGE,
                       "%s: has %llu names (hard links), of which only one could be written to "
                       "safely; remove the others, or write to a copy",
                       path, (unsigned long long)look->n_names);
    }
    /* Without a mark: a file that a process is making just now, or a foreign one. A reader can find
     * out which without a trace, but not if SQLite must make a log for it. */
    return look->application_id == schema->application_id ||
                   (look->application_id == 0 && !look->is_wal)
               ? 0
               : id_refuse(path, look->application_id, schema);
}

/* Whether SQLite could not make a log because the folder is not to be written to: a device that is
 * only read, or somebody else's folder. */
static bool folder_is_closed(int code)
{
    return (code & 0xff) == SQLITE_CANTOPEN || code == SQLITE_READONLY_DIRECTORY ||
           code == SQLITE_READONLY_CANTINIT;
}

/* A handle that can only read, on a file that is ours. */
static int file_prove(Db **out, bool *is_new, const char *path, const DbLook *look, DbMode mode,
                      const DbSchema *schema)
{
    int code;
    int rc = reader_open(out, is_new, &code, path, look, schema, false);
    const bool ours =
        look->application_id == schema->application_id || (look->is_unborn && mode == DB_CREATE);
    if (rc != 0 && folder_is_closed(code) && look->is_wal && !look->has_wal) {
        /* No log can be made, and nobody has one. */
        rc = reader_open(out, is_new, &code, path, look, schema, true);
    } else if (rc != 0 && (code & 0xff) == SQLITE_READONLY && ours) {
        rc = leftovers_recover(path, look);
        rc = rc ? rc : reader_open(out, is_new, &code, path, look, schema, false);
    } else if (rc != 0 && (code & 0xff) == SQLITE_READONLY) {
        rc = id_refuse(path, look->application_id, schema); /* a foreign one, with its journal */
    }
    if (rc == 0 && *is_new && mode != DB_CREATE) {
        rc = err_set(OGPT_EFORMAT, "%s: empty: no tables in it; check the path", path);
    }
    return rc;
}

/* Open a file that is ours, or new, for writing. */
static int writer_open(Db **out, const char *path, const DbLook *look, DbMode mode,
                       const DbSchema *schema, bool is_new)
{
    int rc = handle_open(out, path, look, mode, false);
    rc = rc ? rc : handle_harden(*out);
    if (rc == 0 && sqlite3_db_readonly((*out)->handle, "main") != 0) {
        rc = err_set(OGPT_EIO, "%s: not writable; check the permissions", path);
    }
    rc = rc ? rc : db_exec(*out, "PRAGMA synchronous=FULL");
    if (rc == 0 && is_new) {
        rc = schema_create(*out, schema);
    }
    if (rc == 0) {
        (*out)->application_id = schema->application_id;
    }
    return rc || !schema->wal ? rc : journal_to_wal(*out);
}

int db_open(Db **out, const char *path, DbMode mode, const DbSchema *schema)
{
    DbLook look;
    bool is_new = true;
    *out = NULL;
    if (path[0] == '\0') {
        return err_set(OGPT_EUSAGE, "empty file name: give the path of a database file");
    }
    int rc = db__look(&look, path);
    rc = rc ? rc : look_judge(&look, path, mode, schema);
    if (rc == 0 && look.n_bytes > 0) {
        rc = file_prove(out, &is_new, path, &look, mode, schema);
    }
    if (rc == 0 && mode != DB_READ) {
        db_close(*out);
        *out = NULL;
        rc = writer_open(out, path, &look, mode, schema, is_new);
    }
    if (rc != 0) {
        db_close(*out);
        *out = NULL;
    }
    return rc;
}

int db_application_id(uint32_t *out, const char *path)
{
    DbLook look;
    *out = 0;
    int rc = db__look(&look, path);
    if (rc == 0 && look.missing) {
        return err_set(OGPT_EIO, "%s: no such file; check the path", path);
    }
    if (rc == 0 && !look.is_database && !look.open_here && look.n_bytes > 0 && !look.is_unborn) {
        rc = not_a_database(path);
    }
    *out = rc == 0 ? look.application_id : 0;
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
    db__delist(db);
    mem_free(db);
}

const char *db_path(const Db *db)
{
    return db->path;
}

int db_exec(Db *db, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db__fail(db, rc, sql);
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

int db_compact(Db *db)
{
    int64_t n_free = 0, n_pages = 0;
    int rc = query_int(&n_free, db, "PRAGMA freelist_count");
    rc = rc ? rc : query_int(&n_pages, db, "PRAGMA page_count");
    if (rc != 0 || n_free < COMPACT_PAGES || 2 * n_free < n_pages) {
        return rc;
    }
    sqlite3_busy_timeout(db->handle, 0);
    rc = db_exec(db, "VACUUM");
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    return rc == OGPT_ELOCKED || rc == OGPT_EIO ? 0 : rc;
}

/* integrity_check takes a bit of memory for every page, and a log may claim four thousand million:
 * half a gigabyte. */
static int pages_check(Db *db)
{
    const char *path = sqlite3_db_filename(db->handle, "main"); /* behind links */
    const char *log = sqlite3_filename_wal(path);
    PathKind kind = PATH_MISSING;
    int64_t n_pages = 0, page_bytes = 1;
    uint64_t n_bytes = 0, log_bytes = 0;
    int rc = query_int(&n_pages, db, "PRAGMA page_count");
    rc = rc ? rc : query_int(&page_bytes, db, "PRAGMA page_size");
    rc = rc ? rc : file_size(&n_bytes, path);
    rc = rc ? rc : path_kind(&kind, log);
    if (rc == 0 && kind != PATH_MISSING) {
        rc = file_size(&log_bytes, log);
    }
    if (rc == 0 &&
        db__pages_claimed((uint64_t)n_pages, n_bytes + log_bytes, (uint64_t)page_bytes)) {
        rc = err_set(OGPT_EFORMAT, "%s: damaged: says that it has %lld pages, there are %llu",
                     db->path, (long long)n_pages,
                     (unsigned long long)((n_bytes + log_bytes) / (uint64_t)page_bytes));
    }
    return rc;
}

int db_check(Db *db)
{
    DbStmt *stmt = NULL;
    int rc = pages_check(db);
    rc = rc ? rc : db_prepare(&stmt, db, "PRAGMA integrity_check(1)");
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
