/* tests/cli/test_study.c - the framework with commands made up here: tables become text, JSON,
 * files and rows; what can be refused early is refused before the command works. */
#include "tests/base/base_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ranks/ranks.h"
#include "cli/framework.h"
#include "tests/there.h"

static int n_worked;           /* how often a command began its work */
static const char *wrong_key;  /* set by the command in its table */
static bool undocumented;      /* whether its table stays out of the document */
static double measured = 0.25; /* what the command finds */

static const Column curve_columns[] = {
    {.key = "step", .heading = "step", .type = COLUMN_COUNT},
    {.key = "loss", .heading = "loss", .unit = "nats", .digits = 3},
};
static const TableSpec curve = {
    .name = "curve", .kind = "train_curve", .columns = curve_columns, .n_columns = 2};
static const Column summary_columns[] = {
    {.key = "best", .heading = "best loss", .digits = 3},
};
static const TableSpec summary = {
    .name = "summary", .columns = summary_columns, .n_columns = 1, .record = true};

typedef struct MeasureOptions {
    const char *out;
    int64_t games;
    bool fail;
} MeasureOptions;

static const OptionSpec measure_options[] = {
    OPTION_INT("games", offsetof(MeasureOptions, games), "N", 1, 10, "games", .required = true),
    OPTION_OUT("out", offsetof(MeasureOptions, out), "FILE", "a file"),
    OPTION_FLAG("fail", offsetof(MeasureOptions, fail), "come out negative"),
};

static int measure_run(Context *context)
{
    const MeasureOptions *given = context->options;
    int rc = study_begin(context, "subject", false);
    if (rc != 0) {
        return rc;
    }
    n_worked++;
    Table *table = study_table(context, &curve);
    table->undocumented = undocumented;
    for (int64_t i = 1; i <= given->games; i++) {
        table_row(table);
        table_int(table, "step", i);
        table_num(table, "loss", measured / (double)i);
    }
    if (wrong_key) {
        table_num(table, wrong_key, 1);
    }
    study_json(context, "extra", js_int(5));
    text_add(study_text(context), "a drawing\n");
    table_num(study_table(context, &summary), "best", measured);
    study_next(context, "more", "7", NULL);
    if (given->fail) {
        err_set(OGPT_ENEGATIVE, "the loss is too high");
        return study_verdict(context, OGPT_ENEGATIVE);
    }
    return 0;
}

static const Command measure = {
    .name = "measure",
    .arguments = "--games N",
    .summary = "for this test",
    .examples = "ogpt measure --games 3\nogpt measure --games 4",
    .options = measure_options,
    .n_options = sizeof(measure_options) / sizeof(measure_options[0]),
    .options_bytes = sizeof(MeasureOptions),
    .uses = USES_STORE | USES_FORCE,
    .tables = (const TableSpec *const[]){&curve, &summary, NULL},
    .run = measure_run,
};

/* The same for many processes. */
static const Command dealt = {
    .name = "dealt",
    .arguments = "--games N",
    .summary = "for this test",
    .examples = "ogpt dealt --games 3",
    COMMAND_OPTIONS(measure_options, MeasureOptions),
    .uses = USES_STORE | USES_FORCE | USES_RANKS,
    COMMAND_TABLES(&curve, &summary),
    .run = measure_run,
};

/* A command whose table has a column that the database lacks. */
static const Column lost_columns[] = {{.key = "nonsense", .heading = "nonsense"}};
static const TableSpec lost = {
    .name = "lost", .kind = "train_curve", .columns = lost_columns, .n_columns = 1};

static int loser_run(Context *context)
{
    int rc = study_begin(context, NULL, false);
    n_worked += rc == 0;
    return rc;
}

static const Command loser = {
    .name = "loser",
    .arguments = "",
    .summary = "for this test",
    .examples = "ogpt loser",
    .uses = USES_STORE,
    .tables = (const TableSpec *const[]){&lost, NULL},
    .run = loser_run,
};

static const TableSpec seen = {.name = "seen", .columns = curve_columns, .n_columns = 2};

