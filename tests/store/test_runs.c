/* tests/store/test_runs.c - runs and their rows: what goes in comes out, and nothing else. */
#include "tests/store/run_test.h"

#include <math.h>

#include "tests/there.h"

static const Js *first_run(Js **list, Store *store)
{
    assert_int_equal(store_list(list, store, 1), 0);
    return js_at(*list, 0);
}

static const char *text_of(const Js *object, const char *key)
{
    return js_str_of(js_member(object, key));
}

static void run_row_lives_and_ends(void **state)
{
    Store *store = store_made("life.db");
    int64_t run = run_made(store, "train", "runs/a", "{\"steps\":3}");
    Js *list = NULL;
    Js *shown = NULL;
    const Js *row = first_run(&list, store);
    assert_string_equal(text_of(row, "status"), "running");
    assert_int_equal(js_type(js_member(row, "ended")), JS_NULL);
    assert_int_equal(js_int_of(js_member(row, "seed")), 9007199254740991);
    assert_string_equal(text_of(row, "command_line"), "ogpt train 'a b'");
    js_free(list);

    assert_int_equal(store_run_end(store, run, "failed", "disk full"), 0);
    row = first_run(&list, store);
    assert_string_equal(text_of(row, "status"), "failed");
    assert_string_equal(text_of(row, "message"), "disk full");
    assert_int_equal(js_type(js_member(row, "ended")), JS_STR);
    js_free(list);
    assert_refused(store_run_end(store, run, "fine", NULL), OGPT_EFORMAT, "CHECK");

    assert_int_equal(store_show(&shown, store, run), 0);
    assert_int_equal(js_int_of(js_member(js_member(shown, "options"), "steps")), 3);
    assert_int_equal(js_length(js_member(shown, "results")), 0);
    js_free(shown);
    assert_refused(store_show(&shown, store, run + 1), OGPT_EUSAGE, "no run");
    assert_null(shown);
    store_close(store);
}

static void runs_are_found_and_resumed(void **state)
{
    Store *store = store_made("resume.db");
    int64_t a = run_made(store, "train", "runs/a", "{\"x\":1}");
    int64_t b = run_made(store, "train", "runs/b", "{\"x\":1}");
    int64_t none = run_made(store, "perft", NULL, "{}");
    int64_t found = -1;
    Js *shown = NULL;
    RunStart same = start_of("eval", "runs/a", "{\"x\":1}");
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, 0);
    same = start_of("train", "runs/a", "{\"x\":1}");
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, a);
    same = start_of("perft", NULL, "{}");
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, none);

    same = start_of("train", "runs/b", "{\"x\":1}");
    assert_int_equal(store_run_end(store, b, "interrupted", "signal"), 0);
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, b);
    assert_int_equal(store_show(&shown, store, b), 0);
    assert_string_equal(text_of(shown, "status"), "running");
    assert_int_equal(js_type(js_member(shown, "message")), JS_NULL);
    assert_int_equal(js_int_of(js_member(shown, "sessions")), 2);
    js_free(shown);
    RunStart different = start_of("train", "runs/b", "{\"x\":2}");
    assert_int_equal(store_run_resume(store, &found, &different), 0);
    assert_int_equal(found, 0);
    /* A newer run with other options does not prevent it. */
    int64_t c = run_made(store, "train", "runs/b", "{\"x\":2}");
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, b);
    assert_int_equal(store_run_resume(store, &found, &different), 0);
    assert_int_equal(found, c);
    store_close(store);
}

static Js *curve_row(int64_t step, double loss)
{
    Js *row = js_object();
    js_set_int(row, "step", step);
    js_set_num(row, "loss", loss);
    return row;
}

