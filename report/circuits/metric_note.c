/* report/circuits/metric_note.c - contract in report/circuits/metric_note.h. */
#include "report/circuits/metric_note.h"

void metric_report(Report *report, const char *path, const GamePair *pairs, size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += !pairs[i].target && pairs[i].legal_clean == pairs[i].legal_corrupt;
    }
    if (same > 0) {
        report_warn(report,
                    "%s: %zu of %zu pairs have the same legal moves on both boards, as "
                    "transpositions do: there the metric is the mean logit of the legal moves "
                    "minus that of the other empty squares",
                    path, same, n);
    }
}
