/* tests/cli/commands/test_demo_verdict.c - the demo's verdict over chosen rows: it holds, and each
 * line of the claim can fail. */
#include "tests/base/base_test.h"

#include "base/js.h"
#include "cli/commands/results/demo_report.h"
#include "store/runs.h"

/* What the rows of one case say; the claim holds for the rows of `good`. */
typedef struct Rows {
    double majority_high, random_weights_high;
    double gain_low;               /* of null - edit */
    double random_error;           /* of every case; null_error is 1 */
    double history_high, mlp_high; /* raw move history */
    double closed;
    const char *status; /* of the run of intervene */
    bool without_majority, mlp_untrained;
} Rows;

static const Rows good = {.majority_high = 0.6,
                          .random_weights_high = 0.7,
                          .gain_low = 0.1,
                          .random_error = 1.2,
                          .history_high = 0.85,
                          .mlp_high = 0.86,
                          .closed = 0.7,
                          .status = "done"};

static Js *row_parsed(const char *format, ...) __attribute__((format(printf, 1, 2)));
static Js *row_parsed(const char *format, ...)
{
    char text[512];
    va_list arguments;
    Js *row = NULL;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_int_equal(js_parse(&row, text, strlen(text), "row"), 0);
    return row;
}

static void row_add(Store *store, int64_t run, const char *kind, Js *row)
{
    assert_int_equal(store_add(store, run, kind, row), 0);
    js_free(row);
}

static int64_t run_begun(Store *store, const char *command)
{
    RunStart start = {.command = command,
                      .command_line = "ogpt",
                      .options_json = "{}",
                      .versions_json = "{}",
                      .machine = "a machine"};
    int64_t run = 0;
    assert_int_equal(store_run_begin(store, &run, &start), 0);
    return run;
}

static void controls_add(Store *store, int64_t run, const Rows *rows)
{
    const char *const names[] = {"majority", "random_model", "history", "history_mlp"};
    const double highs[] = {rows->majority_high, rows->random_weights_high, rows->history_high,
                            rows->mlp_high};
    for (int i = rows->without_majority ? 1 : 0; i < 4; i++) {
        row_add(store, run, "probe_controls",
                row_parsed("{\"control\":\"%s\",\"accuracy\":%g,\"accuracy_high\":%g%s}", names[i],
                           highs[i] - 0.01, highs[i],
                           i == 3 && rows->mlp_untrained ? ",\"trained\":false" : ""));
    }
}

static const char *store_filled(const char *name, const Rows *rows)
{
    Store *store = NULL;
    const char *path = at(name);
    assert_int_equal(store_open(&store, path), 0);
    int64_t run = run_begun(store, "eval");
    row_add(store, run, "eval", row_parsed("{\"positions\":100,\"strict_error\":0.02}"));
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);

    /* Layer 1 is best on the validation games; layer 0, luckier on the test games, is not. */
    run = run_begun(store, "probe fit");
    row_add(store, run, "probe_layers",
            row_parsed("{\"layer\":0,\"accuracy\":0.95,\"accuracy_low\":0.94,"
                       "\"validation_accuracy\":0.8}"));
    row_add(store, run, "probe_layers",
            row_parsed("{\"layer\":1,\"accuracy\":0.9,\"accuracy_low\":0.88,"
                       "\"validation_accuracy\":0.9}"));
    controls_add(store, run, rows);
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);

    run = run_begun(store, "intervene");
    row_add(store, run, "edit_results",
            row_parsed("{\"layers\":[1],\"scale\":1.0,\"cases\":20,\"gain\":0.3,\"gain_low\":%g,"
                       "\"gain_high\":0.5,\"closed\":%g}",
                       rows->gain_low, rows->closed));
    for (int i = 0; i < 20; i++) {
        row_add(store, run, "edit_cases",
                row_parsed("{\"case_index\":%d,\"null_error\":1.0,\"edit_error\":0.7,"
                           "\"random_error\":%g}",
                           i, rows->random_error));
    }
    assert_int_equal(store_run_end(store, run, rows->status, NULL), 0);
    store_close(store);
    return path;
}

/* The verdict over the rows has this code, and exactly these lines of the claim fail. */
static void assert_verdict_of(bool trained_long, const char *name, const Rows *rows, int rc,
                              const char *failing)
{
    DemoReport report;
    assert_int_equal(demo_verdict(&report, store_filled(name, rows), trained_long), rc);
    assert_non_null(report.text.data);
    assert_int_equal(js_bool_of(js_member(report.document, "holds")), rc == 0);
    const char *fails = strstr(report.text.data, "FAILS");
    assert_int_equal(!fails, rc == 0);
    if (fails) {
        assert_non_null(strstr(fails, failing));
        assert_null(strstr(fails + 1, "FAILS"));
    }
    demo_report_release(&report);
}

