/* tests/report/runs/test_run_words.c - what words and numbers mean, from the pages that the program
 * carries. */
#include "tests/base/base_test.h"

#include "report/runs/run_words.h"

static const Column error_column = {"strict_error", "strict error", .meaning = "a <meaning>"};
static const Column loss_column = {"loss", "loss", .type = COLUMN_NUMBER};
static const Column odd_column = {"no_such_key", "odd", .type = COLUMN_NUMBER};

/* The row of a table whose first cell is `name`, NULL if there is none. */
static const Js *row_named(const Table *table, const char *name)
{
    for (size_t i = 0; i < table_rows(table); i++) {
        const Js *row = js_at(table->rows, i);
        void *it = NULL;
        const char *key;
        const Js *value;
        if (js_next(row, &it, &key, &value) && strcmp(js_str_of(value), name) == 0) {
            return row;
        }
    }
    return NULL;
}

static void words_that_were_seen(void **state)
{
    RunWords words = {0};
    Table table;
    run_words_glossary(&table, &words);
    assert_int_equal(table_rows(&table), 0);
    table_release(&table);
    run_words_see(&words, "Controls, and mine<; probeless, excesses");
    run_words_glossary(&table, &words);
    assert_non_null(row_named(&table, "control"));
    assert_non_null(row_named(&table, "mine, theirs")); /* either word */
    assert_null(row_named(&table, "probe"));            /* only inside another word */
    assert_null(row_named(&table, "excess"));
    const char *meaning = js_str_of(js_member(row_named(&table, "control"), "meaning"));
    assert_memory_equal(meaning, "a comparison that must do worse", 31);
    table_release(&table);
    run_words_release(&words);
}

static void numbers_of_the_right_command(void **state)
{
    RunWords words = {0};
    Table table;
    run_words_column(&words, "eval", &loss_column);
    run_words_column(&words, "eval", &error_column);
    run_words_column(&words, "eval", &error_column);
    run_words_column(&words, "eval", &odd_column);
    run_words_methods(&table, &words);
    assert_int_equal(table_rows(&table), 2);
    const Js *loss = row_named(&table, "loss"), *error = row_named(&table, "strict error");
    assert_string_equal(js_str_of(js_member(loss, "formula")), "mean of -ln p(move played)");
    assert_string_equal(js_str_of(js_member(loss, "unit")), "nats");
    assert_memory_equal(js_str_of(js_member(error, "formula")), "share of positions", 18);
    assert_null(strchr(js_str_of(js_member(error, "formula")), '`'));
    table_release(&table);
    run_words_release(&words);
    /* The twin: the same key of another command has another definition. */
    run_words_column(&words, "train", &loss_column);
    run_words_methods(&table, &words);
    assert_int_equal(table_rows(&table), 1);
    assert_string_not_equal(js_str_of(js_member(js_at(table.rows, 0), "formula")),
                            "mean of -ln p(move played)");
    table_release(&table);
    run_words_release(&words);
}

/* A number of a command that the page does not explain has no definition of another command. */
static void no_number_of_another_command(void **state)
{
    RunWords words = {0};
    Table table;
    run_words_column(&words, "perft", &loss_column);
    run_words_methods(&table, &words);
    assert_int_equal(table_rows(&table), 0);
    table_release(&table);
    run_words_release(&words);
    run_words_column(&words, "probe", &loss_column); /* a heading has `probes/..` in it */
    run_words_methods(&table, &words);
    assert_int_equal(table_rows(&table), 0);
    table_release(&table);
    run_words_release(&words);
}

/* Bars inside a cell, bold type and links are plain text on a page. */
static void marks_of_the_page_are_gone(void **state)
{
    static const Column floor_column = {"floor", "floor", .type = COLUMN_NUMBER};
    RunWords words = {0};
    Table table;
    run_words_column(&words, "eval", &floor_column);
    run_words_methods(&table, &words);
    const char *formula = js_str_of(js_member(js_at(table.rows, 0), "formula"));
    assert_memory_equal(formula, "mean of ln |L|: the lowest loss", 31);
    table_release(&table);
    run_words_release(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_were_seen),
        cmocka_unit_test(numbers_of_the_right_command),
        cmocka_unit_test(no_number_of_another_command),
        cmocka_unit_test(marks_of_the_page_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
