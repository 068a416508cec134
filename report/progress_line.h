/* report/progress_line.h - how far, how fast, how long still, as one line. */
#ifndef OGPT_REPORT_PROGRESS_LINE_H
#define OGPT_REPORT_PROGRESS_LINE_H

#include "base/text.h"

/* Work that goes on; texts borrowed. Done, first and total are counted in `unit`. */
typedef struct ProgressState {
    const char *label, *unit, *detail; /* "train", "steps"; detail: free text or NULL */
    double done, total;
    double first;   /* done when the clock began: a resumed command starts above 0 */
    double seconds; /* since then */
    double left;    /* seconds still to go; 0: as long for each unit as so far */
} ProgressState;

/* The line without its ends, with a bar, and of at most `width` columns: it loses the rate, half of
 * the bar if that saves the detail, the detail, the end of the label; then, in a very narrow
 * window, the bar, the count and the time left. Width 0: a line of a log, without a bar, of any
 * length. */
void progress_line(Text *out, const ProgressState *state, int width);

#endif
