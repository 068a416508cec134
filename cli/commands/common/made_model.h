/* cli/commands/common/made_model.h - a model directory whose network a command makes from its
 * options. `word` says how, "planted": it is the member of "ogpt" in config.json, and of the
 * manifest, that holds the options, and by it a directory is known as one that may be replaced. */
#ifndef OGPT_CLI_COMMANDS_COMMON_MADE_MODEL_H
#define OGPT_CLI_COMMANDS_COMMON_MADE_MODEL_H

#include "cli/command.h"
#include "model/checkpoint.h"

/* Before the work: refuse a name that a run would take for a checkpoint, a place that holds
 * something else, with --force too, and one that holds such a network made otherwise: by another
 * value of a member of `known`. That one is replaced with --force, unless a probe lies in it.
 * Removes what killed commands left beside it. Returns 0, OGPT_EUSAGE or OGPT_EIO. */
int made_model_check(const Context *context, const char *path, const char *word, const Js *known);
/* Write the network; `what`: all its options. *already: the very same is there, and stays. Another
 * one, or a damaged one, is refused or replaced as above. Returns 0 or OGPT_E*. */
int made_model_publish(bool *already, char model_hash[HASH_HEX_SIZE], const Context *context,
                       const char *path, const Gpt *gpt, const char *word, const Js *what);

#endif
