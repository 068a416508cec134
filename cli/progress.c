/* cli/progress.c - how far, how fast, how long still: on stderr, never on stdout. */
#include "cli/framework.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/terminal.h"

#define BAR_CELLS 24
#define BAR_CELLS_LEAST 10 /* for the sake of the detail */
#define REDRAW_SECONDS 0.1 /* of a terminal's bar */
#define LINE_SECONDS 10.0  /* between lines in a log */
#define LABEL_LEAST 8      /* columns; before a label gets shorter, the bar goes */

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

/* "2 h 05 min", "3 min 20 s", "45 s" */
static void duration_print(char *out, size_t size, double seconds)
{
    long whole = seconds < 0 ? 0 : seconds < 1e9 ? (long)(seconds + 0.5) : 1000000000L;
    if (whole >= 3600) {
        snprintf(out, size, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    } else if (whole >= 60) {
        snprintf(out, size, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        snprintf(out, size, "%ld s", whole);
    }
}

/* What a line of progress is made of, each with the blanks and commas before it. */
typedef struct ProgressParts {
    const char *label, *detail;
    double share; /* that is done */
    char bar[BAR_CELLS + 5], percent[16], count[80], rate[80], left[48];
} ProgressParts;

static void bar_make(ProgressParts *out, int cells)
{
    memset(out->bar, 0, sizeof(out->bar));
    out->bar[0] = ' ';
    out->bar[1] = '[';
    memset(out->bar + 2, '.', (size_t)cells);
    memset(out->bar + 2, '#', (size_t)(out->share * cells));
    out->bar[cells + 2] = ']';
}

static void parts_make(ProgressParts *out, const Progress *progress, double done, double now,
                       const char *detail)
{
    double share = progress->total > 0 ? done / progress->total : 1;
    double speed = (done - progress->first) / (now - progress->start);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    *out = (ProgressParts){.label = progress->label, .detail = detail ? detail : ""};
    out->share = share;
    bar_make(out, BAR_CELLS);
    snprintf(out->percent, sizeof(out->percent), " %3.0f %%", 100 * share);
    snprintf(out->count, sizeof(out->count), "  %.0f of %.0f %s", done, progress->total,
             progress->unit);
    if (now > progress->start && speed > 0) {
        char duration[32];
        snprintf(out->rate, sizeof(out->rate), ", %.*f %s/s", speed < 10 ? 2 : 0, speed,
                 progress->unit);
        duration_print(duration, sizeof(duration), (progress->total - done) / speed);
        snprintf(out->left, sizeof(out->left), ", %s left", duration);
    }
}

static void parts_join(Text *out, const ProgressParts *parts)
{
    bool detail = parts->detail[0] != '\0';
    text_add(out, "%s%s%s%s%s%s%s%s", parts->label, parts->bar, parts->percent, parts->count,
             parts->rate, parts->left, detail ? "  " : "", parts->detail);
}

static int excess_of(const ProgressParts *parts, int width)
{
    Text line = {0};
    parts_join(&line, parts);
    int columns = line.data ? style_columns(line.data) : 0;
    text_release(&line);
    return columns - width;
}

/* Leave out what can be missed until the line fits: the rate, half of the bar if that saves the
 * detail, the detail, the end of the label; then, on a very narrow terminal, the bar, the count and
 * the time left. */
static void parts_fit(ProgressParts *parts, char label[64], int width)
{
    char *parts_out[] = {parts->bar, parts->count, parts->left};
    if (excess_of(parts, width) > 0) {
        parts->rate[0] = '\0';
    }
    int excess = excess_of(parts, width);
    if (excess > 0 && excess <= BAR_CELLS - BAR_CELLS_LEAST) {
        bar_make(parts, BAR_CELLS - excess);
    } else if (excess > 0) {
        parts->detail = "";
    }
    for (size_t i = 0; i <= 3 && excess_of(parts, width) > 0; i++) {
        int room = style_columns(parts->label) - excess_of(parts, width);
        if (room >= LABEL_LEAST || i == 3) {
            size_t bytes = style_cut(parts->label, room > 1 ? room - 1 : 0);
            snprintf(label, 64, "%.*s~", (int)(bytes < 62 ? bytes : 62), parts->label);
            parts->label = label;
        } else {
            parts_out[i][0] = '\0';
        }
    }
}

void progress__line(Text *out, const Progress *progress, double done, double now,
                    const char *detail, int width)
{
    ProgressParts parts;
    char label[64];
    parts_make(&parts, progress, done, now, detail);
    if (width == 0) {
        parts.bar[0] = '\0';
    } else {
        parts_fit(&parts, label, width);
    }
    parts_join(out, &parts);
}

void progress_step(Progress *progress, double done, const char *detail)
{
    double now = clock_seconds();
    bool redraws = terminal_redraws(STDERR_FILENO);
    Text line = {0};
    if (progress->first < 0) {
        progress->first = done;
        progress->start = now;
    }
    double wait = redraws ? REDRAW_SECONDS : LINE_SECONDS;
    if (progress->context->quiet || now - progress->shown < wait) {
        return;
    }
    progress->shown = now;
    /* A terminal whose last column is written to may go to the next line: one is left free. */
    progress__line(&line, progress, done, now, detail,
                   redraws ? terminal_width(STDERR_FILENO) - 1 : 0);
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
