/* report/circuits/scrub_result.h - a scrubbed hypothesis as tables: the score, what it is compared
 * with, and what the file says. */
#ifndef OGPT_REPORT_CIRCUITS_SCRUB_RESULT_H
#define OGPT_REPORT_CIRCUITS_SCRUB_RESULT_H

#include "probes/scrubbing/scrub.h"
#include "report/report.h"

/* The score; hypothesis and controls row by row; the nodes of the file. */
extern const TableSpec scrub_table, scrub_rows_table, scrub_nodes_table;

/* What there is to report; all borrowed. */
typedef struct ScrubFindings {
    const ScrubResult *result;
    const ScrubQuestion *question;
    const char *model_hash, *hypothesis_file;
    const char *source; /* of the games */
    double seconds;
} ScrubFindings;

void scrub_report(Report *report, const ScrubFindings *found);

#endif