static void rows_come_back_in_order(void **state)
{
    Store *store = store_made("rows.db");
    int64_t run = run_made(store, "train", "m", "{}");
    int64_t other = run_made(store, "train", "n", "{}");
    Js *rows = js_array();
    Js *back = NULL;
    for (int64_t step = 1; step <= 5; step++) {
        js_push(rows, curve_row(step * 10, step == 3 ? NAN : 1.0 / (double)step));
    }
    assert_int_equal(store_add_all(store, run, "train_curve", rows), 0);
    assert_int_equal(store_add(store, other, "train_curve", js_at(rows, 0)), 0);
    js_free(rows);

    assert_int_equal(store_rows(&back, store, "train_curve", run), 0);
    assert_int_equal(js_length(back), 5);
    assert_int_equal(js_int_of(js_member(js_at(back, 4), "step")), 50);
    assert_true(js_num_of(js_member(js_at(back, 1), "loss")) == 0.5);
    assert_int_equal(js_type(js_member(js_at(back, 2), "loss")), JS_NULL);
    assert_int_equal(js_type(js_member(js_at(back, 0), "excess")), JS_NULL);
    js_free(back);

    /* A resumed run drops its rows past its checkpoint, and only its own. */
    assert_int_equal(store_trim(store, run, "train_curve", "step", 30), 0);
    assert_int_equal(store_rows(&back, store, "train_curve", run), 0);
    assert_int_equal(js_length(back), 3);
    js_free(back);
    assert_int_equal(store_rows(&back, store, "train_curve", other), 0);
    assert_int_equal(js_length(back), 1);
    js_free(back);
    assert_refused(store_trim(store, run, "train_curve", "loss", 0), OGPT_EUSAGE, "'loss'");
    assert_refused(store_trim(store, run, "train_curve", "x; --", 0), OGPT_EUSAGE, "'x; --'");
    assert_refused(store_rows(&back, store, "runs", run), OGPT_EUSAGE, "'runs'");
    store_close(store);
}

static void wrong_rows_are_refused_whole(void **state)
{
    Store *store = store_made("strict.db");
    int64_t run = run_made(store, "train", "m", "{}");
    Js *rows = js_array();
    Js *bad = curve_row(2, 1);
    Js *back = NULL;
    js_set_str(bad, "loss", "low");
    js_push(rows, curve_row(1, 1));
    js_push(rows, bad);
    assert_refused(store_add_all(store, run, "train_curve", rows), OGPT_EUSAGE, "column loss");
    js_set_num(bad, "loss", 1);
    js_set_num(bad, "step", 1.5);
    assert_refused(store_add_all(store, run, "train_curve", rows), OGPT_EUSAGE, "column step");
    js_set_int(bad, "step", 2);
    js_set_num(bad, "loss_low", 1); /* would be lost unseen */
    assert_refused(store_add_all(store, run, "train_curve", rows), OGPT_EUSAGE,
                   "has no column 'loss_low'");
    assert_int_equal(store_rows(&back, store, "train_curve", run), 0);
    assert_int_equal(js_length(back), 0); /* the good row before it vanished too */
    js_free(back);
    assert_refused(store_add(store, run + 1, "train_curve", js_at(rows, 0)), OGPT_EFORMAT,
                   "FOREIGN KEY");
    js_free(rows);
    store_close(store);
}

static void columns_and_runs_are_known(void **state)
{
    Store *store = store_made("known.db");
    bool known = true;
    assert_string_equal(store_column_type("eval_by_ply", "excess"), "REAL");
    assert_string_equal(store_column_type("edit_results", "random_error_high"), "REAL");
    assert_string_equal(store_column_type("edit_results", "model_hash"), "TEXT");
    assert_string_equal(store_column_type("eval_by_ply", "ply"), "INTEGER");
    assert_null(store_column_type("eval_by_ply", "nonsense"));
    assert_null(store_column_type("nonsense", "ply"));
    assert_int_equal(store_has_run(&known, store, "train", "{}"), 0);
    assert_false(known);
    run_made(store, "train", "m", "{}");
    assert_int_equal(store_has_run(&known, store, "train", "{}"), 0);
    assert_true(known);
    assert_int_equal(store_has_run(&known, store, "train", "{\"x\":1}"), 0);
    assert_false(known);
    run_made(store, "train", "m", "{\"x\":1,\"csv\":\"a\"}");
    assert_true(!store_has_result(&known, store, "train", "{\"x\":1,\"html\":\"b\"}") && known);
    assert_true(!store_has_result(&known, store, "train", "{\"x\":2,\"csv\":\"a\"}") && !known);
    store_close(store);
}

