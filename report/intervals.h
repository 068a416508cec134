/* report/intervals.h - an estimate and its 95 % interval in a command's document. */
#ifndef OGPT_REPORT_INTERVALS_H
#define OGPT_REPORT_INTERVALS_H

#include "base/js.h"
#include "num/statistics/stats.h"

/* Set NAME (the estimate), NAME_ci ([low, high], for readers), NAME_low and NAME_high (the same
 * as single numbers, for columns of the store) of an object. NaN becomes null. */
void js_set_interval(Js *object, const char *name, Interval interval);

#endif
