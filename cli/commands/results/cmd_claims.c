/* cli/commands/results/cmd_claims.c - ogpt claims: what others claim, judged by stored rows. */
#include "base/err.h"
#include "base/files.h"
#include "cli/commands/results/claim_runs.h"

typedef struct ClaimsOptions {
    bool run;
    const char *markdown;
} ClaimsOptions;

static const OptionSpec options[] = {
    OPTION_FLAG("run", offsetof(ClaimsOptions, run),
                "before, take the commands that claims lack, one after another: minutes each; "
                "typed again it goes on where it stopped"),
    OPTION_OUT("markdown", offsetof(ClaimsOptions, markdown), "FILE",
               "also write both tables as Markdown", .kept = true),
};

/* Networks that are asked where none is named. */
static const char *const shipped[] = {"tiny-6x6", "tiny-8x8"};
enum { N_SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

static int markdown_write(const Context *context, const char *path)
{
    Text text = {0};
    text_add(&text, "# Claims of the field, judged by stored results\n\n`%s`\n",
             context->command_line);
    for (size_t i = 0; i < context->report->n_items; i++) {
        const Table *table = report_table_at(context->report, i);
        if (table) {
            text_add(&text, "\n## %s\n\n", table->spec->title);
            table_markdown(&text, table);
        }
    }
    int rc = text.failed ? OGPT_ENOMEM : file_write_atomic(path, text.data, text.length, true);
    text_release(&text);
    return rc;
}

static int shipped_paths(char paths[N_SHIPPED][FILES_PATH_MAX], const char *names[N_SHIPPED])
{
    for (int i = 0; i < N_SHIPPED; i++) {
        if (!context_shipped_model(paths[i], shipped[i])) {
            return err_set(OGPT_EUSAGE, "claims: the shipped network %s is not here; name a MODEL",
                           shipped[i]);
        }
        names[i] = paths[i];
    }
    return 0;
}

static int claims_run(Context *context)
{
    const ClaimsOptions *given = context->options;
    char paths[N_SHIPPED][FILES_PATH_MAX];
    const char *names[N_SHIPPED];
    ClaimSession session = {0};
    bool none = context->n_args == 0;
    size_t failed = 0;
    int rc = none ? shipped_paths(paths, names) : 0;
    rc = rc ? rc
            : claim_session_open(&session, context, none ? names : context->args,
                                 none ? N_SHIPPED : (size_t)context->n_args);
    rc = rc ? rc : study_begin(context, none ? NULL : context->args[0], false);
    rc = rc ? rc : claim_session_judge(&session);
    if (given->run) {
        rc = rc ? rc : claim_session_run(&session, &failed);
        rc = rc ? rc : claim_session_judge(&session);
    }
    if (rc == 0) {
        const ClaimsFound found = {.subjects = session.subjects,
                                   .findings = session.findings,
                                   .n = session.n,
                                   .command_end =
                                       session.command_end.data ? session.command_end.data : "",
                                   .wide = context->style.wide};
        claim_report(context->report, &found);
        rc = given->markdown ? markdown_write(context, given->markdown) : 0;
    }
    if (rc == 0 && failed > 0) {
        rc = study_verdict(
            context, err_set(OGPT_ENEGATIVE,
                             "claims: %zu command%s could not be taken, see the warnings; the "
                             "claims that need them are not judged",
                             failed, failed == 1 ? "" : "s"));
    }
    claim_session_release(&session);
    return rc;
}

const Command cmd_claims = {
    .name = "claims",
    .arguments = "[MODEL...] [--run]",
    .summary =
        "claims of the field about such networks, judged by stored results; without MODEL of "
        "the shipped networks tiny-6x6 and tiny-8x8",
    .examples = "ogpt claims\n"
                "ogpt claims tiny-6x6 --wide   # with the rules\n"
                "ogpt claims tiny-6x6 --html claims.html --markdown claims.md",
    COMMAND_OPTIONS(options, ClaimsOptions),
    .min_args = 0,
    .max_args = -1,
    .model_args = -1,
    .uses = USES_STORE | USES_FORCE | USES_THREADS,
    COMMAND_TABLES(&claims_table, &claim_parts_table),
    .run = claims_run,
};
