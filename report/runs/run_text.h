/* report/runs/run_text.h - one run of the results database as text for people. */
#ifndef OGPT_REPORT_RUNS_RUN_TEXT_H
#define OGPT_REPORT_RUNS_RUN_TEXT_H

#include "base/js.h"
#include "base/text.h"

/* A value as text; NULL and null are "-". */
void run_text_value(Text *text, const Js *value);
/* A run as store_show returns it: command, options, versions, rows by kind, curves of training.
 * Returns 0 or OGPT_ENOMEM. */
int run_text_describe(Text *text, const Js *run);

#endif
