/* tests/store/run_test.h - a results database and runs in it, for the tests of store/. */
#ifndef OGPT_TESTS_STORE_RUN_TEST_H
#define OGPT_TESTS_STORE_RUN_TEST_H

#include "tests/base/base_test.h"

#include "store/runs.h"

static inline Store *store_made(const char *name)
{
    Store *store = NULL;
    assert_int_equal(store_open(&store, at(name)), 0);
    return store;
}

static inline RunStart start_of(const char *command, const char *subject, const char *options)
{
    return (RunStart){.command = command,
                      .command_line = "ogpt train 'a b'",
                      .options_json = options,
                      .seed = 9007199254740991u,
                      .versions_json = "{\"ogpt\":\"0.1.0\"}",
                      .machine = "a machine",
                      .subject = subject};
}

static inline int64_t run_made(Store *store, const char *command, const char *subject,
                               const char *options)
{
    const RunStart start = start_of(command, subject, options);
    int64_t run = 0;
    assert_int_equal(store_run_begin(store, &run, &start), 0);
    assert_true(run > 0);
    return run;
}

/* Rows that are written as a JSON array. */
static inline void rows_add(Store *store, int64_t run, const char *kind, const char *json)
{
    Js *rows = NULL;
    assert_int_equal(js_parse(&rows, json, strlen(json), "rows"), 0);
    assert_int_equal(store_add_all(store, run, kind, rows), 0);
    js_free(rows);
}

static inline void assert_rows(Store *store, int64_t run, const char *kind, size_t n)
{
    Js *rows = NULL;
    assert_int_equal(store_rows(&rows, store, kind, run), 0);
    assert_int_equal(js_length(rows), n);
    js_free(rows);
}

#endif
