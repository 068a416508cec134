/* report/circuits/attribution_result.h - who wrote what is read: components, shares by layer, and
 * boards that show where a component writes. */
#ifndef OGPT_REPORT_CIRCUITS_ATTRIBUTION_RESULT_H
#define OGPT_REPORT_CIRCUITS_ATTRIBUTION_RESULT_H

#include "probes/attribution/attribution_run.h"
#include "report/report.h"

extern const TableSpec attribution_table, attribution_components_table, attribution_top_table,
    attribution_shares_table;

/* What there is to report; all borrowed, texts may be NULL. */
typedef struct AttributionFindings {
    const Attribution *found;
    const AttributionTarget *target;
    const AttributionPositions *positions;
    const AttributionOptions *options;
    const Vocab *vocab;
    const char *model_hash;
    const char *source; /* the moves, a file, or a corpus */
    bool typed;         /* one game: boards are drawn */
    int top;            /* components that text shows */
    int maps;           /* components that are drawn as boards */
    TextStyle style;
} AttributionFindings;

void attribution_report(Report *report, const AttributionFindings *findings);

#endif
