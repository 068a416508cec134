/* report/results/saliency_result.h - which squares of the board inside a network a move rests on,
 * as tables and as a map. */
#ifndef OGPT_REPORT_RESULTS_SALIENCY_RESULT_H
#define OGPT_REPORT_RESULTS_SALIENCY_RESULT_H

#include "probes/edits/saliency.h"
#include "report/report.h"

extern const TableSpec saliency_table, saliency_squares_table;

/* What there is to report; all borrowed. */
typedef struct SaliencyFindings {
    const Saliency *map;
    const SaliencyQuestion *question;
    const EditPlan *plan;
    const char *model_hash;
    const char *place; /* as typed: "mine", "theirs", "none" */
    TextStyle style;
} SaliencyFindings;

void saliency_report(Report *report, const SaliencyFindings *found);

#endif
