/* tests/store/test_run_about.c - a run, read without its rows. */
#include "tests/store/run_test.h"

/* A run without its rows: the hashes in them, each once. */
static void a_run_is_read_without_its_rows(void **state)
{
    static const char text[] =
        "[{\"model_hash\":\"aa\",\"corpus_hash\":\"cc\",\"loss\":1.5},"
        "{\"model_hash\":\"bb\",\"corpus_hash\":\"cc\"},{\"model_hash\":\"\"}]";
    Store *store = store_made("about.db");
    const int64_t run = run_made(store, "eval", "m", "{\"steps\":3}");
    Js *about = NULL;
    char *printed = NULL;
    rows_add(store, run, "eval", text);
    assert_int_equal(store_about(&about, store, run), 0);
    assert_int_equal(js_print(&printed, js_member(about, "hashes"), 0), 0);
    assert_string_equal(printed, "[\"aa\",\"bb\",\"cc\"]");
    assert_int_equal(js_int_of(js_member(js_member(about, "options"), "steps")), 3);
    assert_false(js_has(about, "results"));
    mem_free(printed);
    js_free(about);
    assert_refused(store_about(&about, store, run + 1), OGPT_EUSAGE, "no run");
    assert_null(about);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_run_is_read_without_its_rows)};
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
