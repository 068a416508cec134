/* tests/cli/commands/test_hostile_db.c - label: slow - databases made or damaged by somebody else:
 * their content is either correct or refused; none of their code runs, nothing crashes, nothing
 * hangs. */
#include "tests/datasets/datasets_test.h"

#include <sys/stat.h>

#include "base/process.h"
#include "base/rng.h"
#include "store/runs.h"

#define N_GAMES 1500
#define SECONDS_MAX 5.0
/* an expression that takes hours */
#define ENDLESS "6 + 0 * instr(zeroblob(100000000), zeroblob(50000000) || x'01')"
#define FOR_EVER "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"

static const DbSchema results_schema = {
    .application_id = STORE_APPLICATION_ID, .version = STORE_SCHEMA_VERSION, .create_sql = ""};

/* Statements on a results database behind the back of store/. */
static void results_sql(const char *name, const char *sql)
{
    Db *db = NULL;
    assert_int_equal(db_open(&db, at(name), DB_WRITE, &results_schema), 0);
    if (db_exec(db, sql) != 0) {
        fail_msg("%s", err_message());
    }
    db_close(db);
}

static void results_remove(const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[FILES_PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s%s", run_folder, name, suffixes[i]);
        remove(path);
    }
}

static const RunStart a_run = {.command = "eval",
                               .command_line = "ogpt eval m",
                               .options_json = "{}",
                               .versions_json = "{}",
                               .machine = "one"};

/* A results database of one run with rows of two kinds, as one file. */
static void results_make(const char *name)
{
    Store *store = NULL;
    Js *row = js_object();
    int64_t run = 0;
    results_remove(name);
    js_set_num(row, "loss", 1.25);
    assert_int_equal(store_open(&store, at(name)), 0);
    assert_int_equal(store_run_begin(store, &run, &a_run), 0);
    Js *rows = js_array();
    for (int i = 0; i < 200; i++) {
        js_push(rows, js_keep(row));
    }
    assert_int_equal(store_add_all(store, run, "eval", rows), 0);
    js_set_int(row, "ply", 3); /* of the same rows */
    assert_int_equal(store_add_all(store, run, "eval_by_ply", rows), 0);
    js_free(rows);
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    store_close(store);
    js_free(row);
    results_sql(name, "PRAGMA journal_mode=DELETE");
}

/* What a program does with a results database, reading and, if asked to, writing: 0, or the first
 * code. */
static int results_use(const char *name, char **shown, bool write)
{
    Store *store = NULL;
    Js *list = NULL, *run = NULL, *row = js_object();
    int64_t mine = 0;
    int rc = store_open_read(&store, at(name));
    rc = rc ? rc : store_check(store);
    rc = rc ? rc : store_list(&list, store, 0);
    rc = rc ? rc : store_show(&run, store, 1);
    if (rc == 0 && shown) {
        rc = js_print(shown, run, 0);
    }
    store_close(store);
    store = NULL;
    if (write) {
        rc = rc ? rc : store_open(&store, at(name));
        rc = rc ? rc : store_run_begin(store, &mine, &a_run);
        rc = rc ? rc : store_add(store, mine, "eval", row);
        rc = rc ? rc : store_run_end(store, mine, "done", NULL);
        store_close(store);
    }
    js_free(list);
    js_free(run);
    js_free(row);
    return rc;
}

/* All games of a corpus: 0, or the first code. */
static int corpus_use(const char *name, uint8_t *moves)
{
    Corpus *corpus = NULL;
    int rc = corpus_open(&corpus, at(name), false);
    rc = rc ? rc : corpus_read(corpus, moves, 0, N_GAMES);
    corpus_close(corpus);
    return rc;
}