static void lists_become_text(void **state)
{
    Store *store = store_made("lists.db");
    int64_t run = run_made(store, "intervene", "m", "{}");
    Js *row = js_object();
    Js *layers = js_array();
    Js *back = NULL;
    js_push(layers, js_int(3));
    js_push(layers, js_int(4));
    js_set(row, "layers", layers);
    js_set_str(row, "method", "add");
    assert_int_equal(store_add(store, run, "edit_results", row), 0);
    js_free(row);
    assert_int_equal(store_rows(&back, store, "edit_results", run), 0);
    assert_string_equal(text_of(js_at(back, 0), "layers"), "[3,4]");
    js_free(back);
    store_close(store);
}

/* Every kind of results.def has a table that takes a row. */
static void every_kind_takes_a_row(void **state)
{
#define COLUMN(name, type)
#define KIND(name, columns) #name,
    static const char *const names[] = {
#include "store/results.def"
    };
#undef KIND
#undef COLUMN
    size_t n = sizeof(names) / sizeof(names[0]);
    Store *store = store_made("kinds.db");
    int64_t run = run_made(store, "all", NULL, "{}");
    Js *empty = js_object();
    Js *shown = NULL;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(store_add(store, run, names[i], empty), 0);
    }
    js_free(empty);
    assert_int_equal(store_show(&shown, store, run), 0);
    assert_int_equal(js_length(js_member(shown, "results")), n);
    js_free(shown);
    assert_int_equal(store_check(store), 0);
    store_close(store);
}

/* A direct handle on the file, for what the interface does not allow. */
static int file_exec(const char *name, const char *sql)
{
    static const DbSchema schema = {
        .application_id = STORE_APPLICATION_ID, .version = STORE_SCHEMA_VERSION, .create_sql = ""};
    Db *db = NULL;
    assert_int_equal(db_open(&db, at(name), DB_WRITE, &schema), 0);
    int rc = db_exec(db, sql);
    db_close(db);
    return rc;
}

/* While another process of this host works on a run, neither its row nor that of a refused second
 * run is taken over. Once that process has ended, the run can be resumed. */
static void living_runs_are_left_alone(void **state)
{
    Store *store = store_made("living.db");
    int64_t first = run_made(store, "train", "runs/a", "{}");
    int64_t found = -1;
    char sql[96];
    Js *shown = NULL;
    RunStart same = start_of("train", "runs/a", "{}");
    /* The parent of this test lives as long as it does; its start is not known. */
    snprintf(sql, sizeof(sql), "UPDATE runs SET pid = %d, pid_start = 0", (int)getppid());
    assert_int_equal(file_exec("living.db", sql), 0);
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, 0);
    int64_t refused = run_made(store, "train", "runs/a", "{}");
    assert_int_equal(store_run_end(store, refused, "failed", "locked"), 0);
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, 0);
    assert_int_equal(store_show(&shown, store, first), 0);
    assert_string_equal(text_of(shown, "status"), "running");
    assert_int_equal(js_int_of(js_member(shown, "sessions")), 1);
    js_free(shown);

    snprintf(sql, sizeof(sql), "UPDATE runs SET pid_start = 1 WHERE run = %d", (int)first);
    assert_int_equal(file_exec("living.db", sql), 0); /* the parent did not start at boot */
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, first);
    store_close(store);
}

static void rows_are_append_only(void **state)
{
    Store *store = store_made("append.db");
    int64_t run = run_made(store, "train", "m", "{}");
    Js *row = curve_row(1, 2);
    assert_int_equal(store_add(store, run, "train_curve", row), 0);
    js_free(row);
    store_close(store);
    assert_refused(file_exec("append.db", "UPDATE train_curve SET loss = 0"), OGPT_EFORMAT,
                   "append-only");
}

/* A run without a living process is "killed", not "running"; here this process has its pid again.
 * Its row can be resumed; that of another host is left alone. */
