/* report/figures/figure.c - contract in report/figures/figure.h. */
#include "report/figures/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "report/figures/describe.h"
#include "report/ink/ink.h"
#include "report/figures/page.h"

int figure_width_read(double *out, const char *text)
{
    char *end = NULL;
    const bool number = text[0] != '\0' && strspn(text, "0123456789.") > 0;
    *out = number ? strtod(text, &end) : 0;
    const bool centimetres = number && strcmp(end, "cm") == 0;
    *out *= centimetres ? 10 : 1;
    if (!number || (!centimetres && strcmp(end, "mm") != 0 && *end != '\0') ||
        !(*out >= FIGURE_WIDTH_MIN && *out <= FIGURE_WIDTH_MAX)) {
        return err_set(OGPT_EUSAGE,
                       "option --width: %g to %g mm expected, such as 84mm (a column) or 174mm "
                       "(two), found '%s'",
                       FIGURE_WIDTH_MIN, FIGURE_WIDTH_MAX, text);
    }
    return 0;
}

size_t figure_tables(const Table *out[REPORT_ITEMS_MAX], const Report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_items; i++) {
        if (report_table_at(report, i)) {
            out[n++] = report_table_at(report, i);
        }
    }
    return n;
}

static bool has_values(const FigureSpec *figure, const FigureSource *sources, size_t n)
{
    FigureData data;
    bool has = figure_data_take(&data, figure, sources, n) == 0 && figure_data_has_values(&data);
    figure_data_release(&data);
    return has;
}

/* The figures of one table, the main ones or the others, behind the `found` of before. */
static size_t table_figures(const FigureSpec *out[], size_t max, size_t found, const Table *table,
                            bool main, const FigureSource *sources, size_t n)
{
    for (size_t f = 0; f < table->spec->n_figures; f++) {
        const FigureSpec *figure = &table->spec->figures[f];
        bool before = false;
        for (size_t i = 0; i < found && !before; i++) {
            before = strcmp(out[i]->name, figure->name) == 0;
        }
        if (figure->main == main && !before && found < max && has_values(figure, sources, n)) {
            out[found++] = figure;
        }
    }
    return found;
}

size_t figure_list(const FigureSpec *out[], size_t max, const FigureSource *sources, size_t n)
{
    size_t found = 0;
    for (int pass = 0; pass < 2; pass++) { /* the main ones first */
        for (size_t s = 0; s < n; s++) {
            for (size_t t = 0; t < sources[s].n; t++) {
                found = table_figures(out, max, found, sources[s].tables[t], pass == 0, sources, n);
            }
        }
    }
    return found;
}

