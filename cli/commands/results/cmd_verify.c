/* cli/commands/results/cmd_verify.c - ogpt verify: is each file still what was written? */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "cli/study.h"
#include "probes/artefacts/verify_paths.h"
#include "store/check.h"

typedef struct VerifyOptions {
    bool settle;
} VerifyOptions;

static const OptionSpec specs[] = {
    OPTION_FLAG("settle", offsetof(VerifyOptions, settle),
                "before, end the rows of killed runs and drop those of checkpoints that are gone"),
};

static const Column finding_columns[] = {
    {"path", "path", .type = COLUMN_TEXT},
    {"finding", "finding", .type = COLUMN_TEXT},
};
static const TableSpec findings_table = {"finding_rows", "findings", TABLE_COLUMNS(finding_columns),
                                         .file = "findings"};
static const Column item_columns[] = {
    {"path", "path", .type = COLUMN_TEXT},
    {"about", "what it is", .type = COLUMN_TEXT},
    {"findings", "findings", .type = COLUMN_COUNT},
};
static const TableSpec items_table = {"items", TABLE_COLUMNS(item_columns)};

static void finding_add(void *context, const VerifyItem *item, const char *line)
{
    Table *findings = context;
    table_row(findings);
    table_text(findings, "path", item->path);
    table_text(findings, "finding", line);
}

/* Results that belong to a run in progress are read as they are. */
static int results_examine(VerifyPaths *paths, uint32_t id)
{
    VerifyItem *item = paths->item;
    Store *store = NULL;
    size_t n_runs = 0;
    if (id != STORE_APPLICATION_ID) {
        return err_set(OGPT_EFORMAT,
                       "%s: application id 0x%08x: neither a corpus nor a results database",
                       item->path, (unsigned)id);
    }
    int rc = store_open_read(&store, item->path);
    rc = rc ? rc : store_verify(&n_runs, store, verify_finding, paths);
    store_close(store);
    snprintf(item->about, sizeof(item->about), "results, %zu runs", n_runs);
    return rc;
}

/* Refuse to settle where every path is known to be something else than a results database. */
static int settle_check(const Context *context)
{
    for (int i = 0; i < context->n_args; i++) {
        uint32_t id = 0;
        PathKind kind;
        if ((path_kind(&kind, context->args[i]) != 0 || kind != PATH_DIRECTORY) &&
            (db_application_id(&id, context->args[i]) != 0 || id == STORE_APPLICATION_ID)) {
            return 0; /* one, or what is reported later: a damaged or missing file */
        }
    }
    return err_set(OGPT_EUSAGE,
                   "--settle means nothing with %s, expected a results database among the paths, "
                   "found none; name it (ogpt-results.db), or leave --settle out",
                   context->args[0]);
}

static void settled_say(void *context, const char *line)
{
    context_say(context, "%s", line);
}

/* Put right what can be, in each results database among the paths. */
static int paths_settle(Context *context)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        uint32_t id = 0;
        Store *store = NULL;
        PathKind kind;
        rc = path_kind(&kind, context->args[i]);
        if (rc != 0 || kind != PATH_FILE || db_application_id(&id, context->args[i]) != 0 ||
            id != STORE_APPLICATION_ID) {
            continue;
        }
        rc = store_open(&store, context->args[i]);
        rc = rc ? rc : store_settle(store, settled_say, context);
        store_close(store);
    }
    return rc;
}

/* A row a path; as text, its findings, or one line if it has none. */
static void items_conclude(Context *context, const VerifyPaths *paths)
{
    Table *items = study_table(context, &items_table);
    Text *text = study_text(context);
    items->hidden = true; /* the text says it */
    for (int i = 0; i < paths->n_items; i++) {
        const VerifyItem *item = &paths->items[i];
        table_row(items);
        table_text(items, "path", item->path);
        table_text(items, "about", item->about);
        table_int(items, "findings", (int64_t)item->n_findings);
        if (item->n_findings == 0) {
            text_add(text, "%s: %s: clean\n", item->path, item->about);
        }
        text_add(text, "%s", item->text.data ? item->text.data : "");
        text->failed = text->failed || item->text.failed;
    }
}

/* The result, and the exit code that findings ask for. */
static int verdict_report(Context *context, const VerifyPaths *paths, const Js *rows)
{
    const size_t n = js_length(rows);
    Js *findings = js_array();
    for (size_t i = 0; i < n; i++) {
        js_push(findings, js_keep(js_member(js_at(rows, i), "finding")));
    }
    study_json(context, "findings", findings);
    items_conclude(context, paths);
    study_json(context, "paths", js_int(context->n_args));
    study_json(context, "games", js_int((int64_t)paths->games));
    study_json(context, "bad_blocks", js_int((int64_t)paths->bad_blocks));
    study_json(context, "illegal_games", js_int((int64_t)paths->illegal_games));
    if (context->n_args > 1 || n > 0) {
        Text *text = study_text(context);
        text_add(text, "%d path%s, %llu games: ", context->n_args, context->n_args == 1 ? "" : "s",
                 (unsigned long long)paths->games);
        text_add(text, n == 0 ? "clean\n" : "%zu finding%s\n", n, n == 1 ? "" : "s");
    }
    if (n == 0) {
        return 0;
    }
    return study_verdict(context, err_set(OGPT_EFORMAT,
                                          "verify: %zu finding%s; make the damaged files again, or "
                                          "take another copy",
                                          n, n == 1 ? "" : "s"));
}

static int verify_run(Context *context)
{
    const VerifyOptions *options = context->options;
    VerifyPaths paths = {.finding = finding_add, .database = results_examine};
    int rc = options->settle ? settle_check(context) : 0;
    rc = rc ? rc : study_begin(context, context->n_args == 1 ? context->args[0] : NULL, false);
    if (rc != 0) {
        return rc;
    }
    Table *findings = study_table(context, &findings_table);
    paths.context = findings;
    findings->hidden = true; /* the text says it */
    paths.items = mem_calloc((size_t)context->n_args, sizeof(*paths.items), "paths");
    rc = !paths.items ? OGPT_ENOMEM : options->settle ? paths_settle(context) : 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        paths.items[paths.n_items++].path = context->args[i];
    }
    rc = rc ? rc : verify_paths(&paths);
    rc = rc ? rc : verdict_report(context, &paths, findings->rows);
    for (int i = 0; i < paths.n_items; i++) {
        text_release(&paths.items[i].text);
    }
    mem_free(paths.items);
    mem_free(paths.models);
    return rc;
}

const Command cmd_verify = {
    .name = "verify",
    .arguments = "PATH...",
    .summary = "check files completely: corpus, model, run, probe, activations, results",
    .examples = "ogpt verify games.ogpc\n"
                "ogpt verify runs/tiny probe            # whether they belong together, too\n"
                "ogpt verify ogpt-results.db --settle   # end the rows of killed runs first",
    COMMAND_OPTIONS(specs, VerifyOptions),
    .min_args = 1,
    .max_args = -1,
    .model_args = -1,
    .uses = USES_STORE | USES_STORE_THERE,
    COMMAND_TABLES(&findings_table, &items_table),
    .run = verify_run,
};
