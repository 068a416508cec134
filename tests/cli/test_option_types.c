/* tests/cli/test_option_types.c - typed options: enums, sites, lists of layers, outputs, required
 * ones, older names. */
#include "tests/base/base_test.h"

#include "cli/options.h"

typedef struct TypedOptions {
    int colour, unset, site;
    LayerList layers, one, none, chosen;
    const char *out;
} TypedOptions;

enum { SITE_HIGH = 40, SITE_LOW = 20 };

static int site_parse(const char *word)
{
    return strstr(word, "high") ? SITE_HIGH : strcmp(word, "low") == 0 ? SITE_LOW : 7;
}

static const OptionSpec specs[] = {
    OPTION_ENUM("colour", offsetof(TypedOptions, colour), "red|green|blue", "a colour",
                .def = "green"),
    OPTION_ENUM("unset", offsetof(TypedOptions, unset), "a|b", "without default"),
    OPTION_ROW("site", OPT_SITE, offsetof(TypedOptions, site), "a site", .def = "low",
               .choices = "low|high", .parse = site_parse, .required = true),
    OPTION_ROW("layers", OPT_LAYERS, offsetof(TypedOptions, layers), "layers", .def = "all",
               .choices = "all|auto", .alias = "layer"),
    OPTION_ROW("one", OPT_LAYERS, offsetof(TypedOptions, one), "one layer", .max = 1),
    OPTION_ROW("none", OPT_LAYERS, offsetof(TypedOptions, none), "no default"),
    OPTION_ROW("chosen", OPT_LAYERS, offsetof(TypedOptions, chosen), "or the best", .max = 1,
               .def = "best", .choices = "best"),
    OPTION_OUT("out", offsetof(TypedOptions, out), "FILE", "a file"),
};

typedef struct Parsed {
    TypedOptions fields;
    OptionTable table;
    int code;
} Parsed;

/* Parse "--name=value", or nothing. */
static void parse(Parsed *out, const char *word)
{
    const char *args[2];
    char *argv[] = {(char *)word};
    int n_args;
    memset(out, 0, sizeof(*out));
    out->table =
        (OptionTable){.specs = specs, .n = sizeof(specs) / sizeof(specs[0]), .base = &out->fields};
    options_default(&out->table);
    out->code = options_parse(&out->table, 1, &n_args, args, word ? 1 : 0, argv, "try");
}

static void words_become_numbers(void **state)
{
    Parsed p;
    parse(&p, NULL);
    assert_int_equal(p.fields.colour, 1);
    assert_int_equal(p.fields.unset, -1);
    assert_int_equal(p.fields.site, SITE_LOW);
    parse(&p, "--colour=blue");
    assert_int_equal(p.fields.colour, 2);
    parse(&p, "--unset=a");
    assert_int_equal(p.fields.unset, 0);
    parse(&p, "--site=high");
    assert_int_equal(p.fields.site, SITE_HIGH);
    parse(&p, "--site=hook_high"); /* another name of one that is offered */
    assert_int_equal(p.fields.site, SITE_HIGH);
    parse(&p, "--colour=gren");
    assert_refused(p.code, OGPT_EUSAGE, "one of red|green|blue expected, found 'gren'");
    parse(&p, "--site=middle");
    assert_refused(p.code, OGPT_EUSAGE, "one of low|high expected");
}

static void assert_layers(const char *word, int n, const int *layers)
{
    Parsed p;
    parse(&p, word);
    assert_int_equal(p.code, 0);
    assert_int_equal(p.fields.layers.word, LAYERS_LISTED);
    assert_int_equal(p.fields.layers.n, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(p.fields.layers.layers[i], layers[i]);
    }
}

static void layers_have_one_grammar(void **state)
{
    Parsed p;
    parse(&p, NULL);
    assert_int_equal(p.fields.layers.word, LAYERS_ALL);
    assert_int_equal(p.fields.none.word, LAYERS_UNSET);
    assert_layers("--layers=embed", 1, (const int[]){-1});
    assert_layers("--layers=3", 1, (const int[]){3});
    assert_layers("--layers=2-5", 4, (const int[]){2, 3, 4, 5});
    assert_layers("--layers=6,1,3", 3, (const int[]){1, 3, 6});
    assert_layers("--layers=7,embed,2-3", 4, (const int[]){-1, 2, 3, 7});
    assert_layers("--layer=4-4", 1, (const int[]){4}); /* the older name */
    parse(&p, "--layers=auto");
    assert_int_equal(p.fields.layers.word, LAYERS_AUTO);
    parse(&p, "--one=embed");
    assert_int_equal(p.fields.one.layers[0], -1);
    assert_int_equal(p.fields.chosen.word, LAYERS_AUTO);
    parse(&p, "--chosen=3");
    assert_int_equal(p.fields.chosen.word, LAYERS_LISTED);
}

