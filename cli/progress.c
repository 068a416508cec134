/* cli/progress.c - how far, how fast, how long still: on stderr, never on stdout. */
#include "cli/command.h"

#include <stdio.h>
#include <unistd.h>

#include "base/process.h"

#define BAR_CELLS 24
#define REDRAW_SECONDS 0.1 /* of a terminal's bar */
#define LINE_SECONDS 10.0  /* between lines in a log */

Progress progress_begin(const Context *context, const char *label, const char *unit, double total)
{
    double now = clock_seconds();
    /* A log gets its first line after ten seconds, a terminal its bar at the first step. */
    double shown = isatty(STDERR_FILENO) ? now - REDRAW_SECONDS : now;
    return (Progress){.context = context,
                      .label = label,
                      .unit = unit,
                      .total = total,
                      .start = now,
                      .shown = shown,
                      .first = -1,
                      .open = false};
}

/* "2 h 05 min", "3 min 20 s", "45 s" */
static void duration_print(char *out, size_t size, double seconds)
{
    long whole = seconds < 1e9 ? (long)(seconds + 0.5) : 1000000000L;
    if (whole >= 3600) {
        snprintf(out, size, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    } else if (whole >= 60) {
        snprintf(out, size, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        snprintf(out, size, "%ld s", whole);
    }
}

void progress_step(Progress *progress, double done, const char *detail)
{
    double now = clock_seconds();
    bool terminal = isatty(STDERR_FILENO) != 0;
    char bar[BAR_CELLS + 4] = "";
    char rate[64] = "";
    char left[48] = "";
    if (progress->first < 0) {
        progress->first = done;
        progress->start = now;
    }
    double wait = terminal ? REDRAW_SECONDS : LINE_SECONDS;
    if (progress->context->quiet || now - progress->shown < wait) {
        return;
    }
    progress->shown = now;
    double share = progress->total > 0 ? done / progress->total : 1;
    share = share > 1 ? 1 : share;
    if (terminal) {
        int cells = (int)(share * BAR_CELLS);
        bar[0] = '[';
        for (int i = 0; i < BAR_CELLS; i++) {
            bar[1 + i] = i < cells ? '#' : '.';
        }
        bar[BAR_CELLS + 1] = ']';
        bar[BAR_CELLS + 2] = ' ';
    }
    double speed = (done - progress->first) / (now - progress->start);
    if (now > progress->start && speed > 0) {
        char duration[32];
        snprintf(rate, sizeof(rate), ", %.*f %s/s", speed < 10 ? 2 : 0, speed, progress->unit);
        duration_print(duration, sizeof(duration), (progress->total - done) / speed);
        snprintf(left, sizeof(left), ", %s left", duration);
    }
    fprintf(stderr, "%s%s %s%3.0f %%  %.0f of %.0f %s%s%s%s%s%s", terminal ? "\r" : "",
            progress->label, bar, 100 * share, done, progress->total, progress->unit, rate, left,
            detail && detail[0] != '\0' ? "  " : "", detail ? detail : "",
            terminal ? "\033[K" : "\n");
    fflush(stderr);
    progress->open = terminal;
}

void progress_end(Progress *progress)
{
    if (progress->open) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    progress->open = false;
}
