/* tests/base/database/test_db_sound.c - databases that are unusual and sound: every size of page,
 * freed and moved pages, one page, reserved bytes, and every journal and log that a kill may leave.
 * None is refused. */
#include "tests/base/base_test.h"

#include "base/database/db.h"
#include "base/database/db_internal.h"
#include "tests/there.h"

#define MARK 0x6f677074
#define CREATE_SQL "CREATE TABLE t (k INTEGER PRIMARY KEY, data TEXT) STRICT"
#define ROWS 300
static const DbSchema plain = {.application_id = MARK, .version = 1, .create_sql = CREATE_SQL};
static const DbSchema logged = {
    .application_id = MARK, .version = 1, .create_sql = CREATE_SQL, .wal = true};
static const DbSchema any = {.application_id = MARK, .version = 1, .create_sql = ""};
/* Long enough that some need pages of their own. */
static const char fill[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    " INSERT INTO t SELECT i, hex(zeroblob(i * 3)) FROM n";

static int64_t value_of(Db *db, const char *sql)
{
    DbStmt *stmt = NULL;
    assert_int_equal(db_prepare(&stmt, db, sql), 0);
    assert_int_equal(db_step(stmt), 1);
    int64_t n = db_column_int(stmt, 0);
    db_finalize(stmt);
    return n;
}

static Db *opened(const char *name, DbMode mode, const DbSchema *schema)
{
    Db *db = NULL;
    if (db_open(&db, at(name), mode, schema) != 0) {
        fail_msg("%s, mode %d: %s", name, (int)mode, err_message());
    }
    assert_int_equal(db_exec(db, "PRAGMA synchronous=OFF"), 0); /* the disk need not keep it */
    return db;
}

/* Opens in each mode, first to be read, is whole, and has so many rows. */
static void check_sound(const char *name, const DbSchema *schema, int64_t n_rows)
{
    for (int mode = DB_READ; mode <= DB_CREATE; mode++) {
        Db *db = opened(name, (DbMode)mode, schema);
        if (db_check(db) != 0) {
            fail_msg("%s, mode %d: %s", name, mode, err_message());
        }
        assert_int_equal(value_of(db, "SELECT count(*) FROM t"), n_rows);
        db_close(db);
    }
}

/* An empty table in pages of so many bytes, with SQLite's auto_vacuum (0 none, 1 full, 2 on
 * demand). */
static Db *made(const char *name, int page_bytes, int vacuum)
{
    char sql[128];
    Db *db = opened(name, DB_CREATE, &plain);
    snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; PRAGMA auto_vacuum=%d; VACUUM", page_bytes,
             vacuum);
    assert_int_equal(db_exec(db, sql), 0);
    assert_int_equal(value_of(db, "PRAGMA page_size"), page_bytes);
    assert_int_equal(value_of(db, "PRAGMA auto_vacuum"), vacuum);
    return db;
}

static void copy_file(const char *from, const char *to)
{
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(file_read_all(&data, &n, at(from), 1 << 26), 0);
    put(to, data, n);
    mem_free(data);
}

/* Full, with most pages freed, and with them given back; without and with a log. */
static void every_size_of_page_is_read(void **state)
{
    for (int bytes = 512; bytes <= 65536; bytes *= 2) {
        for (int vacuum = 0; vacuum <= 2; vacuum++) {
            Db *db = made("pages.db", bytes, vacuum);
            assert_int_equal(db_exec(db, fill), 0);
            db_close(db);
            check_sound("pages.db", &plain, ROWS);
            db = opened("pages.db", DB_WRITE, &plain);
            const int64_t n_full = value_of(db, "PRAGMA page_count");
            assert_int_equal(db_exec(db, "DELETE FROM t WHERE k > 3"), 0);
            assert_true((value_of(db, "PRAGMA freelist_count") > 0) == (vacuum != 1));
            assert_true((value_of(db, "PRAGMA page_count") < n_full) == (vacuum == 1));
            db_close(db);
            check_sound("pages.db", &logged, 3); /* from here on with a log */
            db = opened("pages.db", DB_WRITE, &logged);
            assert_int_equal(db_exec(db, "PRAGMA incremental_vacuum; INSERT INTO t VALUES (9, '')"),
                             0);
            copy_file("pages.db",
                      "beside.db"); /* as a kill leaves it: nothing of the log is in it */
            copy_file("pages.db-wal", "beside.db-wal");
            db_close(db);
            check_sound("pages.db", &logged, 4);
            check_sound("beside.db", &logged, 4);
            assert_int_equal(unlink(at("pages.db")), 0);
            assert_int_equal(unlink(at("beside.db")), 0);
        }
    }
}

