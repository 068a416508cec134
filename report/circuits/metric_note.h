/* report/circuits/metric_note.h - which pairs are asked about something else than the rest. */
#ifndef OGPT_REPORT_CIRCUITS_METRIC_NOTE_H
#define OGPT_REPORT_CIRCUITS_METRIC_NOTE_H

#include "probes/cases/pairs.h"
#include "report/report.h"

/* Warn of pairs of a file whose metric compares the moves of one board with its other empty
 * squares, because the boards have the same moves. */
void metric_report(Report *report, const char *path, const GamePair *pairs, size_t n);

#endif
