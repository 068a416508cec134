/* tests/report/runs/test_run_links.c - which runs of a database belong together. */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "report/runs/run_links.h"

/* A run as store_about gives it. */
static Js *run_made(const char *text)
{
    Js *run = NULL, *names = js_array();
    assert_int_equal(js_parse(&run, text, strlen(text), "run"), 0);
    js_push(names, js_str("corpus"));
    run_links_set(run, names);
    return run;
}

/* Newest first: a count of the tree, a failed and a repeated evaluation, another network of the
 * same corpus, its corpus, and a network of another. */
static Js *runs_made(void)
{
    static const char *const texts[] = {
        "{\"run\":7,\"command\":\"perft\",\"status\":\"done\",\"options\":{\"arguments\":[\"6\"]},"
        "\"hashes\":[]}",
        "{\"run\":6,\"command\":\"eval\",\"subject\":\"new\",\"status\":\"failed\",\"options\":{"
        "\"arguments\":[\"new\"],\"corpus\":\"gone.ogpc,g.ogpc\"},\"hashes\":[]}",
        "{\"run\":5,\"command\":\"eval\",\"subject\":\"m\",\"status\":\"done\",\"options\":{"
        "\"arguments\":[\"m\"],\"corpus\":\"g.ogpc\",\"html\":\"x.html\"},\"hashes\":[\"aa\","
        "\"cc\"]}",
        "{\"run\":4,\"command\":\"eval\",\"subject\":\"m\",\"status\":\"done\",\"options\":{"
        "\"arguments\":[\"m\"],\"corpus\":\"g.ogpc\"},\"hashes\":[\"aa\",\"cc\"]}",
        "{\"run\":3,\"command\":\"eval\",\"subject\":\"n\",\"status\":\"done\",\"options\":{"
        "\"arguments\":[\"n\"],\"corpus\":\"g.ogpc\",\"site\":\"x\"},\"hashes\":[\"bb\",\"cc\"]}",
        "{\"run\":2,\"command\":\"generate\",\"subject\":\"g.ogpc\",\"status\":\"done\","
        "\"options\":{"
        "\"arguments\":[\"g.ogpc\"]},\"hashes\":[\"cc\"]}",
        "{\"run\":1,\"command\":\"eval\",\"subject\":\"o\",\"status\":\"killed\",\"options\":{"
        "\"arguments\":[\"o\",\"6\"],\"corpus\":\"h.ogpc\",\"site\":\"x\"},\"hashes\":[\"dd\"]}",
    };
    Js *runs = js_array();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        js_push(runs, run_made(texts[i]));
    }
    return runs;
}

static void assert_chosen(const Js *runs, bool all, const char *about, const char *numbers,
                          const char *left_out)
{
    Js *chosen = NULL;
    Text text = {0};
    char *printed = NULL;
    assert_int_equal(run_links_choose(&chosen, &text, runs, all, about), 0);
    assert_int_equal(js_print(&printed, chosen, 0), 0);
    assert_string_equal(printed, numbers);
    assert_string_equal(text.data ? text.data : "", left_out);
    mem_free(printed);
    text_release(&text);
    js_free(chosen);
}

static void runs_with_something_in_common(void **state)
{
    Js *runs = runs_made();
    assert_chosen(runs, false, NULL, "[2,3,5,6]",
                  "Typed again later, so not shown: run 4. "
                  "In the same database, but about other things: run 1, 7. ");
    assert_chosen(runs, false, "o", "[1]",
                  "In the same database, but about other things: run 2, 3, 4, 5, 6, 7. ");
    assert_chosen(runs, true, NULL, "[1,2,3,4,5,6,7]", "");
    js_free(runs);
    runs = js_array();
    assert_chosen(runs, false, NULL, "[]", "");
    js_free(runs);
}

static void only_ends_are_results(void **state)
{
    static const char *const texts[] = {"{\"status\":\"done\"}",    "{\"status\":\"negative\"}",
                                        "{\"status\":\"failed\"}",  "{\"status\":\"killed\"}",
                                        "{\"status\":\"running\"}", "{\"status\":null}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        Js *run = run_made(texts[i]);
        assert_int_equal(run_links_finished(run), i < 2);
        js_free(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_with_something_in_common),
        cmocka_unit_test(only_ends_are_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
