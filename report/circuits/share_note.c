/* report/circuits/share_note.c - contract in report/circuits/share_note.h. */
#include "report/circuits/share_note.h"

void share_report(Report *report, const char *which, Interval difference)
{
    if (!(difference.low > 0) && !(difference.high < 0)) {
        report_warn(report,
                    "%s%sDelta does not differ between the two runs (%.3f, 95 %% interval %.3f "
                    "to %.3f nats): shares of it mean nothing",
                    which ? which : "", which ? ": " : "", difference.value, difference.low,
                    difference.high);
    }
}
