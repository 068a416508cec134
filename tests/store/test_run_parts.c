/* tests/store/test_run_parts.c - rows of several kinds, made part by part: all of them or none. */
#include "tests/store/run_test.h"

/* Parts that are handed over one after the other. */
typedef struct Parts {
    Js *parts[3]; /* NULL: the end */
    size_t n;
    int rc; /* of the call behind the first part, 0: goes on */
} Parts;

static int part_next(void *context, Js **by_kind)
{
    Parts *parts = context;
    const size_t at = parts->n++;
    *by_kind = at == 0 || parts->rc == 0 ? js_keep(parts->parts[at]) : NULL;
    return at > 0 && parts->rc ? err_set(parts->rc, "the second part is lost") : 0;
}

static int parts_add(Store *store, int64_t run, Parts parts)
{
    return store_add_parts(store, run, part_next, &parts);
}

/* Rows of several kinds, in several parts, are all there or not at all. */
static void kinds_are_added_together(void **state)
{
    Store *store = store_made("together.db");
    const int64_t run = run_made(store, "eval", NULL, "{}");
    Js *kinds = js_object(), *good = js_array(), *bad = js_array(), *row = js_object(),
       *wrong = js_object();
    js_set_num(row, "loss", 1.5);
    js_set_str(wrong, "loss", "much"); /* a text where a number belongs */
    js_push(good, row);
    js_push(bad, wrong);
    js_set(kinds, "eval", good);
    js_set(kinds, "eval_by_ply", bad);
    assert_refused(parts_add(store, run, (Parts){.parts = {kinds}}), OGPT_EUSAGE, "column loss");
    assert_rows(store, run, "eval", 0);
    js_set(kinds, "eval_by_ply", js_keep(good)); /* the twin: sound rows of both kinds */
    assert_refused(parts_add(store, run, (Parts){.parts = {kinds}, .rc = OGPT_EIO}), OGPT_EIO,
                   "the second part is lost");
    assert_rows(store, run, "eval", 0);
    assert_int_equal(parts_add(store, run, (Parts){.parts = {kinds, kinds}}), 0);
    assert_rows(store, run, "eval", 2);
    assert_rows(store, run, "eval_by_ply", 2);
    js_free(kinds);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_added_together),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
