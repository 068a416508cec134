/* cli/commands/network/cmd_activations.c - ogpt activations: any hook site at any layers and plies,
 * as .npy files with the boards beside them. */
#include "cli/command.h"
#include "cli/commands/common/model_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/layer_list.h"
#include "probes/activations/activations_write.h"

typedef struct ActivationsGiven {
    const char *corpus, *site, *layers, *ply, *task, *labels, *split;
    int64_t games, plies, memory;
} ActivationsGiven;

#define AT(field) offsetof(ActivationsGiven, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "FILE", "the games; needed"),
    OPTION_TEXT("site", AT(site), "SITE", "where in each block: " HOOK_NAMES_CAPTURE,
                .def = "resid_post"),
    OPTION_TEXT("layers", AT(layers), "LIST", "all, or numbers and 'embed' with commas: embed,0,5",
                .def = "all"),
    OPTION_INT("games", AT(games), "N", 1, 1e7, "how many games, the first of the split",
               .def = "1000"),
    OPTION_CHOICE("split", AT(split), "train|validation|test|all",
                  "which games, by hash of the whole game", .def = "train"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn of each game; 0 takes all",
               .def = "0"),
    OPTION_TEXT("ply", AT(ply), "LIST", "only these, by the number of moves seen: 5,10,20-29"),
    OPTION_CHOICE("task", AT(task), TASK_NAMES, "what labels.npy holds of every square",
                  .def = "mine"),
    OPTION_CHOICE("labels", AT(labels), "mover|parity",
                  "whose view: the side really to move, or the published ply parity",
                  .def = "mover"),
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6,
               "of a shard: so many games as fit are captured and written at a time", .def = "256"),
};

/* "5,10,20-29" to bits t = ply - 1. */
static int parse_plies(uint64_t *mask, const char *text)
{
    const char *rest = text;
    *mask = 0;
    while (rest) {
        char *end;
        long first = *rest >= '0' && *rest <= '9' ? strtol(rest, &end, 10) : 0, last = first;
        if (first >= 1 && *end == '-' && end[1] >= '0' && end[1] <= '9') {
            last = strtol(end + 1, &end, 10);
        }
        if (first < 1 || last < first || last > GAME_MAX_MOVES || (*end != ',' && *end != '\0')) {
            return err_set(OGPT_EUSAGE,
                           "--ply \"%s\": expected numbers and ranges of 1 to %d with commas, at "
                           "character %d",
                           text, GAME_MAX_MOVES, (int)(rest - text) + 1);
        }
        for (long ply = first; ply <= last; ply++) {
            *mask |= UINT64_C(1) << (ply - 1);
        }
        rest = *end == ',' ? end + 1 : NULL;
    }
    return 0;
}

static int read_options(ActivationsOptions *out, const Context *context)
{
    static const char *const splits[] = {"train", "validation", "test"};
    const ActivationsGiven *given = context->options;
    int site = hook_site_parse_for(given->site, HOOK_USE_CAPTURE);
    *out = (ActivationsOptions){.task = given->task,
                                .labels = given->labels,
                                .n_games = (size_t)given->games,
                                .plies = (int)given->plies,
                                .replace = context->force};
    for (unsigned split = 0; split < 3; split++) {
        bool wanted = strcmp(given->split, "all") == 0 || strcmp(given->split, splits[split]) == 0;
        out->split_mask |= (unsigned)wanted << split;
    }
    if (!given->corpus) {
        return err_set(OGPT_EUSAGE,
                       "activations: --corpus FILE is needed; see 'ogpt activations --help'");
    }
    if (site < 0) {
        return err_set(OGPT_EUSAGE, "--site \"%s\": expected " HOOK_NAMES_CAPTURE, given->site);
    }
    out->site = (HookSite)site;
    if (given->ply && out->plies != 0) {
        return err_set(OGPT_EUSAGE, "--ply and --plies: give one of them");
    }
    return given->ply ? parse_plies(&out->ply_mask, given->ply) : 0;
}

/* All layers, where no list was given: with 'embed' at the one site that has it. */
static void all_layers(ActivationsOptions *out, const GptConfig *cfg)
{
    int first = out->site == HOOK_RESID_POST ? LAYER_EMBED : 0;
    for (int layer = first; out->n_layers == 0 || layer < cfg->n_layers; layer++) {
        out->layers[out->n_layers++] = layer;
    }
}

/* ---- progress ---- */

typedef struct Show {
    Context *context;
    Progress progress;
} Show;

