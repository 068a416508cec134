/* report/circuits/ablation_result.h - what a network loses without its parts, as tables. */
#ifndef OGPT_REPORT_CIRCUITS_ABLATION_RESULT_H
#define OGPT_REPORT_CIRCUITS_ABLATION_RESULT_H

#include "probes/ablation/ablation_study.h"
#include "report/report.h"

extern const TableSpec ablation_table, ablation_units_table, ablation_side_table,
    ablation_shares_table, ablation_ranks_table, ablation_controls_table, ablation_pairs_table,
    ablation_top_pairs_table, ablation_curves_table;

/* What there is to report; all borrowed. */
typedef struct AblationFindings {
    const AblationStudy *study;
    const AblationInputs *in;
    const char *source, *training, *match, *model_hash; /* in words; match as typed,
                                                         * NULL: nothing was matched */
    int top;                                            /* units and pairs that text shows */
} AblationFindings;

void ablation_report(Report *report, const AblationFindings *findings);

#endif
