/* report/figures/axis.h - one axis: which values it spans, where they lie, which are written. */
#ifndef OGPT_REPORT_FIGURES_AXIS_H
#define OGPT_REPORT_FIGURES_AXIS_H

#include "report/figures/figure_data.h"

enum { AXIS_TICKS_MAX = 24, AXIS_LABEL_MAX = 24 };

/* Smallest and largest of the values seen; {NAN, NAN}: none yet. */
typedef struct AxisRange {
    double low, high;
} AxisRange;
void axis_range_see(AxisRange *range, double value, bool log);

typedef struct Axis {
    bool log;
    double low, high; /* values at its ends */
    double from, to;  /* where the ends lie, mm; to be set */
    int n;
    double ticks[AXIS_TICKS_MAX];
    char labels[AXIS_TICKS_MAX][AXIS_LABEL_MAX]; /* "": a tick without one */
} Axis;

/* An axis over the values, with a margin beyond them and about `wanted` ticks. `column` says
 * whether they are whole numbers, layers or shares. */
Axis axis_make(AxisRange range, const FigureAxis *spec, const Column *column, int wanted);
/* Where a value lies; NaN: nowhere. */
double axis_place(const Axis *axis, double value);
/* The widest label with letters of this size. */
double axis_labels_width(const Axis *axis, double size);

#endif