static void dead_runs_are_told(void **state)
{
    Store *store = store_made("dead.db");
    int64_t run = run_made(store, "train", "runs/a", "{}");
    int64_t found = 0;
    RunStart same = start_of("train", "runs/a", "{}");
    Js *list = NULL;
    const Js *row = first_run(&list, store);
    assert_string_equal(text_of(row, "status"), "running");
    assert_int_equal(js_int_of(js_member(row, "pid")), getpid());
    js_free(list);
    assert_int_equal(file_exec("dead.db", "UPDATE runs SET pid_start = pid_start + 1"), 0);
    assert_string_equal(text_of(first_run(&list, store), "status"), "killed");
    js_free(list);
    assert_int_equal(store_show(&list, store, run), 0);
    assert_string_equal(text_of(list, "status"), "killed");
    js_free(list);
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, run);
    assert_string_equal(text_of(first_run(&list, store), "status"), "running");
    js_free(list);
    assert_int_equal(file_exec("dead.db", "UPDATE runs SET pid_start = 1, host = 'elsewhere'"), 0);
    assert_string_equal(text_of(first_run(&list, store), "status"), "running");
    js_free(list);
    assert_int_equal(file_exec("dead.db", "UPDATE runs SET pid_start = 1, status = 'done'"), 0);
    assert_string_equal(text_of(first_run(&list, store), "status"), "done");
    js_free(list);
    store_close(store);
}

/* A file of an earlier program: without a table, without a column, without a view. */
static void older_files_are_completed(void **state)
{
    Store *store = store_made("older.db");
    int64_t run = run_made(store, "train", "m", "{}");
    Js *rows = NULL;
    store_close(store);
    assert_int_equal(file_exec("older.db", "DROP VIEW last_evals; DROP TABLE eval;"
                                           "DROP VIEW best_probe_layers;"
                                           "DROP VIEW probes_by_layer; DROP VIEW evals_by_model;"
                                           "DROP VIEW edits_by_method;"
                                           "ALTER TABLE probe_layers"
                                           " DROP COLUMN validation_accuracy;"
                                           "CREATE VIEW best_probe_layers AS SELECT run, layer,"
                                           " max(accuracy) FROM probe_layers GROUP BY run;"
                                           "ALTER TABLE perft DROP COLUMN seconds;"
                                           "ALTER TABLE runs DROP COLUMN pid_start;"
                                           "ALTER TABLE runs DROP COLUMN pid"),
                     0);
    assert_int_equal(store_open_read(&store, at("older.db")), 0);
    assert_string_equal(text_of(first_run(&rows, store), "status"), "running");
    js_free(rows);
    assert_int_equal(store_rows(&rows, store, "eval", run), 0);
    assert_int_equal(js_length(rows), 0);
    js_free(rows);
    store_close(store);

    store = store_made("older.db");
    Js *row = js_object();
    js_set_num(row, "seconds", 0.25);
    assert_int_equal(store_add(store, run, "perft", row), 0);
    js_free(row);
    row = js_object();
    js_set_num(row, "loss", 2);
    assert_int_equal(store_add(store, run, "eval", row), 0);
    js_free(row);
    assert_int_equal(store_rows(&rows, store, "perft", run), 0);
    assert_true(js_num_of(js_member(js_at(rows, 0), "seconds")) == 0.25);
    js_free(rows);
    store_close(store);
    assert_int_equal(file_exec("older.db", "SELECT * FROM last_evals; SELECT pid FROM runs;"
                                           "SELECT chosen_by FROM best_probe_layers"),
                     0);
}

/* A second command that was refused, because the first one held the lock, ends in the same second
 * as the first one, or later. What is typed again goes on with the run that has the rows. */
