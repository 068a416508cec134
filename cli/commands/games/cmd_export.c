/* cli/commands/games/cmd_export.c - ogpt export: a corpus in a form that other programs read. */
#include "cli/command.h"

#include <string.h>

#include "base/err.h"
#include "datasets/export.h"

typedef struct ExportGiven {
    const char *format, *notation, *as;
} ExportGiven;

static const OptionSpec options[] = {
    {"format", OPT_CHOICE, offsetof(ExportGiven, format), .choices = "npy|text|pgn",
     .argument = "NAME", .help = "needed: an array (games, moves), a game a line, or PGN"},
    {"notation", OPT_CHOICE, offsetof(ExportGiven, notation), .def = "standard",
     .choices = "standard|othello_world", .argument = "NAME",
     .help = "othello_world: the letter is the row, as in the published code"},
    {"as", OPT_CHOICE, offsetof(ExportGiven, as), .choices = "tokens|squares", .argument = "WHAT",
     .help = "numbers of an .npy file: squares (8*row+column, 255 for none), the default, or "
             "tokens (0 for none)"},
};

static void show_progress(void *context, uint64_t games_done)
{
    progress_step(context, (double)games_done, NULL);
}

static int options_read(ExportOptions *out, const Context *context)
{
    const ExportGiven *given = context->options;
    if (!given->format) {
        return err_set(OGPT_EUSAGE,
                       "export: --format npy, text or pgn is needed; see 'ogpt export --help'");
    }
    *out = (ExportOptions){
        .format = strcmp(given->format, "npy") == 0    ? EXPORT_NPY
                  : strcmp(given->format, "text") == 0 ? EXPORT_TEXT
                                                       : EXPORT_PGN,
        .transposed = strcmp(given->notation, "othello_world") == 0,
        .tokens = given->as && strcmp(given->as, "tokens") == 0,
        .force = context->force,
    };
    if (given->as && out->format != EXPORT_NPY) {
        return err_set(OGPT_EUSAGE, "export: --as %s means nothing with --format %s, only with npy",
                       given->as, given->format);
    }
    return 0;
}

static int export_report(Context *context, const CorpusInfo *info, bool unchanged)
{
    const ExportGiven *given = context->options;
    Text text = {0};
    Js *document = js_object();
    js_set_str(document, "corpus", context->args[0]);
    js_set_str(document, "path", context->args[1]);
    js_set_str(document, "format", given->format);
    js_set_str(document, "notation", given->notation);
    js_set_int(document, "size", info->variant->size);
    js_set_int(document, "games", (int64_t)info->n_games);
    js_set_int(document, "plies", (int64_t)info->plies);
    js_set_str(document, "content_hash", info->content_hash);
    js_set_bool(document, "unchanged", unchanged);
    text_add(&text, "%llu games of %dx%d in %s (%s)%s\n", (unsigned long long)info->n_games,
             info->variant->size, info->variant->size, context->args[1], given->format,
             unchanged ? ", as they were" : "");
    const int rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

static int export_run(Context *context)
{
    ExportOptions given;
    Corpus *corpus = NULL;
    bool unchanged = false;
    int rc = options_read(&given, context);
    rc = rc ? rc : corpus_open(&corpus, context->args[0], false);
    if (rc != 0) {
        return rc;
    }
    const CorpusInfo *info = corpus_info(corpus);
    Progress progress = progress_begin(context, "exporting", "games", (double)info->n_games);
    rc = export_games(&unchanged, corpus, context->args[1], &given, show_progress, &progress);
    progress_end(&progress);
    rc = rc ? rc : export_report(context, info, unchanged);
    corpus_close(corpus);
    return rc;
}

const Command cmd_export = {
    .name = "export",
    .arguments = "CORPUS OUT --format npy|text|pgn",
    .summary = "write a corpus as an array, as text or as PGN",
    .examples = "ogpt export games.ogpc games.npy --format npy --as tokens\n"
                "ogpt export games.ogpc games.txt --format text\n"
                "ogpt export games.ogpc games.pgn --format pgn --notation othello_world",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(ExportGiven),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_FORCE,
    .run = export_run,
};
