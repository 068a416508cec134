/* tests/base/test_js.c - JSON: what is refused, what is read, what is printed. */
#include "tests/base/base_test.h"

#include <math.h>
#include <stdbool.h>

#include "base/js.h"

static Js *parse(const char *text)
{
    Js *value;
    assert_int_equal(js_parse(&value, text, strlen(text), "text"), 0);
    return value;
}

static void assert_prints(Js *value, int indent, const char *expected)
{
    char *text;
    assert_int_equal(js_print(&text, value, indent), 0);
    assert_string_equal(text, expected);
    mem_free(text);
    js_free(value);
}

static void test_bad_text_is_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } table[] = {
        {"", "text: byte 0: expected JSON"},
        {"{", "text: byte 1"},
        {"{\"a\":1,}", "text: byte"},
        {"{\"a\":1} x", "end of file expected"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"[1e999]", "real number overflow"},
        {"[9223372036854775808]", "too big integer"},
        {"[NaN]", "invalid token"},
        {"[Infinity]", "invalid token"},
        {"['a']", "invalid token"},
        {"[01]", "text: byte"},
        {"[\"\\u0000\"]", "\\u0000 is not allowed"},
        {"[\"\\ud800\"]", "invalid Unicode"},
        {"[\"a\nb\"]", "unexpected newline"},
        {"[\"\xff\"]", "unable to decode byte 0xff"},
        {"[\"abc", "premature end of input"},
        {"[\"abc\\", "invalid escape"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        Js *value;
        int rc = js_parse(&value, table[i].text, strlen(table[i].text), "text");
        assert_refused(rc, OGPT_EFORMAT, table[i].message);
        assert_null(value);
    }
    Js *value;
    assert_refused(js_parse(&value, "[1]\0", 4, "text"), OGPT_EFORMAT, "text: byte");
}

/* `depth` opening brackets, a string full of them, and the closing ones. */
static int parse_nested(size_t depth, bool closed)
{
    size_t length = 0;
    char *text = mem_alloc(2 * depth + 32, 1, "a test");
    memset(text, '[', depth);
    length += depth;
    length += (size_t)snprintf(text + length, 32, "\"[[[[\\\"[[[[\"");
    if (closed) {
        memset(text + length, ']', depth);
        length += depth;
    }
    Js *value;
    int rc = js_parse(&value, text, length, "deep");
    js_free(value);
    mem_free(text);
    return rc;
}

static void test_depth_is_limited(void **state)
{
    assert_int_equal(parse_nested(1, true), 0);
    assert_int_equal(parse_nested(64, true), 0);
    assert_refused(parse_nested(65, true), OGPT_EFORMAT, "deep: byte 64: JSON nested deeper");
    assert_refused(parse_nested(64, false), OGPT_EFORMAT, "deep: byte");
    assert_refused(parse_nested(5000000, true), OGPT_EFORMAT, "nested deeper than 64");
    assert_refused(parse_nested(5000000, false), OGPT_EFORMAT, "nested deeper than 64");
    /* many in a row are not deep */
    char text[1001] = "[";
    for (size_t i = 1; i < 999; i += 3) {
        memcpy(text + i, "[],", 3);
    }
    memcpy(text + 997, "[]]", 4);
    js_free(parse(text));
}

