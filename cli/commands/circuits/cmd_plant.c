/* cli/commands/circuits/cmd_plant.c - ogpt plant: a network whose circuit is known. */
#include "cli/commands/circuits/plant_file.h"
#include "cli/study.h"
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

static int plant_run(Context *context)
{
    const PlantGiven *given = context->options;
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
    rc = rc ? rc : study_check_output(context, context->args[1]);
    rc = rc ? rc : plant_file_check(context->args[1]);
    rc = rc ? rc : study_begin(context, context->args[1], false);
    rc = rc ? rc : planted_truth(&truth, &asked);
    rc = rc ? rc : planted_make(&gpt, &asked);
    rc = rc ? rc : plant_file_publish(&already, hash, context, gpt, &asked);
    rc = rc || !given->pairs ? rc : plant_file_pairs(context, given->pairs, &truth);
    if (rc == 0) {
        plant_report(context->report, &(PlantFindings){.asked = &asked,
                                                       .truth = &truth,
                                                       .gpt = gpt,
                                                       .path = context->args[1],
                                                       .model_hash = hash,
                                                       .already = already});
        study_next(context, "verify", context->args[1], NULL);
        if (given->pairs) {
            study_next(context, "circuit", context->args[1], "--pairs", given->pairs, "--positions",
                       "all", NULL);
        }
    }
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
