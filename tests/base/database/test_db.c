/* tests/base/database/test_db.c - opening a database with suspicion, statements, locks, damage. */
#include "tests/base/base_test.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/database/db.h"
#include "tests/there.h"

#define APPLICATION_ID 0x6f677074
#define CREATE_SQL "CREATE TABLE t (k INTEGER PRIMARY KEY, x REAL, name TEXT, data BLOB) STRICT"
static const DbSchema schema = {
    .application_id = APPLICATION_ID, .version = 1, .create_sql = CREATE_SQL, .wal = true};

static Db *db_made(const char *path)
{
    Db *db = NULL;
    assert_int_equal(db_open(&db, path, DB_CREATE, &schema), 0);
    return db;
}

static int64_t count_of(Db *db, const char *sql)
{
    DbStmt *stmt = NULL;
    assert_int_equal(db_prepare(&stmt, db, sql), 0);
    assert_int_equal(db_step(stmt), 1);
    int64_t n = db_column_int(stmt, 0);
    assert_int_equal(db_step(stmt), 0);
    db_finalize(stmt);
    return n;
}

static int open_code(const char *path, DbMode mode, const DbSchema *with)
{
    Db *db = NULL;
    int rc = db_open(&db, path, mode, with);
    assert_true((rc == 0) == !!db);
    db_close(db);
    return rc;
}

