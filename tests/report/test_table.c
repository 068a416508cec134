/* tests/report/test_table.c - one table, every renderer: text, HTML, JSON, CSV and rows
 * of the database say the same numbers under the same names. */
#include "tests/base/base_test.h"

#include <math.h>

#include "report/csv.h"
#include "report/html.h"

static const Column columns[] = {
    {.key = "layer", .heading = "layer", .type = COLUMN_LAYER, .meaning = "block of the network"},
    {.key = "task", .heading = "task", .type = COLUMN_TEXT},
    {.key = "accuracy", .heading = "accuracy", .unit = "%", .digits = 2, .interval = true},
    {.key = "cells", .heading = "cells", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {.key = "loss", .digits = 4},
    {.key = "kept", .heading = "kept", .type = COLUMN_YES_NO},
    {.key = "seconds", .heading = "time", .unit = "s", .digits = 1, .flags = COLUMN_TIME},
    {.key = "squares", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
};
static const TableSpec list = {
    .name = "layers",
    .kind = "probe_layers",
    .title = "probes <by> layer",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};
static const TableSpec record = {
    .name = "best",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
    .record = true,
};

static void table_fill(Table *table, const TableSpec *spec)
{
    Js *squares = js_array();
    js_push(squares, js_int(3));
    table_init(table, spec);
    table_row(table);
    table_int(table, "layer", -1);
    table_text(table, "task", "a|b & \"c\"");
    table_interval(table, "accuracy", (Interval){0.5, 0.4, 0.625});
    table_int(table, "cells", 640);
    table_num(table, "loss", 1.0 / 3);
    table_bool(table, "kept", true);
    table_num(table, "seconds", 2.5);
    table_set(table, "squares", squares);
    if (spec->record) {
        return;
    }
    table_row(table);
    table_int(table, "layer", 11);
    table_text(table, "task", NULL);
    table_interval(table, "accuracy", (Interval){NAN, NAN, NAN});
    table_int(table, "cells", 7);
    table_num(table, "loss", INFINITY);
    table_bool(table, "kept", false);
    table_null(table, "seconds");
}

static void assert_text(Text *found, const char *expected)
{
    assert_false(found->failed);
    assert_string_equal(found->data, expected);
    text_release(found);
}

static void assert_json(Js *found, const char *expected)
{
    char *printed = NULL;
    assert_int_equal(js_print(&printed, found, 0), 0);
    assert_string_equal(printed, expected);
    mem_free(printed);
    js_free(found);
}

static void text_is_aligned(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &list);
    table_print(&text, &table, (TextStyle){0});
    assert_text(&text, "probes <by> layer\n"
                       "layer  task       accuracy %  95 % interval   kept  time\n"
                       "embed  a|b & \"c\"       50.00  [40.00, 62.50]   yes   2.5\n"
                       "   11  -                   -                    no     -\n");
    table_print(&text, &table, (TextStyle){.wide = true});
    assert_non_null(strstr(text.data, "95 % interval   cells  kept"));
    text_release(&text);
    table_release(&table);
}

/* An interval that is shown only if asked for, and a column that no row has. */
static void text_is_short_unless_asked(void **state)
{
    static const Column brief[] = {
        {.key = "n", .heading = "n", .type = COLUMN_COUNT},
        {.key = "share", .heading = "share", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
        {.key = "null", .heading = "null", .type = COLUMN_TEXT},
        {.key = "unset", .heading = "unset", .type = COLUMN_TEXT},
    };
    static const TableSpec spec = {.name = "brief", .columns = brief, .n_columns = 4};
    Table table;
    Text text = {0};
    table_init(&table, &spec);
    table_int(&table, "n", 1);
    table_interval(&table, "share", (Interval){0.5, 0.4, 0.6});
    table_null(&table, "null");
    table_print(&text, &table, (TextStyle){0});
    assert_text(&text, "n  share  null\n"
                       "1    0.5  -\n");
    table_print(&text, &table, (TextStyle){.wide = true});
    assert_text(&text, "n  share  95 % interval  null\n"
                       "1    0.5  [0.4, 0.6]     -\n");
    table_row(&table);
    table_text(&table, "unset", "set");
    table_print(&text, &table, (TextStyle){0});
    assert_non_null(strstr(text.data, "null  unset\n"));
    text_release(&text);
    table_release(&table);
}

static void long_texts_are_cut_to_the_width(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &list);
    table_text(&table, "task", "a text of thirty-two characters ");
    table_print(&text, &table, (TextStyle){.width = 64});
    assert_non_null(strstr(text.data, "a text of"));
    assert_non_null(strstr(text.data, "~  ")); /* cut */
    assert_null(strstr(text.data, "characters"));
    for (const char *line = text.data; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 64);
    }
    text_release(&text);
    table_print(&text, &table, (TextStyle){0});
    assert_non_null(strstr(text.data, "a text of thirty-two characters "));
    text_release(&text);
    table_release(&table);
}

