/* tests/cli/commands/test_report_page.c - ogpt report and the page of the demo. */
#include "tests/base/base_test.h"

#include "base/js.h"
#include "cli/commands/commands.h"
#include "cli/commands/results/demo_steps.h"
#include "cli/framework.h"

#define HOSTILE "<b>\"m'&\xe2\x80\xae"
#define ESCAPED "&lt;b&gt;&quot;m&#39;&amp;\xe2\x80\xae"

static int64_t run_begun(Store *store, const char *command, const char *line, const char *model)
{
    char options[200];
    int64_t run = 0;
    Js *name = js_str(model);
    char *quoted = NULL;
    assert_int_equal(js_print(&quoted, name, 0), 0);
    snprintf(options, sizeof(options), "{\"arguments\":[%s],\"seed\":1,\"rate\":\"0.004r\"}",
             quoted);
    mem_free(quoted);
    js_free(name);
    const RunStart start = {.command = command,
                            .command_line = line,
                            .options_json = options,
                            .versions_json = "{\"ogpt\":\"9.9\",\"blas\":\"B <1>\"}",
                            .machine = "a machine",
                            .subject = model};
    assert_int_equal(store_run_begin(store, &run, &start), 0);
    return run;
}

static void rows_add(Store *store, int64_t run, const char *kind, const char *text)
{
    Js *rows = NULL;
    assert_int_equal(js_parse(&rows, text, strlen(text), "rows"), 0);
    assert_int_equal(store_add_all(store, run, kind, rows), 0);
    js_free(rows);
}

/* An evaluation with a warning, a probe with controls, an edit with layers, a run that failed, one
 * at work, one of a command that is gone; all of one network. */
static void store_fill(const char *path, const char *model)
{
    Store *store = NULL;
    assert_int_equal(store_open(&store, path), 0);
    int64_t run = run_begun(store, "eval", "ogpt eval " HOSTILE, model);
    char row[300];
    const bool first = strcmp(model, HOSTILE) == 0;
    snprintf(row, sizeof(row),
             "[{\"model_hash\":\"%s\",\"corpus_hash\":\"%s2\",\"games\":7,\"positions\":100,"
             "\"strict_error\":0.02125,\"strict_error_low\":0.01,\"strict_error_high\":0.03}]",
             first ? "aa11" : model, first ? "cc2" : model);
    rows_add(store, run, "eval", row);
    rows_add(store, run, "warnings", "[{\"warning\":\"few <games>\"}]");
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    run = run_begun(store, "probe fit", "ogpt probe fit", model);
    rows_add(store, run, "probe_layers",
             "[{\"task\":\"mine\",\"layer\":-1,\"accuracy\":0.5,\"accuracy_low\":0.4,"
             "\"accuracy_high\":0.6},{\"task\":\"mine\",\"layer\":0,\"accuracy\":0.9123,"
             "\"accuracy_low\":0.9,\"accuracy_high\":0.92}]");
    rows_add(store, run, "probe_controls",
             "[{\"task\":\"mine\",\"control\":\"majority\",\"accuracy\":0.61,\"accuracy_low\":0.6,"
             "\"accuracy_high\":0.62,\"trained\":0}]");
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    run = run_begun(store, "intervene", "ogpt intervene", model);
    rows_add(store, run, "edit_sweep",
             "[{\"layers\":[3,4],\"scale\":0.5,\"error\":1.25},{\"layers\":[3],\"scale\":0.5,"
             "\"error\":1.5}]");
    assert_int_equal(store_run_end(store, run, "negative", "it does <not>"), 0);
    run = run_begun(store, "train", "ogpt train failed", model);
    rows_add(store, run, "train_curve", "[{\"step\":1,\"loss\":98.7654}]");
    assert_int_equal(store_run_end(store, run, "failed", "disk <full>"), 0);
    run_begun(store, "saliency", "ogpt saliency at work", model);
    run = run_begun(store, "gone", "ogpt gone", model);
    rows_add(store, run, "perft", "[{\"depth\":3,\"nodes\":12345}]");
    assert_int_equal(store_run_end(store, run, "done", NULL), 0);
    store_close(store);
}

static void *page_text; /* of the last file that was read */

static const char *page_read(const char *path)
{
    size_t n = 0;
    mem_free(page_text);
    assert_int_equal(file_read_all(&page_text, &n, path, 1 << 24), 0);
    return page_text;
}

static void assert_in(const char *page, const char *text)
{
    if (!strstr(page, text)) {
        fail_msg("'%s' expected in the page", text);
    }
}

