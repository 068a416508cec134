/* report/runs/run_facts.h - with what a run was made: program, machine, time, hashes. */
#ifndef OGPT_REPORT_RUNS_RUN_FACTS_H
#define OGPT_REPORT_RUNS_RUN_FACTS_H

#include "report/table.h"

/* Runs as store_show returns them. The facts as a record; store: path of the database. */
void run_facts_fill(Table *out, const Js *run, const char *store);
/* "ogpt 0.2.0, gcc 12.2.0" */
void run_facts_program(Text *out, const Js *run);
/* From its start to its end, whole seconds; -1: it has no end. A run that was taken up again counts
 * from its first session on. */
int64_t run_facts_seconds(const Js *run);

#endif
