/* cli/commands/edits/cmd_explore.c - ogpt explore: the network, its probes, a sparse autoencoder
 * and a page to look inside, in one HTML file that needs no network and no program. */
#include <string.h>

#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/edits/page_features.h"
#include "cli/study.h"

typedef struct ExploreOptions {
    const char *probe, *sae, *out;
} ExploreOptions;

#define AT(field) offsetof(ExploreOptions, field)
static const OptionSpec options[] = {
    OPTION_PROBE(AT(probe), "what reads the boards"),
    OPTION_TEXT("sae", AT(sae), "SAE",
                "sparse autoencoder whose features are shown, and can be clamped (default: "
                "MODEL/" SAE_FOLDER ", if it is there)"),
    OPTION_OUT("out", AT(out), "FILE", "the page, such as page.html", .required = true),
};

static const Column columns[] = {
    {"model", "model", .type = COLUMN_TEXT},
    {"model_hash", "model hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"sae", "autoencoder", .type = COLUMN_TEXT},
    {"path", "written to", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"page_bytes", "page", .type = COLUMN_COUNT, .unit = "bytes"},
    {"code_bytes", "of it code", .type = COLUMN_COUNT, .unit = "bytes"},
    {"numbers", "numbers", .type = COLUMN_COUNT, .meaning = "float16, of all these"},
    {"weight_change", "rounding of a number", .digits = 6, .meaning = "the largest"},
    {"logit_change", "change of a logit", .digits = 6, .unit = "nats",
     .meaning = "the largest by that rounding, at all positions of 64 random games"},
    {"feature_change", "change of a feature", .digits = 6,
     .meaning = "the largest by that rounding, of those that stay on"},
    {"features_turned", "features turned", .unit = "%", .digits = 3,
     .meaning = "that go on or off by that rounding, of those that are on"},
};
static const TableSpec explore_table = {"explore", TABLE_COLUMNS(columns), .record = true};

static void explore_report(Context *context, const ExplorerPage *page, const char *probe_path,
                           const char *sae_path, const ExplorerWritten *written)
{
    const ExploreOptions *given = context->options;
    Table *table = study_table(context, &explore_table);
    table_text(table, "model", context->args[0]);
    table_text(table, "model_hash", page->subject->model.model_hash);
    table_text(table, "probe", probe_path);
    table_text(table, "sae", page->sae ? sae_path : NULL);
    table_text(table, "path", given->out);
    table_int(table, "size", page->subject->size);
    table_int(table, "page_bytes", (int64_t)written->page_bytes);
    table_int(table, "code_bytes", (int64_t)written->code_bytes);
    table_int(table, "numbers", (int64_t)written->n_numbers);
    table_num(table, "weight_change", written->weight_change);
    table_num(table, "logit_change", written->logit_change);
    table_num(table, "feature_change", written->feature_change);
    table_num(table, "features_turned", written->features_turned);
}

static int explore_run(Context *context)
{
    const ExploreOptions *given = context->options;
    Subject subject = {0};
    Probe probe = {0};
    char probe_path[FILES_PATH_MAX];
    ExplorerWritten written;
    PageFeatures features = {0};
    ExplorerPage page = {.subject = &subject,
                         .probe = &probe,
                         .version = OGPT_VERSION,
                         .model_name = context_model_name(context->args[0]),
                         .probe_name = given->probe};
    int rc = context_subject_open(context, &subject, context->args[0]);
    rc = rc ? rc : context_probe_open(context, &probe, probe_path, &subject, given->probe);
    rc = rc ? rc : explorer_check(&page, probe_path);
    rc = rc ? rc : page_features_open(&features, context, &page, given->sae);
    rc = rc ? rc : study_begin(context, NULL, false);
    rc = rc ? rc : page_features_make(&features, context, &page);
    rc = rc ? rc : explorer_write(&written, &page, given->out, context->force);
    if (rc == 0) {
        explore_report(context, &page, probe_path, features.path, &written);
        context_say(context, "open it in a browser: it needs no network");
    }
    page_features_release(&features);
    probe_release(&probe);
    subject_release(&subject);
    return rc;
}

const Command cmd_explore = {
    .name = "explore",
    .arguments = "MODEL [--probe PROBE] [--sae SAE] --out FILE",
    .summary = "one HTML file to play, see the board inside a network, and change it there",
    .examples = "ogpt explore tiny-8x8 --out page.html\n"
                "ogpt explore tiny-6x6 --sae datasets/models/tiny-6x6/sae --out six.html\n"
                "ogpt explore runs/tiny --probe probe --out page.html --force",
    COMMAND_OPTIONS(options, ExploreOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_FORCE | USES_THREADS,
    COMMAND_TABLES(&explore_table),
    .run = explore_run,
};
