/* tests/cli/test_options.c - option tables: parsing, refusals, suggestions, help, documents. */
#include "tests/base/base_test.h"

#include <math.h>

#include "report/draw.h"
#include "cli/options.h"

typedef struct TestOptions {
    bool flag;
    int64_t count;
    int64_t unset;
    double rate;
    double unset_rate;
    const char *text;
    const char *choice;
} TestOptions;

static const OptionSpec specs[] = {
    OPTION_FLAG("flag", offsetof(TestOptions, flag), "a flag"),
    OPTION_INT("count", offsetof(TestOptions, count), "N", -5, 1000, "a count", .def = "7"),
    OPTION_INT("unset", offsetof(TestOptions, unset), "N", 1, 9, "no default"),
    OPTION_NUM("rate", offsetof(TestOptions, rate), "X", 0, 1e6, "a rate", .def = "0.5"),
    OPTION_NUM("unset-rate", offsetof(TestOptions, unset_rate), "X", 0, 1, "none"),
    OPTION_TEXT("text", offsetof(TestOptions, text), "FILE", "a text"),
    OPTION_CHOICE("choice", offsetof(TestOptions, choice), "auto|pgn|wthor", "a choice",
                  .def = "auto"),
};
#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

typedef struct Parsed {
    TestOptions fields;
    OptionTable table;
    int n_args;
    const char *args[16];
    int code;
} Parsed;

/* Parse words (ended by NULL) into fresh defaults. */
static void parse(Parsed *out, const char *const *words)
{
    char *argv[16];
    int argc = 0;
    memset(out, 0, sizeof(*out));
    for (; words[argc]; argc++) {
        argv[argc] = (char *)words[argc];
    }
    out->table = (OptionTable){.specs = specs, .n = N_SPECS, .base = &out->fields};
    options_default(&out->table);
    out->code = options_parse(&out->table, 1, &out->n_args, out->args, argc, argv, "try");
}

#define PARSE(out, ...) parse(out, (const char *const[]){__VA_ARGS__, NULL})

static void defaults_and_values(void **state)
{
    Parsed p;
    PARSE(&p, "one");
    assert_int_equal(p.code, 0);
    assert_false(p.fields.flag);
    assert_int_equal(p.fields.count, 7);
    assert_int_equal(p.fields.unset, 0);
    assert_true(p.fields.rate == 0.5);
    assert_true(isnan(p.fields.unset_rate));
    assert_null(p.fields.text);
    assert_string_equal(p.fields.choice, "auto");
    assert_int_equal(p.n_args, 1);

    PARSE(&p, "--count=-5", "one", "--flag", "--rate", "1e3", "two", "--choice=pgn", "--text",
          "a=b");
    assert_int_equal(p.code, 0);
    assert_int_equal(p.fields.count, -5);
    assert_true(p.fields.flag);
    assert_true(p.fields.rate == 1000);
    assert_string_equal(p.fields.choice, "pgn");
    assert_string_equal(p.fields.text, "a=b");
    assert_int_equal(p.n_args, 2);
    assert_string_equal(p.args[1], "two");
    assert_true(option_given(&p.table, "count"));
    assert_false(option_given(&p.table, "unset"));

    PARSE(&p, "--count", "-4", "--", "--flag", "-x", "-");
    assert_int_equal(p.code, 0);
    assert_int_equal(p.fields.count, -4);
    assert_false(p.fields.flag);
    assert_int_equal(p.n_args, 3);
    assert_string_equal(p.args[0], "--flag");
}

static void refusals_say_why(void **state)
{
    static const struct {
        const char *words[3];
        const char *message;
    } wrong[] = {
        {{"--cuont=3"}, "unknown option '--cuont'; did you mean '--count'?"},
        {{"--cou=3"}, "did you mean '--count'?"},
        {{"--zebra"}, "unknown option '--zebra'; 'ogpt try --help' lists all"},
        {{"-f"}, "two hyphens"},
        {{"--count"}, "--count needs a value: --count N"},
        {{"--count", "--flag"}, "--count needs a value"},
        {{"--count="}, "-5..1000 expected, found ''"},
        {{"--count", "1001"}, "a whole number -5..1000 expected, found '1001'"},
        {{"--count", "-6"}, "found '-6'"},
        {{"--count", "3x"}, "found '3x'"},
        {{"--count", "0x10"}, "found '0x10'"},
        {{"--count", " 3"}, "found ' 3'"},
        {{"--count", "+3"}, "found '+3'"},
        {{"--count", "3.0"}, "found '3.0'"},
        {{"--count", "1e2"}, "found '1e2'"},
        {{"--count", "99999999999999999999"}, "found '99999999999999999999'"},
        {{"--rate", "1e999"}, "a number 0..1e+06 expected, found '1e999'"},
        {{"--rate", "nan"}, "found 'nan'"},
        {{"--rate", "0x1p3"}, "found '0x1p3'"},
        {{"--rate", "1,5"}, "found '1,5'"},
        {{"--rate", "-1"}, "found '-1'"},
        {{"--rate", "e"}, "found 'e'"},
        {{"--choice", "p"}, "one of auto|pgn|wthor expected, found 'p'"},
        {{"--choice", "auto|pgn"}, "found 'auto|pgn'"},
        {{"--choice="}, "found ''"},
        {{"--text="}, "FILE expected, found an empty text"},
        {{"--flag=1"}, "--flag takes no value, found '1'"},
        {{"--flag", "--flag"}, "--flag given twice"},
        {{"--count=1", "--count=1"}, "--count given twice"},
        {{"one", ""}, "argument 2 is an empty text"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        Parsed p;
        parse(&p,
              (const char *const[]){wrong[i].words[0], wrong[i].words[1], wrong[i].words[2], NULL});
        assert_refused(p.code, OGPT_EUSAGE, wrong[i].message);
        assert_refused(p.code, OGPT_EUSAGE, "try: ");
    }
    /* A name longer than any option must not be cut into one. */
    char longer[200] = "--";
    memset(longer + 2, 'c', 150);
    Parsed p;
    PARSE(&p, longer);
    assert_refused(p.code, OGPT_EUSAGE, "unknown option");
}

static void distances(void **state)
{
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("abc", ""), 3);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("games", "gaems"), 1);
    assert_int_equal(edit_distance("games", "game"), 1);
    char longer[80];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[79] = '\0';
    assert_true(edit_distance(longer, "a") > 1000);
}

