/* tests/report/test_table_long.c - a table whose rows lie on the disk gives what one in memory
 * gives, and says what went wrong. */
#include "tests/base/base_test.h"
#include "tests/there.h"

#include <math.h>

#include "report/csv.h"

static const Column long_columns[] = {{"number", .type = COLUMN_NUMBER},
                                      {"text", .type = COLUMN_TEXT},
                                      {"own", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED}};
static const TableSpec long_list = {"long_list", "long_kind", TABLE_COLUMNS(long_columns)};

/* Rows that need digits, null and escapes; a text of `length` letters. */
static void long_fill(Table *table, size_t n, size_t length)
{
    char *text = mem_calloc(length + 1, 1, "text");
    memset(text, 'x', length);
    for (size_t i = 0; i < n; i++) {
        table_row(table);
        table_num(table, "number", i % 7 == 0 ? NAN : 1.0 / (double)(i + 1));
        table_text(table, "text", i % 5 == 0 ? "a \"quoted\" text\n" : text);
        table_int(table, "own", (int64_t)i);
    }
    mem_free(text);
}

/* A long table has the rows of a table in memory, block by block, and as CSV. */
static void long_tables_have_the_same_rows(void **state)
{
    enum { ROWS = 2 * TABLE_BLOCK_ROWS + 3 };
    Table plain, longer;
    table_init(&plain, &long_list);
    table_init_long(&longer, &long_list);
    long_fill(&plain, ROWS, 3);
    long_fill(&longer, ROWS, 3);
    assert_true(longer.hidden && longer.undocumented && !plain.hidden);
    assert_int_equal(table_rows(&longer), ROWS);
    assert_int_equal(js_length(longer.rows), 3); /* what is in memory */
    assert_int_equal(table_check(&longer), 0);
    assert_int_equal(table_blocks(&plain), 1);
    assert_int_equal(table_blocks(&longer), 3);
    Js *all = NULL, *joined = js_array(), *rows = NULL;
    assert_int_equal(table_stored(&all, &plain, 0), 0);
    for (size_t block = 0; block < 3; block++) {
        assert_int_equal(table_stored(&rows, &longer, block), 0);
        assert_int_equal(js_length(rows), block < 2 ? TABLE_BLOCK_ROWS : 3);
        for (size_t i = 0; i < js_length(rows); i++) {
            js_push(joined, js_keep(js_at(rows, i)));
        }
        js_free(rows);
    }
    char *expected = NULL, *found = NULL;
    assert_int_equal(js_print(&expected, all, 0), 0);
    assert_int_equal(js_print(&found, joined, 0), 0);
    assert_string_equal(expected, found);
    mem_free(expected);
    mem_free(found);
    js_free(all);
    js_free(joined);
    Text of_plain = {0}, of_longer = {0};
    assert_int_equal(table_csv(&rows, &plain), 0);
    csv_print(&of_plain, rows);
    js_free(rows);
    assert_int_equal(table_csv(&rows, &longer), 0);
    csv_print(&of_longer, rows);
    js_free(rows);
    assert_string_equal(of_plain.data, of_longer.data);
    text_release(&of_plain);
    text_release(&of_longer);
    table_release(&plain);
    table_release(&longer);
}

/* What goes wrong on the disk or in memory is said by the check, in the words of the first failure;
 * rows that cannot be had make no file. */
static void long_tables_say_what_failed(void **state)
{
    const char *before = getenv("TMPDIR");
    char kept[FILES_PATH_MAX];
    Table table;
    snprintf(kept, sizeof(kept), "%s", before ? before : "");
    setenv("TMPDIR", at("nowhere"), 1);
    table_init_long(&table, &long_list);
    long_fill(&table, 3 * TABLE_BLOCK_ROWS + 1, 20000); /* more than a spill has in memory */
    assert_refused(table_check(&table), OGPT_EIO, "no temporary file can be made for rows of a");
    assert_int_equal(js_length(table.rows), 1); /* lost rows take no memory */
    table_fail(&table, err_set(OGPT_ENUM, "a later failure"));
    table_fail(&table, 0);
    assert_refused(table_check(&table), OGPT_EIO, "no temporary file can be made for rows of a");
    table_release(&table);
    if (before) {
        setenv("TMPDIR", kept, 1);
    } else {
        unsetenv("TMPDIR");
    }
    int rc = OGPT_ENOMEM;
    uint64_t n_failed = 0;
    while (rc == OGPT_ENOMEM) { /* the rows, the blocks, their spill, its memory */
        mem_fail_at(n_failed + 1, 0);
        table_init_long(&table, &long_list);
        mem_fail_at(0, 0);
        rc = table_check(&table);
        n_failed += rc == OGPT_ENOMEM;
        table_release(&table);
    }
    assert_int_equal(rc, 0);
    assert_true(n_failed >= 4);
    table_init_long(&table, &long_list);
    long_fill(&table, TABLE_BLOCK_ROWS + 1, 3);
    const CsvTable one = {"none", &table};
    Js *rows = NULL;
    mem_fail_at(0, 0);
    assert_int_equal(table_stored(&rows, &table, 0), 0);
    js_free(rows);
    const uint64_t n_asked = mem_count();
    assert_true(n_asked > 1024);
    for (uint64_t i = 1; i <= n_asked; i += i < 8 ? 1 : i / 2) { /* read, then built */
        mem_fail_at(i, 0);
        assert_refused(table_stored(&rows, &table, 0), OGPT_ENOMEM, "out of memory");
        assert_null(rows);
        mem_fail_at(i, 0);
        assert_refused(table_csv(&rows, &table), OGPT_ENOMEM, "out of memory");
        assert_null(rows);
        mem_fail_at(i, 0);
        assert_int_equal(csv_write_file(at("none.csv"), &table, false), OGPT_ENOMEM);
        mem_fail_at(i, 0);
        assert_int_equal(csv_write(run_folder, &one, 1, false), OGPT_ENOMEM);
        mem_fail_at(0, 0);
    }
    assert_false(file_exists(at("none.csv")));
    table.earlier->ends[0] = UINT32_MAX; /* the twin: the disk does not give them back */
    assert_int_equal(table_stored(&rows, &table, 0), OGPT_EIO);
    assert_int_equal(csv_write_file(at("none.csv"), &table, false), OGPT_EIO);
    assert_int_equal(csv_write(run_folder, &one, 1, false), OGPT_EIO);
    assert_false(file_exists(at("none.csv")));
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_tables_have_the_same_rows),
        cmocka_unit_test(long_tables_say_what_failed),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
