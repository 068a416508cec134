/* cli/commands/games/cmd_corpus_info.c - ogpt corpus info: what a corpus holds. */
#include "cli/study.h"
#include "report/corpora/corpus_result.h"

static int info_run(Context *context)
{
    Corpus *corpus = NULL;
    CorpusCounts counts = {0};
    int rc = corpus_open(&corpus, context->args[0], true);
    rc = rc ? rc : corpus_count(&counts, corpus);
    if (rc != 0) {
        corpus_close(corpus);
        return rc;
    }
    const CorpusInfo *info = corpus_info(corpus);
    /* null: unknown, because it is unfinished */
    corpus_report(study_table(context, &corpus_table), context->args[0], info, &counts);
    if (!info->complete) {
        text_add(study_text(context),
                 "unfinished: %llu games are there; type the same generate command again\n",
                 (unsigned long long)info->n_games_present);
    }
    corpus_close(corpus);
    return 0;
}

const Command cmd_corpus_info = {
    .name = "corpus info",
    .arguments = "CORPUS",
    .summary = "what a corpus holds",
    .examples = "ogpt corpus info games.ogpc",
    .min_args = 1,
    .max_args = 1,
    COMMAND_TABLES(&corpus_table),
    .run = info_run,
};
