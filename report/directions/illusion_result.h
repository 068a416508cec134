/* report/directions/illusion_result.h - parts of directions, as tables. */
#ifndef OGPT_REPORT_DIRECTIONS_ILLUSION_RESULT_H
#define OGPT_REPORT_DIRECTIONS_ILLUSION_RESULT_H

#include "probes/illusion/illusion_study.h"
#include "report/report.h"

extern const TableSpec illusion_table, illusion_layers_table, illusion_best_table;

/* What there is to report; all borrowed. */
typedef struct IllusionFindings {
    const IllusionStudy *study;
    const IllusionStudyInputs *in;
    const char *means_source, *pairs_source, *model_hash, *probe; /* probe: its path, or NULL */
} IllusionFindings;

void illusion_report(Report *report, const IllusionFindings *findings);

#endif
