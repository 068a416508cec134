/* report/circuits/feature_circuit_result.h - which features carry the difference between two runs:
 * as tables and words. */
#ifndef OGPT_REPORT_CIRCUITS_FEATURE_CIRCUIT_RESULT_H
#define OGPT_REPORT_CIRCUITS_FEATURE_CIRCUIT_RESULT_H

#include "probes/feature_circuits/feature_circuit_study.h"
#include "report/report.h"

/* The question; a basis a row; estimates against exact effects; the first k nodes; features;
 * controls. */
extern const TableSpec feature_circuit_table, feature_circuit_bases_table,
    feature_circuit_estimates_table, feature_circuit_curves_table, feature_circuit_features_table,
    feature_circuit_controls_table;

/* What there is to report; all borrowed. */
typedef struct FeatureCircuitFindings {
    const FeatureStudy *study;
    const FeatureQuestion *question;
    const char *model_hash, *pairs_file, *autoencoder; /* paths as they were typed */
    size_t top;                                        /* features that are listed */
    double seconds;
} FeatureCircuitFindings;

void feature_circuit_report(Report *report, const FeatureCircuitFindings *found);

#endif
