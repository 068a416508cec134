/* cli/commands/network/cmd_eval_compare.c - ogpt eval compare: which of two networks plays more
 * legally, on the same games? */
#include "base/err.h"
#include "cli/commands/network/scored_games.h"
#include "cli/study.h"
#include "report/results/eval_compare_result.h"

static const OptionSpec options[] = {
    SCORED_OPTIONS(0, "games to be scored by both: as ogpt eval chooses them, without those that "
                      "either was trained on"),
};

/* Two networks and their one corpus, which belongs to the first. */
static int inputs_open(StudyInputs inputs[2], Context *context, const char *corpus)
{
    int rc = context_inputs_open(context, &inputs[0], context->args[0], corpus);
    rc = rc ? rc : context_subject_open(context, &inputs[1].subject, context->args[1]);
    inputs[1].corpus = inputs[0].corpus;
    return rc ? rc : context_inputs_match(context, &inputs[1].subject, inputs[1].corpus, corpus);
}

static int both_score(LegalityScore scores[2], LegalityDifference *differences, Context *context,
                      const StudyInputs inputs[2], const EvalGames *games)
{
    static const char *const labels[2] = {"eval a", "eval b"};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        rc = legality_score(&scores[i], inputs[i].subject.model.gpt, games->source, 0,
                            (size_t)games->n, study_work(context, labels[i], "games"));
    }
    return rc ? rc
              : legality_compare(differences, &scores[0], &scores[1],
                                 study_work(context, "compare", "measures"));
}

static int eval_compare_run(Context *context)
{
    const ScoredAsked *asked = context->options;
    StudyInputs inputs[2] = {0};
    EvalGames games = {0};
    LegalityScore scores[2] = {0};
    LegalityDifference differences[LEGALITY_MEASURES];
    int rc = inputs_open(inputs, context, asked->corpus);
    rc = rc ? rc : scored_open(&games, context, inputs, 2, asked);
    rc = rc ? rc : study_begin(context, inputs[0].subject.model.path, false);
    rc = rc ? rc : scored_look(&games, context, inputs, 2, asked);
    rc = rc ? rc : both_score(scores, differences, context, inputs, &games);
    if (rc == 0) {
        eval_compare_report(
            context->report,
            &(EvalCompareFindings){.differences = differences,
                                   .names = {context->args[0], context->args[1]},
                                   .model_hashes = {inputs[0].subject.model.model_hash,
                                                    inputs[1].subject.model.model_hash},
                                   .corpus_hash = corpus_info(inputs[0].corpus)->content_hash,
                                   .split = games.all ? "all" : "test",
                                   .n_games = scores[0].n_games,
                                   .positions = scores[0].total.positions,
                                   .seen = &games.seen});
    }
    legality_release(&scores[0]);
    legality_release(&scores[1]);
    source_free(games.source);
    inputs[1].corpus = NULL;
    context_inputs_release(&inputs[1]);
    context_inputs_release(&inputs[0]);
    return rc;
}

const Command cmd_eval_compare = {
    .name = "eval compare",
    .arguments = "MODEL MODEL --corpus CORPUS [--games N]",
    .summary = "two networks on the same games: which plays more legally, by paired tests",
    .examples = "ogpt eval compare runs/tiny runs/mine --corpus games.ogpc\n"
                "ogpt eval compare runs/tiny runs/mine --corpus games.ogpc --games 1000 --json",
    COMMAND_OPTIONS(options, ScoredAsked),
    .min_args = 2,
    .max_args = 2,
    .model_args = 2,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&eval_tests_table),
    .run = eval_compare_run,
};
