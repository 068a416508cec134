/* tests/cli/commands/test_documents.c - the whole program in this process: every --json is one
 * document with the promised keys. */
#include "tests/base/base_test.h"

#include <sys/stat.h>

#include "base/js.h"
#include "cli/commands/commands.h"
#include "cli/framework.h"

/* Run the program with stdout in the file at("stdout"). */
static int program_run(const char *const *words)
{
    char *argv[16] = {(char *)"/somewhere/ogpt"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = (char *)words[argc - 1];
    }
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(at("stdout"), "w", stdout));
    int rc = cli_main(argc, argv);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    return rc;
}

/* The same, with --json among the words; *out is the parsed document. */
static int program(Js **out, const char *const *words)
{
    int rc = program_run(words);
    *out = NULL;
    assert_int_equal(js_parse_file(out, at("stdout"), 1 << 20), 0);
    return rc;
}

/* Each row: a command line, and the keys of its document. */
typedef struct Expectation {
    const char *words[8];
    const char *keys; /* separated by blanks */
} Expectation;

static void assert_keys(const Js *document, const char *keys)
{
    char key[64];
    int64_t schema = 0;
    assert_int_equal(js_get_int(&schema, document, "schema", 1, 1, "stdout"), 0);
    assert_true(js_has(document, "command"));
    for (int length = 0; sscanf(keys, "%63s%n", key, &length) == 1; keys += length) {
        if (!js_has(document, key)) {
            fail_msg("key \"%s\" is missing", key);
        }
    }
}

static void documents_have_their_keys(void **state)
{
    static char corpus[FILES_PATH_MAX];
    static char results[FILES_PATH_MAX];
    static char exported[FILES_PATH_MAX];
    static char imported[FILES_PATH_MAX];
    snprintf(exported, sizeof(exported), "%s", at("games.txt"));
    snprintf(imported, sizeof(imported), "%s", at("imported.ogpc"));
    snprintf(corpus, sizeof(corpus), "%s", at("games.ogpc"));
    snprintf(results, sizeof(results), "--store=%s", at("results.db"));
    const Expectation expected[] = {
        {{"perft", "4", "--json", results}, "nodes seconds depth size"},
        {{"generate", corpus, "--games=50", "--size=4", "--json", results},
         "seed games plies content_hash seconds games_per_second"},
        {{"corpus", "info", corpus, "--json"}, "games plies duplicates content_hash"},
        {{"corpus", "show", corpus, "3", "--json"}, "game moves ply board to_move legal"},
        {{"verify", corpus, "--json", results}, "findings games bad_blocks illegal_games"},
        {{"runs", "list", "--json", results}, "runs"},
        {{"runs", "show", "2", "--json", results}, "run options versions results seed"},
        {{"runs", "diff", "1", "2", "--json", results}, "a b options versions results"},
        {{"export", corpus, exported, "--format=text", "--json"}, "games"},
        {{"import", imported, exported, "--size=4", "--json", results},
         "games rejected duplicates unfinished score_mismatches unknown_results content_hash"},
        {{"doctor", "--json", results}, "machine versions checks failed"},
        {{"--version", "--json"}, "ogpt compiler blas blas_core blas_threads sqlite liblinear"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        Js *document = NULL;
        assert_int_equal(program(&document, expected[i].words), 0);
        assert_keys(document, expected[i].keys);
        js_free(document);
    }
}

/* A command that runs others keeps stdout for its own document. */
static void muted_results_are_dropped(void **state)
{
    static char results[FILES_PATH_MAX];
    struct stat file;
    snprintf(results, sizeof(results), "--store=%s", at("muted.db"));
    const char *const text[] = {"perft", "3", results, NULL};
    const char *const json[] = {"perft", "3", "--json", results, NULL};
    results__mute(1);
    assert_int_equal(program_run(text), 0);
    assert_int_equal(stat(at("stdout"), &file), 0);
    assert_int_equal(file.st_size, 0);
    assert_int_equal(program_run(json), 0);
    assert_int_equal(stat(at("stdout"), &file), 0);
    assert_int_equal(file.st_size, 0);
    results__mute(-1);
    assert_int_equal(program_run(text), 0);
    assert_int_equal(stat(at("stdout"), &file), 0);
    assert_true(file.st_size > 0);
}

static void run_row_holds_the_command(void **state)
{
    static char results[FILES_PATH_MAX];
    const Js *options = NULL;
    const char *text = NULL;
    Js *document = NULL;
    snprintf(results, sizeof(results), "--store=%s", at("row.db"));
    const char *const perft[] = {"perft", "3", "--size", "6", "--json", results, NULL};
    const char *const show[] = {"runs", "show", "1", "--json", results, NULL};
    assert_int_equal(program(&document, perft), 0);
    js_free(document);
    assert_int_equal(program(&document, show), 0);
    assert_int_equal(js_get_str(&text, document, "command_line", "stdout"), 0);
    assert_non_null(strstr(text, "ogpt perft 3 --size 6 --json --store="));
    assert_null(strstr(text, "/somewhere"));
    assert_int_equal(js_get_str(&text, document, "status", "stdout"), 0);
    assert_string_equal(text, "done");
    assert_int_equal(js_get_object(&options, document, "options", "stdout"), 0);
    assert_int_equal(js_int_of(js_member(options, "size")), 6);
    assert_false(js_bool_of(js_member(options, "ref")));
    js_free(document);
}

/* A training run of 40 reports: the table is cut, the loss is drawn, and what was never measured
 * is not. */
static void training_curve_is_drawn(void **state)
{
    static char results[FILES_PATH_MAX];
    Store *store = NULL;
    int64_t run = 0;
    char *text = NULL;
    size_t n = 0;
    Js *rows = js_array();
    RunStart start = {.command = "train",
                      .command_line = "ogpt train m",
                      .options_json = "{}",
                      .versions_json = "{}",
                      .machine = "a machine"};
    for (int64_t step = 1; step <= 40; step++) {
        Js *row = js_object();
        js_set_int(row, "step", step);
        js_set_int(row, "games", 128 * step);
        js_set_num(row, "loss", 2.0 + 1.0 / (double)step);
        js_push(rows, row);
    }
    assert_int_equal(store_open(&store, at("curve.db")), 0);
    assert_int_equal(store_run_begin(store, &run, &start), 0);
    assert_int_equal(store_add_all(store, run, "train_curve", rows), 0);
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    store_close(store);
    js_free(rows);
    snprintf(results, sizeof(results), "--store=%s", at("curve.db"));
    assert_int_equal(program_run((const char *const[]){"runs", "show", results, NULL}), 0);
    assert_int_equal(file_read_all((void **)&text, &n, at("stdout"), 1 << 20), 0);
    assert_non_null(strstr(text, "train_curve, 40 rows"));
    assert_non_null(strstr(text, "step=1 games=128 loss=3\n"));
    assert_non_null(strstr(text, "(--json has all)"));
    assert_null(strstr(text, "step=20 "));
    assert_non_null(strstr(text, "\nloss (nats)\n         3 |*"));
    assert_non_null(strstr(text, "games 128 to 5120"));
    assert_null(strstr(text, "strict error"));
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_have_their_keys),
        cmocka_unit_test(muted_results_are_dropped),
        cmocka_unit_test(run_row_holds_the_command),
        cmocka_unit_test(training_curve_is_drawn),
    };
    commands_install();
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
