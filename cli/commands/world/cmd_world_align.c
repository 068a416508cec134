/* cli/commands/world/cmd_world_align.c - ogpt world align: is the stream of one network that of
 * another, turned? */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/world/alignment_result.h"

typedef struct AlignOptions {
    int64_t games, fit_games;
} AlignOptions;

#define AT(field) offsetof(AlignOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("games", AT(games), "N", 2, 1e5, "games that the maps are judged on", .def = "100"),
    OPTION_INT("fit-games", AT(fit_games), "N", 2, 1e5, "other games that they are fitted on",
               .def = "200"),
};

static int align_run(Context *context)
{
    const AlignOptions *given = context->options;
    Subject subjects[2] = {{.size = 0}, {.size = 0}};
    AlignmentSide sides[2];
    AlignmentRow *rows = NULL;
    Interval strict[2];
    bool renamed = false;
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        rc = context_subject_open(context, &subjects[i], context->args[i]);
        sides[i] = (AlignmentSide){subjects[i].model.gpt, subjects[i].vocab};
    }
    const char *fault = rc == 0 ? alignment_fault(&sides[0], &sides[1]) : NULL;
    if (fault) {
        rc = err_set(OGPT_EUSAGE, "%s, %s: %s", context->args[0], context->args[1], fault);
    }
    /* ogpt convert writes no training options. */
    const Js *about = js_member(subjects[0].model.manifest, "about");
    rc = rc ? rc : alignment_renamed(&renamed, &sides[0], &sides[1]);
    rc = rc ? rc : study_begin(context, subjects[1].model.path, true);
    if (rc == 0) {
        const size_t n = (size_t)sides[1].gpt->cfg.n_layers + 1;
        rows = mem_calloc(n, sizeof(*rows), "rows of layers");
        rc = rows ? alignment_measure(rows, strict, &sides[0], &sides[1], (size_t)given->fit_games,
                                      (size_t)given->games, study_work(context, "maps", "parts"))
                  : OGPT_ENOMEM;
        if (rc == 0) {
            world_report_alignment(
                context->report,
                &(AlignmentReport){.rows = rows,
                                   .strict = strict,
                                   .n = n,
                                   .fit_games = (size_t)given->fit_games,
                                   .test_games = (size_t)given->games,
                                   .from = context_model_name(context->args[0]),
                                   .from_rules = game_rules_name(subjects[0].variant->rules),
                                   .to_rules = game_rules_name(subjects[1].variant->rules),
                                   .model_hash = subjects[1].model.model_hash,
                                   .renamed = renamed || !js_member(about, "options"),
                                   .width = sides[1].gpt->cfg.d_model});
        }
    }
    mem_free(rows);
    subject_release(&subjects[0]);
    subject_release(&subjects[1]);
    return rc;
}

const Command cmd_world_align = {
    .name = "world align",
    .arguments = "MODEL MODEL [--games N]",
    .summary = "whether a rotation carries the stream of one network to that of another",
    .examples = "ogpt convert tiny-6x6 iago-6x6 --rules iago\n"
                "ogpt world align iago-6x6 tiny-6x6 --games 50",
    COMMAND_OPTIONS(options, AlignOptions),
    .min_args = 2,
    .max_args = 2,
    .model_args = 2,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&alignment_table, &alignment_layers_table, &alignment_maps_table),
    .run = align_run,
};