/* A command without a row of its run, as those are that only look at what is there. */
static int viewer_run(Context *context)
{
    n_worked++;
    if (context->n_args > 0) { /* only the second of its tables */
        table_num(study_table(context, &summary), "best", measured);
    } else {
        study_table(context, wrong_key ? &curve : &seen);
    }
    return 0;
}

static const Command viewer = {
    .name = "viewer",
    .arguments = "[NUMBER]",
    .summary = "for this test",
    .examples = "ogpt viewer",
    .max_args = 1,
    COMMAND_TABLES(&seen, &summary),
    .run = viewer_run,
};

static int start(void)
{
    return 0;
}

static Js *versions(bool all)
{
    Js *document = js_object();
    js_set_str(document, "ogpt", "1.2.3");
    return document;
}

/* Split at blanks, in place; returns the number of words. */
static int words_split(char *argv[16], char *line)
{
    int argc = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    return argc;
}

/* Run a command line, words separated by blanks; its stdout is then in at("stdout"). */
static int run(const char *line)
{
    char words[512], *argv[16];
    snprintf(words, sizeof(words), "%s", line);
    int argc = words_split(argv, words);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(at("stdout"), "w", stdout));
    int rc = cli_run(argc, argv);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    return rc;
}

static void assert_file(const char *name, const char *expected)
{
    void *text = NULL;
    size_t n = 0;
    assert_int_equal(file_read_all(&text, &n, at(name), 1 << 20), 0);
    assert_string_equal(text, expected);
    mem_free(text);
}

static int start_clean(void **state)
{
    n_worked = 0;
    wrong_key = NULL;
    undocumented = false;
    measured = 0.25;
    assert_int_equal(chdir(run_folder), 0);
    return 0;
}

static void tables_are_printed_and_stored(void **state)
{
    Js *document = NULL, *rows = NULL;
    Store *store = NULL;
    assert_int_equal(run("measure --games 2 --quiet"), 0);
    assert_file("stdout", "step   loss\n"
                          "   1  0.250\n"
                          "   2  0.125\n"
                          "a drawing\n"
                          "best loss  0.250\n");
    assert_int_equal(run("measure --games 2 --json"), 0);
    assert_int_equal(js_parse_file(&document, at("stdout"), 1 << 20), 0);
    assert_int_equal(js_length(js_member(document, "curve")), 2);
    assert_int_equal(js_int_of(js_member(document, "extra")), 5);
    assert_true(js_num_of(js_member(document, "best")) == 0.25);
    js_free(document);
    assert_int_equal(store_open_read(&store, "ogpt-results.db"), 0);
    assert_int_equal(store_rows(&rows, store, "train_curve", 2), 0);
    assert_int_equal(js_length(rows), 2);
    assert_true(js_num_of(js_member(js_at(rows, 1), "loss")) == 0.125);
    js_free(rows);
    store_close(store);
}

static void a_long_table_stays_out_of_the_document(void **state)
{
    Js *document = NULL, *rows = NULL;
    Store *store = NULL;
    undocumented = true;
    assert_int_equal(run("measure --games 2 --json --store aside.db --csv aside.csv"), 0);
    assert_int_equal(js_parse_file(&document, at("stdout"), 1 << 20), 0);
    assert_false(js_has(document, "curve"));
    assert_true(js_has(document, "best"));
    js_free(document);
    assert_true(file_exists(at("aside.csv")));
    assert_int_equal(store_open_read(&store, at("aside.db")), 0);
    assert_int_equal(store_rows(&rows, store, "train_curve", 1), 0);
    assert_int_equal(js_length(rows), 2);
    js_free(rows);
    store_close(store);
}

