/* tests/store/test_check.c - every finding on a results database, each next to a sound database
 * without it, and what settling changes. */
#include "tests/store/run_test.h"

#include "base/process.h"
#include "store/check.h"
#include "tests/there.h"

#define LINES_MAX 16

static char lines[LINES_MAX][1024];
static size_t n_lines;

static void line_keep(void *context, const char *line)
{
    assert_true(n_lines < LINES_MAX);
    assert_null(strchr(line, '\n'));
    snprintf(lines[n_lines++], sizeof(lines[0]), "%s", line);
}

static void file_exec(const char *name, const char *sql)
{
    static const DbSchema schema = {
        .application_id = STORE_APPLICATION_ID, .version = STORE_SCHEMA_VERSION, .create_sql = ""};
    Db *db = NULL;
    assert_int_equal(db_open(&db, at(name), DB_WRITE, &schema), 0);
    if (db_exec(db, sql) != 0) {
        fail_msg("%s", err_message());
    }
    db_close(db);
}

/* A store with one finished run in a directory of its own, and the number of that run. */
static int64_t store_make(const char *dir, const char *name)
{
    assert_int_equal(dir_create(at(dir)), 0);
    Store *store = store_made(name);
    const int64_t run = run_made(store, "train", "m", "{}");
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    store_close(store);
    return run;
}

static size_t verify_count(const char *name)
{
    Store *store = NULL;
    size_t n_runs = 0;
    n_lines = 0;
    assert_int_equal(store_open_read(&store, at(name)), 0);
    assert_int_equal(store_verify(&n_runs, store, line_keep, NULL), 0);
    store_close(store);
    return n_lines;
}

static size_t settle_count(const char *name)
{
    Store *store = NULL;
    n_lines = 0;
    assert_int_equal(store_open(&store, at(name)), 0);
    assert_int_equal(store_settle(store, line_keep, NULL), 0);
    store_close(store);
    return n_lines;
}

/* Exactly one finding, holding the text; then it is settled, and there is none. */
static void assert_found_and_settled(const char *name, const char *text)
{
    assert_int_equal(verify_count(name), 1);
    if (!strstr(lines[0], text)) {
        fail_msg("expected \"%s\", found \"%s\"", text, lines[0]);
    }
    assert_int_equal(settle_count(name), 1);
    assert_int_equal(verify_count(name), 0);
    assert_int_equal(settle_count(name), 0);
}

static void runs_of_dead_processes(void **state)
{
    char sql[256];
    store_make("a", "a/results.db");
    assert_int_equal(verify_count("a/results.db"), 0);
    /* the run of a living process is no finding; of one of another host nothing is known */
    file_exec("a/results.db", "UPDATE runs SET status = 'running'");
    assert_int_equal(verify_count("a/results.db"), 0);
    snprintf(sql, sizeof(sql), "UPDATE runs SET pid = %ld", dead_pid());
    file_exec("a/results.db", sql);
    file_exec("a/results.db", "UPDATE runs SET host = 'elsewhere.example'");
    assert_int_equal(verify_count("a/results.db"), 0);
    ProcessId self;
    process_self(&self);
    snprintf(sql, sizeof(sql), "UPDATE runs SET host = '%s'", self.host);
    file_exec("a/results.db", sql);
    /* a repetition that finished has lost nothing; another command is not a repetition */
    file_exec("a/results.db",
              "INSERT INTO runs (command, command_line, options, seed, versions, machine, subject,"
              " started, status) SELECT command, command_line, options, seed, versions, machine,"
              " subject, started, 'done' FROM runs");
    assert_int_equal(verify_count("a/results.db"), 0);
    file_exec("a/results.db", "UPDATE runs SET subject = 'other' WHERE run = 2");
    assert_found_and_settled("a/results.db", "run 1 (train m): expected a living process");
}

/* A row of a checkpoint at this path below run_folder. */
static void checkpoint_add(const char *name, int step, const char *path)
{
    char sql[FILES_PATH_MAX + 128];
    snprintf(sql, sizeof(sql),
             "INSERT INTO checkpoints (run, step, path) VALUES (1, %d, '%s%sstep-%08d')", step,
             path[0] == '.' ? "" : run_folder, path, step);
    file_exec(name, sql);
}

static int checkpoint_rows(const char *name)
{
    Store *store = NULL;
    Js *rows = NULL;
    assert_int_equal(store_open_read(&store, at(name)), 0);
    assert_int_equal(store_rows(&rows, store, "checkpoints", 1), 0);
    const int n = (int)js_length(rows);
    js_free(rows);
    store_close(store);
    return n;
}

