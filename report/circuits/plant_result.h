/* report/circuits/plant_result.h - what was planted: the network, and the truth about it. */
#ifndef OGPT_REPORT_CIRCUITS_PLANT_RESULT_H
#define OGPT_REPORT_CIRCUITS_PLANT_RESULT_H

#include "model/planted/planted.h"
#include "report/report.h"

extern const TableSpec plant_table, plant_truth_table;

/* What there is to report; all borrowed. */
typedef struct PlantFindings {
    const PlantedOptions *asked;
    const PlantedTruth *truth; /* not told of a twin: its list is empty */
    const Gpt *gpt;
    const char *path, *model_hash;
    bool already; /* the network was there, unchanged */
} PlantFindings;

void plant_report(Report *report, const PlantFindings *findings);

#endif
