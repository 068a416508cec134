/* report/directions/steer_result.h - a network that is steered to a property, as tables. */
#ifndef OGPT_REPORT_DIRECTIONS_STEER_RESULT_H
#define OGPT_REPORT_DIRECTIONS_STEER_RESULT_H

#include "probes/steering/steer_study.h"
#include "report/report.h"

extern const TableSpec steer_table, steer_arms_table, steer_ablation_table, steer_trials_table,
    steer_heads_table;

/* What there is to report; all borrowed. */
typedef struct SteerFindings {
    const SteerStudy *study;
    const SteerInputs *in;
    const char *source, *model_hash, *probe, *square, *out, *out_hash; /* NULL: none */
    const char *sae, *features;            /* of features: the autoencoder, and the list or NULL */
    int64_t per_state, features_positions; /* of a state; that chose them */
} SteerFindings;

void steer_report(Report *report, const SteerFindings *findings);

#endif
