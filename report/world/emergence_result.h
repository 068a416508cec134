/* report/world/emergence_result.h - when a network learned what, as tables and a picture. */
#ifndef OGPT_REPORT_WORLD_EMERGENCE_RESULT_H
#define OGPT_REPORT_WORLD_EMERGENCE_RESULT_H

#include "probes/emergence/emergence_measure.h"
#include "report/report.h"

extern const TableSpec emergence_table, emergence_curves_table, emergence_points_table,
    emergence_order_table;

/* All borrowed. */
typedef struct EmergenceReport {
    const EmergenceFound *found;
    const double *steps; /* (n_steps) */
    size_t n_steps, fit_games, test_games;
    const char *run, *model_hash; /* of the last checkpoint */
} EmergenceReport;
void world_report_emergence(Report *report, const EmergenceReport *what);

#endif