static void files_hold_the_tables(void **state)
{
    assert_int_equal(run("measure --games 2 --quiet --csv one.csv --html page.html"), 0);
    assert_file("one.csv", "\"step\",\"loss\"\r\n1,0.25\r\n2,0.125\r\n");
    void *page = NULL;
    size_t n = 0;
    assert_int_equal(file_read_all(&page, &n, "page.html", 1 << 20), 0);
    assert_non_null(strstr(page, "<code>ogpt measure --games 2 --quiet --csv one.csv"));
    assert_non_null(strstr(page, "<td class=\"n\">0.125</td>"));
    assert_non_null(strstr(page, "<th scope=\"row\">best loss</th>"));
    mem_free(page);
    assert_int_equal(run("measure --games 2 --quiet --csv folder"), 0);
    assert_file("folder/curve.csv", "\"step\",\"loss\"\r\n1,0.25\r\n2,0.125\r\n");
    assert_file("folder/summary.csv", "\"best\"\r\n0.25\r\n");
}

static void files_in_the_way_are_refused_early(void **state)
{
    assert_int_equal(run("measure --games 2 --quiet --csv tables"), 0);
    assert_int_equal(n_worked, 1);
    /* Another command line: refused before the work, and without a row of its run. */
    assert_refused(run("measure --games 3 --quiet --csv tables"), OGPT_EUSAGE,
                   "tables/curve.csv: exists");
    assert_int_equal(n_worked, 1);
    assert_file("stdout", "");
    assert_int_equal(run("measure --games 3 --quiet --csv tables --force"), 0);
    assert_int_equal(n_worked, 2);
    /* The same command line finds its own files and is content... */
    assert_int_equal(run("measure --games 3 --quiet --csv tables"), 0);
    assert_int_equal(n_worked, 3);
    /* ... and keeps them when it now finds something else; the result is printed. */
    measured = 0.5;
    assert_refused(run("measure --games 3 --quiet --csv tables"), OGPT_EUSAGE,
                   "holds another table; choose another name, or --force");
    assert_file("tables/summary.csv", "\"best\"\r\n0.25\r\n");
    assert_int_equal(n_worked, 4);
    assert_refused(run("measure --games 4 --html ogpt-results.db"), OGPT_EUSAGE, "another word");
    assert_int_equal(n_worked, 4);
}

static void places_that_cannot_be_written_are_refused_early(void **state)
{
    FILE *file = fopen("plain", "w");
    assert_non_null(file);
    fclose(file);
    assert_refused(run("measure --games 2 --csv plain/tables"), OGPT_EIO, "plain/tables");
    assert_refused(run("measure --games 2 --html plain/x/page.html"), OGPT_EIO, "plain/x");
    assert_refused(run("measure --games 2 --out plain/out"), OGPT_EIO, "plain/out");
    assert_int_equal(n_worked, 0);
    assert_int_equal(run("measure --games 2 --quiet --out new/deep/out"), 0);
    assert_false(dir_exists("new")); /* a check makes nothing */
    assert_int_equal(run("measure --games 2 --quiet --html made/deep/page.html"), 0);
    assert_true(file_exists("made/deep/page.html"));
}

