/* cli/commands/games/cmd_generate.c - ogpt generate: a corpus of random legal games. */
#include "cli/commands/common/game_input.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/corpora/corpus_result.h"

typedef struct GenerateOptions {
    int64_t games;
    int rules; /* GameRules */
} GenerateOptions;

static const OptionSpec options[] = {
    OPTION_INT("games", offsetof(GenerateOptions, games), "N", 1, (double)CORPUS_MAX_GAMES,
               "how many games; a corpus that has fewer of the same seed gets the missing ones",
               .required = true),
    OPTION_RULES(offsetof(GenerateOptions, rules),
                 "no-mid-flip: of each closed run only the first and the last disc turn; iago: the "
                 "games of classic, for networks that name moves by permuted tokens",
                 .def = "classic"),
};

/* One row a corpus: a command typed again when all was there keeps the row with the speed. */
static int row_replace(Table *table, const Context *context, const GenerateResult *result)
{
    Js *rows = NULL;
    int rc = store_rows(&rows, context->store, "corpora", context->run);
    table->unstored = js_length(rows) > 0 && result->games_made_now == 0;
    js_free(rows);
    return rc || table->unstored ? rc
                                 : store_trim(context->store, context->run, "corpora", "games", -1);
}

static int generate_run(Context *context)
{
    const GenerateOptions *given = context->options;
    const char *path = context->args[0];
    const GameVariant *variant = context_variant(context, given->rules);
    char run[FILES_PATH_MAX];
    GenerateResult result = {0};
    int rc = study_begin(context, path, true);
    rc = rc ? rc
            : generate_corpus(&result, path, variant, (uint64_t)given->games,
                              study_work(context, "generating", "games"));
    if (rc != 0) {
        return rc;
    }
    Table *table = study_table(context, &generate_table);
    generate_report(table, path, variant, context->seed, &result);
    context_name_run(run, path);
    study_next(context, "train", run, "--corpus", path, NULL);
    return row_replace(table, context, &result);
}

const Command cmd_generate = {
    .name = "generate",
    .arguments = "CORPUS --games N",
    .summary = "make a corpus of random legal games",
    .examples = "ogpt generate games.ogpc --games 100000\n"
                "ogpt generate other.ogpc --games 100000 --seed 2\n"
                "ogpt generate six.ogpc --games 100000 --size 6\n"
                "ogpt generate rule.ogpc --games 100000 --size 6 --rules no-mid-flip",
    COMMAND_OPTIONS(options, GenerateOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE | USES_RANKS,
    COMMAND_TABLES(&generate_table),
    .run = generate_run,
};
