/* tests/store/test_sql_document.c - docs/SQL.md is true: it names every table and view, and its
 * queries run. */
#include "tests/base/base_test.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "store/runs.h"

static char *document; /* docs/SQL.md */

static sqlite3 *results_open(void)
{
    Store *store = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(store_open(&store, at("sql.db")), 0);
    store_close(store);
    assert_int_equal(sqlite3_open_v2(at("sql.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

/* Whether a query runs; its length is n bytes. */
static bool query_runs(sqlite3 *db, const char *query, size_t n)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, query, (int)n, &statement, NULL);
    bool runs = rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return runs;
}

static void every_query_runs(void **state)
{
    static const char fence[] = "```sql\n";
    sqlite3 *db = results_open();
    int n_queries = 0;
    for (const char *from = document; (from = strstr(from, fence)); n_queries++) {
        const char *query = from + strlen(fence);
        const char *end = strstr(query, "```");
        assert_non_null(end);
        if (!query_runs(db, query, (size_t)(end - query))) {
            fail_msg("docs/SQL.md: %s: %.*s", sqlite3_errmsg(db), (int)(end - query), query);
        }
        from = end + 3;
    }
    assert_int_equal(n_queries, 5);
    /* The twin: a column that nobody has. */
    assert_false(query_runs(db, "SELECT no_such_column FROM runs", 31));
    sqlite3_close(db);
}

static void every_table_and_view_is_named(void **state)
{
    sqlite3 *db = results_open();
    sqlite3_stmt *names = NULL;
    char quoted[80];
    int n_names = 0;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT name FROM sqlite_schema WHERE type IN ('table', "
                                        "'view') AND name NOT LIKE 'sqlite_%'",
                                        -1, &names, NULL),
                     SQLITE_OK);
    for (; sqlite3_step(names) == SQLITE_ROW; n_names++) {
        snprintf(quoted, sizeof(quoted), "`%s`", (const char *)sqlite3_column_text(names, 0));
        if (!strstr(document, quoted)) {
            fail_msg("docs/SQL.md lacks %s", quoted);
        }
    }
    assert_true(n_names > 20);
    sqlite3_finalize(names);
    sqlite3_close(db);
}

static int setup(void **state)
{
    char path[FILES_PATH_MAX];
    FILE *file;
    const char *source = getenv("OGPT_SOURCE");
    snprintf(path, sizeof(path), "%s/docs/SQL.md", source ? source : ".");
    file = fopen(path, "rb");
    document = calloc(1, 65536);
    if (!file || !document || fread(document, 1, 65535, file) == 0) {
        return -1;
    }
    fclose(file);
    return work_create(state);
}

static int teardown(void **state)
{
    free(document);
    return work_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_runs),
        cmocka_unit_test(every_table_and_view_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