/* A list made to fit: first its headings take two lines, then the text of a later column is cut,
 * then columns are left out. Names that differ at their ends stay apart. */
static void a_list_fits_step_by_step(void **state)
{
    static const Column named[] = {
        {.key = "name", .heading = "name", .type = COLUMN_TEXT},
        {.key = "value", .heading = "a number with a long heading", .digits = 1},
        {.key = "what", .heading = "what", .type = COLUMN_TEXT},
    };
    static const TableSpec spec = {"named", TABLE_COLUMNS(named)};
    Table table;
    Text text = {0};
    table_init(&table, &spec);
    for (int row = 0; row < 2; row++) {
        table_row(&table);
        table_text(&table, "name", row == 0 ? "rank_newly_legal" : "rank_newly_illegal");
        table_num(&table, "value", 1);
        table_text(&table, "what", "the mean rank of such moves");
    }
    TextStyle style = {.width = 77};
    table_print(&text, &table, style);
    assert_text(&text,
                "name                a number with a long heading  what\n"
                "rank_newly_legal                             1.0  the mean rank of such moves\n"
                "rank_newly_illegal                           1.0  the mean rank of such moves\n");
    TableOmitted omitted = table_omitted(&table, style);
    assert_true(omitted.columns == 0 && !omitted.cut && !omitted.intervals);
    style.width = 76;
    table_print(&text, &table, style);
    assert_text(&text, "                     a number with\n"
                       "name                a long heading  what\n"
                       "rank_newly_legal               1.0  the mean rank of such moves\n"
                       "rank_newly_illegal             1.0  the mean rank of such moves\n");
    style.width = 53;
    table_print(&text, &table, style);
    assert_text(&text, "                     a number with\n"
                       "name                a long heading  what\n"
                       "rank_newly_legal               1.0  the mean rank of~\n"
                       "rank_newly_illegal             1.0  the mean rank of~\n");
    omitted = table_omitted(&table, style);
    assert_true(omitted.columns == 0 && omitted.cut);
    style.width = 51;
    table_print(&text, &table, style);
    assert_text(&text, "name                a number with a long heading\n"
                       "rank_newly_legal                             1.0\n"
                       "rank_newly_illegal                           1.0\n");
    omitted = table_omitted(&table, style);
    assert_true(omitted.columns == 1 && !omitted.cut);
    style.wide = true; /* asked for whole */
    table_print(&text, &table, style);
    assert_non_null(strstr(text.data, "heading  what\n"));
    omitted = table_omitted(&table, style);
    assert_true(omitted.columns == 0 && !omitted.cut && !omitted.intervals);
    text_release(&text);
    table_release(&table);
}

