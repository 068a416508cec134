/* report/readers/lens_result.h - lenses of a network, as tables. */
#ifndef OGPT_REPORT_READERS_LENS_RESULT_H
#define OGPT_REPORT_READERS_LENS_RESULT_H

#include "probes/lens/lens_study.h"
#include "report/report.h"

extern const TableSpec lens_table, lens_places_table, lens_side_table, lens_sets_table,
    lens_fits_table, lens_decoded_table, lens_boards_table, lens_order_table, lens_leads_table,
    lens_settled_table, lens_arrivals_table, lens_whole_arrivals_table, lens_blocks_table;

/* What there is to report; all borrowed. */
typedef struct LensFindings {
    const LensStudy *study;
    const LensStudyInputs *in;
    const char *source;             /* of the games, in words */
    const char *other;              /* as typed, or NULL */
    const char *model_hash, *probe; /* probe: a path, or "" */
    bool colour;
} LensFindings;

void lens_report(Report *report, const LensFindings *findings);

#endif