/* Everything that a page of these rows must have. */
static void assert_page(const char *page)
{
    static const char *const texts[] = {
        "<code>ogpt eval " ESCAPED "</code>",
        "<td class=\"n\">2.125 <span class=\"ci\">[1.000, 3.000]</span></td>",
        "<p role=\"note\">few &lt;games&gt;</p>",
        "<td class=\"n\">91.23 <span class=\"ci\">[90.00, 92.00]</span></td>",
        "<td class=\"n\">61.00 <span class=\"ci\">[60.00, 62.00]</span></td>",
        "<td>3,4</td>", /* layers as people read them */
        "<strong>The check came out negative</strong>: it does &lt;not&gt;</p>",
        "<strong>failed</strong>: disk &lt;full&gt;.",
        "<strong>running</strong>.",
        "a command of another version",
        "<td class=\"n\">12345</td>",
        "ogpt 9.9",
        "blas B &lt;1&gt;",
        "a machine",
        "<th scope=\"row\">network</th><td>aa11</td>",
        "<th scope=\"row\">corpus</th><td>cc22</td>",
        "seed 1",
        "<tr><td>strict error</td>",
        "share of positions whose argmax token",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_in(page, texts[i]);
    }
    assert_null(strstr(page, "<b>"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, ">98.76")); /* a row of the run that failed */
    const char *repeat = strstr(page, "id=\"repeat\"");
    assert_in(repeat, "ogpt probe fit\n");
    assert_null(strstr(repeat, "failed"));
    assert_null(strstr(repeat, "at work"));
}

static int program(const char *const *words)
{
    char *argv[16] = {(char *)"report"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = (char *)words[argc - 1];
    }
    results__mute(1);
    int rc = cli_run(argc, argv);
    results__mute(-1);
    return rc;
}

static void a_report(void **state)
{
    store_fill("ogpt-results.db", HOSTILE);
    assert_int_equal(program((const char *const[]){"--html", "r.html", "--quiet", NULL}), 0);
    const char *page = page_read("r.html");
    assert_page(page);
    assert_in(page, "6 runs, ");
    /* Some of its runs: not the numbers of the others. */
    assert_int_equal(
        program((const char *const[]){"2", "6", "--html", "two.html", "--quiet", NULL}), 0);
    page = page_read("two.html");
    assert_in(page, "2 runs, ");
    assert_in(page, "91.23");
    assert_null(strstr(page, ">2.125"));
    assert_refused(program((const char *const[]){"--html", "two.html", NULL}), OGPT_EUSAGE,
                   "two.html: exists");
    assert_refused(program((const char *const[]){"7", "--html", "no.html", NULL}), OGPT_EUSAGE,
                   "no run 7");
    assert_refused(program((const char *const[]){"1", NULL}), OGPT_EUSAGE, "--html FILE");
    assert_int_not_equal(access("no.html", F_OK), 0);
    /* An empty database has nothing to report. */
    Store *store = NULL;
    assert_int_equal(store_open(&store, "empty.db"), 0);
    store_close(store);
    assert_refused(program((const char *const[]){"--html", "no.html", "--store", "empty.db", NULL}),
                   OGPT_EUSAGE, "no runs in it yet");
}

static void the_page_of_the_demo(void **state)
{
    static const char text[] =
        "{\"trained\":{\"claims\":[{\"claim\":\"it reads\",\"holds\":true,\"asked\":true},"
        "{\"claim\":\"it waits\",\"holds\":null,\"asked\":true}]},"
        "\"given_8x8\":{\"claims\":[{\"claim\":\"it plays\",\"holds\":false,\"asked\":true},"
        "{\"claim\":\"it edits\",\"holds\":false,\"asked\":false}]}}";
    GivenModel models[DEMO_GIVEN_PARTS] = {{.path = NULL}, {.path = "eight"}};
    const Context context = {.command_line = "ogpt demo <8>"};
    Js *document = NULL;
    store_fill(DEMO_STORE, HOSTILE);
    store_fill(DEMO_GIVEN_STORE, "six"); /* of a network that was not given this time */
    store_fill(DEMO_GIVEN_STORE, "eight");
    assert_int_equal(js_parse(&document, text, strlen(text), "document"), 0);
    assert_int_equal(demo_page_write(&context, document, models), 0);
    const char *page = page_read(DEMO_PAGE);
    assert_page(page);
    assert_in(page, "<h2 id=\"part-1\">The network trained just now, 6x6</h2>");
    assert_in(page, "<tr><td>it reads</td><td>holds</td></tr>");
    assert_in(page, "<tr><td>it waits</td><td>not compared</td></tr>");
    const char *second = strstr(page, "<h2 id=\"part-2\">eight, 8x8</h2>");
    assert_non_null(second);
    assert_in(second, "<tr><td>it plays</td><td>fails</td></tr>");
    assert_in(second, "fails; asked only of a network trained for longer");
    assert_in(second, "<h3 id=\"run-2-8\">Run 8: probe fit</h3>");
    assert_null(strstr(page, "id=\"run-2-2\"")); /* of six: the same rate is no file in common */
    js_free(document);
    assert_int_equal(remove(DEMO_STORE), 0); /* without results the page is somebody else's */
    assert_refused(demo_files_are_ours(&context), OGPT_EUSAGE, "report.html is here without");
}

static int out_of_it(void **state)
{
    mem_free(page_text);
    return work_remove(state);
}

static int in_a_folder(void **state)
{
    return work_create(state) || chdir(run_folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report),
        cmocka_unit_test(the_page_of_the_demo),
    };
    commands_install();
    return cmocka_run_group_tests(tests, in_a_folder, out_of_it);
}
