/* report/world/grid_result.h - trainings by layers and games, as a table and its pictures. */
#ifndef OGPT_REPORT_WORLD_GRID_RESULT_H
#define OGPT_REPORT_WORLD_GRID_RESULT_H

#include "probes/grid/grid.h"
#include "report/report.h"

extern const TableSpec grid_table, grid_cells_table;

/* cells and scores (n), borrowed. */
typedef struct GridReport {
    const char *folder;
    const GridPlan *plan;
    const GridCell *cells;
    const GridScore *scores;
    size_t n;
} GridReport;
void world_report_grid(Report *report, const GridReport *what);

#endif
