/* report/results/train_result.h - the result of a training run, and its profile by kernel. */
#ifndef OGPT_REPORT_RESULTS_TRAIN_RESULT_H
#define OGPT_REPORT_RESULTS_TRAIN_RESULT_H

#include "model/train/train.h"
#include "report/report.h"

/* What there is to report; all borrowed. */
typedef struct TrainFindings {
    const TrainResult *result;
    double strict_error; /* on held-out games */
    bool generated;      /* every legal move was equally likely: floor and excess mean something */
    const Js *curve;     /* rows of train_curve, NULL: none */
    const SpeedPeaks *peaks; /* of this machine: report what num/profile/profile.h counted, too.
                              * NULL: not profiled */
} TrainFindings;

extern const TableSpec train_table, train_profile_table, train_peaks_table, train_curve_table;

void train_report(Report *report, const TrainFindings *found);

#endif
