/* tests/base/test_db.c - opening a database with suspicion, statements, locks, damage. */
#include "tests/base/base_test.h"

#include <math.h>
#include <pthread.h>

#include "base/db.h"

#define APPLICATION_ID 0x6f677074
#define CREATE_SQL "CREATE TABLE t (k INTEGER PRIMARY KEY, x REAL, name TEXT, data BLOB) STRICT"
static const DbSchema schema = {
    .application_id = APPLICATION_ID, .version = 1, .create_sql = CREATE_SQL};

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
        cmocka_unit_test(writers_wait_for_each_other),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
