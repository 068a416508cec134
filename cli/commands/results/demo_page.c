/* cli/commands/results/demo_page.c - contract in cli/commands/results/demo_steps.h. */
#include "cli/commands/results/demo_steps.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "cli/options.h"
#include "cli/commands/results/report_runs.h"

void demo_part_heading(Text *out, const DemoPart *part, const GivenModel *model)
{
    text_add(out, "%s, %dx%d", model ? model->path : "The network trained just now", part->size,
             part->size);
}

/* Whether the page that is there was written by a demo. */
static bool page_is_ours(void)
{
    enum { PAGE_MAX = 256 << 20 };
    Text begin = {0};
    void *there = NULL;
    size_t n_bytes = 0;
    html_page_mark(&begin, "ogpt demo", NULL);
    bool ours = !begin.failed && file_read_all(&there, &n_bytes, DEMO_PAGE, PAGE_MAX) == 0 &&
                n_bytes >= begin.length && memcmp(there, begin.data, begin.length) == 0;
    mem_free(there);
    text_release(&begin);
    return ours;
}

/* The page of the demo and that of --html are two files. */
static int page_is_free(const Context *context)
{
    PathKind there = PATH_MISSING;
    if (context->html && options_one_file(context->html, DEMO_PAGE)) {
        return err_set(OGPT_EUSAGE, "demo: it writes %s itself; give --html another name",
                       DEMO_PAGE);
    }
    int rc = path_kind(&there, DEMO_PAGE);
    if (rc == 0 && !context->force && there == PATH_FILE && !page_is_ours()) {
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
    html_page_begin(&text, "ogpt demo", context->command_line);
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
