/* cli/commands/network/cmd_convert.c - ogpt convert: models and probes in the layouts that
 * notebooks use. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/formats/pickle_sniff.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "probes/artefacts/convert.h"
#include "report/results/conversion_result.h"

typedef struct ConvertOptions {
    int from, to; /* Layout; -1: not given */
    int rules;    /* GameRules; -1: not given */
    const char *notation, *model, *task, *dtype;
    LayerList layer; /* one, or LAYERS_UNSET */
    int64_t heads;   /* 0: not given */
    bool check;
} ConvertOptions;

#define AT(field) offsetof(ConvertOptions, field)
static const OptionSpec options[] = {
    OPTION_ENUM("from", AT(from), LAYOUT_NAMES,
                "SRC is in this layout, DST becomes a model of ours (tl)", .parse = layout_parse),
    OPTION_ENUM("to", AT(to), LAYOUT_NAMES, "SRC is a model of ours, DST gets this layout",
                .parse = layout_parse),
    OPTION_CHOICE("notation", AT(notation), "standard|othello_world",
                  "how the other side names squares; othello_world: the letter is the row",
                  .def = "standard"),
    OPTION_CHOICE("dtype", AT(dtype), "float32|float16",
                  "numbers of the model that is written; float16 rounds each to the nearest and "
                  "halves the file",
                  .def = "float32"),
    OPTION_RULES(AT(rules),
                 "rename the moves of a network: iago makes the twin of a classic one that plays "
                 "alike under permuted tokens, classic brings it back"),
    OPTION_FLAG("check", AT(check),
                "forward 100 positions in both layouts and compare before anything is published"),
    OPTION_INT(
        "heads", AT(heads), "N", 1, 65535,
        "attention heads of a bare mingpt file, which its shapes do not show (8 unless told)"),
    OPTION_ONE_LAYER(AT(layer), "layer of a probe in the published layout, which holds only one"),
    OPTION_CHOICE("task", AT(task), "mine|colour",
                  "what a probe with proj.weight reads, which its file does not say"),
    OPTION_TEXT("model", AT(model), "MODEL",
                "the model that a converted probe belongs to (required if SRC does not name it, "
                "and with othello_world)"),
};

/* Three lines to be copied, and the error behind them. */
static int refuse_pickle(const Context *context, const char *path)
{
    context_say(context, "%s", PICKLE_RECIPE_1);
    context_say(context, "%s", PICKLE_RECIPE_2);
    context_say(context, "%s", PICKLE_RECIPE_3);
    return err_set(OGPT_EFORMAT,
                   "%s: expected safetensors, found a pickle or a zip archive (.pt, .pth, .ckpt), "
                   "which is never read because it can run code; turn it into safetensors with "
                   "three lines of Python (docs/NOTEBOOKS.md) and convert out.safetensors",
                   path);
}

/* An option that changes nothing for this conversion is refused: whoever gives it means something
 * that will not happen. */
static int options_check(const ConvertOptions *given, const Conversion *c)
{
    const bool ours = c->from == LAYOUT_TL && c->to == LAYOUT_TL;
    const char *kind = c->probe ? "a probe" : "a model";
    const char *kept = c->probe && ours ? "a probe that stays in our layout" : kind;
    const struct {
        const char *name;
        bool given, used;
        const char *with;
    } rows[] = {
        {"layers", given->layer.word != LAYERS_UNSET, c->probe && !ours, kept},
        {"model", given->model, c->probe, kind},
        {"task", given->task, c->probe && c->from == LAYOUT_MINGPT, kept},
        {"check", given->check, !c->probe || !ours, kept},
        {"dtype", c->half, !c->probe, kind},
        {"rules", c->rules, !c->probe && ours, c->probe ? kind : "another layout"},
        {"heads", given->heads != 0, !c->probe && c->from == LAYOUT_MINGPT,
         c->probe ? kind : "a model that is not --from mingpt"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].given && !rows[i].used) {
            return err_set(OGPT_EUSAGE, "convert: --%s means nothing with %s; leave it out",
                           rows[i].name, rows[i].with);
        }
    }
    return 0;
}

static void say(void *context, const char *line)
{
    context_say(context, "%s", line);
}

static void warn(void *context, const char *line)
{
    context_warn(context, "%s", line);
}

static int convert_run(Context *context)
{
    const ConvertOptions *given = context->options;
    const bool one_layer = given->layer.word == LAYERS_LISTED;
    const GameRules rules = (GameRules)given->rules;
    Conversion c = {.src = context->args[0],
                    .dst = context->args[1],
                    .from = given->from >= 0 ? (Layout)given->from : LAYOUT_TL,
                    .to = given->to >= 0 ? (Layout)given->to : LAYOUT_TL,
                    .to_ours = given->from >= 0,
                    .rules = given->rules >= 0 ? &rules : NULL,
                    .notation = given->notation,
                    .transposed = strcmp(given->notation, "othello_world") == 0,
                    .model = given->model,
                    .task = given->task,
                    .layer = one_layer ? given->layer.layers[0] : CONVERT_LAYER_ANY,
                    .heads = (int)given->heads,
                    .check = given->check,
                    .half = strcmp(given->dtype, "float16") == 0,
                    .force = context->force,
                    .command_line = context->command_line,
                    .say = say,
                    .warn = warn,
                    .context = context,
                    .largest = NAN,
                    .logit_change = NAN};
    size_t n_stale = 0;
    if ((given->from < 0) == (given->to < 0) && (given->to >= 0 || !c.rules)) {
        return err_set(OGPT_EUSAGE,
                       "convert: give either --from LAYOUT or --to LAYOUT (" LAYOUT_NAMES "): the "
                       "other side is always ours, tl; or --rules");
    }
    if (file_is_pickle(c.src)) {
        return refuse_pickle(context, c.src);
    }
    int rc = conversion_is_probe(&c.probe, c.src);
    rc = rc ? rc : options_check(given, &c);
    rc = rc ? rc : conversion_check_goal(&c);
    rc = rc ? rc : study_check_output(context, c.dst);
    rc = rc ? rc : path_clean_stale(&n_stale, c.dst);
    rc = rc ? rc : study_begin(context, c.dst, false);
    if (rc == 0) {
        c.work = study_work(context, "converting", "positions");
        rc = c.probe ? convert_probe(&c) : convert_model(&c);
    }
    if (rc == 0) {
        conversion_report(context->report, &c);
    }
    if (rc == 0 && c.from != LAYOUT_TL && !c.probe) {
        study_next(context, "verify", c.dst, NULL);
    }
    return rc;
}

const Command cmd_convert = {
    .name = "convert",
    .arguments = "SRC DST --from LAYOUT | --to LAYOUT | --rules NAME",
    .summary = "models and probes to and from the layouts that notebooks use",
    .examples = "ogpt convert runs/tiny tiny-hf --to hf-gpt2 --check\n"
                "ogpt convert tiny-hf back --from hf-gpt2 --check\n"
                "ogpt convert runs/tiny tiny-mingpt --to mingpt --notation othello_world --check\n"
                "ogpt convert runs/tiny iago --rules iago\n"
                "ogpt convert probe published-probe --to mingpt --layers 5",
    COMMAND_OPTIONS(options, ConvertOptions),
    .min_args = 2,
    .max_args = 2,
    .model_args = 1,
    .uses = USES_SEED | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&conversion_table),
    .run = convert_run,
};
