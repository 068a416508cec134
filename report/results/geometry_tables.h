/* report/results/geometry_tables.h - the tables of `probe geometry`. */
#ifndef OGPT_REPORT_RESULTS_GEOMETRY_TABLES_H
#define OGPT_REPORT_RESULTS_GEOMETRY_TABLES_H

#include "report/report.h"
#include "probes/compare/geometry.h"

/* One number a row; then what people read: numbers by layer, and pairs of probes. */
extern const TableSpec geometry_table, geometry_layers_table, geometry_pairs_table;

/* All tables of the result, with a few lines for people. */
void probe_geometry_fill(Report *report, const Geometry *geometry);

#endif
