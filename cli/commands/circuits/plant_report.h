/* cli/commands/circuits/plant_report.h - what was planted, as tables. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_PLANT_REPORT_H
#define OGPT_CLI_COMMANDS_CIRCUITS_PLANT_REPORT_H

#include "cli/study.h"
#include "model/planted/planted.h"

extern const TableSpec plant_table, plant_truth_table;

/* The list of the truth is empty for a twin. */
void plant_report(Context *context, const PlantedOptions *asked, const PlantedTruth *truth,
                  const Gpt *gpt, const char *model_hash);

#endif
