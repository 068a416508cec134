/* tests/store/test_sql_document.c - docs/SQL.md is true: it names every table and view, and its
 * queries run. */
#include "tests/base/base_test.h"

#include <stdlib.h>

#include "store/kinds.h"
#include "store/runs.h"

static char *document; /* docs/SQL.md */

static Db *results_open(void)
{
    Store *store = NULL;
    Db *db = NULL;
    assert_int_equal(store_open(&store, at("sql.db")), 0);
    store_close(store);
    assert_int_equal(db_open(&db, at("sql.db"), DB_READ, &kinds_schema), 0);
    return db;
}

/* Prepare and take the first step: 0 if the query runs and finds nothing. */
static int query_step(Db *db, const char *query)
{
    DbStmt *statement = NULL;
    int rc = db_prepare(&statement, db, query);
    rc = rc ? rc : db_step(statement);
    db_finalize(statement);
    return rc;
}

static void every_query_runs(void **state)
{
    static const char fence[] = "```sql\n";
    Db *db = results_open();
    int n_queries = 0;
    for (char *from = document; (from = strstr(from, fence)); n_queries++) {
        char query[2048];
        char *end = strstr(from += strlen(fence), "```");
        assert_non_null(end);
        snprintf(query, sizeof(query), "%.*s", (int)(end - from), from);
        if (query_step(db, query) != 0) {
            fail_msg("docs/SQL.md: %s", err_message());
        }
        from = end + 3;
    }
    assert_int_equal(n_queries, 5);
    /* The twin: a column that nobody has. */
    assert_int_not_equal(query_step(db, "SELECT no_such_column FROM runs"), 0);
    db_close(db);
}

static void every_table_and_view_is_named(void **state)
{
    Db *db = results_open();
    DbStmt *names = NULL;
    int n_names = 0;
    assert_int_equal(db_prepare(&names, db,
                                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                                "AND name NOT LIKE 'sqlite_%'"),
                     0);
    for (; db_step(names) == 1; n_names++) {
        char quoted[80];
        snprintf(quoted, sizeof(quoted), "`%s`", db_column_text(names, 0));
        if (!strstr(document, quoted)) {
            fail_msg("docs/SQL.md lacks %s", quoted);
        }
    }
    assert_true(n_names > 20);
    db_finalize(names);
    db_close(db);
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
