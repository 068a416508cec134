/* report/world/alignment_result.h - rotations between the streams of two networks, as tables. */
#ifndef OGPT_REPORT_WORLD_ALIGNMENT_RESULT_H
#define OGPT_REPORT_WORLD_ALIGNMENT_RESULT_H

#include "probes/alignment/alignment.h"
#include "report/report.h"

extern const TableSpec alignment_table, alignment_layers_table, alignment_maps_table;

/* All borrowed. */
typedef struct AlignmentReport {
    const AlignmentRow *rows; /* (n) */
    const Interval *strict;   /* (2) of `from`, of `to` */
    size_t n, fit_games, test_games;
    const char *from, *from_rules, *to_rules, *model_hash; /* of `to` */
    bool renamed; /* by ogpt convert: `from`, or one of the two is the other */
    int width;
} AlignmentReport;
void world_report_alignment(Report *report, const AlignmentReport *what);

#endif