enum { plain = false, shipped = true }; /* trained for long */

static void assert_verdict(const char *name, const Rows *rows, int rc, const char *failing)
{
    assert_verdict_of(plain, name, rows, rc, failing);
}

static void claim_holds(void **state)
{
    DemoReport report;
    assert_verdict("good.db", &good, 0, "");
    assert_int_equal(demo_verdict(&report, at("good.db"), plain), 0);
    assert_non_null(strstr(report.text.data, "than the majority: 90.00 > 59.00 %"));
    demo_report_release(&report);
}

static void each_line_can_fail(void **state)
{
    Rows rows = good;
    rows.majority_high = 0.89; /* above the interval of layer 1, below that of layer 0 */
    assert_verdict("majority.db", &rows, OGPT_ENEGATIVE, "the majority");
    rows = good;
    rows.without_majority = true;
    assert_verdict("absent.db", &rows, OGPT_ENEGATIVE, "the majority");
    rows = good;
    rows.random_weights_high = 0.89;
    assert_verdict("weights.db", &rows, OGPT_ENEGATIVE, "random weights");
    rows = good;
    rows.gain_low = -0.01;
    assert_verdict("gain.db", &rows, OGPT_ENEGATIVE, "the edit lowers the error");
    rows = good;
    rows.random_error = 0.8;
    assert_verdict("random.db", &rows, OGPT_ENEGATIVE, "a random direction does not");
    assert_int_equal(err_exit_code(OGPT_ENEGATIVE, 0), 1);
}

/* The report over the rows has each of these texts. */
static void assert_says(bool trained_long, const char *name, const Rows *rows, int rc,
                        const char *const *texts)
{
    DemoReport report;
    assert_int_equal(demo_verdict(&report, store_filled(name, rows), trained_long), rc);
    for (; *texts; texts++) {
        if (!strstr(report.text.data, *texts)) {
            fail_msg("'%s' expected in:\n%s", *texts, report.text.data);
        }
    }
    demo_report_release(&report);
}

/* Every line is printed for every network, those that fail too; the number of lines is the same. */
static void all_lines_are_printed(void **state)
{
    DemoReport report;
    Rows rows = good;
    rows.history_high = 0.93;
    rows.closed = 0.5;
    assert_says(
        plain, "spared.db", &rows, 0,
        (const char *const[]){
            "  fails  the best layer reads the board better than the raw move history: 90.00 "
            "< 92.00 %\n",
            "  holds  the best layer reads the board better than an MLP on that history: "
            "90.00 > 85.00 %\n",
            "  fails  the edit closes at least 60 %: 50.0 %\n",
            "(fails: asked only of a network that was trained for longer than minutes)", NULL});
    assert_int_equal(demo_verdict(&report, at("spared.db"), plain), 0);
    const Js *claims = js_member(report.document, "claims");
    assert_int_equal(js_length(claims), 7);
    assert_false(js_bool_of(js_member(js_at(claims, 2), "holds")));
    assert_false(js_bool_of(js_member(js_at(claims, 2), "asked")));
    assert_true(js_bool_of(js_member(js_at(claims, 0), "asked")));
    demo_report_release(&report);
    assert_int_equal(demo_verdict(&report, at("spared.db"), shipped), OGPT_ENEGATIVE);
    assert_null(strstr(report.text.data, "asked only of"));
    assert_non_null(strstr(report.text.data, "FAILS  the edit closes"));
    demo_report_release(&report);
    rows = good;
    rows.history_high = 0.895; /* better, within the intervals */
    assert_says(shipped, "overlap.db", &rows, OGPT_ENEGATIVE,
                (const char *const[]){"90.00 > 88.50 %, but the intervals overlap", NULL});
    assert_int_equal(demo_verdict(&report, store_filled("none.db", &good), plain), 0);
    assert_null(strstr(report.text.data, "fails"));
    demo_report_release(&report);
}