static void settings_are_as_promised(void **state)
{
    Db *db = db_made(at("settings.db"));
    DbStmt *stmt = NULL;
    assert_int_equal(count_of(db, "PRAGMA busy_timeout"), 30000);
    assert_int_equal(count_of(db, "PRAGMA synchronous"), 2);
    assert_int_equal(count_of(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(count_of(db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(count_of(db, "PRAGMA cell_size_check"), 1);
    assert_int_equal(count_of(db, "PRAGMA application_id"), APPLICATION_ID);
    assert_int_equal(count_of(db, "PRAGMA user_version"), 1);
    assert_int_equal(count_of(db, "PRAGMA page_size"), 16384);
    assert_int_equal(db_prepare(&stmt, db, "PRAGMA journal_mode"), 0);
    assert_int_equal(db_step(stmt), 1);
    assert_string_equal(db_column_text(stmt, 0), "wal");
    db_finalize(stmt);
    /* Defensive mode: the schema table cannot be written. */
    assert_refused(db_exec(db, "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema"),
                   OGPT_EFORMAT, "settings.db");
    assert_string_equal(db_path(db), at("settings.db"));
    db_close(db);
}

static void values_come_back(void **state)
{
    static const unsigned char bytes[] = {0, 1, 255, 0};
    Db *db = db_made(at("values.db"));
    DbStmt *stmt = NULL;
    size_t n = 0;
    assert_int_equal(db_prepare(&stmt, db, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)"), 0);
    db_bind_int(stmt, 1, INT64_MIN);
    db_bind_num(stmt, 2, 0.1);
    db_bind_text(stmt, 3, "caf\xc3\xa9");
    db_bind_blob(stmt, 4, bytes, sizeof(bytes));
    assert_int_equal(db_step(stmt), 0);
    db_reset(stmt);
    db_bind_int(stmt, 1, 7);
    db_bind_num(stmt, 2, NAN);
    db_bind_text(stmt, 3, NULL);
    assert_int_equal(db_step(stmt), 0);
    assert_int_equal(db_last_rowid(db), 7);
    db_finalize(stmt);

    assert_int_equal(db_prepare(&stmt, db, "SELECT * FROM t ORDER BY k"), 0);
    assert_int_equal(db_columns(stmt), 4);
    assert_string_equal(db_column_name(stmt, 2), "name");
    assert_int_equal(db_step(stmt), 1);
    assert_true(db_column_int(stmt, 0) == INT64_MIN);
    assert_true(db_column_num(stmt, 1) == 0.1);
    assert_string_equal(db_column_text(stmt, 2), "caf\xc3\xa9");
    assert_memory_equal(db_column_blob(stmt, 3, &n), bytes, sizeof(bytes));
    assert_int_equal(n, sizeof(bytes));
    assert_int_equal(db_step(stmt), 1);
    assert_true(isnan(db_column_num(stmt, 1)));
    assert_true(db_column_is_null(stmt, 2));
    assert_string_equal(db_column_text(stmt, 2), "");
    db_column_blob(stmt, 3, &n);
    assert_int_equal(n, 0);
    assert_int_equal(db_step(stmt), 0);
    db_finalize(stmt);
    db_close(db);
}

static void faults_name_file_statement_and_reason(void **state)
{
    Db *db = db_made(at("faults.db"));
    DbStmt *stmt = NULL;
    assert_refused(db_exec(db, "INSERT INTO\n\n   nowhere VALUES (1)"), OGPT_EFORMAT,
                   "\"INSERT INTO nowhere VALUES (1)\"");
    assert_refused(db_prepare(&stmt, db, "SELECT z FROM t"), OGPT_EFORMAT, "no such column: z");
    assert_null(stmt);
    /* STRICT: a text is not accepted as a number. */
    assert_refused(db_exec(db, "INSERT INTO t (x) VALUES ('much')"), OGPT_EFORMAT, "faults.db");
    /* A bind out of range is reported by the step, and forgotten by the reset. */
    assert_int_equal(db_prepare(&stmt, db, "INSERT INTO t (k) VALUES (?1)"), 0);
    db_bind_int(stmt, 2, 1);
    assert_refused(db_step(stmt), OGPT_EFORMAT, "out of range");
    db_reset(stmt);
    db_bind_int(stmt, 1, 1);
    assert_int_equal(db_step(stmt), 0);
    db_finalize(stmt);
    db_close(db);
}

static void transactions_hold_or_vanish(void **state)
{
    Db *db = db_made(at("transactions.db"));
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t (k) VALUES (1)"), 0);
    db_rollback(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t (k) VALUES (1)"), 0);
    assert_int_equal(db_commit(db), 0);
    db_rollback(db); /* without a transaction: nothing happens */
    db_close(db);
    assert_int_equal(db_open(&db, at("transactions.db"), DB_READ, &schema), 0);
    assert_int_equal(count_of(db, "SELECT count(*) FROM t"), 1);
    assert_refused(db_exec(db, "DELETE FROM t"), OGPT_EIO, "readonly");
    db_close(db);
}

static void other_files_are_refused(void **state)
{
    static const DbSchema other = {
        .application_id = APPLICATION_ID + 1, .version = 1, .create_sql = CREATE_SQL};
    static const DbSchema newer = {
        .application_id = APPLICATION_ID, .version = 2, .create_sql = CREATE_SQL};
    char garbage[4096];
    uint32_t id = 0;
    memset(garbage, 'g', sizeof(garbage));
    put("garbage.db", garbage, sizeof(garbage));
    put("empty.db", "", 0);
    db_close(db_made(at("ours.db")));

    assert_refused(open_code(at("missing.db"), DB_READ, &schema), OGPT_EIO, "no such file");
    assert_refused(open_code(at("missing.db"), DB_WRITE, &schema), OGPT_EIO, "no such file");
    assert_refused(open_code(at("no/folder.db"), DB_CREATE, &schema), OGPT_EIO, "cannot open");
    assert_refused(open_code(run_folder, DB_READ, &schema), OGPT_EFORMAT, "a directory");
    assert_refused(open_code("", DB_CREATE, &schema), OGPT_EUSAGE, "empty file name");
    assert_refused(open_code(at("garbage.db"), DB_CREATE, &schema), OGPT_EFORMAT, "not a database");
    assert_refused(open_code(at("empty.db"), DB_READ, &schema), OGPT_EFORMAT, "empty");
    assert_refused(open_code(at("ours.db"), DB_CREATE, &other), OGPT_EFORMAT,
                   "0x6f677075 expected, found 0x6f677074");
    assert_refused(open_code(at("ours.db"), DB_READ, &newer), OGPT_EFORMAT,
                   "schema version 2 expected, found 1");
    db_close(NULL);

    assert_int_equal(db_application_id(&id, at("ours.db")), 0);
    assert_int_equal(id, APPLICATION_ID);
    assert_refused(db_application_id(&id, at("garbage.db")), OGPT_EFORMAT, "not a database");

    Db *db = db_made(at("ours.db"));
    assert_int_equal(db_exec(db, "PRAGMA user_version=2"), 0);
    db_close(db);
    assert_refused(open_code(at("ours.db"), DB_READ, &schema), OGPT_EVERSION, "newer ogpt");
    /* A foreign SQLite file is not changed: no table of ours, no WAL. */
    static const DbSchema foreign = {
        .application_id = 0, .version = 0, .create_sql = "CREATE TABLE theirs (a)"};
    Db *theirs = NULL;
    assert_int_equal(db_open(&theirs, at("theirs.db"), DB_CREATE, &foreign), 0);
    db_close(theirs);
    assert_refused(open_code(at("theirs.db"), DB_CREATE, &schema), OGPT_EFORMAT,
                   "another kind of file");
}

/* A file that a kill left without its tables is completed. */
static void unborn_file_is_created_again(void **state)
{
    put("unborn.db", "", 0);
    Db *db = db_made(at("unborn.db"));
    assert_int_equal(count_of(db, "SELECT count(*) FROM t"), 0);
    db_close(db);
}

static void failed_creation_leaves_nothing(void **state)
{
    static const DbSchema broken = {.application_id = APPLICATION_ID,
                                    .version = 1,
                                    .create_sql = CREATE_SQL "; CREATE TABLE ("};
    assert_refused(open_code(at("broken.db"), DB_CREATE, &broken), OGPT_EFORMAT, "syntax error");
    assert_int_equal(open_code(at("broken.db"), DB_CREATE, &schema), 0);
}

static void database_fill(const char *path)
{
    Db *db = db_made(path);
    DbStmt *stmt = NULL;
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_prepare(&stmt, db, "INSERT INTO t (name) VALUES (?1)"), 0);
    for (int i = 0; i < 4000; i++) {
        db_bind_text(stmt, 1, "a row that fills some pages of the file with its text");
        assert_int_equal(db_step(stmt), 0);
        db_reset(stmt);
    }
    db_finalize(stmt);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(db_check(db), 0);
    db_close(db);
}

/* 0 when the file opens, checks and reads; else the first code. */
static int everything_reads(const char *path)
{
    Db *db = NULL;
    int rc = db_open(&db, path, DB_READ, &schema);
    rc = rc ? rc : db_check(db);
    db_close(db);
    return rc;
}

static void damage_is_found(void **state)
{
    char *data = NULL;
    size_t n = 0;
    database_fill(at("whole.db"));
    assert_int_equal(everything_reads(at("whole.db")), 0);
    assert_int_equal(file_read_all((void **)&data, &n, at("whole.db"), 1 << 24), 0);
    assert_true(n > 5 * 16384);

    put("short.db", data, n / 2);
    assert_int_equal(everything_reads(at("short.db")), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "short.db"));
    /* The header of the table's root page, and of a leaf. */
    for (size_t page = 1; page < 4; page++) {
        data[page * 16384] = (char)(data[page * 16384] ^ 0x5a);
        put("flipped.db", data, n);
        assert_int_equal(everything_reads(at("flipped.db")), OGPT_EFORMAT);
        data[page * 16384] = (char)(data[page * 16384] ^ 0x5a);
    }
    put("flipped.db", data, n);
    assert_int_equal(everything_reads(at("flipped.db")), 0);
    mem_free(data);
}

#define WRITERS 4

static void *writer_run(void *argument)
{
    const char *path = argument;
    Db *db = NULL;
    const char *sanitized = getenv("OGPT_SANITIZED");
    int n = sanitized && strcmp(sanitized, "1") == 0 ? 20 : 100;
    int rc = db_open(&db, path, DB_CREATE, &schema);
    for (int i = 0; rc == 0 && i < n; i++) {
        rc = db_begin(db);
        rc = rc ? rc : db_exec(db, "INSERT INTO t (x) SELECT count(*) FROM t");
        rc = rc ? rc : db_commit(db);
    }
    if (rc != 0) { /* the message belongs to this thread */
        print_error("a writer failed: %s\n", err_message());
    }
    db_close(db);
    return (void *)(intptr_t)(rc ? rc : n);
}

/* Each writer, with a handle of its own, also races to create the file. In a transaction that
 * reads before it writes no two writers may see the same count. */
static void writers_wait_for_each_other(void **state)
{
    pthread_t threads[WRITERS];
    static char path[FILES_PATH_MAX];
    int64_t expected = 0;
    snprintf(path, sizeof(path), "%s", at("writers.db"));
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, writer_run, path), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_true((intptr_t)result > 0);
        expected += (intptr_t)result;
    }
    Db *db = db_made(path);
    assert_int_equal(count_of(db, "SELECT count(*) FROM t"), expected);
    assert_int_equal(count_of(db, "SELECT count(DISTINCT x) FROM t"), expected);
    db_close(db);
}

/* The n-th of our own allocations fails: a code and a message, no leak, and it works again. */
static void out_of_memory_is_reported(void **state)
{
    for (uint64_t n = 1;; n++) {
        Db *db = NULL;
        mem_fail_at(n, 0);
        int rc = db_open(&db, at("memory.db"), DB_CREATE, &schema);
        uint64_t asked = mem_count();
        mem_fail_at(0, 0);
        db_close(db);
        if (asked < n) {
            assert_int_equal(rc, 0);
            assert_true(n > 3);
            return;
        }
        assert_refused(rc, OGPT_ENOMEM, "out of memory");
    }
}

/* A killed writer leaves a journal, which must be applied before anyone reads the file, even
 * read-only. */
static void journal_of_a_killed_writer_is_worked_in(void **state)
{
    static const char *const names[] = {"hot.db", "hot.db-journal"};
    uint32_t id = 0;
    void *data;
    size_t n;
    database_fill(at("writing.db"));
    Db *db = NULL;
    assert_int_equal(db_open(&db, at("writing.db"), DB_WRITE, &schema), 0);
    /* A cache of one page: changed pages go to the file before the transaction ends. */
    assert_int_equal(db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA cache_size=1"), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_exec(db, "UPDATE t SET name = 'changed by one who never committed'"), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            file_read_all(&data, &n, at(i == 0 ? "writing.db" : "writing.db-journal"), 1 << 24), 0);
        put(names[i], data, n);
        mem_free(data);
    }
    db_rollback(db);
    db_close(db);
    /* The twin: without the journal the file has what was never committed, or is damaged. */
    assert_int_equal(file_read_all(&data, &n, at("hot.db"), 1 << 24), 0);
    put("torn.db", data, n);
    mem_free(data);
    int64_t changed = 1;
    if (db_open(&db, at("torn.db"), DB_READ, &schema) == 0) {
        changed = count_of(db, "SELECT count(*) FROM t WHERE name LIKE 'changed%'");
        db_close(db);
    }
    assert_true(changed > 0);

    assert_int_equal(db_application_id(&id, at("hot.db")), 0);
    assert_int_equal(id, APPLICATION_ID);
    assert_int_equal(db_open(&db, at("hot.db"), DB_READ, &schema), 0);
    assert_int_equal(db_check(db), 0);
    assert_int_equal(count_of(db, "SELECT count(*) FROM t WHERE name LIKE 'changed%'"), 0);
    assert_int_equal(count_of(db, "SELECT count(*) FROM t"), 4000);
    db_close(db);
}

/* ---- what lies beside a database ---- */

static void same_bytes(const char *name, const void *data, size_t n)
{
    void *found = NULL;
    size_t n_found = 0;
    assert_int_equal(file_read_all(&found, &n_found, at(name), 1 << 24), 0);
    assert_int_equal(n_found, n);
    assert_memory_equal(found, data, n);
    mem_free(found);
}

static void be32(unsigned char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

/* A journal that SQLite rolls back: one page of 16384 bytes, and at the end, if it is not NULL, the
 * name of a super-journal, which SQLite then deletes. Returns the number of bytes. */
static size_t hot_journal(unsigned char *out, const unsigned char *page, const char *victim)
{
    static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    enum { PAGE = 16384, HEADER = 512 };
    memset(out, 0, HEADER);
    memcpy(out, magic, 8);
    be32(out + 8, 1);  /* records */
    be32(out + 16, 2); /* pages of the database */
    be32(out + 20, HEADER);
    be32(out + 24, PAGE);
    be32(out + HEADER, 1); /* the first page */
    memcpy(out + HEADER + 4, page, PAGE);
    uint32_t sum = 0;
    for (int i = PAGE - 200; i > 0; i -= 200) {
        sum += page[i];
    }
    be32(out + HEADER + 4 + PAGE, sum);
    unsigned char *end = out + HEADER + PAGE + 8;
    if (victim) {
        const size_t n = strlen(victim);
        sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (unsigned char)victim[i];
        }
        be32(end, 0x40000000 / PAGE + 1);
        memcpy(end + 4, victim, n);
        be32(end + 4 + n, (uint32_t)n);
        be32(end + 8 + n, sum);
        memcpy(end + 12 + n, magic, 8);
        end += 20 + n;
    }
    return (size_t)(end - out);
}

static void a_journal_that_names_another_file_is_not_rolled_back(void **state)
{
    static const char *const way[] = {"id", "read", "write", "create"};
    static unsigned char journal[1 << 16];
    char victim[FILES_PATH_MAX];
    void *data = NULL;
    size_t n = 0;
    uint32_t id;
    db_close(db_made(at("hostile.db")));
    assert_int_equal(file_read_all(&data, &n, at("hostile.db"), 1 << 24), 0);
    snprintf(victim, sizeof(victim), "%s", at("thesis.tex"));
    for (int twin = 0; twin < 2; twin++) {
        const size_t length = hot_journal(journal, data, twin ? NULL : victim);
        for (int i = 0; i < 4; i++) {
            put("thesis.tex", "all of it", 9);
            put("hostile.db", data, n);
            put("hostile.db-journal", journal, length);
            int rc = i == 0 ? db_application_id(&id, at("hostile.db"))
                            : open_code(at("hostile.db"), (DbMode)(i - 1), &schema);
            if (twin) { /* our own journal: rolled back, except when only the mark is asked for */
                assert_int_equal(rc, 0);
                assert_int_equal(file_exists(at("hostile.db-journal")), i == 0);
            } else {
                assert_refused(rc, OGPT_EFORMAT, "names another file");
                assert_non_null(strstr(err_message(), victim));
                same_bytes("hostile.db", data, n);
                same_bytes("hostile.db-journal", journal, length);
            }
            if (!file_exists(at("thesis.tex"))) {
                fail_msg("%s, twin %d: the file is gone", way[i], twin);
            }
        }
    }
    /* It appears while the database is open: then SQLite sees it, and must not delete the file. */
    remove(at("hostile.db-journal"));
    Db *db = db_made(at("hostile.db"));
    assert_int_equal(db_exec(db, "PRAGMA journal_mode=DELETE"), 0);
    put("hostile.db-journal", journal, hot_journal(journal, data, victim));
    assert_int_equal(open_code(at("hostile.db"), DB_WRITE, &schema), OGPT_EIO);
    assert_true(file_exists(at("thesis.tex")));
    remove(at("hostile.db-journal"));
    db_close(db);
    mem_free(data);
}

/* A file of the user whose name happens to be that of a journal or a log. */
static void files_with_the_names_of_logs_are_kept(void **state)
{
    static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
    static const char text[] = "my notes, forty bytes of them or a few more";
    for (int i = 0; i < 6; i++) {
        char name[64], path[FILES_PATH_MAX];
        snprintf(name, sizeof(name), "notes%d.db%s", i, suffixes[i / 2]);
        snprintf(path, sizeof(path), "%s/notes%d.db", run_folder, i);
        if (i % 2 == 1) {
            db_close(db_made(path));
        }
        put(name, text, sizeof(text));
        assert_refused(open_code(path, DB_CREATE, &schema), OGPT_EFORMAT, name);
        assert_int_equal(open_code(path, DB_READ, &schema), OGPT_EFORMAT);
        same_bytes(name, text, sizeof(text));
        remove(at(name));
        assert_int_equal(open_code(path, DB_CREATE, &schema), 0); /* the twin */
    }
}

/* A database of another program, with the journal of its killed writer: nothing of it changes. */
static void foreign_databases_are_only_looked_at(void **state)
{
    static unsigned char journal[1 << 16];
    void *data = NULL;
    size_t n = 0;
    uint32_t id = 0;
    for (uint32_t mark = 0; mark < 2; mark++) {
        const DbSchema theirs = {
            .application_id = 77 * mark, .create_sql = "CREATE TABLE theirs (a)", .wal = true};
        char name[64], log[80];
        snprintf(name, sizeof(name), "theirs%u.db", (unsigned)mark);
        assert_int_equal(open_code(at(name), DB_CREATE, &theirs), 0);
        assert_int_equal(file_read_all(&data, &n, at(name), 1 << 24), 0);
        for (int hot = 0; hot < 2; hot++) {
            snprintf(log, sizeof(log), "%s-journal", name);
            const size_t length = hot_journal(journal, data, NULL);
            if (hot) {
                put(log, journal, length);
            }
            for (int mode = DB_READ; mode <= DB_CREATE; mode++) {
                assert_refused(open_code(at(name), (DbMode)mode, &schema), OGPT_EFORMAT,
                               "another kind of file");
            }
            assert_int_equal(db_application_id(&id, at(name)), 0);
            assert_int_equal(id, theirs.application_id);
            same_bytes(name, data, n);
            if (hot) {
                same_bytes(log, journal, length);
            }
            snprintf(log, sizeof(log), "%s-shm", name);
            assert_false(file_exists(at(log)));
        }
        mem_free(data);
    }
}

/* Two names of one file are one file; what is no file is no database. */
static void links_and_devices(void **state)
{
    char path[FILES_PATH_MAX];
    snprintf(path, sizeof(path), "%s", at("linked.db"));
    db_close(db_made(path));
    assert_int_equal(symlink(path, at("link.db")), 0);
    assert_int_equal(symlink("missing-file", at("dangling.db")), 0);
    Db *db = db_made(at("link.db"));
    assert_int_equal(db_exec(db, "INSERT INTO t (k) VALUES (7)"), 0);
    assert_true(file_exists(at("linked.db-wal")));
    db_close(db);
    assert_refused(open_code(at("dangling.db"), DB_CREATE, &schema), OGPT_EIO, "symbolic link");
    assert_refused(open_code("/dev/null", DB_CREATE, &schema), OGPT_EFORMAT, "/dev/null: a device");
    assert_false(file_exists("/dev/null-journal"));
    assert_int_equal(mkfifo(at("pipe.db"), 0600), 0);
    assert_refused(open_code(at("pipe.db"), DB_CREATE, &schema), OGPT_EFORMAT, "a named pipe");
}

/* Without `wal` a file is never left with a log, and opening it for writing changes no byte. */
static void one_writer_needs_no_log(void **state)
{
    const DbSchema plain = {.application_id = 9, .version = 1, .create_sql = CREATE_SQL};
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(open_code(at("plain.db"), DB_CREATE, &plain), 0);
    assert_int_equal(file_read_all(&data, &n, at("plain.db"), 1 << 24), 0);
    assert_int_equal(((unsigned char *)data)[18], 1);
    assert_int_equal(open_code(at("plain.db"), DB_CREATE, &plain), 0);
    same_bytes("plain.db", data, n);
    assert_false(file_exists(at("plain.db-wal")));
    mem_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_as_promised),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(faults_name_file_statement_and_reason),
        cmocka_unit_test(transactions_hold_or_vanish),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(unborn_file_is_created_again),
        cmocka_unit_test(failed_creation_leaves_nothing),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(journal_of_a_killed_writer_is_worked_in),
        cmocka_unit_test(a_journal_that_names_another_file_is_not_rolled_back),
        cmocka_unit_test(files_with_the_names_of_logs_are_kept),
        cmocka_unit_test(foreign_databases_are_only_looked_at),
        cmocka_unit_test(links_and_devices),
        cmocka_unit_test(one_writer_needs_no_log),
        cmocka_unit_test(writers_wait_for_each_other),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
