/* cli/commands/games/cmd_generate.c - ogpt generate: a corpus of random legal games. */
#include "cli/command.h"

#include "base/err.h"
#include "datasets/generate.h"

typedef struct GenerateOptions {
    int64_t games;
} GenerateOptions;

static const OptionSpec options[] = {
    {"games", OPT_INT, offsetof(GenerateOptions, games), 1, (double)CORPUS_MAX_GAMES,
     .argument = "N", .help = "how many games; needed"},
};

static void show_progress(void *context, const char *stage, double done, double total)
{
    (void)stage;
    (void)total;
    progress_step(context, done, NULL);
}

static Js *result_document(const char *path, const GenerateResult *result,
                           const GameVariant *variant)
{
    Js *document = js_object();
    double rate = result->seconds > 0 ? (double)result->games_made_now / result->seconds : 0;
    js_set_str(document, "path", path);
    js_set_int(document, "size", variant->size);
    js_set_int(document, "games", (int64_t)result->games);
    js_set_int(document, "games_made_now", (int64_t)result->games_made_now);
    js_set_int(document, "plies", (int64_t)result->plies);
    js_set_str(document, "content_hash", result->content_hash);
    js_set_num(document, "seconds", result->seconds);
    js_set_num(document, "games_per_second", rate);
    return document;
}

/* The members of the document that the database has columns for. */
static int row_add(Context *context, const Js *document)
{
    Js *row = store_known("corpora", document);
    int rc = store_add(context->store, context->run, "corpora", row);
    js_free(row);
    return rc;
}

/* One row a corpus: a command typed again when all was there keeps the row with the speed. */
static int row_store(Context *context, const Js *document, const GenerateResult *result)
{
    Js *rows = NULL;
    int rc = store_rows(&rows, context->store, "corpora", context->run);
    if (rc != 0) {
        return rc;
    }
    bool kept = js_length(rows) > 0 && result->games_made_now == 0;
    js_free(rows);
    if (kept) {
        return 0;
    }
    rc = store_trim(context->store, context->run, "corpora", "games", -1);
    return rc != 0 ? rc : row_add(context, document);
}

static int generate_run(Context *context)
{
    const GenerateOptions *given = context->options;
    const char *path = context->args[0];
    const GameVariant *variant = game_variant(context->size_given ? context->size : 8);
    GenerateResult result = {0};
    Text text = {0};
    if (given->games == 0) {
        return err_set(OGPT_EUSAGE, "generate: --games N is needed; see 'ogpt generate --help'");
    }
    int rc = context_pool(context);
    rc = rc ? rc : context_run_begin(context, path, true);
    if (rc != 0) {
        return rc;
    }
    Progress progress = progress_begin(context, "generating", "games", (double)given->games);
    const Work work = {
        .pool = context->pool, .seed = context->seed, .tick = show_progress, .context = &progress};
    rc = generate_corpus(&result, path, variant, (uint64_t)given->games, &work);
    progress_end(&progress);
    if (rc != 0) {
        return rc;
    }
    Js *document = result_document(path, &result, variant);
    rc = row_store(context, document, &result);
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    text_add(&text, "corpus        %s\nboard         %dx%d, seed %llu\n", path, variant->size,
             variant->size, (unsigned long long)context->seed);
    text_add(&text, "games         %llu (%llu made now)\nplies         %llu\n",
             (unsigned long long)result.games, (unsigned long long)result.games_made_now,
             (unsigned long long)result.plies);
    text_add(&text, "content hash  %s\n", result.content_hash);
    if (result.games_made_now > 0) {
        text_add(&text, "time          %.2f s, %.0f games/s\n", result.seconds,
                 (double)result.games_made_now / result.seconds);
    }
    rc = context_result(context, document, text.data);
    text_release(&text);
    if (rc == 0) {
        context_next(context, "ogpt train runs/NAME --corpus %s", path);
    }
    return rc;
}

const Command cmd_generate = {
    .name = "generate",
    .arguments = "CORPUS --games N",
    .summary = "make a corpus of random legal games",
    .examples = "ogpt generate games.ogpc --games 1000000\n"
                "ogpt generate small.ogpc --games 100000 --size 6 --seed 2",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(GenerateOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE,
    .run = generate_run,
};