static void odd_results_are_explained(void **state)
{
    Rows rows = good;
    rows.closed = 1.31;
    assert_says(
        plain, "above.db", &rows, 0,
        (const char *const[]){"above 100 %: edited, it errs less on the edited board", NULL});
    rows = good;
    rows.mlp_untrained = true;
    rows.mlp_high = 0.99; /* whatever it reads */
    assert_says(shipped, "untrained.db", &rows, 0,
                (const char *const[]){"   learned nothing\n",
                                      "  -----  the best layer reads the board "
                                      "better than an MLP on that history",
                                      "not compared: that control learned nothing", NULL});
    DemoReport report; /* the twin: neither is said of the good rows */
    assert_int_equal(demo_verdict(&report, store_filled("even.db", &good), shipped), 0);
    assert_null(strstr(report.text.data, "above 100 %"));
    assert_null(strstr(report.text.data, "learned nothing"));
    demo_report_release(&report);
}

/* Two lines more for the shipped network; a network trained in minutes is not asked for them. */
static void shipped_claims_more(void **state)
{
    Rows rows = good;
    assert_verdict_of(shipped, "shipped.db", &rows, 0, "");
    rows.history_high = 0.89;
    assert_verdict("history-plain.db", &rows, 0, "");
    assert_verdict_of(shipped, "history.db", &rows, OGPT_ENEGATIVE, "the raw move history");
    rows = good;
    rows.mlp_high = 0.89;
    assert_verdict_of(shipped, "mlp.db", &rows, OGPT_ENEGATIVE, "an MLP on that history");
    rows = good;
    rows.closed = 0.59;
    assert_verdict("closed-plain.db", &rows, 0, "");
    assert_verdict_of(shipped, "closed.db", &rows, OGPT_ENEGATIVE, "the edit closes at least 60");
}

/* Rows of a run that did not end well are no evidence. */
static void unfinished_runs_are_left_out(void **state)
{
    DemoReport report;
    Rows rows = good;
    rows.status = "failed";
    assert_refused(demo_verdict(&report, store_filled("failed.db", &rows), plain), OGPT_EFORMAT,
                   "no edit_results rows of a finished 'ogpt intervene'");
    assert_null(report.document);
    demo_report_release(&report);
    assert_refused(demo_verdict(&report, at("nowhere.db"), plain), OGPT_EIO, "no such file");
    demo_report_release(&report);
}

/* The object that a path of json_keys.txt names below the document of one part: itself for
 * "", the first row of the array for "layers[].". */
static const Js *part_object(const Js *document, const char *path)
{
    char name[64];
    snprintf(name, sizeof(name), "%s", path);
    char *bracket = strchr(name, '[');
    if (!bracket) {
        return document;
    }
    *bracket = '\0';
    return js_at(js_member(document, name), 0);
}

/* How many keys of `line` the document of one part lacks. The line is "demo", a path that begins
 * with the name of a part, and the keys below it; other lines lack nothing. */
static int keys_missing(const Js *document, char *line, int *n_keys)
{
    char *rest = line, *key;
    const char *name = strsep(&rest, "\t"), *path = strsep(&rest, "\t");
    const char *below = path ? strchr(path, '.') : NULL;
    int n_missing = 0;
    if (strcmp(name, "demo") != 0 || !below) {
        return 0;
    }
    while ((key = strsep(&rest, " \n"))) {
        if (*key != '\0') {
            *n_keys += 1;
            n_missing += !js_has(part_object(document, below + 1), key);
        }
    }
    return n_missing;
}

/* Every key of a part of the demo that was recorded is still there (tests/cli/json_keys.sh). */
static void recorded_keys_are_there(void **state)
{
    DemoReport report;
    const char *source = getenv("OGPT_SOURCE");
    char path[FILES_PATH_MAX], line[8192], planted[] = "demo\ttrained.layers[].\taccuracy gone\n";
    int n_keys = 0, n_missing = 0;
    assert_int_equal(demo_verdict(&report, store_filled("keys.db", &good), plain), 0);
    assert_int_equal(keys_missing(report.document, planted, &n_keys), 1);
    assert_int_equal(n_keys, 2);
    snprintf(path, sizeof(path), "%s/tests/cli/golden/json_keys.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        n_missing += keys_missing(report.document, line, &n_keys);
    }
    fclose(file);
    assert_int_equal(n_missing, 0);
    assert_true(n_keys > 300); /* of three parts, mostly columns of rows */
    demo_report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_holds),
        cmocka_unit_test(each_line_can_fail),
        cmocka_unit_test(shipped_claims_more),
        cmocka_unit_test(all_lines_are_printed),
        cmocka_unit_test(odd_results_are_explained),
        cmocka_unit_test(unfinished_runs_are_left_out),
        cmocka_unit_test(recorded_keys_are_there),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