static void checkpoints_that_are_gone(void **state)
{
    store_make("b", "b/results.db");
    /* three of one run directory, of which the older ones may be pruned */
    checkpoint_add("b/results.db", 10, "/b/m/");
    checkpoint_add("b/results.db", 20, "/b/m/");
    checkpoint_add("b/results.db", 30, "/b/m/");
    assert_int_equal(dir_create(at("b/m/step-00000030")), 0);
    assert_int_equal(verify_count("b/results.db"), 0);
    assert_int_equal(dir_remove(at("b/m/step-00000030")), 0);
    /* the row of a checkpoint that is there stays */
    assert_int_equal(dir_create(at("b/m/step-00000010")), 0);
    assert_found_and_settled("b/results.db", "/b/m/step-00000030, found none");
    assert_int_equal(checkpoint_rows("b/results.db"), 1);
    /* the whole run directory removed */
    assert_int_equal(dir_remove(at("b/m")), 0);
    assert_found_and_settled("b/results.db", "/b/m/step-00000010, found none");
    assert_int_equal(checkpoint_rows("b/results.db"), 0);
}

/* Rows are dropped only if their checkpoint is known to be gone. */
static void checkpoints_that_may_be_elsewhere(void **state)
{
    store_make("f", "f/results.db");
    assert_int_equal(dir_create(at("f/m")), 0);
    checkpoint_add("f/results.db", 10, "./m/"); /* from a working directory, which may be another */
    checkpoint_add("f/results.db", 10, "/moved/m/"); /* a place that does not exist */
    assert_int_equal(verify_count("f/results.db"), 0);
    assert_int_equal(settle_count("f/results.db"), 0);
    assert_int_equal(checkpoint_rows("f/results.db"), 2);
    checkpoint_add("f/results.db", 10, "/f/m/");
    file_exec("f/results.db", "UPDATE runs SET host = 'elsewhere.example'");
    assert_int_equal(verify_count("f/results.db"), 0);
    assert_int_equal(settle_count("f/results.db"), 0);
    assert_int_equal(checkpoint_rows("f/results.db"), 3);
    /* the twin: the same rows of this host, one of which is known to be gone */
    ProcessId self;
    char sql[256];
    process_self(&self);
    snprintf(sql, sizeof(sql), "UPDATE runs SET host = '%s'", self.host);
    file_exec("f/results.db", sql);
    assert_found_and_settled("f/results.db", "/f/m/step-00000010, found none");
    assert_int_equal(checkpoint_rows("f/results.db"), 2);
}

/* Files next to the database belong to other commands and perhaps to other people. */
static void files_beside_it_are_left_alone(void **state)
{
    char name[64];
    store_make("c", "c/results.db");
    snprintf(name, sizeof(name), "c/.tmp-%ld-model", dead_pid());
    assert_int_equal(dir_create(at(name)), 0);
    assert_int_equal(verify_count("c/results.db"), 0);
    assert_int_equal(settle_count("c/results.db"), 0);
    assert_true(dir_exists(at(name)));
}

static void damage_is_not_settled(void **state)
{
    Store *store = NULL;
    size_t n_runs = 0;
    store_make("d", "d/results.db");
    file_exec("d/results.db", "INSERT INTO perft (run, depth) VALUES (1, 3)");
    file_exec("d/results.db", "UPDATE runs SET options = '{\"a\":'");
    assert_int_equal(verify_count("d/results.db"), 1);
    file_exec("d/results.db", "PRAGMA foreign_keys=OFF; DELETE FROM runs");
    assert_int_equal(verify_count("d/results.db"), 1);
    assert_non_null(strstr(lines[0], "table perft: expected a run for every row, found 1 rows"));
    assert_int_equal(settle_count("d/results.db"), 0);
    assert_int_equal(verify_count("d/results.db"), 1);
    /* a page overwritten */
    store_make("e", "e/results.db");
    file_exec("e/results.db", "PRAGMA journal_mode=DELETE");
    FILE *file = fopen(at("e/results.db"), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 16384, SEEK_SET), 0);
    for (int i = 0; i < 64; i++) {
        fputc(0x5a, file);
    }
    assert_int_equal(fclose(file), 0);
    n_lines = 0;
    int rc = store_open_read(&store, at("e/results.db"));
    rc = rc ? rc : store_verify(&n_runs, store, line_keep, NULL);
    store_close(store);
    assert_true(rc == OGPT_EFORMAT || (rc == 0 && n_lines > 0));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return 0; /* a child that is only to end: dead_pid */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_dead_processes),
        cmocka_unit_test(checkpoints_that_are_gone),
        cmocka_unit_test(checkpoints_that_may_be_elsewhere),
        cmocka_unit_test(files_beside_it_are_left_alone),
        cmocka_unit_test(damage_is_not_settled),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
