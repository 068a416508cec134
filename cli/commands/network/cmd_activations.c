/* cli/commands/network/cmd_activations.c - ogpt activations: any hook site at any layers and plies,
 * as .npy files, with the boards. */
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "model/speed.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "probes/activations/activations_write.h"

typedef struct ActivationsGiven {
    const char *corpus, *ply, *task, *labels;
    int site, split;
    LayerList layers;
    int64_t games, plies, memory;
} ActivationsGiven;

#define AT(field) offsetof(ActivationsGiven, field)
static const OptionSpec options[] = {
    OPTION_CORPUS(AT(corpus), "the games"),
    OPTION_SITE(AT(site), HOOK_NAMES_CAPTURE, "where in each block"),
    OPTION_LAYERS(AT(layers), "which blocks"),
    OPTION_INT("games", AT(games), "N", 1, 1e7, "how many games, the first of the split",
               .def = "1000"),
    OPTION_ENUM("split", AT(split), "train|validation|test|all",
                "which games, by hash of the whole game", .def = "train"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn of each game; 0 takes all",
               .def = "0"),
    OPTION_TEXT("ply", AT(ply), "LIST", "only these, by the number of moves seen: 5,10,20-29"),
    OPTION_CHOICE("task", AT(task), TASK_NAMES, "what labels.npy holds of every square",
                  .def = "mine"),
    OPTION_CHOICE("labels", AT(labels), "mover|parity",
                  "view: of the side really to move, or of the published ply parity",
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

static const Column columns[] = {
    {"path", "written to", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layers", .type = COLUMN_NESTED},
    {"games", "games", .type = COLUMN_COUNT},
    {"rows", "rows", .type = COLUMN_COUNT, .meaning = "positions"},
    {"shards", "shards", .type = COLUMN_COUNT},
    {"shards_kept", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED | COLUMN_TIME},
    {"bytes", "bytes", .type = COLUMN_COUNT},
    {"memory_bytes", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED | COLUMN_TIME},
    {"seconds", "time", .unit = "s", .digits = 2, .flags = COLUMN_TIME},
    {"tokens_per_second", "speed", .unit = "tokens/s", .meaning = "forward only",
     .flags = COLUMN_TIME},
    {"model_hash", .type = COLUMN_TEXT},
    {"corpus_hash", .type = COLUMN_TEXT},
};
static const TableSpec activations_table = {"activations", "activations", TABLE_COLUMNS(columns),
                                            .record = true};

static int read_options(ActivationsOptions *out, const Context *context)
{
    enum { ALL_SPLITS = 3 }; /* behind the splits in the choices of --split */
    const ActivationsGiven *given = context->options;
    *out = (ActivationsOptions){.task = given->task,
                                .labels = given->labels,
                                .site = (HookSite)given->site,
                                .split_mask =
                                    given->split == ALL_SPLITS ? SPLIT_ALL : 1U << given->split,
                                .n_games = (size_t)given->games,
                                .plies = (int)given->plies,
                                .replace = context->force};
    if (given->ply && out->plies != 0) {
        return err_set(OGPT_EUSAGE, "--ply and --plies: give one of them");
    }
    return given->ply ? parse_plies(&out->ply_mask, given->ply) : 0;
}

/* The embedding exists at one site only. */
static int read_layers(ActivationsOptions *out, const Context *context, const ModelFile *model)
{
    const ActivationsGiven *given = context->options;
    LayerList layers = given->layers;
    int rc = layers_resolve(&layers, model->gpt->cfg.n_layers, out->site == HOOK_RESID_POST,
                            model->path);
    for (out->n_layers = 0; rc == 0 && out->n_layers < layers.n; out->n_layers++) {
        out->layers[out->n_layers] = layers.layers[out->n_layers];
    }
    return rc;
}

static void announce(void *context, const ActivationsReport *so_far)
{
    char time[SPEED_TEXT];
    speed_estimate(time, so_far->flops, FORWARD_SHARE_OF_SPEED, ((Context *)context)->pool);
    context_say(
        context,
        "%zu rows of %zu games in %zu shards: %.1f MiB on disk, up to %.0f MiB of memory, %s "
        "(estimated)",
        so_far->n_rows, so_far->n_games, so_far->n_shards, (double)so_far->bytes / 1048576,
        (double)so_far->memory_bytes / 1048576, time);
}

static void activations_report(Context *context, const ActivationsReport *result,
                               const ActivationsOptions *asked, const char *model_hash)
{
    Table *table = study_table(context, &activations_table);
    Js *layers = js_array();
    for (int i = 0; i < asked->n_layers; i++) {
        js_push(layers, js_int(asked->layers[i]));
    }
    table_text(table, "path", context->args[1]);
    table_text(table, "site", hook_site_name(asked->site));
    table_set(table, "layers", layers);
    table_int(table, "games", (int64_t)result->n_games);
    table_int(table, "rows", (int64_t)result->n_rows);
    table_int(table, "shards", (int64_t)result->n_shards);
    table_int(table, "shards_kept", (int64_t)result->n_kept);
    table_int(table, "bytes", (int64_t)result->bytes);
    table_int(table, "memory_bytes", (int64_t)result->memory_bytes);
    table_num(table, "seconds", result->capture_seconds);
    table_num(table, "tokens_per_second",
              result->n_tokens > 0 ? (double)result->n_tokens / result->capture_seconds : NAN);
    table_text(table, "model_hash", model_hash);
    table_text(table, "corpus_hash", result->corpus_hash);
    if (result->n_kept > 0) {
        text_add(study_text(context), "%zu shards were there already, and whole\n", result->n_kept);
    }
    if (result->n_games < asked->n_games) {
        context_warn(context, "the corpus has %zu games of this split, %zu were asked for",
                     result->n_games, asked->n_games);
    }
}

static int activations_run(Context *context)
{
    const ActivationsGiven *given = context->options;
    ActivationsOptions asked;
    ActivationsReport result;
    StudyInputs inputs = {0};
    int rc = read_options(&asked, context);
    rc = rc ? rc : study_check_output(context, context->args[1]);
    rc = rc ? rc : context_inputs_open(context, &inputs, context->args[0], given->corpus);
    rc = rc ? rc : read_layers(&asked, context, &inputs.subject.model);
    rc = rc ? rc : study_begin(context, context->args[1], false);
    if (rc == 0) {
        Work work = *study_work(context, "capturing", "shards");
        work.memory_bytes = (size_t)given->memory << 20;
        asked.announce = announce;
        asked.context = context;
        rc = activations_write(&result, context->args[1], &inputs.subject, inputs.corpus, &asked,
                               &work);
    }
    if (rc == 0) {
        activations_report(context, &result, &asked, inputs.subject.model.model_hash);
    }
    context_inputs_release(&inputs);
    return rc;
}

const Command cmd_activations = {
    .name = "activations",
    .arguments = "MODEL OUT --corpus CORPUS",
    .summary = "write activations and their boards as .npy files",
    .examples = "ogpt activations runs/tiny acts --corpus games.ogpc --layers 5 --games 5000\n"
                "ogpt activations runs/tiny acts-z --corpus games.ogpc --site z --ply 10,20-29 "
                "--split test",
    COMMAND_OPTIONS(options, ActivationsGiven),
    .min_args = 2,
    .max_args = 2,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&activations_table),
    .run = activations_run,
};