/* A file of one page has marks and no table. Bytes 20 of its header: so many bytes at the end of
 * each page are somebody else's, such as a checksum. */
static void one_page_and_reserved_bytes(void **state)
{
    for (int bytes = 512; bytes <= 65536; bytes *= 2) {
        for (int reserved = 0; reserved <= 32; reserved += 8) {
            unsigned char *page = NULL;
            size_t n = 0;
            Db *db = opened("one.db", DB_CREATE, &any);
            char sql[64];
            snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; VACUUM", bytes);
            assert_int_equal(db_exec(db, sql), 0);
            assert_int_equal(value_of(db, "PRAGMA page_count"), 1);
            db_close(db);
            assert_int_equal(file_read_all((void **)&page, &n, at("one.db"), 1 << 17), 0);
            assert_int_equal(n, bytes);
            page[20] = (unsigned char)reserved;
            page[105] = (unsigned char)((bytes - reserved) >> 8); /* 65536 is written as 0 */
            page[106] = (unsigned char)(bytes - reserved);
            put("one.db", page, n);
            mem_free(page);
            db = opened("one.db", DB_READ, &any);
            assert_int_equal(db_check(db), 0);
            db_close(db);
            db = opened("one.db", DB_WRITE, &any);
            assert_int_equal(db_exec(db, CREATE_SQL), 0);
            assert_int_equal(db_exec(db, fill), 0);
            db_close(db);
            check_sound("one.db", &plain, ROWS);
            assert_int_equal(unlink(at("one.db")), 0);
        }
    }
}

/* ---- journals ---- */

/* A transaction that changes, frees and gives back pages is cut off before its end. */
static void every_transaction_that_is_cut_off_is_undone(void **state)
{
    for (int bytes = 512; bytes <= 65536; bytes *= 2) {
        for (int vacuum = 0; vacuum <= 2; vacuum++) {
            Db *db = made("live.db", bytes, vacuum);
            assert_int_equal(db_exec(db, fill), 0);
            assert_int_equal(db_exec(db, "DELETE FROM t WHERE k % 3 = 0"), 0);
            /* Changed pages go to the file at once. */
            assert_int_equal(db_exec(db, "PRAGMA cache_size=1; PRAGMA cache_spill=1"), 0);
            assert_int_equal(db_begin(db), 0);
            assert_int_equal(db_exec(db, "PRAGMA incremental_vacuum(3); DELETE FROM t WHERE k > 20;"
                                         "INSERT INTO t VALUES (900, hex(zeroblob(99999)))"),
                             0);
            copy_file("live.db", "hot.db");
            copy_file("live.db-journal", "hot.db-journal");
            db_rollback(db);
            db_close(db);
            check_sound("live.db", &plain, 200);
            check_sound("hot.db", &plain, 200);
            assert_false(file_exists(at("hot.db-journal")));
            assert_int_equal(unlink(at("live.db")), 0);
            assert_int_equal(unlink(at("hot.db")), 0);
        }
    }
}

