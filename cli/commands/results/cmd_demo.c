/* cli/commands/results/cmd_demo.c - ogpt demo: the whole experiment, by the very commands a user
 * would type.
 *
 * The steps are a table of command lines (demo_steps.c). Each runs in this process and leaves its
 * rows in the demo's own results database; the closing tables and the verdict (demo_findings.c) are
 * read from there.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/commands/results/demo_steps.h"
#include "cli/study.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "probes/board/probe.h"

/* The networks that were given, by part. */
typedef struct GivenModels {
    GivenModel of[DEMO_GIVEN_PARTS];
} GivenModels;

static int write_report(const DemoReport *report)
{
    return file_write_atomic(DEMO_REPORT, report->text.data, report->text.length, true);
}

/* Add tables and claim of one part, and write what there is: a later part may fail. *verdict
 * becomes OGPT_ENEGATIVE when the claim fails. */
static int add_part(DemoReport *whole, int *verdict, const DemoPart *part, const GivenModel *model)
{
    DemoReport report = {0};
    int rc = demo_verdict(&report, part->store, part->trained_long);
    if (rc == OGPT_ENEGATIVE) {
        *verdict = rc;
        rc = 0;
    }
    if (rc == 0) {
        text_add(&whole->text, "\n==== ");
        demo_part_heading(&whole->text, part, model);
        text_add(&whole->text, " ====\n%s", report.text.data);
        js_set(whole->document, part->key, js_keep(report.document));
        rc = whole->text.failed ? OGPT_ENOMEM : write_report(whole);
    }
    demo_report_release(&report);
    return rc;
}

static int take_part(DemoReport *whole, int *verdict, const Context *context, const DemoPart *part,
                     const GivenModel *model)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < part->n_steps; i++) {
        rc = demo_step_take(context, &part->steps[i], model, part->store);
    }
    return rc ? rc : add_part(whole, verdict, part, model);
}

/* Enter a network at the part of its size. */
static int place_model(GivenModels *given, const char *path)
{
    ModelFile model;
    int rc = model_load(&model, path, NULL);
    if (rc != 0) {
        return rc;
    }
    int d_vocab = model.gpt->cfg.d_vocab;
    PathKind inside;
    rc = path_kind_in(&inside, path, PROBE_FOLDER);
    if (rc != 0) {
        model_release(&model);
        return rc;
    }
    GivenModel entry = {.path = path, .has_probe = inside == PATH_DIRECTORY};
    snprintf(entry.layer, sizeof(entry.layer), "%d", model.gpt->cfg.n_layers / 2);
    snprintf(entry.probe, sizeof(entry.probe), "probe-%.8s", model.model_hash);
    model_release(&model);
    for (size_t i = 0; i < DEMO_GIVEN_PARTS; i++) {
        const DemoPart *part = &demo_given_parts[i];
        if (vocab_of(game_variant(part->size))->d_vocab != d_vocab) {
            continue;
        }
        if (given->of[i].path) {
            return err_set(OGPT_EUSAGE, "demo: %s and %s are both of %dx%d; give one of each size",
                           given->of[i].path, path, part->size, part->size);
        }
        given->of[i] = entry;
        return 0;
    }
    return err_set(OGPT_EUSAGE,
                   "demo: %s: d_vocab is %d; the demo knows networks of 6x6 (33) and 8x8 (61)",
                   path, d_vocab);
}

/* Before minutes are spent. */
static int place_models(GivenModels *given, const Context *context)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        rc = place_model(given, context->args[i]);
    }
    return rc;
}

/* Within seconds, what the minutes after it are about: a board and an edit of the largest network
 * with a probe of its own. */
static int look_first(const Context *context, const GivenModels *given)
{
    int rc = 0, shown = -1;
    for (int i = 0; i < DEMO_GIVEN_PARTS; i++) {
        shown = given->of[i].has_probe ? i : shown;
    }
    if (shown < 0 || context->json) {
        return 0;
    }
    rc = demo_step_take(context, &demo_looks[shown], &given->of[shown], NULL);
    context_say(context, "%s", demo_plan);
    return rc;
}

static int run_demo(Context *context)
{
    GivenModels given = {0};
    DemoReport report = {.document = js_object()};
    double start = clock_seconds();
    int verdict = 0, rc = study_check_files(context);
    rc = rc ? rc : demo_files_are_ours(context);
    rc = rc ? rc : place_models(&given, context);
    rc = rc ? rc : look_first(context, &given);
    rc = rc ? rc : take_part(&report, &verdict, context, &demo_train_part, NULL);
    for (size_t i = 0; rc == 0 && i < DEMO_GIVEN_PARTS; i++) {
        if (given.of[i].path) {
            rc = take_part(&report, &verdict, context, &demo_given_parts[i], &given.of[i]);
        }
    }
    js_set_bool(report.document, "holds", verdict == 0);
    rc = rc ? rc : demo_page_write(context, report.document, given.of);
    if (rc == 0) {
        js_set_num(report.document, "seconds", clock_seconds() - start);
        study_json_all(context, js_keep(report.document));
        text_add(study_text(context), "%s", report.text.data);
        Table *board = study_table(context, &demo_board_table);
        board->hidden = board->undocumented = true; /* said above, and in other forms */
        demo_board_add(board, demo_train_part.key, js_member(report.document, demo_train_part.key));
        for (size_t i = 0; i < DEMO_GIVEN_PARTS; i++) {
            const char *key = demo_given_parts[i].key;
            demo_board_add(board, key, js_member(report.document, key));
        }
        context_say(context,
                    "the demo took %.0f s; this table is in " DEMO_REPORT
                    ", all of it as a page for a browser in " DEMO_PAGE
                    ", every number in " DEMO_STORE "%s",
                    clock_seconds() - start, context->n_args > 0 ? " and " DEMO_GIVEN_STORE : "");
    }
    demo_report_release(&report);
    if (rc == 0 && verdict != 0) {
        rc = study_verdict(context, err_set(verdict, "demo: the claim fails: see the lines above"));
    }
    return rc;
}

const Command cmd_demo = {
    .name = "demo",
    .arguments = "[MODEL [MODEL]]",
    .summary =
        "the whole experiment on 6x6, then the same questions to trained networks of 6x6 and 8x8",
    .examples = "ogpt demo\n"
                "ogpt demo tiny-6x6 tiny-8x8",
    .min_args = 0,
    .max_args = (int)DEMO_GIVEN_PARTS,
    .model_args = -1,
    .uses = USES_FORCE,
    COMMAND_TABLES(&demo_board_table),
    .run = run_demo,
};