/* What goes first when a list is too wide, and what a list shows unless asked for more. */
static void minor_columns_go_first(void **state)
{
    static const Column five[] = {
        {.key = "name", .heading = "name", .type = COLUMN_TEXT},
        {.key = "first", .heading = "first", .digits = 2, .interval = true, .flags = COLUMN_MINOR},
        {.key = "last", .heading = "last", .digits = 2, .interval = true},
        {.key = "hash", .heading = "hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
        {.key = "more", .heading = "more", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    };
    static const char *const some[] = {"name", "more", NULL};
    static const TableSpec spec = {"columns", TABLE_COLUMNS(five)};
    static const TableSpec brief = {"columns", TABLE_COLUMNS(five), .brief = some};
    Table table;
    Text text = {0};
    table_init(&table, &spec);
    table_row(&table);
    table_text(&table, "name", "a");
    table_interval(&table, "first", (Interval){1, 0.5, 1.5});
    table_interval(&table, "last", (Interval){2, 1.5, 2.5});
    table_text(&table, "hash", "0123456789abcdef0123456789abcdef");
    table_int(&table, "more", 7);
    TextStyle style = {.width = 80};
    table_print(&text, &table, style);
    assert_text(&text, "name  first  95 % interval  last  95 % interval  hash\n"
                       "a      1.00  [0.50, 1.50]   2.00  [1.50, 2.50]   0123456789ab\n");
    assert_int_equal(table_omitted(&table, style).columns, 1);
    style.width = 50; /* the interval of the minor column goes, then its value */
    table_print(&text, &table, style);
    assert_text(&text, "name  first  last  95 % interval  hash\n"
                       "a      1.00  2.00  [1.50, 2.50]   0123456789ab\n");
    TableOmitted omitted = table_omitted(&table, style);
    assert_true(omitted.columns == 1 && omitted.intervals);
    style.width = 40;
    table_print(&text, &table, style);
    assert_text(&text, "name  last  95 % interval  hash\n"
                       "a     2.00  [1.50, 2.50]   0123456789ab\n");
    assert_int_equal(table_omitted(&table, style).columns, 2);
    style.wide = true;
    table_print(&text, &table, style);
    assert_non_null(strstr(text.data, "  0123456789abcdef0123456789abcdef     7\n"));
    text_release(&text);
    table.spec = &brief;
    style.wide = false;
    table_print(&text, &table, style);
    assert_text(&text, "name  more\n"
                       "a        7\n");
    assert_int_equal(table_omitted(&table, style).columns, 3);
    text_release(&text);
    table_release(&table);
}

static void a_record_is_a_line_a_column(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &record);
    table_print(&text, &table, (TextStyle){.wide = true});
    assert_text(&text, "layer     embed   block of the network\n"
                       "task      a|b & \"c\"\n"
                       "accuracy  50.00 %  [40.00, 62.50]\n"
                       "cells     640\n"
                       "kept      yes\n"
                       "time      2.5 s\n");
    table_release(&table);
}

/* Also with a name that holds the end of a line, and without blanks for an interval that is not
 * known. Where no row has one, there is no column for it. */
static void each_row_is_one_line(void **state)
{
    static const Column shared[] = {
        {.key = "path", .heading = "path", .type = COLUMN_TEXT},
        {.key = "share", .heading = "share", .digits = 1, .interval = true},
    };
    static const TableSpec one = {"one", TABLE_COLUMNS(shared), .record = true};
    static const TableSpec many = {"many", TABLE_COLUMNS(shared)};
    static const TableSpec *const specs[] = {&one, &many};
    static const char *const expected[] = {"path   a?b\nshare  -\n", "path  share\na?b       -\n"};
    for (int i = 0; i < 2; i++) {
        Table table;
        Text text = {0};
        table_init(&table, specs[i]);
        table_text(&table, "path", "a\nb");
        table_null(&table, "share");
        table_print(&text, &table, (TextStyle){0});
        assert_text(&text, expected[i]);
        if (i == 1) {
            table_row(&table);
            table_interval(&table, "share", (Interval){0.5, 0.4, 0.6});
            table_print(&text, &table, (TextStyle){0});
            assert_text(&text, "path  share  95 % interval\n"
                               "a?b       -\n"
                               "-       0.5  [0.4, 0.6]\n");
        }
        text_release(&text);
        table_release(&table);
    }
}

static void html_is_escaped(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &list);
    html_table(&text, &table,
               &(HtmlTable){.place = "run <1>", .rows_max = 1, .rest = "ogpt \"x\""});
    assert_text(
        &text,
        "<section class=\"short\">\n<div class=\"scroll\" role=\"group\" tabindex=\"0\""
        " aria-label=\"run &lt;1&gt;: probes &lt;by&gt; layer\">\n<table>\n"
        "<caption>probes &lt;by&gt; layer</caption>\n"
        "<thead>\n<tr><th scope=\"col\" class=\"n\">layer</th><th scope=\"col\">task</th>"
        "<th scope=\"col\" class=\"n\">accuracy <span class=\"unit\">(%)</span></th>"
        "<th scope=\"col\" class=\"n\">cells</th><th scope=\"col\" class=\"n\">kept</th>"
        "<th scope=\"col\" class=\"n\">time <span class=\"unit\">(s)</span></th></tr>\n</thead>\n"
        "<tbody>\n<tr><td class=\"n\">embed</td><td>a|b &amp; &quot;c&quot;</td>"
        "<td class=\"n\">50.00 <span class=\"ci\">[40.00, 62.50]</span></td>"
        "<td class=\"n\">640</td><td class=\"n\">yes</td><td class=\"n\">2.5</td></tr>\n"
        "</tbody>\n</table>\n</div>\n"
        "<dl>\n<dt>layer</dt><dd>block of the network</dd>\n</dl>\n"
        "<p>The first 1 of 2 rows. All of them: <code>ogpt &quot;x&quot;</code></p>\n</section>\n");
    table_release(&table);
}

