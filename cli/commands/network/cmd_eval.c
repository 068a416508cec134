/* cli/commands/network/cmd_eval.c - ogpt eval: does the network play legally, and how near is its
 * loss to the lowest possible one? */
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "datasets/batch.h"
#include "report/results/eval_result.h"

typedef struct EvalOptions {
    const char *corpus;
    int64_t games;
    bool by_ply, all, no_seen;
} EvalOptions;

#define AT(field) offsetof(EvalOptions, field)
static const OptionSpec options[] = {
    OPTION_CORPUS(AT(corpus),
                  "games to be scored: its test split, which training on a corpus never uses"),
    OPTION_INT("games", AT(games), "N", 1, 1e9, "number of games, from the first one on",
               .def = "10000"),
    OPTION_FLAG("all", AT(all),
                "score all games, also those that the model may have been trained on"),
    OPTION_FLAG("by-ply", AT(by_ply), "also print the scores ply by ply (--json always has them)"),
    OPTION_FLAG("no-seen", AT(no_seen),
                "do not make the training games again to look for scored games among them"),
};

/* Games are divided by their hash, not by their file: a game of the test split is none
 * that training with --corpus saw, also of a smaller corpus of the same seed. Those that training
 * with --fresh saw are left out (leave_out_seen). */
static int open_games(GameSource **out, Corpus *corpus, const EvalOptions *given, uint64_t seed)
{
    return source_corpus(out, corpus, given->all ? SPLIT_ALL : 1U << SPLIT_TEST, false, seed);
}

/* Leave games that training had out of the source; *n_games, the games to be scored, becomes less
 * by them. */
static int leave_out_seen(EvalSeen *out, uint64_t *n_games, Context *context,
                          const ModelFile *model, GameSource *source)
{
    const EvalOptions *given = context->options;
    SeenGames seen = {0};
    *out = (EvalSeen){.of = training_games(model->manifest, source_variant(source))};
    if (given->all || given->no_seen) {
        out->of.unknown = given->all ? "--all scores all splits" : "--no-seen";
        return 0;
    }
    int rc = seen_games(&seen, model->manifest, source, (size_t)*n_games,
                        study_work(context, "look for seen games", "games"));
    if (rc == 0 && seen.n > 0) {
        rc = source_leave_out(source, seen.hashes, seen.n);
    }
    out->left_out = seen.n;
    seen_games_release(&seen);
    if (rc == 0 && out->left_out >= *n_games) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: training had all %llu games that were to be scored; use other games",
                     given->corpus, (unsigned long long)*n_games);
    }
    *n_games -= out->left_out;
    return rc;
}

/* How many games are to be scored: as many as were asked for, or all that there are. */
static uint64_t games_wanted(const Context *context, const GameSource *source)
{
    const EvalOptions *given = context->options;
    uint64_t there = source_games(source);
    if (there >= (uint64_t)given->games) {
        return (uint64_t)given->games;
    }
    context_say(context, "%s: %s holds %llu games, %lld were asked for%s", given->corpus,
                given->all ? "it" : "its test split", (unsigned long long)there,
                (long long)given->games, given->all ? "" : " (--all scores all games)");
    return there;
}

static int eval_run(Context *context)
{
    const EvalOptions *given = context->options;
    StudyInputs inputs;
    GameSource *source = NULL;
    LegalityScore score = {0};
    EvalSeen seen = {0};
    char probe[FILES_PATH_MAX];
    int rc = context_inputs_open(context, &inputs, context->args[0], given->corpus);
    rc = rc ? rc : open_games(&source, inputs.corpus, given, context->seed);
    rc = rc ? rc : study_begin(context, inputs.subject.model.path, false);
    uint64_t n_games = rc == 0 ? games_wanted(context, source) : 0;
    rc = rc ? rc : leave_out_seen(&seen, &n_games, context, &inputs.subject.model, source);
    rc = rc ? rc
            : legality_score(&score, inputs.subject.model.gpt, source, 0, (size_t)n_games,
                             study_work(context, "eval", "games"));
    if (rc == 0) {
        const CorpusInfo *info = corpus_info(inputs.corpus);
        rc = eval_report(context->report,
                         &(EvalFindings){.score = &score,
                                         .seen = &seen,
                                         .model_hash = inputs.subject.model.model_hash,
                                         .corpus_hash = info->content_hash,
                                         .split = given->all ? "all" : "test",
                                         .generated = strcmp(info->source, "random") == 0,
                                         .by_ply = given->by_ply,
                                         .seed = context->seed});
    }
    context_name_free(probe, "probes/mine", "");
    study_next(context, "probe", "fit", context->args[0], "--corpus", given->corpus, "--out", probe,
               NULL);
    legality_release(&score);
    source_free(source);
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
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&eval_table, &eval_ply_table),
    .run = eval_run,
};
