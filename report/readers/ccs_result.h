/* report/readers/ccs_result.h - what is found without labels, as tables. */
#ifndef OGPT_REPORT_READERS_CCS_RESULT_H
#define OGPT_REPORT_READERS_CCS_RESULT_H

#include "probes/latent/latent_study.h"
#include "report/report.h"

extern const TableSpec ccs_table, ccs_scores_table, ccs_squares_table;

/* What there is to report; all borrowed. */
typedef struct CcsFindings {
    const LatentStudy *study;
    const LatentInputs *in;
    const char *source; /* of the games, in words */
    const char *model_hash;
} CcsFindings;

void ccs_report(Report *report, const CcsFindings *findings);

#endif