/* A record has a line a column and its meaning; nothing is said to be left out. */
static void html_of_a_record(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &record);
    html_table(&text, &table, &(HtmlTable){.rows_max = 1});
    assert_non_null(strstr(text.data, "<caption>best</caption>"));
    assert_non_null(strstr(text.data, "<tr><th scope=\"row\">layer</th><td class=\"n\">embed</td>"
                                      "<td class=\"m\">block of the network</td></tr>"));
    assert_non_null(strstr(text.data, "<th scope=\"row\">task</th><td>a|b"));
    assert_null(strstr(text.data, "The first"));
    assert_null(strstr(text.data, "<dl>"));
    text_release(&text);
    table_release(&table);
}

/* A text that is the same in all rows is said once; a column without values is left out; few rows
 * of many columns are turned. */
static void html_of_wide_lists(void **state)
{
    static const char *const keys[] = {"a_b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    Column many[13] = {{"site", "site", .type = COLUMN_TEXT},
                       {"none", "none", .type = COLUMN_NUMBER}};
    for (size_t i = 0; i < 11; i++) {
        many[2 + i] = (Column){keys[i], keys[i], .type = COLUMN_COUNT};
    }
    const TableSpec wide = {"wide_list", .columns = many, .n_columns = 13};
    Table table;
    Text text = {0};
    table_init(&table, &wide);
    for (int r = 0; r < 8; r++) {
        table_row(&table);
        table_text(&table, "site", "<here>");
        for (size_t i = 0; i < 11; i++) {
            table_int(&table, keys[i], 100 * r + (int)i);
        }
        if (r == 1) {
            html_table(&text, &table, &(HtmlTable){0});
            assert_non_null(strstr(text.data, "<caption>wide list</caption>\n<thead>\n<tr><th "
                                              "scope=\"row\">a b</th><th scope=\"col\">0</th><th "
                                              "scope=\"col\">100</th></tr>"));
            assert_non_null(strstr(text.data, "<tr><th scope=\"row\">c</th><td class=\"n\">1</td>"
                                              "<td class=\"n\">101</td></tr>"));
            assert_non_null(strstr(text.data, "In all rows: site <bdi>&lt;here&gt;</bdi>."));
            text_release(&text);
        }
    }
    html_table(&text, &table, &(HtmlTable){0});
    assert_null(strstr(text.data, "scope=\"row\""));
    assert_null(strstr(text.data, "none"));
    table_text(&table, "site", "there"); /* the twin: no longer the same in all rows */
    text_release(&text);
    html_table(&text, &table, &(HtmlTable){0});
    assert_null(strstr(text.data, "In all rows"));
    assert_non_null(strstr(text.data, "<th scope=\"col\">site</th>"));
    text_release(&text);
    table_release(&table);
}