static void foreign_objects_are_refused(void **state)
{
    static const char *const of_results[] = {
        "ALTER TABLE runs RENAME TO x; CREATE VIEW runs AS " FOR_EVER,
        "DROP TABLE eval; CREATE VIEW eval AS " FOR_EVER,
        "CREATE VIEW more AS SELECT randomblob(1000000000)",
        "CREATE TRIGGER t BEFORE INSERT ON runs BEGIN " FOR_EVER "; END",
        "CREATE TRIGGER runs_append_only BEFORE UPDATE ON runs BEGIN " FOR_EVER "; END",
        "CREATE TRIGGER t AFTER INSERT ON eval BEGIN DELETE FROM runs; END",
        /* under the name of ours, the words of ours in a text */
        "DROP TRIGGER eval_append_only; CREATE TRIGGER eval_append_only AFTER INSERT ON eval BEGIN"
        " DELETE FROM eval_by_ply WHERE ' BEFORE UPDATE ON ' <> ''; END",
        "DROP TRIGGER eval_append_only; CREATE TRIGGER eval_append_only BEFORE UPDATE ON eval BEGIN"
        " SELECT RAISE(IGNORE); END",
        "CREATE TABLE more (a)",
        "CREATE INDEX more ON eval(loss)",
        "ALTER TABLE eval ADD COLUMN more TEXT",
        "DROP TABLE eval; CREATE TABLE eval (row INTEGER PRIMARY KEY, run INTEGER NOT NULL"
        " REFERENCES runs(run), loss REAL AS (" ENDLESS ")) STRICT",
    };
    static const char *const of_corpora[] = {
        "ALTER TABLE meta RENAME TO x; CREATE VIEW meta AS " FOR_EVER,
        "ALTER TABLE blocks RENAME TO x; CREATE VIEW blocks AS " FOR_EVER,
        "CREATE TRIGGER t BEFORE INSERT ON blocks BEGIN " FOR_EVER "; END",
        "DROP TABLE meta; CREATE TABLE meta (id INTEGER PRIMARY KEY, size INTEGER AS (" ENDLESS
        "), source TEXT, seed INTEGER, generator TEXT, n_games INTEGER, plies INTEGER,"
        " content_hash TEXT)",
        "CREATE INDEX more ON blocks(block)",
        "CREATE TABLE more (a)",
    };
    uint8_t *moves = mem_alloc(N_GAMES, 60, "moves");
    for (size_t i = 0; i < sizeof(of_results) / sizeof(*of_results); i++) {
        results_make("foreign.db");
        assert_int_equal(results_use("foreign.db", NULL, true), 0); /* the twin: as it was made */
        results_sql("foreign.db", of_results[i]);
        const double start = clock_seconds();
        assert_refused(results_use("foreign.db", NULL, true), OGPT_EFORMAT, "holds a foreign");
        Store *store = NULL;
        assert_refused(store_open(&store, at("foreign.db")), OGPT_EFORMAT, "foreign.db");
        assert_true(clock_seconds() - start < SECONDS_MAX);
    }
    for (size_t i = 0; i < sizeof(of_corpora) / sizeof(*of_corpora); i++) {
        GenerateResult result;
        make_corpus(NULL, "foreign.ogpc", 6, 1, N_GAMES);
        assert_int_equal(corpus_use("foreign.ogpc", moves), 0);
        corpus_sql("foreign.ogpc", of_corpora[i]);
        const double start = clock_seconds();
        assert_refused(corpus_use("foreign.ogpc", moves), OGPT_EFORMAT, "holds a foreign");
        assert_refused(generate_corpus(&result, at("foreign.ogpc"), game_variant(6), N_GAMES,
                                       &(Work){.seed = 1}),
                       OGPT_EFORMAT, "holds a foreign");
        assert_true(clock_seconds() - start < SECONDS_MAX);
    }
    mem_free(moves);
}

/* Our tables with the wrong things in them: a blob of 200 MB, numbers out of range; no tables. */
static void wrong_values_are_refused(void **state)
{
    static const char *const changes[] = {
        "UPDATE blocks SET moves = CAST('f5d6c3' AS BLOB) WHERE block = 1",
        "UPDATE blocks SET moves = zeroblob(200000000) WHERE block = 1",
        "UPDATE blocks SET n_games = 9223372036854775807 WHERE block = 1",
        "UPDATE blocks SET first_game = -5 WHERE block = 1",
        "UPDATE blocks SET checksum = 0 WHERE block = 1",
        "UPDATE meta SET n_games = 9223372036854775807",
        "UPDATE meta SET size = 2147483648",
        "DELETE FROM meta",
        "DROP TABLE meta",
        "DROP TABLE blocks",
    };
    uint8_t *moves = mem_alloc(N_GAMES, 60, "moves");
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        make_corpus(NULL, "loose.ogpc", 6, 1, N_GAMES);
        assert_int_equal(corpus_use("loose.ogpc", moves), 0); /* the twin */
        corpus_sql("loose.ogpc", changes[i]);
        const double start = clock_seconds();
        if (corpus_use("loose.ogpc", moves) != OGPT_EFORMAT) {
            fail_msg("%s: not refused (%s)", changes[i], err_message());
        }
        assert_non_null(strstr(err_message(), "loose.ogpc"));
        assert_true(clock_seconds() - start < SECONDS_MAX);
    }
    mem_free(moves);
}

/* A byte of the first page, or of one that holds texts of tables. */
static size_t schema_place(Rng *rng, const char *data, size_t n_bytes)
{
    enum { PAGE = 16384, PAGES_MAX = 64 };
    static const char text[] = "CREATE TABLE";
    size_t pages[PAGES_MAX] = {0}, n = 1;
    for (size_t i = PAGE; i + sizeof(text) <= n_bytes && n < PAGES_MAX; i++) {
        if (i / PAGE != pages[n - 1] && memcmp(data + i, text, sizeof(text) - 1) == 0) {
            pages[n++] = i / PAGE;
        }
    }
    return pages[rng_below(rng, (uint32_t)n)] * PAGE + rng_below(rng, PAGE);
}