static void refused_runs_are_not_resumed(void **state)
{
    Store *store = store_made("refused.db");
    RunStart same = start_of("train", "runs/a", "{}");
    int64_t found = 0, first = run_made(store, "train", "runs/a", "{}");
    int64_t second = run_made(store, "train", "runs/a", "{}");
    assert_int_equal(store_run_end(store, first, "done", NULL), 0);
    assert_int_equal(store_run_end(store, second, "failed", "locked"), 0);
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, second); /* the twin: any other failure */
    assert_int_equal(store_run_end(store, second, "failed", "locked"), 0);
    for (int i = 0; i < 2; i++) { /* its two sessions */
        assert_int_equal(store_run_refused(store, second), 0);
    }
    assert_int_equal(store_run_resume(store, &found, &same), 0);
    assert_int_equal(found, first);
    store_close(store);
}

/* Every summary of views.def runs, on an empty file too; that of another program is not read until
 * it is replaced. */
static void views_are_read_by_name(void **state)
{
    const char *name, *summary;
    Js *rows = NULL;
    Store *store = store_made("named.db");
    int64_t run = run_made(store, "probe fit", "p", "{}");
    size_t n = 0;
    for (; store_view_at(&name, &summary, n); n++) {
        assert_int_equal(store_view(&rows, store, name, 0), 0);
        assert_int_equal(js_length(rows), 0);
        js_free(rows);
        assert_true(strlen(summary) > 10);
    }
    assert_int_equal(n, 6);
    Js *row = js_object();
    js_set_str(row, "task", "mine");
    js_set_str(row, "control", "majority");
    js_set_num(row, "accuracy", 0.25);
    js_set_int(row, "layer", 2);
    assert_int_equal(store_add(store, run, "probe_controls", row), 0);
    js_free(row);
    row = js_object();
    js_set_str(row, "task", "mine");
    js_set_num(row, "accuracy", 0.75);
    js_set_int(row, "layer", 2);
    assert_int_equal(store_add(store, run, "probe_layers", row), 0);
    js_free(row);
    static const char *const ends[] = {NULL, "failed", "interrupted", "negative", "done"};
    for (size_t i = 0; i < 5; i++) { /* only what came to its end is summed up */
        if (ends[i]) {
            assert_int_equal(store_run_end(store, run, ends[i], NULL), 0);
        }
        assert_int_equal(store_view(&rows, store, "probes_by_layer", run), 0);
        assert_int_equal(js_length(rows), i >= 3);
        js_free(rows);
        assert_int_equal(store_view(&rows, store, "best_probe_layers", run), 0);
        assert_int_equal(js_length(rows), i >= 3);
        js_free(rows);
    }
    assert_int_equal(store_view(&rows, store, "probes_by_layer", run), 0);
    assert_int_equal(js_length(rows), 1);
    assert_true(js_num_of(js_member(js_at(rows, 0), "accuracy")) == 0.75);
    assert_true(js_num_of(js_member(js_at(rows, 0), "majority")) == 0.25);
    assert_int_equal(js_int_of(js_member(js_at(rows, 0), "layer")), 2);
    assert_int_equal(js_type(js_member(js_at(rows, 0), "history")), JS_NULL);
    assert_string_equal(text_of(js_at(rows, 0), "probe"), "p");
    js_free(rows);
    assert_int_equal(store_view(&rows, store, "probes_by_layer", run + 1), 0);
    assert_int_equal(js_length(rows), 0); /* of another run: nothing */
    js_free(rows);
    assert_int_equal(store_view(&rows, store, "runs; DROP TABLE runs", 0), OGPT_EUSAGE);
    store_close(store);
    assert_int_equal(file_exec("named.db", "DROP VIEW last_evals;"
                                           "CREATE VIEW last_evals AS SELECT run FROM runs"),
                     0);
    assert_int_equal(store_open_read(&store, at("named.db")), 0);
    assert_int_equal(store_view(&rows, store, "last_evals", 0), OGPT_EVERSION);
    store_close(store);
    store = store_made("named.db");
    assert_int_equal(store_view(&rows, store, "last_evals", 0), 0);
    js_free(rows);
    store_close(store);
}

