/* report/circuits/patch_result.h - what a part of one run does in another: tables, and maps of
 * sites and layers. */
#ifndef OGPT_REPORT_CIRCUITS_PATCH_RESULT_H
#define OGPT_REPORT_CIRCUITS_PATCH_RESULT_H

#include "probes/patching/patch_study.h"
#include "report/report.h"

/* The question; the runs before a patch; sites; edges; the largest effects (text only). */
extern const TableSpec patch_table, patch_runs_table, patch_sites_table, patch_edges_table,
    patch_top_table;

/* What there is to report; all borrowed. */
typedef struct PatchFindings {
    const PatchStudy *study;
    const PatchAsked *asked;
    const char *model_hash, *pairs_file;
    double seconds;
    int top; /* rows that text shows */
    bool colour;
} PatchFindings;

void patch_report(Report *report, const PatchFindings *found);

#endif