/* What the database has is what was stored, and reads the same. */
static void rows_come_back_from_the_database(void **state)
{
    Table table, back;
    Text before = {0}, after = {0};
    table_fill(&table, &list);
    Js *stored = NULL;
    assert_int_equal(table_stored(&stored, &table, 0), 0);
    Js *first = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(js_at(stored, 0), &it, &key, &value)) { /* the database keeps yes as 1 */
        js_set(first, key, js_type(value) == JS_BOOL ? js_int(js_bool_of(value)) : js_keep(value));
    }
    js_set_str(first, "squares", "[3]"); /* a list as its text */
    js_set_int(first, "unknown", 7);
    Js *rows = js_array();
    js_push(rows, first);
    js_push(rows, js_keep(js_at(stored, 1)));
    table_restore(&back, &list, rows);
    assert_int_equal(table_check(&back), 0);
    html_table(&before, &table, &(HtmlTable){0});
    html_table(&after, &back, &(HtmlTable){0});
    assert_string_equal(before.data, after.data);
    js_set_num(first, "accuracy", 0.51); /* the twin */
    table_release(&back);
    text_release(&after);
    table_restore(&back, &list, rows);
    html_table(&after, &back, &(HtmlTable){0});
    assert_string_not_equal(before.data, after.data);
    table_release(&back);
    table_release(&table);
    text_release(&before);
    text_release(&after);
    js_free(rows);
    js_free(stored);
}

static void json_keeps_every_digit(void **state)
{
    Table table;
    Js *document = js_object();
    table_fill(&table, &record);
    table_document(document, &table);
    assert_json(document, "{\"layer\":-1,\"layer_name\":\"embed\",\"task\":\"a|b & \\\"c\\\"\","
                          "\"accuracy\":0.5,\"accuracy_ci\":[0.40000000000000002,0.625],"
                          "\"accuracy_low\":0.40000000000000002,\"accuracy_high\":0.625,"
                          "\"cells\":640,\"loss\":0.33333333333333331,\"kept\":true,"
                          "\"seconds\":2.5,\"squares\":[3]}");
    table_release(&table);
    table_fill(&table, &list);
    document = js_object();
    table_document(document, &table);
    assert_int_equal(js_length(js_member(document, "layers")), 2);
    const Js *second = js_at(js_member(document, "layers"), 1);
    assert_string_equal(js_str_of(js_member(second, "layer_name")), "11");
    assert_true(js_has(second, "loss"));
    assert_int_equal(js_type(js_member(second, "loss")), JS_NULL);
    js_free(document);
    table_release(&table);
}

static void the_database_gets_stored_columns(void **state)
{
    Table table;
    Js *stored = NULL;
    table_fill(&table, &record);
    assert_int_equal(table_stored(&stored, &table, 0), 0);
    assert_json(stored,
                "[{\"layer\":-1,\"task\":\"a|b & \\\"c\\\"\",\"accuracy\":0.5,"
                "\"accuracy_low\":0.40000000000000002,\"accuracy_high\":0.625,\"cells\":640,"
                "\"loss\":0.33333333333333331,\"kept\":true,\"seconds\":2.5}]");
    table_release(&table);
}

static void csv_has_names_of_layers_and_no_times(void **state)
{
    Table table;
    Text text = {0};
    table_fill(&table, &list);
    Js *rows = NULL;
    assert_int_equal(table_csv(&rows, &table), 0);
    csv_print(&text, rows);
    js_free(rows);
    assert_text(&text, "\"layer\",\"task\",\"accuracy\",\"accuracy_low\",\"accuracy_high\","
                       "\"cells\",\"loss\",\"kept\"\r\n"
                       "\"embed\",\"a|b & \"\"c\"\"\",0.5,0.40000000000000002,0.625,640,"
                       "0.33333333333333331,true\r\n"
                       "11,,,,,7,,false\r\n");
    table_release(&table);
}

static void one_table_is_one_file(void **state)
{
    Table table;
    table_fill(&table, &list);
    assert_int_equal(csv_write_file(at("new/one.csv"), &table, false), 0);
    assert_int_equal(csv_write_file(at("new/one.csv"), &table, false), 0);
    table_int(&table, "cells", 8);
    assert_refused(csv_write_file(at("new/one.csv"), &table, false), OGPT_EUSAGE,
                   "one.csv: exists");
    assert_int_equal(csv_write_file(at("new/one.csv"), &table, true), 0);
    table_release(&table);
}

