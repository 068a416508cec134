/* report/figures/describe.h - a figure in words, for who does not see it. */
#ifndef OGPT_REPORT_FIGURES_DESCRIBE_H
#define OGPT_REPORT_FIGURES_DESCRIBE_H

#include "report/figures/figure_data.h"

/* One line a series: where, value, interval. */
void describe_data(Text *out, const FigureData *data);

#endif
