/* cli/figures.c - --svg, --pdf, --png: the figures of a command's tables as files. */
#include "cli/framework.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "report/figures/figure.h"

static const char *const formats[FIGURE_FORMATS] = {"svg", "pdf", "png"};

bool figures__asked(const Context *context)
{
    return context->figures[0] || context->figures[1] || context->figures[2];
}

/* *kind: what is there; refuse what is no file. */
static int place_check(PathKind *kind, const Context *context, int format)
{
    const char *path = context->figures[format];
    int rc = path_check_writable(path);
    rc = rc ? rc : path_kind(kind, path);
    if (rc == 0 &&
        (path[strlen(path) - 1] == '/' || (*kind != PATH_MISSING && *kind != PATH_FILE))) {
        return err_set(OGPT_EUSAGE, "%s: is no regular file; give --%s another name", path,
                       formats[format]);
    }
    return rc;
}

int figures__check(const Context *context, bool same_command)
{
    double width;
    int rc = context->width ? figure_width_read(&width, context->width) : 0;
    rc = rc || !figures__asked(context) ? rc : figure_check_built();
    if (rc == 0 && !figures__asked(context) && (context->width || context->figure)) {
        return err_set(OGPT_EUSAGE, "--%s goes with --svg, --pdf or --png, which name the file",
                       context->width ? "width" : "figure");
    }
    for (int f = 0; rc == 0 && f < FIGURE_FORMATS; f++) {
        PathKind kind = PATH_MISSING;
        const char *path = context->figures[f];
        rc = path ? place_check(&kind, context, f) : 0;
        if (rc == 0 && kind == PATH_FILE && !same_command && !context->force) {
            rc = study__exists_error(context, formats[f], path);
        }
    }
    return rc;
}

/* A warning behind a result that was computed; of stored results it is an error. */
static int nothing_say(const Context *context, const char *path, const Text *others)
{
    char line[600];
    snprintf(line, sizeof(line), "%s: not written: there is nothing for figure %s%s%s", path,
             context->figure ? context->figure : "NAME", others->length > 0 ? "; there is " : "",
             others->data ? others->data : "");
    if (context->command->uses & USES_FIGURES) {
        return err_set(OGPT_EUSAGE, "%s", line);
    }
    context_warn(context, "%s", line);
    return 0;
}

int study_figures(Context *context, const FigureSource *sources, size_t n)
{
    FigureStyle style = {0};
    Text others = {0};
    const FigureSpec *figure = figure_choose(&others, context->figure, sources, n);
    const char *first = NULL;
    int rc = context->width ? figure_width_read(&style.width_mm, context->width) : 0;
    context->study->drawn = true;
    for (int f = 0; rc == 0 && f < FIGURE_FORMATS; f++) {
        const char *path = context->figures[f];
        if (path && !figure) {
            rc = nothing_say(context, path, &others);
        } else if (path) {
            const FigureFile file = {path, (FigureFormat)f, context->force};
            rc = study__force_error(context, figure_write(NULL, &file, figure, sources, n, style));
            first = first ? first : path;
        }
    }
    if (rc == 0 && first && others.length > 0 && !context->figure) {
        context_next(context, "%s holds the figure '%s'; --figure NAME draws another: %s", first,
                     figure->name, others.data);
    }
    text_release(&others);
    return rc;
}

int figures__save(Context *context)
{
    const Table *tables[REPORT_ITEMS_MAX];
    const FigureSource source = {tables, figure_tables(tables, context->report), NULL};
    return context->study->drawn ? 0 : study_figures(context, &source, 1);
}
