/* cli/commands/results/demo_page.c - contract in cli/commands/results/demo_steps.h. */
#include "cli/commands/results/demo_steps.h"

#include "base/err.h"
#include "base/files.h"
#include "cli/options.h"
#include "cli/commands/results/report_runs.h"

void demo_part_heading(Text *out, const DemoPart *part, const GivenModel *model)
{
    text_add(out, "%s, %dx%d", model ? model->path : "The network trained just now", part->size,
             part->size);
}

/* The files of the demo are no outputs of options, and a page of the user stays. */
static int page_is_free(const Context *context)
{
    static const char *const own[] = {DEMO_PAGE, DEMO_REPORT, DEMO_STORE, DEMO_GIVEN_STORE};
    const char *const given[] = {context->html, context->csv};
    const size_t n = sizeof(own) / sizeof(own[0]);
    PathKind there = PATH_MISSING;
    for (size_t i = 0; i < 2 * n; i++) {
        if (given[i / n] && options_one_file(given[i / n], own[i % n])) {
            return err_set(OGPT_EUSAGE, "demo: it writes %s itself; give --%s another name",
                           own[i % n], i < n ? "html" : "csv");
        }
    }
    int rc = path_kind(&there, DEMO_PAGE);
    if (rc == 0 && !context->force && there != PATH_MISSING &&
        !html_page_is(DEMO_PAGE, "ogpt demo", NULL)) {
        rc = err_set(OGPT_EUSAGE,
                     "demo: %s is no page of a demo; start in an empty folder, or replace it with "
                     "--force",
                     DEMO_PAGE);
    }
    return rc;
}

int demo_files_are_ours(const Context *context)
{
    static const char *const names[] = {DEMO_REPORT, DEMO_PAGE};
    PathKind store = PATH_MISSING;
    int rc = path_kind(&store, DEMO_STORE);
    for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        PathKind there = PATH_MISSING;
        rc = path_kind(&there, names[i]);
        if (rc == 0 && !context->force && there == PATH_FILE && store != PATH_FILE) {
            rc = err_set(OGPT_EUSAGE,
                         "demo: %s is here without " DEMO_STORE ", so it is of no demo; start in "
                         "an empty folder, or replace it with --force",
                         names[i]);
        }
    }
    return rc ? rc : page_is_free(context);
}

static int part_add(RunPage *page, const DemoPart *part, const GivenModel *model,
                    const Js *document)
{
    Text heading = {0}, left_out = {0};
    Table claims;
    demo_part_heading(&heading, part, model);
    const char *name = heading.data ? heading.data : "";
    run_page_part(page, name);
    demo_claims_fill(&claims, js_member(document, part->key));
    run_page_table(page, name, &claims);
    table_release(&claims);
    int rc = report_runs_add(page, &left_out, part->store, NULL, false, model ? model->path : NULL);
    text_release(&left_out);
    text_release(&heading);
    return rc;
}

int demo_page_write(const Context *context, const Js *document, const GivenModel *models)
{
    RunPage page;
    Text text = {0};
    run_page_init(&page, RUN_PAGE_ROWS);
    html_page_begin(&text, "ogpt demo", context->command_line, NULL);
    int rc = part_add(&page, &demo_train_part, NULL, document);
    for (size_t i = 0; rc == 0 && i < DEMO_GIVEN_PARTS; i++) {
        rc = models[i].path ? part_add(&page, &demo_given_parts[i], &models[i], document) : 0;
    }
    if (rc == 0) {
        run_page_render(&text, &page, "Does it build a board, and play by it?",
                        context->command_line, NULL);
        html_page_end(&text);
        rc = text.failed ? OGPT_ENOMEM : 0;
    }
    rc = rc ? rc : file_write_atomic(DEMO_PAGE, text.data, text.length, true);
    run_page_release(&page);
    text_release(&text);
    return rc;
}
