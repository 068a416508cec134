/* cli/progress.c - how far, how fast, how long still: on stderr, never on stdout. */
#include "cli/command.h"

#include <stdio.h>
#include <unistd.h>

#include "base/process.h"
#include "base/ranks/ranks.h"
#include "cli/terminal.h"
#include "report/progress_line.h"

#define REDRAW_SECONDS 0.1 /* of a terminal's bar */
#define LINE_SECONDS 10.0  /* between lines in a log */

Progress progress_begin(const Context *context, const char *label, const char *unit, double total)
{
    double now = clock_seconds();
    /* A log gets its first line after ten seconds, a terminal its bar at the first step. */
    double shown = terminal_redraws(STDERR_FILENO) ? now - REDRAW_SECONDS : now;
    return (Progress){.context = context,
                      .label = label,
                      .unit = unit,
                      .total = total,
                      .start = now,
                      .shown = shown,
                      .first = -1,
                      .open = false};
}

void progress_step(Progress *progress, double done, const char *detail)
{
    double now = clock_seconds();
    bool redraws = terminal_redraws(STDERR_FILENO);
    Text line = {0};
    if (progress->first < 0 || done < progress->last) { /* less than before: counted anew */
        progress->first = done;
        progress->start = now;
    }
    progress->last = done;
    double wait = redraws ? REDRAW_SECONDS : LINE_SECONDS;
    if (progress->context->quiet || !ranks_first() || now - progress->shown < wait) {
        return;
    }
    progress->shown = now;
    /* A terminal whose last column is written to may go to the next line: one is left free. */
    ProgressState state = {.label = progress->label,
                           .unit = progress->unit,
                           .detail = detail,
                           .done = done,
                           .total = progress->total,
                           .first = progress->first,
                           .seconds = now - progress->start,
                           .left = progress->left};
    progress_line(&line, &state, redraws ? terminal_width(STDERR_FILENO) - 1 : 0);
    if (line.data) {
        fprintf(stderr, "%s%s%s", redraws ? "\r" : "", line.data, redraws ? "\033[K" : "\n");
        fflush(stderr);
        progress->open = redraws;
    }
    text_release(&line);
}

void progress_end(Progress *progress)
{
    if (progress->open) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    progress->open = false;
}
