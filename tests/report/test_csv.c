/* tests/report/test_csv.c - tables as CSV: quoting, formulas made harmless, numbers, files that are
 * not overwritten; heat maps and bars as text. */
#include "tests/base/base_test.h"

#include <math.h>

#include "base/js.h"
#include "report/csv.h"
#include "report/heat.h"
#include "tests/there.h"

static Js *row_of(const char *text, double number)
{
    Js *row = js_object();
    js_set_str(row, "text", text);
    js_set_num(row, "number", number);
    return row;
}

static void fields_are_quoted(void **state)
{
    Text text = {0};
    Js *rows = js_array(), *row = row_of("a \"b\", c", 0.5), *list = js_array();
    js_push(list, js_int(1));
    js_set(row, "list", list); /* no column: a list has a table of its own */
    js_set_num(row, "seconds", 0.25);
    js_set_num(row, "liblinear_seconds", 0.25);
    js_set_num(row, "tokens_per_second", 9);
    js_set_int(row, "second", 3); /* of two: no time */
    js_set_int(row, "dimensions_second", 4);
    js_push(rows, row);
    js_push(rows, row_of("=1+1", -2));
    row = row_of("@x", NAN);
    js_set_int(row, "late", 7);
    js_push(rows, row);
    csv_print(&text, rows);
    assert_string_equal(text.data,
                        "\"text\",\"number\",\"second\",\"dimensions_second\",\"late\"\r\n"
                        "\"a \"\"b\"\", c\",0.5,3,4,\r\n"
                        "\"'=1+1\",-2.0,,,\r\n"
                        "\"'@x\",,,,7\r\n");
    js_free(rows);
    text_release(&text);
}

static const Column columns[] = {{"text", .type = COLUMN_TEXT}, {.key = "number"}};
static const TableSpec spec = {"one", NULL, TABLE_COLUMNS(columns)};

static void one_row(Table *out, double number)
{
    table_init(out, &spec);
    table_add(out, row_of("x", number));
}

static void other_tables_are_not_overwritten(void **state)
{
    Table one, two, three, empty;
    one_row(&one, 1);
    one_row(&two, 2);
    one_row(&three, 3);
    table_init(&empty, &spec);
    const CsvTable tables[2] = {{"a", &one}, {"none", &empty}};
    assert_int_equal(csv_write(at("tables"), tables, 2, false), 0);
    assert_true(file_exists(at("tables/a.csv")));
    assert_false(file_exists(at("tables/none.csv")));
    assert_int_equal(csv_write(at("tables"), tables, 1, false), 0); /* the same is no loss */
    /* Another one is, and then nothing at all is written. */
    const CsvTable both[2] = {{"new", &three}, {"a", &two}};
    assert_int_equal(csv_write(at("tables"), both, 2, false), OGPT_EUSAGE);
    assert_false(file_exists(at("tables/new.csv")));
    assert_int_equal(csv_write(at("tables"), both, 2, true), 0);
    assert_true(file_exists(at("tables/new.csv")));
    table_release(&one);
    table_release(&two);
    table_release(&three);
    table_release(&empty);
}

static void pictures_are_text(void **state)
{
    double values[16];
    const char *const names[] = {"embed", "layer 0", "layer 1"};
    const double shares[] = {0.5, 1, NAN};
    Text text = {0};
    for (int i = 0; i < 16; i++) {
        values[i] = i / 15.0;
    }
    values[5] = NAN;
    draw_heat(&text, game_variant(4), "title", values, 0, false);
    assert_string_equal(text.data, "title\n     a     b     c     d\n"
                                   "1     0     7    13    20\n"
                                   "2    27     -    40    47\n"
                                   "3    53    60    67    73\n"
                                   "4    80    87    93   100\n");
    text_release(&text);
    draw_heat(&text, game_variant(4), "title", values, 0, true);
    assert_non_null(strstr(text.data, "\033[48;5;196;30m    0\033[0m")); /* red */
    assert_non_null(strstr(text.data, "\033[48;5;46;30m  100\033[0m"));  /* green */
    text_release(&text);
    draw_bars(&text, "cells", names, shares, 3, 0.5, 1);
    assert_non_null(strstr(text.data, "bars from 50.0 to 100.0 %"));
    assert_non_null(strstr(text.data, "embed          |  "));
    assert_non_null(strstr(text.data, "##### 100.00"));
    assert_non_null(strstr(text.data, "layer 1         -"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted),
        cmocka_unit_test(other_tables_are_not_overwritten),
        cmocka_unit_test(pictures_are_text),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