/* Journals with nothing in them to do: cut anywhere in their header, or finished and kept. */
static void finished_and_cut_journals_change_nothing(void **state)
{
    void *journal = NULL, *data = NULL;
    size_t n = 0, n_data = 0;
    Db *db = made("kept.db", 4096, 0);
    assert_int_equal(db_exec(db, "PRAGMA journal_mode=PERSIST"), 0);
    assert_int_equal(db_exec(db, fill), 0);
    db_close(db);
    assert_int_equal(file_read_all(&journal, &n, at("kept.db-journal"), 1 << 24), 0);
    assert_true(n > 512);
    check_sound("kept.db", &plain, ROWS);
    assert_int_equal(file_read_all(&data, &n_data, at("kept.db"), 1 << 24), 0);
    for (size_t cut = 0; cut <= 40; cut++) {
        put("cut.db", data, n_data);
        put("cut.db-journal", journal, cut); /* its first bytes are zero: it is finished */
        check_sound("cut.db", &plain, ROWS);
    }
    mem_free(journal);
    mem_free(data);
}

/* ---- logs ---- */

/* A log that is empty, zero, of a header alone, cut anywhere, or of an earlier life of the file
 * holds nothing that counts. */
static void logs_without_a_commit_count_for_nothing(void **state)
{
    enum { HEADER = 32, FRAME = 24 + 16384 };
    static const size_t cuts[] = {
        0, 1, 3, 4, 31, HEADER, HEADER + 1, HEADER + 24, HEADER + FRAME - 1};
    static const unsigned char zeros[100];
    unsigned char *log = NULL;
    void *data = NULL;
    size_t n = 0, n_data = 0;
    Db *db = opened("log.db", DB_CREATE, &logged);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (1, 'in the file'); PRAGMA wal_checkpoint"),
                     0);
    assert_int_equal(file_read_all(&data, &n_data, at("log.db"), 1 << 24), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (2, 'in the log')"), 0);
    assert_int_equal(file_read_all((void **)&log, &n, at("log.db-wal"), 1 << 24), 0);
    db_close(db);
    assert_true(n >= HEADER + FRAME);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        put("log2.db", data, n_data);
        put("log2.db-wal", log, cuts[i]);
        check_sound("log2.db", &logged, 1);
    }
    put("log2.db", data, n_data);
    put("log2.db-wal", zeros, sizeof(zeros));
    check_sound("log2.db", &logged, 1);
    put("log2.db", data, n_data);
    put("log2.db-wal", log, n); /* the twin: it counts */
    check_sound("log2.db", &logged, 2);
    put("log2.db-wal", "\x37\x7f\x07", 3); /* and this is no log */
    Db *none = NULL;
    assert_refused(db_open(&none, at("log2.db"), DB_READ, &logged), OGPT_EFORMAT,
                   "not a write-ahead log of SQLite");
    log[HEADER + 8] ^= 1; /* a salt of the first frame: it belongs to another log */
    put("log2.db", data, n_data);
    put("log2.db-wal", log, n);
    check_sound("log2.db", &logged, 1);
    mem_free(log);
    mem_free(data);
}

/* ---- the bound itself ---- */

/* Whatever is there may be claimed; below a million pages so may anything. */
static void claims_of_what_is_there_stand(void **state)
{
    for (uint64_t bytes = 512; bytes <= 65536; bytes *= 2) {
        for (uint64_t n = 1; n < 1ULL << 32; n = 3 * n + 1) {
            assert_false(db__pages_claimed(n, n * bytes, bytes));
            assert_false(db__pages_claimed(n, n / 16 * bytes + bytes, bytes));
        }
        assert_false(db__pages_claimed(1 << 20, 0, bytes));
        assert_true(db__pages_claimed((1 << 20) + 1, 0, bytes));
        assert_true(db__pages_claimed(UINT32_MAX, ((uint64_t)UINT32_MAX / 16 - 1) * bytes, bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_page_is_read),
        cmocka_unit_test(one_page_and_reserved_bytes),
        cmocka_unit_test(every_transaction_that_is_cut_off_is_undone),
        cmocka_unit_test(finished_and_cut_journals_change_nothing),
        cmocka_unit_test(logs_without_a_commit_count_for_nothing),
        cmocka_unit_test(claims_of_what_is_there_stand),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
