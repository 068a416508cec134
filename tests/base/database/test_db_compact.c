/* tests/base/database/test_db_compact.c - unused pages go back to the disk; where it has no room
 * for the copy that this takes, the file stays as it is, and that is no failure. */
#include "tests/base/base_test.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/database/db.h"

static const DbSchema schema = {.application_id = 7,
                                .version = 1,
                                .create_sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
                                .wal = true};

static void no_room_is_no_failure(void **state)
{
    struct rlimit plenty, none;
    Db *db = NULL;
    uint64_t size[3];
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &plenty), 0);
    none = (struct rlimit){.rlim_cur = 1000, .rlim_max = plenty.rlim_max};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_open(&db, at("t.db"), DB_CREATE, &schema), 0);
        if (i == 0) {
            assert_int_equal(
                db_exec(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE "
                            "x < 100) INSERT INTO t SELECT x, hex(zeroblob(8000)) FROM c;"
                            " DELETE FROM t WHERE id > 1"),
                0);
        } else {
            assert_int_equal(setrlimit(RLIMIT_FSIZE, i == 1 ? &none : &plenty), 0);
            int rc = db_compact(db);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &plenty), 0);
            assert_int_equal(rc, 0);
        }
        assert_int_equal(db_check(db), 0);
        db_close(db);
        assert_int_equal(file_size(&size[i], at("t.db")), 0);
    }
    assert_int_equal(size[1], size[0]);
    assert_true(size[2] < size[0] / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_room_is_no_failure)};
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
