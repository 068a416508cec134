/* report/readers/sae_result.h - trained sparse autoencoders, as a table. */
#ifndef OGPT_REPORT_READERS_SAE_RESULT_H
#define OGPT_REPORT_READERS_SAE_RESULT_H

#include "probes/sae/sae.h"
#include "report/report.h"

extern const TableSpec sae_train_table;

/* A row about one that lies at `path`, made or found in so many seconds. */
void sae_train_report(Table *table, const Sae *sae, const char *path, double seconds);

#endif