static void views_choose_rows(void **state)
{
    Store *store = store_made("views.db");
    int64_t run = run_made(store, "probe fit", "p", "{}");
    for (int64_t layer = 0; layer < 4; layer++) {
        Js *row = js_object();
        js_set_str(row, "task", "mine");
        js_set_int(row, "layer", layer);
        js_set_num(row, "accuracy", layer == 3 ? 0.9 : 0.5);
        js_set_num(row, "validation_accuracy", layer == 2 ? 0.9 : 0.5);
        assert_int_equal(store_add(store, run, "probe_layers", row), 0);
        js_free(row);
    }
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    store_close(store);
    /* A CASE without a branch for the layer gives NULL, which the table refuses. */
    const char *check = "CREATE TEMP TABLE ok (x INTEGER NOT NULL);"
                        "INSERT INTO ok SELECT CASE WHEN layer = %d THEN 1 END"
                        " FROM best_probe_layers";
    char sql[256];
    snprintf(sql, sizeof(sql), check, 2);
    assert_int_equal(file_exec("views.db", sql), 0);
    snprintf(sql, sizeof(sql), check, 3);
    assert_refused(file_exec("views.db", sql), OGPT_EFORMAT, "NOT NULL");
}

static void other_files_are_no_store(void **state)
{
    Store *store = NULL;
    static const DbSchema corpus = {
        .application_id = 0x6f677063, .version = 1, .create_sql = "CREATE TABLE meta (a)"};
    Db *db = NULL;
    assert_int_equal(db_open(&db, at("corpus.db"), DB_CREATE, &corpus), 0);
    db_close(db);
    assert_refused(store_open(&store, at("corpus.db")), OGPT_EFORMAT, "0x6f677063");
    assert_null(store);
    assert_refused(store_open_read(&store, at("absent.db")), OGPT_EIO, "no such file");
    assert_false(file_exists(at("absent.db")));
    store_close(store_made("newer.db"));
    assert_int_equal(file_exec("newer.db", "PRAGMA user_version=2"), 0);
    assert_refused(store_open(&store, at("newer.db")), OGPT_EVERSION, "newer ogpt");
}

static void dangling_rows_are_found(void **state)
{
    Store *store = store_made("dangling.db");
    int64_t run = run_made(store, "train", "m", "{}");
    Js *row = curve_row(1, 2);
    assert_int_equal(store_add(store, run, "train_curve", row), 0);
    js_free(row);
    assert_int_equal(store_check(store), 0);
    store_close(store);
    assert_int_equal(file_exec("dangling.db", "PRAGMA foreign_keys=OFF; DELETE FROM runs"), 0);
    assert_int_equal(store_open_read(&store, at("dangling.db")), 0);
    assert_refused(store_check(store), OGPT_EFORMAT, "train_curve belongs to no run");
    store_close(store);
}

/* Two handles write in turn; neither loses a row. */
static void two_writers_share_a_file(void **state)
{
    Store *a = store_made("shared.db");
    Store *b = store_made("shared.db");
    Js *list = NULL;
    for (int i = 0; i < 20; i++) {
        run_made(i % 2 == 0 ? a : b, "perft", NULL, "{}");
    }
    assert_int_equal(store_list(&list, a, 0), 0);
    assert_int_equal(js_length(list), 20);
    assert_int_equal(js_int_of(js_member(js_at(list, 0), "run")), 20);
    js_free(list);
    store_close(a);
    store_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_row_lives_and_ends),
        cmocka_unit_test(runs_are_found_and_resumed),
        cmocka_unit_test(rows_come_back_in_order),
        cmocka_unit_test(columns_and_runs_are_known),
        cmocka_unit_test(wrong_rows_are_refused_whole),
        cmocka_unit_test(lists_become_text),
        cmocka_unit_test(every_kind_takes_a_row),
        cmocka_unit_test(rows_are_append_only),
        cmocka_unit_test(older_files_are_completed),
        cmocka_unit_test(views_choose_rows),
        cmocka_unit_test(other_files_are_no_store),
        cmocka_unit_test(dead_runs_are_told),
        cmocka_unit_test(dangling_rows_are_found),
        cmocka_unit_test(two_writers_share_a_file),
        cmocka_unit_test(living_runs_are_left_alone),
        cmocka_unit_test(refused_runs_are_not_resumed),
        cmocka_unit_test(views_are_read_by_name),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