static void test_typed_access(void **state)
{
    Js *object = parse("{\"i\":5,\"x\":0.5,\"b\":true,\"s\":\"t\",\"o\":{\"k\":1},\"a\":[1,2,3],"
                       "\"n\":null,\"min\":-9223372036854775808}");
    int64_t i;
    double x;
    bool b;
    const char *s;
    const Js *o, *a;
    assert_int_equal(js_get_int(&i, object, "i", 0, 5, "f"), 0);
    assert_int_equal(i, 5);
    assert_int_equal(js_get_int(&i, object, "min", INT64_MIN, 0, "f"), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(js_get_num(&x, object, "x", "f"), 0);
    assert_true(x == 0.5);
    assert_int_equal(js_get_num(&x, object, "i", "f"), 0);
    assert_true(x == 5);
    assert_int_equal(js_get_bool(&b, object, "b", "f"), 0);
    assert_true(b);
    assert_int_equal(js_get_str(&s, object, "s", "f"), 0);
    assert_string_equal(s, "t");
    assert_int_equal(js_get_object(&o, object, "o", "f"), 0);
    assert_int_equal(js_get_array(&a, object, "a", "f"), 0);
    assert_int_equal(js_length(a), 3);
    assert_int_equal(js_length(o), 1);
    assert_int_equal(js_int_of(js_at(a, 2)), 3);
    assert_null(js_at(a, 3));
    assert_null(js_member(a, "k"));
    assert_true(js_has(object, "n") && !js_has(object, "m"));

    i = 77;
    assert_refused(js_get_int(&i, object, "i", 6, 9, "f"), OGPT_EFORMAT,
                   "f: key \"i\": expected an integer in 6..9, found 5");
    assert_refused(js_get_int(&i, object, "i", 0, 4, "f"), OGPT_EFORMAT, "in 0..4, found 5");
    assert_int_equal(i, 77);
    assert_refused(js_get_int(&i, object, "x", 0, 9, "f"), OGPT_EFORMAT,
                   "key \"x\": expected an integer, found a fraction");
    assert_refused(js_get_int(&i, object, "m", 0, 9, "f"), OGPT_EFORMAT, "found nothing");
    assert_refused(js_get_num(&x, object, "s", "f"), OGPT_EFORMAT, "a number, found a string");
    assert_refused(js_get_bool(&b, object, "i", "f"), OGPT_EFORMAT, "found an integer");
    assert_refused(js_get_str(&s, object, "n", "f"), OGPT_EFORMAT, "found null");
    assert_refused(js_get_object(&o, object, "a", "f"), OGPT_EFORMAT, "found an array");
    assert_refused(js_get_array(&a, object, "o", "f"), OGPT_EFORMAT, "found an object");
    assert_refused(js_get_array(&a, object, "b", "f"), OGPT_EFORMAT, "found true or false");
    assert_refused(js_get_int(&i, a, "i", 0, 9, "f"), OGPT_EFORMAT, "found nothing");
    js_free(object);
}

static void test_untyped_walk(void **state)
{
    Js *object = parse("{\"z\":1,\"a\":2.5,\"m\":\"s\",\"b\":false,\"n\":null,\"r\":[],\"o\":{}}");
    static const char *const keys[] = {"z", "a", "m", "b", "n", "r", "o"};
    static const JsType types[] = {JS_INT, JS_NUM, JS_STR, JS_BOOL, JS_NULL, JS_ARRAY, JS_OBJECT};
    void *it = NULL;
    const char *key;
    const Js *value;
    size_t n = 0;
    while (js_next(object, &it, &key, &value)) { /* the order written, not sorted */
        assert_string_equal(key, keys[n]);
        assert_int_equal(js_type(value), types[n]);
        n++;
    }
    assert_int_equal(n, 7);
    assert_int_equal(js_int_of(js_member(object, "z")), 1);
    assert_int_equal(js_int_of(js_member(object, "a")), 0);
    assert_true(js_num_of(js_member(object, "z")) == 1);
    assert_true(js_num_of(js_member(object, "a")) == 2.5);
    assert_true(isnan(js_num_of(js_member(object, "m"))));
    assert_string_equal(js_str_of(js_member(object, "m")), "s");
    assert_null(js_str_of(js_member(object, "z")));
    assert_false(js_bool_of(js_member(object, "b")) || js_bool_of(js_member(object, "z")));
    js_free(object);
}

static Js *document_make(void)
{
    Js *object = js_object(), *array = js_array();
    js_set_int(object, "z", INT64_MIN);
    js_set_num(object, "a", 0.1);
    js_set_num(object, "nan", NAN);
    js_set_num(object, "inf", -HUGE_VAL);
    js_set_str(object, "s", "q\"\\\n\x1b\xc3\xa9");
    js_set_bool(object, "t", true);
    js_set(object, "none", js_null());
    js_push(array, js_int(1));
    js_push(array, js_keep(js_at(array, 0)));
    js_push(array, js_bool(false));
    js_set(object, "r", array);
    js_set(object, "e", js_object());
    return object;
}

static void test_printing(void **state)
{
    assert_prints(document_make(), 0,
                  "{\"z\":-9223372036854775808,\"a\":0.10000000000000001,\"nan\":null,\"inf\":null,"
                  "\"s\":\"q\\\"\\\\\\n\\u001B\xc3\xa9\",\"t\":true,\"none\":null,"
                  "\"r\":[1,1,false],\"e\":{}}");
    Js *small = js_object();
    js_set_num(small, "x", 2);
    assert_prints(small, 2, "{\n  \"x\": 2.0\n}");
    assert_prints(js_str("alone"), 0, "\"alone\"");
}

/* 17 significant digits bring back the same bits. */
static void test_doubles_survive(void **state)
{
    static const double values[] = {0.1,
                                    1.0 / 3,
                                    2.0101234567890123,
                                    1e-310,
                                    5e-324,
                                    -0.0,
                                    1e22,
                                    1e300,
                                    1.7976931348623157e308,
                                    1e-5,
                                    123456789012345680.0};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        Js *array = js_array();
        char *text;
        js_push(array, js_num(values[i]));
        assert_int_equal(js_print(&text, array, 0), 0);
        Js *again = parse(text);
        double found = js_num_of(js_at(again, 0));
        assert_memory_equal(&found, &values[i], sizeof(found));
        assert_null(strchr(text, ','));
        mem_free(text);
        js_free(again);
        js_free(array);
    }
}

