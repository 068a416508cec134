/* cli/commands/circuits/plant_file.h - a planted network as a model directory. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_PLANT_FILE_H
#define OGPT_CLI_COMMANDS_CIRCUITS_PLANT_FILE_H

#include "cli/command.h"
#include "model/checkpoint.h"
#include "model/planted/planted.h"

/* Refuse a place that holds something else than a planted network, with --force too: OGPT_EUSAGE.
 * Removes what killed commands left beside it. */
int plant_file_check(const char *path);
/* Write the network. *already: the very same was there, and nothing was written. Another planted
 * network is replaced with --force only (OGPT_EUSAGE names what is there). */
int plant_file_publish(bool *already, char model_hash[HASH_HEX_SIZE], const Context *context,
                       const Gpt *gpt, const PlantedOptions *options);
/* The clean and the corrupt game as a pair file that names the metric (probes/cases/pairs.h). A
 * file that holds the same stays; another one is replaced with --force only. */
int plant_file_pairs(const Context *context, const char *path, const PlantedTruth *truth);

#endif
