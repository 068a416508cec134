/* tests/report/test_report.c - a whole result: order of its parts, warnings, the page. */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "report/html.h"
#include "report/report.h"

static const Column columns[] = {{.key = "n", .heading = "n", .type = COLUMN_COUNT}};
static const TableSpec list = {.name = "list", TABLE_COLUMNS(columns)};
static const TableSpec record = {.name = "record", TABLE_COLUMNS(columns), .record = true};

static void report_fill(Report *report)
{
    report_init(report);
    report_json(report, "first", js_int(1));
    text_add(report_text(report), "words\n");
    Table *table = report_table(report, &list);
    table_row(table);
    table_int(table, "n", 2);
    Js *object = js_object();
    js_set_int(object, "second", 3);
    js_set_int(object, "third", 4);
    report_json_all(report, object);
    table_int(report_table(report, &record), "n", 5);
    report_json(report, "last", js_int(6));
    report_warn(report, "%d < %d", 1, 2);
    report_warn(report, "another");
}

static void parts_keep_their_order(void **state)
{
    Report report;
    Text text = {0};
    char *printed = NULL;
    report_fill(&report);
    report_print(&text, &report, (TextStyle){0});
    assert_string_equal(text.data, "words\n\nn\n2\nn  5\n");
    text_release(&text);
    Js *document = report_document(&report);
    assert_int_equal(js_print(&printed, document, 0), 0);
    assert_string_equal(printed,
                        "{\"first\":1,\"list\":[{\"n\":2}],\"second\":3,\"third\":4,\"n\":5,"
                        "\"last\":6}");
    mem_free(printed);
    js_free(document);
    assert_int_equal(report_check(&report), 0);
    report_release(&report);
}

static void some_tables_are_for_some_readers(void **state)
{
    Report report;
    Text text = {0};
    report_fill(&report);
    for (size_t i = 0; i < report.n_items; i++) {
        report.items[i].table.hidden = report.items[i].is_table;
        report.items[i].table.undocumented = report.items[i].is_table;
    }
    report_print(&text, &report, (TextStyle){0});
    assert_string_equal(text.data, "words\n");
    text_release(&text);
    Js *document = report_document(&report);
    assert_false(js_has(document, "list"));
    assert_false(js_has(document, "n"));
    assert_true(js_has(document, "third"));
    js_free(document);
    report_release(&report);
}

static void the_page_has_warnings_and_tables(void **state)
{
    Report report;
    Text page = {0};
    report_fill(&report);
    html_page_begin(&page, "<title>", "ogpt 'x' & y", NULL);
    report_page(&page, &report, "<title>", "ogpt 'x' & y");
    html_page_end(&page);
    assert_non_null(strstr(page.data, "<h1>&lt;title&gt;</h1>\n<p><code>ogpt &#39;x&#39; &amp; y"));
    assert_null(strstr(page.data, "<h1><title>"));
    assert_non_null(
        strstr(page.data, "<p role=\"note\">1 &lt; 2</p>\n<p role=\"note\">another</p>"));
    assert_non_null(strstr(page.data, "<caption>list</caption>"));
    assert_non_null(strstr(page.data, "<caption>record</caption>"));
    assert_non_null(strstr(page.data, "</html>\n"));
    assert_non_null(strstr(page.data, "content=\"default-src 'none'; style-src 'unsafe-inline'"));
    assert_null(strstr(page.data, "<script"));
    text_release(&page);
    report_release(&report);
}

/* A list whose names are pages of the same folder. */
static void names_may_be_links(void **state)
{
    static const Column both[] = {{"head", "head", .type = COLUMN_TEXT},
                                  {"kind", "kind", .type = COLUMN_TEXT, .meaning = "what it is"}};
    static const TableSpec spec = {.name = "heads", TABLE_COLUMNS(both)};
    static const char *const linked[] = {"head", NULL};
    Table table;
    Text page = {0};
    table_init(&table, &spec);
    for (int i = 0; i < 2; i++) {
        table_row(&table);
        table_text(&table, "head", i == 0 ? "L0H0" : "<\"");
        table_text(&table, "kind", i == 0 ? "L0H0" : "other");
    }
    html_table(&page, &table, &(HtmlTable){.linked = linked});
    assert_non_null(strstr(page.data, "<td><a href=\"L0H0.html\">L0H0</a></td><td>L0H0</td>"));
    assert_non_null(strstr(page.data, "<a href=\"&lt;&quot;.html\">&lt;&quot;</a>"));
    text_release(&page);
    html_table(&page, &table, &(HtmlTable){0});
    assert_null(strstr(page.data, "<a "));
    text_release(&page);
    table_release(&table);
}

static void warnings_are_rows(void **state)
{
    Report report;
    char *printed = NULL;
    report_fill(&report);
    Js *parts = NULL;
    assert_int_equal(report_stored(&parts, &report, 0), 0);
    Js *rows = js_keep(js_member(parts, "warnings"));
    js_free(parts);
    assert_int_equal(js_print(&printed, rows, 0), 0);
    assert_string_equal(printed, "[{\"warning\":\"1 < 2\"},{\"warning\":\"another\"}]");
    mem_free(printed);
    js_free(rows);
    report_release(&report);
}

static void wrong_keys_are_found_in_any_table(void **state)
{
    Report report;
    report_fill(&report);
    table_int(report_table(&report, &record), "m", 1);
    assert_refused(report_check(&report), OGPT_EUSAGE, "table record: 'm' is no column");
    report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_keep_their_order),
        cmocka_unit_test(some_tables_are_for_some_readers),
        cmocka_unit_test(the_page_has_warnings_and_tables),
        cmocka_unit_test(names_may_be_links),
        cmocka_unit_test(warnings_are_rows),
        cmocka_unit_test(wrong_keys_are_found_in_any_table),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
