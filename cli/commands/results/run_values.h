/* cli/commands/results/run_values.h - a run of the database, and its rows as tables. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_RUN_VALUES_H
#define OGPT_CLI_COMMANDS_RESULTS_RUN_VALUES_H

#include "cli/study.h"

/* The run that argument `index` numbers, or the newest if there is no such argument; owned. */
int run_read(Js **out, const Context *context, Store *store, int index);

/* One table a kind of row, for files alone: the document has the rows, and so has the text. Their
 * columns are those that the database has. `results` is borrowed until the result is rendered. */
#define RUN_KINDS_MAX 32
extern TableSpec run_kind_tables[RUN_KINDS_MAX];
void run_tables_add(Context *context, const Js *results);

#endif