static void file_write(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void places_of_another_kind_are_refused_early(void **state)
{
    file_write("notes", "mine\n");
    assert_int_equal(mkdir("kept", 0777), 0);
    assert_refused(run("measure --games 2 --csv notes"), OGPT_EUSAGE, "notes: --csv makes a fold");
    assert_refused(run("measure --games 2 --csv notes --force"), OGPT_EUSAGE, "something else");
    assert_refused(run("measure --games 2 --html kept"), OGPT_EUSAGE, "kept: is no regular file");
    assert_refused(run("measure --games 2 --html page/"), OGPT_EUSAGE, "page/: is no regular");
    assert_int_equal(n_worked, 0);
    assert_file("notes", "mine\n");
    assert_int_equal(run("measure --games 2 --quiet --csv kept"), 0);
    assert_true(file_exists("kept/curve.csv"));
}

static void one_file_for_both_is_refused_early(void **state)
{
    assert_refused(run("measure --games 2 --csv b.csv --html ./b.csv"), OGPT_EUSAGE,
                   "another word");
    assert_refused(run("measure --games 2 --csv both --html both"), OGPT_EUSAGE, "another word");
    assert_refused(run("measure --games 2 --csv both --html both//./curve.csv --force"),
                   OGPT_EUSAGE, "another word");
    assert_int_equal(n_worked, 0);
    assert_int_equal(run("measure --games 2 --quiet --csv both --html both/page.html"), 0);
    assert_true(file_exists("both/page.html"));
}

/* Also by a command that has no row of its run by which it would know its own files. */
static void a_file_that_is_no_page_of_this_command_is_kept(void **state)
{
    file_write("own.html", "<p>mine</p>\n");
    assert_refused(run("viewer --html own.html"), OGPT_EUSAGE, "own.html: exists");
    assert_int_equal(n_worked, 0);
    assert_int_equal(run("viewer 1 --html seen.html"), 0);
    assert_int_equal(run("viewer 1 --html seen.html"), 0);
    assert_refused(run("viewer 2 --html seen.html"), OGPT_EUSAGE, "seen.html: exists");
    /* The very command line of a run is known, but the file became somebody else's. */
    assert_int_equal(run("measure --games 5 --quiet --html run.html"), 0);
    assert_int_equal(run("measure --games 5 --html run.html"), 0);
    file_write("run.html", "<p>mine</p>\n");
    assert_refused(run("measure --games 5 --quiet --html run.html"), OGPT_EUSAGE, "exists");
    assert_file("own.html", "<p>mine</p>\n");
    assert_file("run.html", "<p>mine</p>\n");
    assert_int_equal(run("measure --games 5 --quiet --html run.html --force"), 0);
}

static void one_file_takes_the_first_table_that_was_made(void **state)
{
    assert_int_equal(run("viewer 1 --csv second.csv"), 0);
    assert_file("second.csv", "\"best\"\r\n0.25\r\n");
    /* It promises no option that the command lacks. */
    measured = 0.5;
    assert_refused(run("viewer 1 --csv second.csv"), OGPT_EUSAGE, "choose another name");
    assert_null(strstr(err_message(), "--force"));
    assert_int_equal(run("viewer --csv none.csv"), 0);
    assert_false(file_exists("none.csv")); /* a table without rows has no columns either */
}

/* Run a command line with this as its stdout; takes over the descriptor. */
static int run_into(const char *line, int target)
{
    char words[512], *argv[16];
    snprintf(words, sizeof(words), "%s", line);
    int argc = words_split(argv, words), kept = dup(STDOUT_FILENO);
    fflush(stdout);
    assert_true(target >= 0 && dup2(target, STDOUT_FILENO) >= 0);
    close(target);
    int rc = cli_run(argc, argv);
    clearerr(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    return rc;
}

/* The end of a pipe whose reader went away. */
static int pipe_unread(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    return ends[1];
}

static void assert_last_run(const char *status, const char *message)
{
    Js *runs = NULL;
    Store *store = NULL;
    assert_int_equal(store_open_read(&store, "ogpt-results.db"), 0);
    assert_int_equal(store_list(&runs, store, 1), 0);
    assert_string_equal(js_str_of(js_member(js_at(runs, 0), "status")), status);
    const Js *said = js_member(js_at(runs, 0), "message");
    assert_string_equal(js_type(said) == JS_STR ? js_str_of(said) : "", message);
    js_free(runs);
    store_close(store);
}

/* Whoever stops reading still wants the files. */
static void files_are_written_although_nobody_reads(void **state)
{
    int rc = run_into("measure --games 2 --quiet --csv u.csv --html u.html", pipe_unread());
    assert_int_equal(rc, OGPT_EPIPE);
    assert_file("u.csv", "\"step\",\"loss\"\r\n1,0.25\r\n2,0.125\r\n");
    assert_true(file_exists("u.html"));
}

/* `| head`: the exit code says that the reader left, the run's row how the work ended. */
static void a_run_is_done_although_nobody_reads(void **state)
{
    assert_int_equal(run_into("measure --games 2 --quiet", pipe_unread()), OGPT_EPIPE);
    assert_last_run("done", "");
    assert_int_equal(run_into("measure --games 2 --json", pipe_unread()), OGPT_EPIPE);
    assert_last_run("done", "");
    assert_int_equal(run_into("measure --games 2 --quiet --fail", pipe_unread()), OGPT_EPIPE);
    assert_last_run("negative", "the loss is too high");
    /* The twins: a stdout that is full, and rows that were not stored. */
    int full = open("/dev/full", O_WRONLY);
    assert_int_equal(run_into("measure --games 2 --quiet", full), OGPT_EIO);
    assert_last_run("failed", err_message());
    wrong_key = "nonsense";
    assert_int_not_equal(run_into("measure --games 2 --quiet", pipe_unread()), 0);
    wrong_key = NULL;
    Js *runs = NULL;
    Store *store = NULL;
    assert_int_equal(store_open_read(&store, "ogpt-results.db"), 0);
    assert_int_equal(store_list(&runs, store, 1), 0);
    assert_string_equal(js_str_of(js_member(js_at(runs, 0), "status")), "failed");
    js_free(runs);
    store_close(store);
}

static void required_options_come_first(void **state)
{
    assert_refused(run("measure"), OGPT_EUSAGE,
                   "measure: --games N is required, as in: ogpt measure --games 3");
    assert_refused(run("measure --csv plain/x"), OGPT_EUSAGE, "is required");
    assert_int_equal(n_worked, 0);
    assert_int_equal(run("measure -h"), 0);
    void *page = NULL;
    size_t n = 0;
    assert_int_equal(file_read_all(&page, &n, at("stdout"), 1 << 20), 0);
    assert_non_null(strstr(page, "--games N                 games (1..10, required)\n"));
    mem_free(page);
}

static void a_wrong_key_is_an_error_and_loses_nothing(void **state)
{
    wrong_key = "nonsense";
    assert_refused(run("measure --games 2 --quiet"), OGPT_EUSAGE,
                   "table curve: 'nonsense' is no column");
    assert_file("stdout", "step   loss\n"
                          "   1  0.250\n"
                          "   2  0.125\n"
                          "a drawing\n"
                          "best loss  0.250\n");
}

static void rows_without_a_run_are_an_error(void **state)
{
    wrong_key = "any";
    assert_refused(run("viewer"), OGPT_EUSAGE, "viewer: table curve: its rows need a run");
}

static void a_column_without_place_is_refused_before_the_work(void **state)
{
    assert_refused(run("loser"), OGPT_EUSAGE, "the database has no column 'nonsense'");
    assert_int_equal(n_worked, 0);
}

/* The same for a text that the database keeps as a number. */
static void a_column_of_another_type_is_refused_before_the_work(void **state)
{
    static const Column text_columns[] = {{.key = "loss", .heading = "loss", .type = COLUMN_TEXT}};
    static const TableSpec text = {"text", "train_curve", TABLE_COLUMNS(text_columns)};
    const Command other = {.name = "other", COMMAND_TABLES(&text), .uses = USES_STORE};
    Context context = {.command = &other};
    assert_refused(study__check(&context, "{}"), OGPT_EUSAGE, "no column 'loss' of this type in");
    const Command right = {.name = "right", COMMAND_TABLES(&curve), .uses = USES_STORE};
    context.command = &right;
    assert_int_equal(study__check(&context, "{}"), 0);
}

static void a_verdict_comes_after_the_result(void **state)
{
    assert_refused(run("measure --games 1 --fail --quiet"), OGPT_ENEGATIVE, "too high");
    assert_file("stdout", "step   loss\n   1  0.250\na drawing\nbest loss  0.250\n");
}

static void versions_and_help_by_all_spellings(void **state)
{
    const char *const spellings[] = {"version", "--version", "-V"};
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        assert_int_equal(run(spellings[i]), 0);
        assert_file("stdout", "ogpt 1.2.3\n");
    }
    assert_int_equal(run("help -h"), 0);
    assert_int_equal(run("-h --help"), 0);
    assert_refused(run("measure --games -h"), OGPT_EUSAGE, "--games needs a value");
    assert_refused(run("-V --quiet"), OGPT_EUSAGE, "nothing but --json");
    assert_refused(run("-v"), OGPT_EUSAGE, "the command comes first");
}

/* A command may count the same thing again, for its controls: speed is that of this count alone. */
static void progress_counted_anew_begins_a_new_clock(void **state)
{
    const Context context = {.quiet = true};
    Progress progress = progress_begin(&context, "patch", "passes", 9);
    progress_step(&progress, 2, NULL);
    progress.start -= 100; /* long ago */
    double start = progress.start;
    progress_step(&progress, 9, NULL);
    assert_true(progress.first == 2 && progress.start == start);
    progress_step(&progress, 1, NULL);
    assert_true(progress.first == 1 && progress.start > start);
    (void)state;
}

/* In many processes the first alone prints, stores and writes; the others do the work. Commands
 * that deal nothing out refuse to be many. */
static void one_of_many_processes_writes(void **state)
{
    (void)state;
    ranks_pretend(0, 2);
    assert_int_equal(run("measure --games 2 --quiet"), OGPT_EUSAGE);
    assert_string_equal(err_message(),
                        "measure: works in one process, and mpirun started 2; type it without "
                        "mpirun (docs/CLUSTER.md lists the commands that many can do)");
    assert_int_equal(n_worked, 0);
    ranks_pretend(1, 2);
    assert_int_equal(run("dealt --games 2 --csv other.csv --store other.db"), 0);
    assert_int_equal(n_worked, 1);
    assert_file("stdout", "");
    assert_false(file_exists("other.csv") || file_exists("other.db"));
    ranks_pretend(0, 2);
    assert_int_equal(run("dealt --games 2 --quiet --csv first.csv"), 0);
    ranks_pretend(0, 1);
    assert_file("first.csv", "\"step\",\"loss\"\r\n1,0.25\r\n2,0.125\r\n");
    assert_last_run("done", "");
}

int main(void)
{
    static const Command *const commands[] = {&measure, &dealt, &loser, &viewer, NULL};
    static const Program program = {
        .version = "1.2.3", .commands = commands, .start = start, .versions = versions};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tables_are_printed_and_stored, start_clean),
        cmocka_unit_test_setup(a_long_table_stays_out_of_the_document, start_clean),
        cmocka_unit_test_setup(files_hold_the_tables, start_clean),
        cmocka_unit_test_setup(files_in_the_way_are_refused_early, start_clean),
        cmocka_unit_test_setup(places_that_cannot_be_written_are_refused_early, start_clean),
        cmocka_unit_test_setup(places_of_another_kind_are_refused_early, start_clean),
        cmocka_unit_test_setup(one_file_for_both_is_refused_early, start_clean),
        cmocka_unit_test_setup(a_file_that_is_no_page_of_this_command_is_kept, start_clean),
        cmocka_unit_test_setup(one_file_takes_the_first_table_that_was_made, start_clean),
        cmocka_unit_test_setup(files_are_written_although_nobody_reads, start_clean),
        cmocka_unit_test_setup(a_run_is_done_although_nobody_reads, start_clean),
        cmocka_unit_test_setup(required_options_come_first, start_clean),
        cmocka_unit_test_setup(a_wrong_key_is_an_error_and_loses_nothing, start_clean),
        cmocka_unit_test_setup(rows_without_a_run_are_an_error, start_clean),
        cmocka_unit_test_setup(a_column_without_place_is_refused_before_the_work, start_clean),
        cmocka_unit_test_setup(a_column_of_another_type_is_refused_before_the_work, start_clean),
        cmocka_unit_test_setup(a_verdict_comes_after_the_result, start_clean),
        cmocka_unit_test_setup(versions_and_help_by_all_spellings, start_clean),
        cmocka_unit_test_setup(one_of_many_processes_writes, start_clean),
        cmocka_unit_test(progress_counted_anew_begins_a_new_clock),
    };
    cli_set_program(&program);
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
