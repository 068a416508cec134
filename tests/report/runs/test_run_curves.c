/* tests/report/runs/test_run_curves.c - two training curves, side by side by step. */
#include "tests/base/base_test.h"

#include "report/runs/run_curves.h"

/* A run as the database shows it. Takes over its rows. */
static Js *run_of(Js *rows)
{
    Js *run = js_object(), *results = js_object();
    js_set(results, "train_curve", rows);
    js_set(run, "results", results);
    return run;
}

/* Reports at steps every, 2 every, ... up to last; the excess is 1 / step. */
static Js *curve(int every, int last)
{
    Js *rows = js_array();
    for (int step = every; step <= last; step += every) {
        Js *row = js_object();
        js_set_int(row, "step", step);
        js_set_num(row, "loss", 2 + 1.0 / step);
        js_set_num(row, "excess", 1.0 / step);
        js_set(row, "board_accuracy", js_null());
        js_push(rows, row);
    }
    return run_of(rows);
}

static void report_made(Report *report, const Js *a, const Js *b)
{
    report_init(report);
    run_curves_report(report, a, b, (TextStyle){.width = 80});
    assert_int_equal(report_check(report), 0);
}

static void steps_of_both_are_rows(void **state)
{
    Js *a = curve(2, 6), *b = curve(3, 9);
    Report report;
    report_made(&report, a, b);
    const Table *table = report_table_at(&report, 0);
    static const int steps[] = {2, 3, 4, 6, 9};
    assert_int_equal(table_rows(table), 5);
    for (size_t i = 0; i < 5; i++) {
        const Js *row = js_at(table->rows, i);
        const Js *of_a = js_member(row, "a_excess"), *of_b = js_member(row, "b_excess");
        assert_int_equal(js_int_of(js_member(row, "step")), steps[i]);
        assert_int_equal(!of_a, steps[i] % 2 != 0);
        assert_int_equal(!of_b, steps[i] % 3 != 0);
        assert_true(!of_a || js_num_of(of_a) == 1.0 / steps[i]);
        assert_true(!of_b || js_num_of(of_b) == 1.0 / steps[i]);
    }
    Text text = {0};
    report_print(&text, &report, (TextStyle){.width = 80});
    assert_non_null(strstr(text.data, "curves of a, the first run, and b, the second\n"));
    assert_non_null(strstr(text.data, "\n   6    0.1667    0.1667  2.1667  2.1667\n"));
    assert_non_null(strstr(text.data, "\n   9         -    0.1111       -  2.1111\n"));
    assert_null(strstr(text.data, "board")); /* neither run has it */
    text_release(&text);
    report_release(&report);
    js_free(a);
    js_free(b);
}

static void text_has_a_few_and_files_have_all(void **state)
{
    Js *a = curve(1, 1000), *b = curve(10, 500);
    Report report;
    report_made(&report, a, b);
    assert_int_equal(table_rows(report_table_at(&report, 0)), 1000);
    Text text = {0};
    report_print(&text, &report, (TextStyle){.width = 80});
    assert_non_null(strstr(text.data, ": 12 of 1000 steps, --csv FOLDER has all\n"));
    assert_non_null(strstr(text.data, "\n   1  "));
    assert_non_null(strstr(text.data, "\n1000  "));
    int n_lines = 0;
    for (const char *c = text.data; *c != '\0'; c++) {
        n_lines += *c == '\n';
    }
    assert_true(n_lines <= RUN_CURVES_SHOWN + 5);
    text_release(&text);
    Js *csv = NULL;
    assert_int_equal(table_csv(&csv, report_table_at(&report, 0)), 0);
    assert_int_equal(js_length(csv), 1000);
    js_free(csv);
    report_release(&report);
    js_free(a);
    js_free(b);
}

/* The twin: a run without a curve, such as an evaluation. */
static void a_run_without_a_curve_has_no_table(void **state)
{
    Js *a = curve(1, 5), *none = run_of(js_array());
    Report report;
    report_made(&report, a, none);
    assert_int_equal(report.n_items, 0);
    report_release(&report);
    js_set(none, "results", js_object());
    report_made(&report, none, a);
    assert_int_equal(report.n_items, 0);
    report_release(&report);
    js_free(a);
    js_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_both_are_rows),
        cmocka_unit_test(text_has_a_few_and_files_have_all),
        cmocka_unit_test(a_run_without_a_curve_has_no_table),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
