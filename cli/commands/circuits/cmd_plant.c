/* cli/commands/circuits/cmd_plant.c - ogpt plant: a network whose circuit is known. */
#include <string.h>

#include "base/arena.h"
#include "cli/commands/common/made_model.h"
#include "cli/commands/edits/case_file.h"
#include "cli/study.h"
#include "datasets/vocab.h"
#include "probes/cases/pairs.h"
#include "report/circuits/plant_result.h"

typedef struct PlantGiven {
    const char *pairs;
    double strength;
    bool twin;
} PlantGiven;

#define AT(field) offsetof(PlantGiven, field)
static const OptionSpec options[] = {
    OPTION_NUM("strength", AT(strength), "NATS", 1, 12,
               "by how much the metric differs between the two games", .def = "6"),
    OPTION_FLAG("twin", AT(twin),
                "the same network without its circuit: what finds a circuit there is wrong"),
    OPTION_OUT("pairs", AT(pairs), "FILE.csv",
               "the two games and the metric as a pair file, for patch, circuit and ablate"),
};

static Js *describe(const PlantedOptions *asked)
{
    Js *planted = js_object();
    js_set_str(planted, "kind", planted_kind_name(asked->kind));
    js_set_int(planted, "size", asked->size);
    js_set_int(planted, "seed", (int64_t)asked->seed);
    js_set_num(planted, "strength", asked->strength);
    js_set(planted, "twin", js_bool(asked->twin));
    return planted;
}

/* The clean and the corrupt game as a pair file that names the metric (probes/cases/pairs.h). A
 * file that holds the same stays; another one is replaced with --force only. */
static int write_pairs(const Context *context, const char *path, const PlantedTruth *truth)
{
    const GameVariant *variant = game_variant(truth->size);
    const Vocab *vocab = vocab_of(variant);
    GamePair pair = {.n_moves = (int)truth->n_tokens,
                     .target = 1ULL << vocab->sq_of_tok[truth->target],
                     .other = 1ULL << vocab->sq_of_tok[truth->other]};
    const PairSet set = {.variant = variant, .pairs = &pair, .n = 1, .n_of = {[PAIR_CHOSEN] = 1}};
    char *text = NULL;
    size_t n_bytes = 0;
    memset(pair.clean, SQ_NONE, sizeof(pair.clean));
    memset(pair.corrupt, SQ_NONE, sizeof(pair.corrupt));
    for (size_t t = 0; t < truth->n_tokens; t++) {
        pair.clean[t] = vocab->sq_of_tok[truth->clean[t]];
        pair.corrupt[t] = vocab->sq_of_tok[truth->corrupt[t]];
    }
    int rc = pair_derive(&pair, variant);
    rc = rc ? rc : pairs_print(&text, &n_bytes, &set);
    rc = rc ? rc : casefile_publish(context, path, text, n_bytes, "pairs");
    mem_free(text);
    return rc;
}

static int plant_run(Context *context)
{
    const PlantGiven *given = context->options;
    const char *path = context->args[1];
    PlantedOptions asked = {.kind = N_PLANTED,
                            .size = context->size_given ? context->size : 8,
                            .seed = context->seed,
                            .strength = given->strength,
                            .twin = given->twin};
    PlantedTruth truth;
    Gpt *gpt = NULL;
    bool already = false;
    char hash[HASH_HEX_SIZE];
    int rc = planted_kind_parse(&asked.kind, context->args[0]);
    rc = rc ? rc : study_check_output(context, path);
    Js *what = rc ? NULL : describe(&asked);
    rc = rc ? rc : made_model_check(context, path, "planted", what);
    rc = rc ? rc : study_begin(context, path, false);
    rc = rc ? rc : planted_truth(&truth, &asked);
    rc = rc ? rc : planted_make(&gpt, &asked);
    rc = rc ? rc : made_model_publish(&already, hash, context, path, gpt, "planted", what);
    rc = rc || !given->pairs ? rc : write_pairs(context, given->pairs, &truth);
    if (rc == 0) {
        plant_report(context->report, &(PlantFindings){.asked = &asked,
                                                       .truth = &truth,
                                                       .gpt = gpt,
                                                       .path = path,
                                                       .model_hash = hash,
                                                       .already = already});
        study_next(context, "verify", path, NULL);
        if (given->pairs) {
            study_next(context, "circuit", path, "--pairs", given->pairs, "--positions", "all",
                       NULL);
        }
    }
    js_free(what);
    gpt_free(gpt);
    return rc;
}

#define KIND_WORD(id, name, meaning) " " name

const Command cmd_plant = {
    .name = "plant",
    .arguments = "KIND OUT",
    .summary = "write a network whose circuit is known; KIND:" PLANTED(KIND_WORD),
    .examples = "ogpt plant emptiness planted\n"
                "ogpt plant backup planted-4x4 --size 4 --pairs planted-4x4.csv\n"
                "ogpt plant backup planted-twin --size 4 --twin",
    COMMAND_OPTIONS(options, PlantGiven),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SEED | USES_SIZE | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&plant_table, &plant_truth_table),
    .run = plant_run,
};
