/* tests/store/test_main_results.c - the one number that `ogpt runs list` shows of each run. */
#include "tests/store/run_test.h"

#include "store/kinds.h"

static Store *store;

static int store_new(void **state)
{
    static int n;
    char name[32];
    snprintf(name, sizeof(name), "main%d.db", n++);
    store = store_made(name);
    return 0;
}

static int store_end(void **state)
{
    store_close(store);
    return 0;
}

static int64_t any_run(void)
{
    return run_made(store, "any", NULL, "{}");
}

/* Add a row that is written as JSON. */
static void add(int64_t run, const char *kind, const char *json)
{
    char rows[256];
    snprintf(rows, sizeof(rows), "[%s]", json);
    rows_add(store, run, kind, rows);
}

/* The newest run reads so; NULL: it has no result, or no hash. */
static void assert_newest(const char *result, const char *key, double value, const char *hash)
{
    Js *runs = NULL, *results = NULL;
    assert_int_equal(store_list(&runs, store, 1), 0);
    assert_int_equal(store_main_results(&results, store, runs), 0);
    assert_int_equal(js_length(results), 1);
    const Js *row = js_at(results, 0);
    assert_int_equal(!js_has(row, "result"), !result);
    if (result) {
        assert_string_equal(js_str_of(js_member(row, "result")), result);
        assert_string_equal(js_str_of(js_member(row, "result_key")), key);
        assert_true(js_num_of(js_member(row, "result_value")) == value);
    }
    assert_int_equal(!js_has(row, "hash"), !hash);
    if (hash) {
        assert_string_equal(js_str_of(js_member(row, "hash")), hash);
    }
    js_free(results);
    js_free(runs);
}

static void a_run_without_rows_has_none(void **state)
{
    add(any_run(), "perft", "{\"nodes\": 60}");
    assert_newest("60 nodes", "nodes", 60, NULL);
    int64_t run = any_run(); /* the rows of another run are not its own */
    assert_newest(NULL, NULL, 0, NULL);
    add(run, "checkpoints", "{\"step\": 3, \"model_hash\": \"aa\"}");
    assert_newest(NULL, NULL, 0, "aa");
}

static void training_is_its_last_excess_or_loss(void **state)
{
    int64_t run = any_run();
    add(run, "train_curve", "{\"step\": 1, \"loss\": 3, \"excess\": 1.5}");
    add(run, "train_curve", "{\"step\": 2, \"loss\": 2, \"excess\": 0.25}");
    add(run, "checkpoints", "{\"step\": 1, \"model_hash\": \"aa\"}");
    add(run, "checkpoints", "{\"step\": 2, \"model_hash\": \"bb\"}");
    assert_newest("excess 0.2500", "excess", 0.25, "bb");
    run = any_run(); /* games that were not generated have no floor */
    add(run, "train_curve", "{\"step\": 1, \"loss\": 3.5, \"excess\": null}");
    assert_newest("loss 3.5000", "loss", 3.5, NULL);
}

static void a_probe_is_its_best_layer_by_validation(void **state)
{
    int64_t run = any_run();
    add(run, "probe_layers", "{\"layer\": 0, \"accuracy\": 0.9, \"validation_accuracy\": 0.8}");
    add(run, "probe_layers", "{\"layer\": 1, \"accuracy\": 0.875, \"validation_accuracy\": 0.9}");
    add(run, "probe_layers", "{\"layer\": 2, \"accuracy\": 0.95, \"validation_accuracy\": 0.7}");
    add(run, "probe_tests", "{\"differs\": true}");
    assert_newest("accuracy 87.50 %", "accuracy", 0.875, NULL);
    run = any_run(); /* the tests of a comparison alone */
    add(run, "probe_tests", "{\"differs\": true}");
    add(run, "probe_tests", "{\"differs\": false}");
    assert_newest("1 differ", "differs", 1, NULL);
    run = any_run(); /* over training: the best layer of the last step */
    add(run, "probe_steps", "{\"step\": 1, \"accuracy\": 0.75, \"validation_accuracy\": 0.9}");
    add(run, "probe_steps", "{\"step\": 2, \"accuracy\": 0.5, \"validation_accuracy\": 0.6}");
    add(run, "probe_steps", "{\"step\": 2, \"accuracy\": 0.25, \"validation_accuracy\": 0.3}");
    assert_newest("accuracy 50.00 %", "accuracy", 0.5, NULL);
}

static void other_commands_have_theirs(void **state)
{
    add(any_run(), "eval", "{\"strict_error\": 0.0241, \"model_hash\": \"cc\"}");
    assert_newest("strict error 2.41 %", "strict_error", 0.0241, "cc");
    int64_t run = any_run();
    add(run, "edit_results", "{\"method\": \"add\", \"closed\": 0.5}");
    add(run, "edit_results", "{\"method\": \"none\", \"closed\": null}");
    add(run, "edit_results", "{\"method\": \"project\", \"closed\": 0.25}");
    assert_newest("closed 50.0 %", "closed", 0.5, NULL);
    add(any_run(), "corpora", "{\"games\": 20000000, \"content_hash\": \"dd\"}");
    assert_newest("20000000 games", "games", 2e7, "dd");
    run = any_run();
    add(run, "findings", "{\"finding\": \"one\"}");
    add(run, "findings", "{\"finding\": \"two\"}");
    assert_newest("2 findings", "findings", 2, NULL);
}

/* A file of an earlier program, which lacks a table and a column, is listed all the same. */
static void an_older_file_is_listed(void **state)
{
    int64_t run = any_run();
    add(run, "probe_layers", "{\"accuracy\": 0.9, \"validation_accuracy\": 0.8}");
    add(run, "imports", "{\"games\": 5}");
    assert_newest("accuracy 90.00 %", "accuracy", 0.9, NULL);
    Db *db = store__db(store);
    /* Views name columns, so they must go first. */
    const char *name, *summary;
    for (size_t i = 0; store_view_at(&name, &summary, i); i++) {
        char sql[80];
        snprintf(sql, sizeof(sql), "DROP VIEW %s", name);
        assert_int_equal(db_exec(db, sql), 0);
    }
    assert_int_equal(db_exec(db, "DROP TABLE eval"), 0);
    assert_newest("accuracy 90.00 %", "accuracy", 0.9, NULL);
    assert_int_equal(db_exec(db, "ALTER TABLE probe_layers DROP COLUMN validation_accuracy"), 0);
    assert_newest("5 games", "games", 5, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_without_rows_has_none, store_new, store_end),
        cmocka_unit_test_setup_teardown(training_is_its_last_excess_or_loss, store_new, store_end),
        cmocka_unit_test_setup_teardown(a_probe_is_its_best_layer_by_validation, store_new,
                                        store_end),
        cmocka_unit_test_setup_teardown(other_commands_have_theirs, store_new, store_end),
        cmocka_unit_test_setup_teardown(an_older_file_is_listed, store_new, store_end),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