static void test_invalid_utf8_is_replaced(void **state)
{
    static const char *const table[][2] = {
        {"plain", "\"plain\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\xff"
         "b",
         "\"a?b\""},
        {"\xc3", "\"?\""},
        {"\xe2\x82", "\"??\""},
        {"\xc0\xaf", "\"??\""},           /* overlong */
        {"\xe0\x80\xaf", "\"???\""},      /* overlong */
        {"\xed\xa0\x80", "\"???\""},      /* surrogate */
        {"\xf4\x90\x80\x80", "\"????\""}, /* beyond U+10FFFF */
        {"\xf0\x80\x80\x80", "\"????\""},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_prints(js_str(table[i][0]), 0, table[i][1]);
    }
}

/* Allocation n fails: the document is refused or complete, never printed with a gap. */
static void test_allocation_faults(void **state)
{
    char *whole;
    Js *document = document_make();
    assert_int_equal(js_print(&whole, document, 2), 0);
    js_free(document);
    for (int sticky = 0; sticky < 2; sticky++) {
        int rc = OGPT_ENOMEM;
        for (uint64_t n = 1; rc != 0; n++) {
            char *text;
            mem_fail_at(n, sticky);
            document = document_make();
            rc = js_print(&text, document, 2);
            mem_fail_at(0, 0);
            js_free(document);
            if (rc == 0) {
                assert_string_equal(text, whole);
                mem_free(text);
            } else {
                assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted ");
                assert_null(text);
            }
        }
        rc = OGPT_ENOMEM;
        for (uint64_t n = 1; rc != 0; n++) {
            mem_fail_at(n, sticky);
            rc = js_parse(&document, whole, strlen(whole), "text");
            mem_fail_at(0, 0);
            assert_true(rc == 0 || (rc == OGPT_ENOMEM && !document));
        }
        assert_prints(document, 2, whole); /* a failed parse leaves no mark on what follows */
    }
    mem_free(whole);
}

static void test_file(void **state)
{
    Js *value;
    put("good.json", "{\"a\":1}\n", 8);
    assert_int_equal(js_parse_file(&value, at("good.json"), 8), 0);
    assert_prints(value, 0, "{\"a\":1}");
    assert_refused(js_parse_file(&value, at("good.json"), 7), OGPT_EFORMAT, "at most 7 bytes");
    put("bad.json", "{\"a\":", 5);
    assert_refused(js_parse_file(&value, at("bad.json"), 99), OGPT_EFORMAT, "bad.json: byte 5");
    assert_refused(js_parse_file(&value, at("none.json"), 99), OGPT_EIO, "none.json");
    assert_null(value);
}

static void test_difference(void **state)
{
    Js *now = js_object(), *then = js_object();
    JsDifference found;
    js_set_int(now, "a", 1);
    js_set_str(now, "b", "x");
    js_set_int(then, "a", 1);
    assert_int_equal(js_difference(&found, now, then), 0);
    assert_string_equal(found.key, "b"); /* missing */
    assert_string_equal(found.own, "\"x\"");
    assert_null(found.other);
    js_difference_release(&found);
    js_set_str(then, "b", "y");
    assert_int_equal(js_difference(&found, now, then), 0);
    assert_string_equal(found.other, "\"y\"");
    js_difference_release(&found);
    js_set_str(then, "b", "x");
    js_set_int(then, "c", 3); /* what `now` does not have is not asked */
    assert_int_equal(js_difference(&found, now, then), 0);
    assert_true(!found.key && !found.own && !found.other);
    assert_int_equal(js_difference(&found, now, NULL), 0);
    assert_string_equal(found.key, "a");
    js_difference_release(&found);
    js_free(now);
    js_free(then);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_difference),        cmocka_unit_test(test_bad_text_is_refused),
        cmocka_unit_test(test_depth_is_limited),  cmocka_unit_test(test_typed_access),
        cmocka_unit_test(test_untyped_walk),      cmocka_unit_test(test_printing),
        cmocka_unit_test(test_doubles_survive),   cmocka_unit_test(test_invalid_utf8_is_replaced),
        cmocka_unit_test(test_allocation_faults), cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