static void wrong_layers_are_refused(void **state)
{
    static const char *const wrong[] = {
        "--layers=,",    "--layers=3,",     "--layers=,3",      "--layers=5-2",  "--layers=-1",
        "--layers=1-",   "--layers=embedx", "--layers=0x1",     "--layers=1 2",  "--layers=99999",
        "--layers=none", "--layers=ALL",    "--layers=3-embed", "--layers=0-99", "--layers=3,all",
        "--none=all",    "--none=auto",     "--one=1,2",        "--one=1-2",     "--one=all",
        "--one=best",    "--chosen=auto",   "--layers=1--2",    "--layers=2 ",   "--layers=1;2",
    };
    Parsed p;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        parse(&p, wrong[i]);
        if (p.code != OGPT_EUSAGE) {
            fail_msg("%s was taken", wrong[i]);
        }
    }
    parse(&p, "--layers=1,0-2");
    assert_refused(p.code, OGPT_EUSAGE, "each layer once");
    parse(&p, "--one=1,2");
    assert_refused(p.code, OGPT_EUSAGE, "exactly one layer expected");
    parse(&p, "--one=x");
    assert_refused(p.code, OGPT_EUSAGE, "try: --one: a layer 0..63 or 'embed' expected");
}

static void layers_meet_a_network(void **state)
{
    Parsed p;
    LayerList *layers = &p.fields.layers;
    parse(&p, NULL);
    assert_int_equal(layers_resolve(layers, 3, true, "m"), 0);
    assert_int_equal(layers->n, 4);
    assert_int_equal(layers->layers[0], -1);
    assert_int_equal(layers->layers[3], 2);
    parse(&p, NULL);
    assert_int_equal(layers_resolve(layers, 3, false, "m"), 0);
    assert_int_equal(layers->n, 3);
    parse(&p, "--layers=0-2");
    assert_int_equal(layers_resolve(layers, 3, true, "m"), 0);
    assert_refused(layers_resolve(layers, 2, true, "m"), OGPT_EUSAGE,
                   "--layers 0-2: m has layers 0 to 1 and 'embed'");
    parse(&p, "--layers=embed");
    assert_refused(layers_resolve(layers, 2, false, "m"), OGPT_EUSAGE, "only layers 0 to 1 of m");
}

static void required_and_outputs(void **state)
{
    Parsed p;
    parse(&p, NULL);
    assert_refused(options_check_required(&p.table, "try", "ogpt try --site low\nmore"),
                   OGPT_EUSAGE, "try: --site low|high is required, as in: ogpt try --site low");
    assert_null(strstr(err_message(), "more"));
    parse(&p, "--site=low");
    assert_int_equal(options_check_required(&p.table, "try", ""), 0);
    assert_int_equal(options_check_outputs(&p.table), 0);
    p.fields.out = "/dev/null/below";
    assert_refused(options_check_outputs(&p.table), OGPT_EIO, "/dev/null/below");
    p.fields.out = at("new");
    assert_int_equal(options_check_outputs(&p.table), 0);
}

static void help_and_document(void **state)
{
    Text text = {0};
    Parsed p;
    Js *document = js_object();
    options_help(&text, specs, sizeof(specs) / sizeof(specs[0]), 0);
    assert_non_null(strstr(text.data, "--colour red|green|blue"));
    assert_non_null(strstr(text.data, "a colour (default green)\n"));
    assert_non_null(strstr(text.data, "a site (required)\n"));
    assert_non_null(strstr(text.data, "--layers LAYERS"));
    assert_non_null(strstr(text.data, "(such as 3 or embed,0 or 2-5 or all or auto, default all)"));
    assert_non_null(strstr(text.data, "--one LAYER "));
    assert_non_null(strstr(text.data, "one layer (such as 3 or embed)\n"));
    assert_null(strstr(text.data, "--layer ")); /* older names are taken, not offered */
    text_release(&text);
    parse(&p, "--layer=2-5");
    options_document(document, &p.table);
    assert_string_equal(js_str_of(js_member(document, "colour")), "green");
    assert_string_equal(js_str_of(js_member(document, "site")), "low");
    assert_string_equal(js_str_of(js_member(document, "layers")), "2-5");
    assert_string_equal(js_str_of(js_member(document, "layer")), "2-5");
    assert_int_equal(js_type(js_member(document, "unset")), JS_NULL);
    assert_int_equal(js_type(js_member(document, "none")), JS_NULL);
    js_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_numbers),     cmocka_unit_test(layers_have_one_grammar),
        cmocka_unit_test(wrong_layers_are_refused), cmocka_unit_test(layers_meet_a_network),
        cmocka_unit_test(required_and_outputs),     cmocka_unit_test(help_and_document),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