/* Random bytes of a results database overwritten: refused, or everything is as it was. */
static void corrupted_results_are_refused_or_whole(void **state)
{
    const int n_trials = getenv("OGPT_FAULTS_FULL") ? 2000 : is_sanitized() ? 40 : 150;
    char *expected = NULL, *data = NULL;
    size_t n_bytes = 0;
    int refused = 0, changed = 0;
    results_make("sound.db");
    assert_int_equal(file_read_all((void **)&data, &n_bytes, at("sound.db"), 1 << 24), 0);
    assert_int_equal(results_use("sound.db", &expected, false), 0);
    for (int i = 0; i < n_trials; i++) {
        Rng rng = rng_at(11, RNG_TEST, (uint64_t)i);
        char *shown = NULL, saved[4];
        size_t places[4];
        /* Half of the bytes hit the header and the schema. Some files are cut. */
        for (int b = 0; b < 4; b++) {
            places[b] =
                b < 2 ? schema_place(&rng, data, n_bytes) : rng_below(&rng, (uint32_t)n_bytes);
            saved[b] = data[places[b]];
            data[places[b]] = (char)rng_below(&rng, 256);
        }
        results_remove("corrupt.db");
        put("corrupt.db", data, i % 10 == 0 ? rng_below(&rng, (uint32_t)n_bytes) : n_bytes);
        for (int b = 3; b >= 0; b--) {
            data[places[b]] = saved[b];
        }
        const double start = clock_seconds();
        const int rc = results_use("corrupt.db", &shown, i % 10 == 0);
        assert_true(clock_seconds() - start < SECONDS_MAX);
        refused += rc != 0;
        /* SQLite has no checksums: a changed number within a row cannot be seen, and what makes
         * results comparable, the hashes, stands in the artefacts. It is counted. */
        changed += rc == 0 && strcmp(shown, expected) != 0;
        if (rc != 0) {
            assert_non_null(strstr(err_message(), "corrupt.db"));
        }
        mem_free(shown);
    }
    print_message("%d refused, %d with another value, of %d\n", refused, changed, n_trials);
    assert_true(refused > n_trials / 5);
    mem_free(expected);
    mem_free(data);
}

/* A file that may only be read is read; writing to it is an error of the environment. */
static void read_only_files_are_read(void **state)
{
    results_make("ro.db");
    assert_int_equal(chmod(at("ro.db"), 0444), 0);
    Store *store = NULL;
    Js *list = NULL;
    assert_int_equal(store_open_read(&store, at("ro.db")), 0);
    assert_int_equal(store_list(&list, store, 0), 0);
    assert_int_equal(js_length(list), 1);
    js_free(list);
    store_close(store);
    if (geteuid() != 0) { /* root may write everywhere */
        assert_refused(store_open(&store, at("ro.db")), OGPT_EIO, "ro.db");
    }
    /* The log that belongs to a file is missing: the file as of its last checkpoint is read. */
    results_sql("ro.db", "PRAGMA journal_mode=WAL");
    results_remove("ro.db-wal");
    assert_int_equal(store_open_read(&store, at("ro.db")), 0);
    store_close(store);
}

/* Somebody else's results in somebody else's folder, where no log can be made: they are read. */
static void files_in_a_closed_folder_are_read(void **state)
{
    enum { NOBODY = 65534 };
    Store *store = NULL;
    Js *list = NULL;
    const bool root = geteuid() == 0;
    assert_int_equal(mkdir(at("closed"), 0755), 0);
    results_make("closed/his.db");
    results_sql("closed/his.db", "PRAGMA journal_mode=WAL");
    assert_int_equal(chmod(at("closed"), 0555), 0);
    assert_int_equal(chmod(at("."), 0755), 0);
    if (root && seteuid(NOBODY) != 0) {
        skip();
    }
    int rc = store_open_read(&store, at("closed/his.db"));
    rc = rc ? rc : store_list(&list, store, 0);
    size_t n = js_length(list);
    js_free(list);
    store_close(store);
    store = NULL;
    int to_write = store_open(&store, at("closed/his.db"));
    const bool said = strstr(err_message(), "his.db: not writable");
    assert_int_equal(root ? seteuid(0) : chmod(at("closed"), 0755), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(n, 1);
    assert_int_equal(to_write, OGPT_EIO); /* the twin: nothing is written there */
    assert_true(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_objects_are_refused),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(corrupted_results_are_refused_or_whole),
        cmocka_unit_test(read_only_files_are_read),
        cmocka_unit_test(files_in_a_closed_folder_are_read),
    };
    return cmocka_run_group_tests_name("hostile_db", tests, work_create, work_remove);
}