static void show_start(void *context, const ActivationsReport *so_far)
{
    Show *show = context;
    context_say(show->context,
                "%zu rows of %zu games in %zu shards: %.1f MiB on disk, up to %.0f MiB of memory",
                so_far->n_rows, so_far->n_games, so_far->n_shards, (double)so_far->bytes / 1048576,
                (double)so_far->memory_bytes / 1048576);
    show->progress = progress_begin(show->context, "capturing", "shards", (double)so_far->n_shards);
}

/* ---- the result ---- */

static Js *result_document(const ActivationsReport *result, const ActivationsOptions *asked,
                           const char *path, const char *model_hash)
{
    Js *document = js_object(), *layers = js_array();
    for (int i = 0; i < asked->n_layers; i++) {
        js_push(layers, js_int(asked->layers[i]));
    }
    js_set_str(document, "path", path);
    js_set_str(document, "site", hook_site_name(asked->site));
    js_set(document, "layers", layers);
    js_set_int(document, "games", (int64_t)result->n_games);
    js_set_int(document, "rows", (int64_t)result->n_rows);
    js_set_int(document, "shards", (int64_t)result->n_shards);
    js_set_int(document, "shards_kept", (int64_t)result->n_kept);
    js_set_int(document, "bytes", (int64_t)result->bytes);
    js_set_int(document, "memory_bytes", (int64_t)result->memory_bytes);
    js_set_num(document, "seconds", result->capture_seconds);
    js_set_num(document, "tokens_per_second",
               result->n_tokens > 0 ? (double)result->n_tokens / result->capture_seconds : NAN);
    js_set_str(document, "model_hash", model_hash);
    js_set_str(document, "corpus_hash", result->corpus_hash);
    return document;
}

static void print_result(Text *text, const ActivationsReport *result, const char *path)
{
    text_add(text, "%s: %zu rows of %zu games in %zu shards, %.1f MiB\n", path, result->n_rows,
             result->n_games, result->n_shards, (double)result->bytes / 1048576);
    if (result->n_kept > 0) {
        text_add(text, "%zu shards were there already, and whole\n", result->n_kept);
    }
    if (result->n_tokens > 0) {
        text_add(text, "%.0f tokens a second, forward only\n",
                 (double)result->n_tokens / result->capture_seconds);
    }
}

static int activations_run(Context *context)
{
    const ActivationsGiven *given = context->options;
    const char *path = context->args[1];
    ActivationsOptions asked;
    ActivationsReport result;
    Subject subject = {0};
    Corpus *corpus = NULL;
    Text text = {0};
    int rc = read_options(&asked, context);
    rc = rc ? rc : layer_list_parse(asked.layers, &asked.n_layers, given->layers);
    rc = rc ? rc : context_subject_open(context, &subject, context->args[0]);
    rc = rc ? rc : layer_list_check(asked.layers, asked.n_layers, &subject.model);
    rc = rc ? rc : corpus_open(&corpus, given->corpus, false);
    rc = rc ? rc : subject_check_corpus(&subject, given->corpus, corpus);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, path, false);
    if (rc == 0) {
        Show show = {.context = context};
        Work work = context_work(context, &show.progress);
        work.memory_bytes = (size_t)given->memory << 20;
        asked.announce = show_start;
        asked.context = &show;
        if (asked.n_layers == 0) {
            all_layers(&asked, &subject.model.gpt->cfg);
        }
        rc = activations_write(&result, path, &subject, corpus, &asked, &work);
        progress_end(&show.progress);
    }
    if (rc == 0) {
        Js *document = result_document(&result, &asked, path, subject.model.model_hash);
        if (result.n_games < asked.n_games) {
            context_warn(context, "the corpus has %zu games of this split, %zu were asked for",
                         result.n_games, asked.n_games);
        }
        rc = context_add(context, "activations", js_keep(document));
        print_result(&text, &result, path);
        rc = rc ? rc : context_result(context, js_keep(document), text.data);
        js_free(document);
    }
    text_release(&text);
    corpus_close(corpus);
    subject_release(&subject);
    return rc;
}

const Command cmd_activations = {
    .name = "activations",
    .arguments = "MODEL OUT --corpus CORPUS",
    .summary = "write activations and the boards beside them as .npy files",
    .examples = "ogpt activations runs/tiny acts --corpus games.ogpc --layers 5 --games 5000\n"
                "ogpt activations runs/tiny acts-z --corpus games.ogpc --site z --ply 10,20-29 "
                "--split test",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(ActivationsGiven),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = activations_run,
};