static void wrong_keys_are_refused(void **state)
{
    Table table;
    table_fill(&table, &list);
    assert_int_equal(table_check(&table), 0);
    table_num(&table, "acuracy", 1);
    table_num(&table, "another", 1);
    assert_refused(table_check(&table), OGPT_EUSAGE, "'acuracy' is no column");
    table_release(&table);
    table_fill(&table, &list);
    table_text(&table, "accuracy", "high");
    assert_refused(table_check(&table), OGPT_EUSAGE, "'accuracy' is no column of it, or has");
    table_release(&table);
    table_fill(&table, &list);
    table_interval(&table, "loss", (Interval){1, 0, 2});
    assert_refused(table_check(&table), OGPT_EUSAGE, "'loss_low'");
    table_release(&table);
    table_fill(&table, &list);
    table_int(&table, "kept", 1);
    assert_refused(table_check(&table), OGPT_EUSAGE, "'kept'");
    table_release(&table);
}

static void rows_that_were_made_elsewhere(void **state)
{
    Table table;
    Column found[8];
    Js *row = js_object();
    js_set_int(row, "layer", 2);
    js_set_num(row, "accuracy", 0.5);
    js_set_num(row, "accuracy_low", 0.25);
    js_set_num(row, "accuracy_high", 0.75);
    table_init(&table, &list);
    table_add(&table, js_keep(row));
    assert_int_equal(table_check(&table), 0);
    assert_int_equal(table_rows(&table), 1);
    table_add(&table, row);
    assert_int_equal(table_columns_of(found, 8, table.rows), 3);
    assert_string_equal(found[1].key, "layer_name");
    assert_int_equal(found[0].type, COLUMN_LAYER);
    assert_int_equal(found[2].type, COLUMN_NUMBER);
    assert_true(found[2].interval); /* of accuracy_low and accuracy_high */
    assert_int_equal(table_columns_of(found, 2, table.rows), 2);
    table_release(&table);
    /* Ends of an interval before its value; one end alone is a column like any other. */
    row = js_object();
    js_set_num(row, "x_high", 0.75);
    js_set_num(row, "x_low", 0.25);
    js_set_num(row, "x", 0.5);
    js_set_num(row, "y_low", 1.5);
    js_set_num(row, "y", 2.5);
    table_init(&table, &list);
    table_add(&table, row);
    assert_int_equal(table_columns_of(found, 8, table.rows), 3);
    assert_true(strcmp(found[0].key, "x") == 0 && found[0].interval);
    assert_true(strcmp(found[1].key, "y_low") == 0 && !found[2].interval);
    table_release(&table);
}

static void markdown_has_intervals_and_escapes(void **state)
{
    Table table;
    Text out = {0};
    table_fill(&table, &list);
    table_markdown(&out, &table);
    assert_string_equal(out.data,
                        "| layer | task | accuracy, % | cells | kept | time, s |\n"
                        "| ---: | --- | ---: | ---: | ---: | ---: |\n"
                        "| embed | a\\|b & \"c\" | 50.00 [40.00, 62.50] | 640 | yes | 2.5 |\n"
                        "| 11 | - | - | 7 | no | - |\n");
    text_release(&out);
    table_text(&table, "task", "two\nlines");
    table_markdown(&out, &table);
    assert_non_null(strstr(out.data, "| 11 | two<br>lines |"));
    text_release(&out);
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_has_intervals_and_escapes),
        cmocka_unit_test(text_is_aligned),
        cmocka_unit_test(text_is_short_unless_asked),
        cmocka_unit_test(long_texts_are_cut_to_the_width),
        cmocka_unit_test(a_list_fits_step_by_step),
        cmocka_unit_test(minor_columns_go_first),
        cmocka_unit_test(a_record_is_a_line_a_column),
        cmocka_unit_test(each_row_is_one_line),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(html_of_a_record),
        cmocka_unit_test(html_of_wide_lists),
        cmocka_unit_test(rows_come_back_from_the_database),
        cmocka_unit_test(json_keeps_every_digit),
        cmocka_unit_test(the_database_gets_stored_columns),
        cmocka_unit_test(csv_has_names_of_layers_and_no_times),
        cmocka_unit_test(one_table_is_one_file),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(rows_that_were_made_elsewhere),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
