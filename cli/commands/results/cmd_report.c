/* cli/commands/results/cmd_report.c - ogpt report: an experiment as one page to read, print and
 * keep. */
#include "base/err.h"
#include "cli/commands/results/report_runs.h"

typedef struct ReportOptions {
    const char *title;
    int64_t rows;
    bool all;
} ReportOptions;

static const OptionSpec options[] = {
    OPTION_TEXT("title", offsetof(ReportOptions, title), "TEXT", "heading of the page",
                .def = "What was measured"),
    OPTION_INT("rows", offsetof(ReportOptions, rows), "N", 0, 1e9,
               "rows of a table, the others are left out; 0: all", .def = "64"),
    OPTION_FLAG(
        "all", offsetof(ReportOptions, all),
        "all runs of the database; without this and RUN, the newest run about a network or a "
        "corpus and all that share a "
        "network, a corpus or another file with it, directly or through others, each "
        "command line once"),
};

/* The runs that were named, or NULL if none was. */
static int runs_named(Js **out, const Context *context)
{
    int rc = 0;
    *out = context->n_args > 0 ? js_array() : NULL;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        int64_t run = 0;
        rc = context_arg_int(&run, context, i, "RUN", 1, INT64_MAX);
        bool there = false;
        for (size_t k = 0; k < js_length(*out); k++) {
            there = there || js_int_of(js_at(*out, k)) == run;
        }
        if (!there) {
            js_push(*out, js_int(run));
        }
    }
    return rc;
}

static int report_run(Context *context)
{
    const ReportOptions *given = context->options;
    RunPage page;
    Text body = {0}, left_out = {0};
    Js *numbers = NULL;
    size_t n_bytes = 0;
    int rc = context->html ? 0
                           : err_set(OGPT_EUSAGE, "report: --html FILE, where the page goes, is "
                                                  "missing");
    if (rc == 0 && context->n_args > 0 && given->all) {
        rc = err_set(OGPT_EUSAGE, "report: RUN and --all; give one of them");
    }
    rc = rc ? rc : runs_named(&numbers, context);
    run_page_init(&page, (size_t)given->rows);
    rc =
        rc ? rc : report_runs_add(&page, &left_out, context->store_path, numbers, given->all, NULL);
    if (rc == 0) {
        run_page_render(&body, &page, given->title, context->command_line, left_out.data);
        rc = study_page(&n_bytes, context, &body);
    }
    if (rc == 0) {
        run_page_tell(context->report, &page, context->html, n_bytes, left_out.data);
    }
    text_release(&body);
    text_release(&left_out);
    run_page_release(&page);
    js_free(numbers);
    return rc;
}

const Command cmd_report = {
    .name = "report",
    .arguments = "[RUN...] --html FILE",
    .summary =
        "an experiment as one page to read, print and keep: what was asked, every table, what "
        "the words mean, the commands to repeat it",
    .examples = "ogpt report --html report.html\n"
                "ogpt report 1 2 --html two.html --title 'Does it play legally?'\n"
                "ogpt report --all --html all.html --rows 20",
    COMMAND_OPTIONS(options, ReportOptions),
    .max_args = -1,
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&run_page_runs),
    .run = report_run,
};
