/* report/progress_line.c - contract in report/progress_line.h. */
#include "report/progress_line.h"

#include <stdio.h>
#include <string.h>

#include "report/text_style.h"

#define BAR_CELLS 24
#define BAR_CELLS_LEAST 10 /* for the sake of the detail */
#define LABEL_LEAST 8      /* columns; before a label gets shorter, the bar goes */

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

static void parts_make(ProgressParts *out, const ProgressState *state)
{
    double share = state->total > 0 ? state->done / state->total : 1;
    double speed = (state->done - state->first) / state->seconds;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    *out = (ProgressParts){.label = state->label, .detail = state->detail ? state->detail : ""};
    out->share = share;
    bar_make(out, BAR_CELLS);
    snprintf(out->percent, sizeof(out->percent), " %3.0f %%", 100 * share);
    snprintf(out->count, sizeof(out->count), "  %.0f of %.0f %s", state->done, state->total,
             state->unit);
    if (state->seconds > 0 && speed > 0) {
        char duration[32];
        snprintf(out->rate, sizeof(out->rate), ", %.*f %s/s", speed < 10 ? 2 : 0, speed,
                 state->unit);
        duration_print(duration, sizeof(duration),
                       state->left > 0 ? state->left : (state->total - state->done) / speed);
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

void progress_line(Text *out, const ProgressState *state, int width)
{
    ProgressParts parts;
    char label[64];
    parts_make(&parts, state);
    if (width == 0) {
        parts.bar[0] = '\0';
    } else {
        parts_fit(&parts, label, width);
    }
    parts_join(out, &parts);
}
