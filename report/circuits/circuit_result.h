/* report/circuits/circuit_result.h - which edges matter, how well estimates find them, and what a
 * circuit keeps: as tables, as one JSON object, in words. */
#ifndef OGPT_REPORT_CIRCUITS_CIRCUIT_RESULT_H
#define OGPT_REPORT_CIRCUITS_CIRCUIT_RESULT_H

#include "probes/circuits/circuit_study.h"
#include "report/report.h"

/* The question; estimates against the truth, of edges and of nodes; shares of edges against what is
 * kept; EAP-IG by number of points; pruned circuits; controls; the strongest edges; every edge (not
 * in the document). */
extern const TableSpec circuit_table, circuit_compare_table, circuit_nodes_table,
    circuit_faithfulness_table, circuit_completeness_table, circuit_acdc_table,
    circuit_controls_table, circuit_strongest_table, circuit_edges_table;

/* What there is to report; all borrowed. */
typedef struct CircuitFindings {
    const CircuitStudy *study;
    const EdgeQuestion *question;
    const CircuitOptions *options;
    const char *model_hash, *pairs_file;
    double seconds;
} CircuitFindings;

void circuit_report(Report *report, const CircuitFindings *found);

/* The circuit as an object: nodes, edges with their scores by every method, how it was found.
 * Owned. */
Js *circuit_json(const CircuitFindings *found);

#endif
