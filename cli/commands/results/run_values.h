/* cli/commands/results/run_values.h - a run of the database. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_RUN_VALUES_H
#define OGPT_CLI_COMMANDS_RESULTS_RUN_VALUES_H

#include "cli/study.h"

/* The run that argument `index` numbers, or the newest if there is no such argument; owned. */
int run_read(Js **out, const Context *context, Store *store, int index);

#endif