static void help_names_every_option_range_and_default(void **state)
{
    static const char *const expected[] = {"--flag  ",
                                           "--count N",
                                           "(-5..1000, default 7)",
                                           "--unset N",
                                           "(1..9)",
                                           "(0..1e+06, default 0.5)",
                                           "--text FILE",
                                           "--choice auto|pgn|wthor",
                                           "(default auto)"};
    Text text = {0};
    options_help(&text, specs, N_SPECS, 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (!strstr(text.data, expected[i])) {
            fail_msg("\"%s\" is missing in:\n%s", expected[i], text.data);
        }
    }
    assert_null(strstr(text.data, "(1..9, default"));
    text_release(&text);
}

static void document_holds_defaults(void **state)
{
    Parsed p;
    char *printed = NULL;
    Js *document = js_object();
    PARSE(&p, "--count", "3", "--flag");
    options_document(document, &p.table);
    assert_int_equal(js_print(&printed, document, 0), 0);
    assert_string_equal(printed, "{\"flag\":true,\"count\":3,\"unset\":0,\"rate\":0.5,"
                                 "\"unset-rate\":null,\"text\":null,\"choice\":\"auto\"}");
    mem_free(printed);
    js_free(document);
}

static void text_grows_and_fails_cleanly(void **state)
{
    Text text = {0};
    for (int i = 0; i < 1000; i++) {
        text_add(&text, "%04d", i);
    }
    assert_int_equal(text.length, 4000);
    assert_memory_equal(text.data + 3996, "0999", 5);
    mem_fail_at(1, 0);
    text_add(&text, "%*s", 10000, "");
    mem_fail_at(0, 0);
    assert_true(text.failed);
    assert_null(text.data);
    text_add(&text, "more");
    assert_null(text.data);
}

static void curves_reach_both_corners(void **state)
{
    double x[3] = {0, 5, 10};
    double y[3] = {1, NAN, 3};
    Text text = {0};
    draw_curve(&text, "loss", "step", x, y, 3);
    assert_non_null(strstr(text.data, "loss"));
    const char *top = strstr(text.data, "         3 |");
    const char *bottom = strstr(text.data, "         1 |*\n");
    assert_non_null(top);
    assert_non_null(bottom);
    assert_int_equal(strcspn(top, "*"), 12 + 63);
    assert_non_null(strstr(text.data, "step 0 to 10"));
    text_release(&text);
    draw_curve(&text, "loss", "step", x, y, 1);
    assert_null(text.data);
}

/* What an earlier run stored: taken where nothing was typed, refused where it could not have been
 * typed. */
static void stored_values_are_taken_or_refused(void **state)
{
    static const char *const refused[][2] = {
        {"{\"count\": 1001}", "run: --count: a whole number -5..1000 expected"},
        {"{\"count\": \"12\"}", "option \"count\" has not the type"},
        {"{\"count\": true}", "option \"count\" has not the type"},
        {"{\"rate\": -0.5}", "run: --rate: a number 0.."},
        {"{\"rate\": []}", "option \"rate\" has not the type"},
        {"{\"choice\": \"zip\"}", "one of auto|pgn|wthor expected"},
        {"{\"choice\": 3}", "option \"choice\" has not the type"},
        {"{\"text\": 3}", "option \"text\" has not the type"},
    };
    Parsed p;
    Js *values = NULL;
    const char *good = "{\"count\": 12, \"rate\": 2, \"choice\": \"pgn\", \"text\": \"\", "
                       "\"unset\": null, \"foreign\": {}}";
    PARSE(&p, "--rate", "0.25");
    assert_int_equal(js_parse(&values, good, strlen(good), "values"), 0);
    assert_int_equal(options_take(&p.table, values, "run"), 0);
    assert_int_equal(p.fields.count, 12);
    assert_true(p.fields.rate == 0.25); /* typed */
    assert_string_equal(p.fields.choice, "pgn");
    assert_null(p.fields.text);
    js_free(values);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *text = refused[i][0];
        PARSE(&p, "--flag");
        assert_int_equal(js_parse(&values, text, strlen(text), "values"), 0);
        assert_refused(options_take(&p.table, values, "run"), OGPT_EFORMAT, refused[i][1]);
        js_free(values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_values),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(distances),
        cmocka_unit_test(help_names_every_option_range_and_default),
        cmocka_unit_test(document_holds_defaults),
        cmocka_unit_test(text_grows_and_fails_cleanly),
        cmocka_unit_test(curves_reach_both_corners),
        cmocka_unit_test(stored_values_are_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