/* Whether a table before table t has a figure of this name. */
static bool named_before(const TableSpec *const *tables, size_t t, const char *name)
{
    for (size_t i = 0; i < t; i++) {
        for (size_t f = 0; f < tables[i]->n_figures; f++) {
            if (strcmp(tables[i]->figures[f].name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

const char *figure_names(char *out, size_t room, const TableSpec *const *tables)
{
    size_t length = 0;
    for (size_t t = 0; tables && tables[t]; t++) {
        for (size_t f = 0; f < tables[t]->n_figures && length < room; f++) {
            if (named_before(tables, t, tables[t]->figures[f].name)) {
                continue;
            }
            length += (size_t)snprintf(out + length, room - length, "%s%s", length > 0 ? "|" : "",
                                       tables[t]->figures[f].name);
        }
    }
    return length > 0 ? out : NULL;
}

const FigureSpec *figure_choose(Text *others, const char *name, const FigureSource *sources,
                                size_t n)
{
    const FigureSpec *figures[FIGURES_MAX], *chosen = NULL;
    const size_t n_figures = figure_list(figures, FIGURES_MAX, sources, n);
    for (size_t i = 0; i < n_figures; i++) {
        if (!chosen && (!name || strcmp(name, figures[i]->name) == 0)) {
            chosen = figures[i];
        } else {
            text_add(others, "%s%s", others->length > 0 ? ", " : "", figures[i]->name);
        }
    }
    return chosen;
}

int figure_check_built(void)
{
    return ink_check();
}

void figure_place(Marks *out, const FigureData *data, FigureStyle style)
{
    Page page = {.marks = out,
                 .data = data,
                 .width = style.width_mm > 0 ? style.width_mm : FIGURE_WIDTH_COLUMN,
                 .y = PAGE_MARGIN};
    page_title(&page);
    switch (data->figure->kind) {
    case FIGURE_LINES: page_lines(&page); break;
    case FIGURE_DOTS: page_dots(&page); break;
    case FIGURE_MATRIX: page_matrix(&page); break;
    case FIGURE_BOARD: page_board(&page); break;
    case FIGURE_GRAPH: page_graph(&page); break;
    }
    out->width = page.width;
    out->height = page.y + PAGE_MARGIN;
}

/* The bytes of a figure, added to `out`. */
static int figure_bytes(Text *out, const FigureSpec *figure, const FigureSource *sources, size_t n,
                        FigureStyle style, FigureFormat format)
{
    FigureData data = {0};
    Marks marks = {0};
    Text words = {0};
    int rc = ink_check();
    rc = rc ? rc : figure_data_take(&data, figure, sources, n);
    if (rc == 0 && !figure_data_has_values(&data)) {
        rc = err_set(OGPT_EUSAGE, "figure %s: nothing to draw: no row has a value", figure->name);
    }
    if (rc == 0) {
        figure_place(&marks, &data, style);
        describe_data(&words, &data);
        rc = marks.failed || words.failed ? err_set(OGPT_ENOMEM, "no memory for a figure") : 0;
    }
    rc = rc ? rc
            : ink_draw(out, &marks, format,
                       &(InkWords){figure->title ? figure->title : figure->name, words.data,
                                   style.prefix});
    text_release(&words);
    marks_release(&marks);
    figure_data_release(&data);
    return rc;
}

int figure_svg(Text *out, const FigureSpec *figure, const FigureSource *sources, size_t n,
               FigureStyle style)
{
    return figure_bytes(out, figure, sources, n, style, FIGURE_SVG);
}

/* Whether a file may be written: nothing is there, or just these bytes. */
static int place_check(const char *path, const Text *bytes)
{
    void *there = NULL;
    size_t n_bytes = 0;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc != 0 || kind != PATH_FILE) {
        return rc;
    }
    bool same = file_read_all(&there, &n_bytes, path, bytes->length) == 0 &&
                n_bytes == bytes->length && memcmp(there, bytes->data, n_bytes) == 0;
    mem_free(there);
    return same ? 0
                : err_set(OGPT_EUSAGE, "%s: exists and holds something else; choose another name",
                          path);
}

int figure_write(size_t *n_bytes, const FigureFile *file, const FigureSpec *figure,
                 const FigureSource *sources, size_t n, FigureStyle style)
{
    Text bytes = {0};
    char parent[FILES_PATH_MAX];
    int rc = figure_bytes(&bytes, figure, sources, n, style, file->format);
    rc = rc ? rc : path_parent(parent, file->path);
    rc = rc ? rc : dir_create(parent);
    rc = rc || file->replace ? rc : place_check(file->path, &bytes);
    rc = rc ? rc : file_write_atomic(file->path, bytes.data, bytes.length, true);
    if (n_bytes) {
        *n_bytes = bytes.length;
    }
    text_release(&bytes);
    return rc;
}

int figure_describe(Text *out, const FigureSpec *figure, const FigureSource *sources, size_t n)
{
    FigureData data;
    int rc = figure_data_take(&data, figure, sources, n);
    if (rc == 0) {
        describe_data(out, &data);
        figure_data_release(&data);
    }
    return rc;
}
