/* cli/commands/network/cmd_eval.c - ogpt eval: does the network play legally, and how near is its
 * loss to the lowest possible one? */
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/network/scored_games.h"
#include "cli/study.h"

typedef struct EvalOptions {
    ScoredAsked games;
    bool by_ply;
} EvalOptions;

static const OptionSpec options[] = {
    SCORED_OPTIONS(
        offsetof(EvalOptions, games),
        "games to be scored: its test split, which training on a corpus never uses; all of "
        "an imported corpus, unless the network was trained on a corpus"),
    OPTION_FLAG("by-ply", offsetof(EvalOptions, by_ply),
                "also print the scores ply by ply (--json always has them)"),
};

static int eval_run(Context *context)
{
    const EvalOptions *given = context->options;
    const ScoredAsked *asked = &given->games;
    StudyInputs inputs;
    EvalGames scored = {0};
    LegalityScore score = {0};
    char probe[FILES_PATH_MAX];
    int rc = context_inputs_open(context, &inputs, context->args[0], asked->corpus);
    rc = rc ? rc : scored_open(&scored, context, &inputs, 1, asked);
    rc = rc ? rc : study_begin(context, inputs.subject.model.path, false);
    rc = rc ? rc : scored_look(&scored, context, &inputs, 1, asked);
    rc = rc ? rc
            : legality_score(&score, inputs.subject.model.gpt, scored.source, 0, (size_t)scored.n,
                             study_work(context, "eval", "games"));
    if (rc == 0) {
        rc = eval_report(context->report,
                         &(EvalFindings){.score = &score,
                                         .seen = &scored.seen,
                                         .model_hash = inputs.subject.model.model_hash,
                                         .corpus_hash = corpus_info(inputs.corpus)->content_hash,
                                         .split = scored.all ? "all" : "test",
                                         .reason = scored.reason,
                                         .generated = scored.generated,
                                         .by_ply = given->by_ply,
                                         .seed = context->seed});
    }
    context_name_free(probe, "probes/mine", "");
    study_next(context, "probe", "fit", context->args[0], "--corpus", asked->corpus, "--out", probe,
               NULL);
    legality_release(&score);
    source_free(scored.source);
    context_inputs_release(&inputs);
    return rc;
}

const Command cmd_eval = {
    .name = "eval",
    .arguments = "MODEL --corpus CORPUS [--games N] [--all]",
    .summary = "score a network's predictions by the rules of the game",
    .examples = "ogpt eval runs/tiny --corpus games.ogpc --by-ply\n"
                "ogpt eval runs/tiny --corpus games.ogpc --games 1000 --json",
    COMMAND_OPTIONS(options, EvalOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_RANKS,
    COMMAND_TABLES(&eval_table, &eval_ply_table),
    .run = eval_run,
};
